#include "ctl/resolve/delegation.h"

#include <algorithm>
#include <optional>
#include <set>

#include "ctl/resolve/answer.h"
#include "dns/zone/message.h"

namespace brink::ctl::resolve {
namespace {

using dns::zone::ResourceRecord;
using dns::zone::Wire;
using model::DomainName;

constexpr std::uint8_t kNoError = 0, kNameError = 3;
constexpr std::size_t kServersMax = 4;  // of the parent's, that are tried
constexpr unsigned kReferralsMax = 8;

std::optional<DomainName> to_name(const Wire& wire) {
  return DomainName::from_wire(
      std::span(reinterpret_cast<const std::uint8_t*>(wire.data()), wire.size()));
}

// The targets of NS records; with `owner` left open, of the first owner there is.
std::vector<DomainName> ns_targets(const std::vector<ResourceRecord>& records,
                                   std::optional<DomainName>& owner) {
  std::set<DomainName> targets;
  for (const ResourceRecord& record : records) {
    if (record.type != model::kTypeNs) continue;
    const auto name = to_name(record.owner), target = to_name(record.rdata);
    if (!name || !target) continue;
    if (!owner) owner = name;
    if (*name == *owner) targets.insert(*target);
  }
  return {targets.begin(), targets.end()};
}

// The way to the parent's servers, and what is asked of them. Who derives from it says what an
// answer means.
class ParentCheck : public std::enable_shared_from_this<ParentCheck> {
 public:
  ParentCheck(Exchange& exchange, const AddressFilter& filter, std::uint16_t port,
              Question question)
      : exchange_(exchange),
        filter_(filter),
        port_(port),
        question_(std::move(question)),
        zone_(question_.name) {}
  virtual ~ParentCheck() = default;

  void find_parent(const DomainName& candidate);

 protected:
  // Whether a server's answer settles the matter; done has been called then.
  virtual bool conclude(const dns::zone::MessageRecords& records) = 0;
  virtual void give_up(std::string reason) = 0;

  [[nodiscard]] const DomainName& zone() const { return zone_; }
  [[nodiscard]] const DomainName& parent() const { return parent_; }

 private:
  void take_parent(const DomainName& candidate, const Reply& reply);
  void use_servers(std::vector<DomainName> names);
  void find_address();
  void take_address(const Question& question, const Reply& reply);
  void ask_server();
  void take_referral(const Reply& reply);
  bool may_ask();

  Exchange& exchange_;
  const AddressFilter& filter_;
  const std::uint16_t port_;
  const Question question_;
  const DomainName& zone_;

  DomainName parent_;             // whose servers are being asked
  std::vector<Question> wanted_;  // addresses of its servers, the next one last
  std::vector<base::Endpoint> found_;
  std::string problem_ = "none of the parent's name servers has an address that may be asked";
  unsigned questions_ = 0, referrals_ = 0;
};

bool ParentCheck::may_ask() {
  if (++questions_ <= kQuestionsMax) return true;
  give_up("it takes too many questions");
  return false;
}

void ParentCheck::find_parent(const DomainName& candidate) {
  if (!may_ask()) return;
  exchange_.ask({candidate, model::kTypeNs},
                [self = shared_from_this(), candidate](const Reply& reply) {
                  self->take_parent(candidate, reply);
                });
}

// A name without NS records is within the zone of a name above.
void ParentCheck::take_parent(const DomainName& candidate, const Reply& reply) {
  const auto records = dns::zone::read_message(reply.message);
  if (reply.message.empty() || !records ||
      (records.value().rcode != kNoError && records.value().rcode != kNameError)) {
    return give_up("the resolver cannot say who serves the parent" +
                   (reply.failure.empty() ? "" : ": " + reply.failure));
  }
  std::optional<DomainName> owner = candidate;
  auto servers = ns_targets(records.value().answer, owner);
  if (!servers.empty()) {
    parent_ = candidate;
    return use_servers(std::move(servers));
  }
  if (candidate.is_root()) {
    return give_up("the resolver does not know the root's servers");
  }
  find_parent(candidate.parent());
}

void ParentCheck::use_servers(std::vector<DomainName> names) {
  if (names.size() > kServersMax) names.resize(kServersMax);
  wanted_.clear();
  for (const DomainName& name : names) wanted_.push_back({name, model::kTypeAaaa});
  for (const DomainName& name : names) wanted_.push_back({name, model::kTypeA});
  found_.clear();
  find_address();
}

void ParentCheck::find_address() {
  if (wanted_.empty()) return give_up(problem_);
  const Question question = wanted_.back();
  wanted_.pop_back();
  if (!may_ask()) return;
  exchange_.ask(question, [self = shared_from_this(), question](const Reply& reply) {
    self->take_address(question, reply);
  });
}

void ParentCheck::take_address(const Question& question, const Reply& reply) {
  if (!reply.message.empty()) {
    for (const auto& address : read_answer(question, reply.message).addresses) {
      if (filter_.admits(address)) found_.push_back({address, port_});
    }
  }
  if (found_.empty()) return find_address();
  ask_server();
}

void ParentCheck::ask_server() {
  if (!may_ask()) return;
  const std::vector<base::Endpoint> servers = std::move(found_);
  found_.clear();
  exchange_.ask_at(servers, question_,
                   [self = shared_from_this()](const Reply& reply) { self->take_referral(reply); });
}

// A server that is of no use gives way to the next.
void ParentCheck::take_referral(const Reply& reply) {
  const auto message = dns::zone::read_message(reply.message);
  if (reply.message.empty() || !message) {
    problem_ = "a name server of \"" + parent_.text() + "\" gives no answer" +
               (reply.failure.empty() ? "" : ": " + reply.failure);
    return find_address();
  }
  const auto& records = message.value();
  if (conclude(records)) return;
  std::optional<DomainName> owner;
  auto servers = ns_targets(records.authority, owner);
  const bool leads_down = owner && *owner != parent_ && owner->is_within(parent_) &&
                          zone_.is_within(*owner) && ++referrals_ <= kReferralsMax;
  if (servers.empty() || !leads_down) {
    problem_ = "a name server of \"" + parent_.text() + "\" does not answer for it";
    return find_address();
  }
  parent_ = *owner;
  use_servers(std::move(servers));
}

bool is_answer(const dns::zone::MessageRecords& records) {
  return records.rcode == kNoError || records.rcode == kNameError;
}

class DelegationCheck : public ParentCheck {
 public:
  DelegationCheck(Exchange& exchange, const AddressFilter& filter, std::uint16_t port,
                  const DomainName& zone, std::function<void(Delegation)> done)
      : ParentCheck(exchange, filter, port, {zone, model::kTypeNs}), done_(std::move(done)) {}

 private:
  bool conclude(const dns::zone::MessageRecords& records) override {
    std::optional<DomainName> owner = zone();
    auto servers = ns_targets(records.answer, owner);
    if (servers.empty()) servers = ns_targets(records.authority, owner);
    if (!servers.empty()) {
      done_({Delegation::Kind::kFound, std::move(servers), ""});
      return true;
    }
    if (!records.authoritative || !is_answer(records)) return false;
    done_({Delegation::Kind::kAbsent,
           {},
           "\"" + parent().text() + "\" does not delegate " + zone().text()});
    return true;
  }
  void give_up(std::string reason) override {
    done_({Delegation::Kind::kUnknown, {}, std::move(reason)});
  }

  const std::function<void(Delegation)> done_;
};

// A server that has the child alone would answer without authority over DS, or with the child's SOA
// (RFC 4035 3.1.4.1): it is no server of the parent.
class DsCheck : public ParentCheck {
 public:
  DsCheck(Exchange& exchange, const AddressFilter& filter, std::uint16_t port,
          const DomainName& zone, std::function<void(ParentDs)> done)
      : ParentCheck(exchange, filter, port, {zone, model::kTypeDs}), done_(std::move(done)) {}

 private:
  bool conclude(const dns::zone::MessageRecords& records) override {
    if (!records.authoritative || !is_answer(records) || is_from_child(records)) return false;
    std::set<Wire> rdata;
    for (const ResourceRecord& record : records.answer) {
      const auto owner = to_name(record.owner);
      if (record.type == model::kTypeDs && owner && *owner == zone()) rdata.insert(record.rdata);
    }
    done_({true, {rdata.begin(), rdata.end()}, ""});
    return true;
  }
  [[nodiscard]] bool is_from_child(const dns::zone::MessageRecords& records) const {
    return std::any_of(records.authority.begin(), records.authority.end(),
                       [this](const ResourceRecord& record) {
                         const auto owner = to_name(record.owner);
                         return record.type == dns::zone::kTypeSoa && owner && *owner == zone();
                       });
  }
  void give_up(std::string reason) override { done_({false, {}, std::move(reason)}); }

  const std::function<void(ParentDs)> done_;
};

}  // namespace

void check_delegation(Exchange& exchange, const AddressFilter& filter, std::uint16_t port,
                      const DomainName& zone, std::function<void(Delegation)> done) {
  std::make_shared<DelegationCheck>(exchange, filter, port, zone, std::move(done))
      ->find_parent(zone.parent());
}

void check_ds(Exchange& exchange, const AddressFilter& filter, std::uint16_t port,
              const DomainName& zone, std::function<void(ParentDs)> done) {
  std::make_shared<DsCheck>(exchange, filter, port, zone, std::move(done))
      ->find_parent(zone.parent());
}

}  // namespace brink::ctl::resolve
