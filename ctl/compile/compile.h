// compile: the whole store into a snapshot image. Pure and deterministic: the same source and
// options give the same bytes.
//
// This is where a record becomes what the world sees: a proxied name gives the edge's addresses and
// gets a route to its origins, everything else is answered as stored.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "ctl/compile/source.h"
#include "ctl/model/authority.h"
#include "dataplane/base/ip.h"
#include "dataplane/base/result.h"
#include "dataplane/snapshot/change_sink.h"

namespace brink::ctl::compile {

// A proxied name as the proxy must know it. Without origins the edge answers with an error page.
struct ProxiedName {
  std::string zone_name;  // text without the final dot
  std::vector<base::IpAddress> origins;
};

struct Options {
  std::vector<base::IpAddress> edge_addresses;  // what proxied names answer: IPv4 and IPv6
  model::Authority authority;                   // of zones that brought none
  std::uint32_t proxied_ttl = 300;
  std::uint32_t auto_ttl = 300;
  std::function<std::vector<std::uint8_t>(const ProxiedName&)> render_route;
};

struct Counts {
  std::uint64_t zones = 0;
  std::uint64_t records = 0;  // as stored
  std::uint64_t routes = 0;
};

// Adds everything that `source` holds to `sink`. An Error names the zone; nothing of the sink
// may be used then.
base::Result<Counts> compile(Source& source, const Options& options, snapshot::ChangeSink& sink);

}  // namespace brink::ctl::compile
