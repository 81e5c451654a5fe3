// parse_zone_file on a thread of its own, some thousand records ahead of whoever takes them.
#pragma once

#include "dns/zone/zone_file.h"

namespace brink::dns::zone {

// As parse_zone_file: the same calls of `take` in the same order, on the caller's thread, and the
// same errors. `take` may throw. Small files have no thread of their own.
base::Result<void> parse_ahead(
    std::string_view text, const Wire& origin, std::uint32_t default_ttl,
    const std::function<base::Result<void>(const ZoneFileRecord&)>& take);

}  // namespace brink::dns::zone
