// Activation: what checks of a zone's delegation have come to, and what a further one makes of the
// zone's status. Pure; the checks themselves are made elsewhere.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "ctl/model/id.h"
#include "ctl/model/name.h"
#include "ctl/model/timestamp.h"
#include "ctl/model/zone.h"

namespace brink::ctl::model {

struct Activation {
  Id zone;
  bool forced = false;         // an operator vouches for the zone: no check takes its status away
  std::uint32_t checks = 0;    // in a row that left its status as it is
  std::uint32_t failures = 0;  // in a row, of an active zone
  std::optional<Timestamp> checked_on;
  Timestamp next_on;   // before the first check: when the zone was made
  std::string result;  // of the last check, for people
};

// What a check has found. No value: nobody could be asked, for the reason `why`.
struct DelegationFound {
  std::optional<std::vector<DomainName>> servers;  // sorted; none: no delegation
  std::string why;
};

struct ActivationRules {
  std::vector<DomainName> name_servers;  // that the zone is assigned
  bool others_too = false;               // of other providers, beside them
  std::chrono::seconds first{60};        // from a zone's making to its first check
  std::chrono::seconds interval_max{21'600};
  std::uint32_t failures_max = 4;  // so many in a row, and an active zone has moved
};

// Takes a finding into `activation` and returns the zone's status from now on: active when the
// parent delegates the zone to exactly the assigned servers, or to these at least with others_too; an active zone is moved after several
// checks that found otherwise; that nobody could be asked says nothing. A zone that is vouched for
// stays active, and is not vouched for any more once a check agrees.
//
// Checks come at growing intervals, the first one doubled each time, from the start after each
// change of the status and of what is found; an active zone whose delegation is right is looked at
// every interval_max.
ZoneStatus judge(const ActivationRules& rules, ZoneStatus status, const DelegationFound& found,
                 Timestamp now, Activation& activation);

}  // namespace brink::ctl::model
