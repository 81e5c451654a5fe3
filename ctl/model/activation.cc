#include "ctl/model/activation.h"

#include <algorithm>

namespace brink::ctl::model {
namespace {

std::string list_of(const std::vector<DomainName>& names) {
  std::string text;
  for (const DomainName& name : names) text += (text.empty() ? "" : ", ") + name.text();
  return text;
}

std::string describe(const DelegationFound& found, bool is_right) {
  if (!found.servers) return "not known: " + found.why;
  if (is_right) return "the parent delegates the zone to its name servers";
  if (found.servers->empty()) return "the parent does not delegate the zone";
  return "the parent delegates the zone to " + list_of(*found.servers);
}

std::chrono::seconds interval(const ActivationRules& rules, std::uint32_t checks) {
  constexpr std::uint32_t kDoublingsMax = 20;
  const std::chrono::seconds doubled(rules.first.count() << std::min(checks, kDoublingsMax));
  return std::min(doubled, rules.interval_max);
}

}  // namespace

ZoneStatus judge(const ActivationRules& rules, ZoneStatus status, const DelegationFound& found,
                 Timestamp now, Activation& activation) {
  std::vector<DomainName> assigned = rules.name_servers;
  std::sort(assigned.begin(), assigned.end());
  const bool is_right =
      found.servers &&
      (rules.others_too ? !assigned.empty() && std::includes(found.servers->begin(), found.servers->end(),
                                                             assigned.begin(), assigned.end())
                        : *found.servers == assigned);
  const bool was_active = status == ZoneStatus::kActive;
  ZoneStatus next = status;
  if (is_right) {
    next = ZoneStatus::kActive;
    activation.forced = false;
    activation.failures = 0;
  } else if (found.servers && was_active && !activation.forced) {
    if (++activation.failures >= rules.failures_max) next = ZoneStatus::kMoved;
    if (activation.failures == 1) activation.checks = 0;
  }
  if (next != status) activation.checks = activation.failures = 0;
  const bool is_settled = is_right && was_active;
  const auto pause = is_settled ? rules.interval_max : interval(rules, activation.checks);
  ++activation.checks;
  activation.checked_on = now;
  activation.next_on = {now.micros +
                        std::chrono::duration_cast<std::chrono::microseconds>(pause).count()};
  activation.result = describe(found, is_right);
  return next;
}

}  // namespace brink::ctl::model
