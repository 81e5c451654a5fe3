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

class DelegationCheck : public std::enable_shared_from_this<DelegationCheck> {
 public:
  DelegationCheck(Exchange& exchange, const AddressFilter& filter, std::uint16_t port,
                  DomainName zone, std::function<void(Delegation)> done)
      : exchange_(exchange),
        filter_(filter),
        port_(port),
        zone_(std::move(zone)),
        done_(std::move(done)) {}

  void find_parent(const DomainName& candidate);

 private:
  void take_parent(const DomainName& candidate, const Reply& reply);
  void use_servers(std::vector<DomainName> names);
  void find_address();
  void take_address(const Question& question, const Reply& reply);
  void ask_server();
  void take_referral(const Reply& reply);
  bool may_ask();
  void finish(Delegation::Kind kind, std::string reason, std::vector<DomainName> servers = {});

  Exchange& exchange_;
  const AddressFilter& filter_;
  const std::uint16_t port_;
  const DomainName zone_;
  const std::function<void(Delegation)> done_;

  DomainName parent_;             // whose servers are being asked
  std::vector<Question> wanted_;  // addresses of its servers, the next one last
  std::vector<base::Endpoint> found_;
  std::string problem_ = "none of the parent's name servers has an address that may be asked";
  unsigned questions_ = 0, referrals_ = 0;
};

bool DelegationCheck::may_ask() {
  if (++questions_ <= kQuestionsMax) return true;
  finish(Delegation::Kind::kUnknown, "it takes too many questions");
  return false;
}

void DelegationCheck::finish(Delegation::Kind kind, std::string reason,
                             std::vector<DomainName> servers) {
  done_({kind, std::move(servers), std::move(reason)});
}

void DelegationCheck::find_parent(const DomainName& candidate) {
  if (!may_ask()) return;
  exchange_.ask({candidate, model::kTypeNs},
                [self = shared_from_this(), candidate](const Reply& reply) {
                  self->take_parent(candidate, reply);
                });
}

// A name without NS records is within the zone of a name above.
void DelegationCheck::take_parent(const DomainName& candidate, const Reply& reply) {
  const auto records = dns::zone::read_message(reply.message);
  if (reply.message.empty() || !records ||
      (records.value().rcode != kNoError && records.value().rcode != kNameError)) {
    return finish(Delegation::Kind::kUnknown,
                  "the resolver cannot say who serves the parent" +
                      (reply.failure.empty() ? "" : ": " + reply.failure));
  }
  std::optional<DomainName> owner = candidate;
  auto servers = ns_targets(records.value().answer, owner);
  if (!servers.empty()) {
    parent_ = candidate;
    return use_servers(std::move(servers));
  }
  if (candidate.is_root()) {
    return finish(Delegation::Kind::kUnknown, "the resolver does not know the root's servers");
  }
  find_parent(candidate.parent());
}

void DelegationCheck::use_servers(std::vector<DomainName> names) {
  if (names.size() > kServersMax) names.resize(kServersMax);
  wanted_.clear();
  for (const DomainName& name : names) wanted_.push_back({name, model::kTypeAaaa});
  for (const DomainName& name : names) wanted_.push_back({name, model::kTypeA});
  found_.clear();
  find_address();
}

void DelegationCheck::find_address() {
  if (wanted_.empty()) return finish(Delegation::Kind::kUnknown, problem_);
  const Question question = wanted_.back();
  wanted_.pop_back();
  if (!may_ask()) return;
  exchange_.ask(question, [self = shared_from_this(), question](const Reply& reply) {
    self->take_address(question, reply);
  });
}

void DelegationCheck::take_address(const Question& question, const Reply& reply) {
  if (!reply.message.empty()) {
    for (const auto& address : read_answer(question, reply.message).addresses) {
      if (filter_.admits(address)) found_.push_back({address, port_});
    }
  }
  if (found_.empty()) return find_address();
  ask_server();
}

void DelegationCheck::ask_server() {
  if (!may_ask()) return;
  const std::vector<base::Endpoint> servers = std::move(found_);
  found_.clear();
  exchange_.ask_at(servers, {zone_, model::kTypeNs},
                   [self = shared_from_this()](const Reply& reply) { self->take_referral(reply); });
}

// A server that is of no use gives way to the next.
void DelegationCheck::take_referral(const Reply& reply) {
  const auto message = dns::zone::read_message(reply.message);
  if (reply.message.empty() || !message) {
    problem_ = "a name server of \"" + parent_.text() + "\" gives no answer" +
               (reply.failure.empty() ? "" : ": " + reply.failure);
    return find_address();
  }
  const auto& records = message.value();
  std::optional<DomainName> owner = zone_;
  auto servers = ns_targets(records.answer, owner);
  if (servers.empty()) servers = ns_targets(records.authority, owner);
  if (!servers.empty()) return finish(Delegation::Kind::kFound, "", std::move(servers));
  if (records.authoritative && (records.rcode == kNoError || records.rcode == kNameError)) {
    return finish(Delegation::Kind::kAbsent,
                  "\"" + parent_.text() + "\" does not delegate " + zone_.text());
  }
  owner.reset();
  servers = ns_targets(records.authority, owner);
  const bool leads_down = owner && *owner != parent_ && owner->is_within(parent_) &&
                          zone_.is_within(*owner) && ++referrals_ <= kReferralsMax;
  if (servers.empty() || !leads_down) {
    problem_ = "a name server of \"" + parent_.text() + "\" does not answer for it";
    return find_address();
  }
  parent_ = *owner;
  use_servers(std::move(servers));
}

}  // namespace

void check_delegation(Exchange& exchange, const AddressFilter& filter, std::uint16_t port,
                      const DomainName& zone, std::function<void(Delegation)> done) {
  std::make_shared<DelegationCheck>(exchange, filter, port, zone, std::move(done))
      ->find_parent(zone.parent());
}

}  // namespace brink::ctl::resolve
