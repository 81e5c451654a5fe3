// render_route: one proxied name's settings to its Route blob (l7/route/route_layout.h). Cold,
// control side, pure: equal input gives equal bytes.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "dataplane/base/ip.h"
#include "dataplane/base/result.h"

namespace brink::l7::render {

struct RouteSpec {
  std::string zone_name;                 // any case, with or without a trailing dot
  std::string target_name = {};          // likewise; empty: none, or left out as it is no host name
  std::vector<base::IpAddress> origins;  // in order; those beyond route::kMaxOrigins are left out
  std::uint16_t origin_port = 0;         // 0: the port the client came to
  std::uint32_t connect_timeout_ms = 19'000;
  std::uint32_t ack_timeout_ms = 90'000;
  std::uint32_t read_timeout_ms = 120'000;
};

// Precondition (CHECK): the result passes route::verify_route, so the zone name is a name of 1..253
// letters, digits, '-', '_' and '.', and the timeouts are within 1 ms and a day.
std::vector<std::uint8_t> render_route(const RouteSpec& spec);

// What a Route blob says.
struct RouteContents {
  std::string zone_name;  // without a trailing dot
  std::string target_name;  // likewise; empty: none
  std::vector<base::Endpoint> origins;  // port 0: the port the client came to
  std::uint32_t connect_timeout_ms = 0;
  std::uint32_t ack_timeout_ms = 0;
  std::uint32_t read_timeout_ms = 0;
};

// The way back, for people to read. `blob` may come from anywhere, at any alignment: what the edge
// would refuse is refused with its word for it.
base::Result<RouteContents> read_route(std::span<const std::uint8_t> blob);

}  // namespace brink::l7::render
