// Zone files (RFC 1035 5). Cold, one thread a call.
#pragma once

#include <functional>
#include <string>
#include <string_view>

#include "dataplane/base/result.h"
#include "dns/zone/resource_record.h"

namespace brink::dns::zone {

// One record of a zone file as it stands there.
struct ZoneFileRecord {
  ResourceRecord record;
  std::size_t line = 0;      // first line of the record, from 1
  std::string_view comment;  // what follows ';' on its last line, trimmed; until `take` returns
  bool ttl_given = false;    // false: the default TTL was used
};

// What `take` has against a record, with its line.
base::Error at_record(const ZoneFileRecord& record, base::Error error);

// Calls `take` for every record of `text`, in order, until it returns an Error. `origin` (wire
// form) completes relative names until $ORIGIN changes it; `default_ttl` is used until $TTL.
// $GENERATE (see generate.h) stands for at most kGenerateMax records of a file. $INCLUDE is
// refused, and so are classes other than IN. Errors name "line N", the value and the remedy.
base::Result<void> parse_zone_file(
    std::string_view text, const Wire& origin, std::uint32_t default_ttl,
    const std::function<base::Result<void>(const ZoneFileRecord&)>& take);

}  // namespace brink::dns::zone
