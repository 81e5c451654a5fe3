#include "ctl/resolve/addresses.h"

#include <memory>
#include <utility>

#include "ctl/model/rdata.h"
#include "ctl/resolve/answer.h"

namespace brink::ctl::resolve {
namespace {

class Lookup : public std::enable_shared_from_this<Lookup> {
 public:
  Lookup(Exchange& exchange, const AddressFilter& filter, model::DomainName name,
         std::function<void(Addresses)> done)
      : exchange_(exchange), filter_(filter), name_(std::move(name)), done_(std::move(done)) {}

  void ask(const Question& question) {
    exchange_.ask(question, [self = shared_from_this(), question](const Reply& reply) {
      self->take(question, reply);
    });
  }

 private:
  void take(const Question& question, const Reply& reply);
  void go_on(model::RecordType type);

  Exchange& exchange_;
  const AddressFilter& filter_;
  const model::DomainName name_;
  const std::function<void(Addresses)> done_;
  std::size_t links_ = 0;  // of the present type
  Addresses found_;
};

void Lookup::take(const Question& question, const Reply& reply) {
  const Answer answer =
      reply.message.empty() ? Answer::failed(reply.failure) : read_answer(question, reply.message);
  links_ += answer.links;
  switch (answer.kind) {
    case Answer::Kind::kAddresses:
      for (const auto& address : answer.addresses) {
        if (filter_.admits(address)) {
          found_.admitted.push_back(address);
        } else {
          found_.reason = "leads to " + std::string(address.text().view()) +
                          ", which is not public; allow it with origin-allow";
        }
      }
      break;
    case Answer::Kind::kAlias:
      if (links_ <= kChainMax) return ask({answer.alias, question.type});
      found_.reason = "has too long a chain of aliases";
      break;
    case Answer::Kind::kNothing:
    case Answer::Kind::kFailed:
      if (found_.reason.empty()) found_.reason = answer.reason;
      break;
  }
  go_on(question.type);
}

void Lookup::go_on(model::RecordType type) {
  links_ = 0;
  if (type == model::kTypeA) return ask({name_, model::kTypeAaaa});
  if (!found_.admitted.empty()) found_.reason.clear();
  done_(std::move(found_));
}

}  // namespace

void find_addresses(Exchange& exchange, const AddressFilter& filter, const model::DomainName& name,
                    std::function<void(Addresses)> done) {
  std::make_shared<Lookup>(exchange, filter, name, std::move(done))->ask({name, model::kTypeA});
}

}  // namespace brink::ctl::resolve
