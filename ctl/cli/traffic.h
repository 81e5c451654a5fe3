// What the edge counted of zones and origins, for people.
#pragma once

#include "ctl/cli/command.h"

namespace brink::ctl::cli {

// The answers of /brink/v1/stats/zones and /brink/v1/stats/origins as tables, in their order.
std::string zones_table(const Json& zones);
std::string origins_table(const Json& origins);

// How often clients of the zone were redirected in circles since the edge began to count it; 0 as
// well where that cannot be read.
std::uint64_t redirect_loops_of(Session& session, const std::string& zone);

}  // namespace brink::ctl::cli
