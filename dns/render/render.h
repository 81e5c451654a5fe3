// Renders a zone into names and blobs of a snapshot. Cold, control side, one thread a builder.
#pragma once

#include <cstdint>
#include <functional>
#include <vector>

#include "dataplane/base/result.h"
#include "dataplane/snapshot/change_sink.h"
#include "dns/zone/zone.h"

namespace brink::dns::render {

// The route bytes of an owner (lower-case wire name); empty: not proxied.
using RouteOf = std::function<std::vector<std::uint8_t>(const zone::Wire& owner)>;

// Adds `zone` and all its authoritative names to `sink`. What lies below a delegation or DNAME
// is left out, but for glue. The zone's records say what is answered: whoever proxies a name has
// put the edge's addresses there and gives the route here. Fails, naming owner and type, when an
// RRset does not fit a message or the builder refuses a name.
base::Result<void> render_zone(snapshot::ChangeSink& sink, const zone::Zone& zone,
                               const RouteOf& route_of);

}  // namespace brink::dns::render
