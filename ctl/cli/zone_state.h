// A zone as it was read, and its way back: what somebody made of it, as one batch, unless it has
// changed meanwhile.
#pragma once

#include <string>

#include "ctl/cli/command.h"
#include "ctl/cli/zone_text.h"

namespace brink::ctl::cli {

struct ZoneState {
  std::string id;
  model::DomainName name;
  std::string text;  // its zone file; with SOA and name servers that are no records of it
  Entries entries;   // of the text
  std::uint32_t serial = 0;
};

// Stop(kNotFound) when there is no such zone.
ZoneState read_zone(Session& session, const std::string& name);
// From a text that read_zone() gave, at any time before.
ZoneState zone_from_text(const std::string& id, const std::string& name, std::string text);

// A record as the API describes it.
Json members_of(const model::Record& record);

// The zone is not any more what it was when it was read.
struct ZoneChanged {
  ZoneState now;
  Difference meanwhile;
};

// Makes the zone what `wanted` says; returns what that took. Throws ZoneChanged, and Stop when the
// server refuses: where the reason is one record's, with the line of `file`, or with the record if
// it is empty.
Difference commit_zone(Session& session, const ZoneState& before, const Entries& wanted,
                       const std::string& file);

// The change from `before` to `wanted`, made to `now` instead. Stop(kRefused) when it touches what
// is not there any more.
Entries rebased(const ZoneState& before, const Entries& wanted, const ZoneState& now);

}  // namespace brink::ctl::cli
