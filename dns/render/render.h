// Renders names and zones into what a snapshot holds. Cold, control side; deterministic; any
// thread.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <vector>

#include "dataplane/base/result.h"
#include "dataplane/snapshot/change_sink.h"
#include "dns/zone/zone.h"

namespace brink::dns::render {

using Bytes = std::vector<std::uint8_t>;

// The address records of another name of the same zone (lower-case wire name): a node whose A and
// AAAA sets are read, with its `cut` and `occluded`. Empty: the zone has no such name.
using FindNode = std::function<std::optional<zone::Node>(const zone::Wire& name)>;

// The RRsets that `node` of the zone `apex` (lower case) answers with, and the addresses of their
// targets. At a cut these are NS and DS alone (RFC 4035 2.2, 3.1.4.1). Fails, naming owner and
// type, when an RRset does not fit a message. An occluded node is not for rendering. Sets that have
// signatures are rendered with them as well; NSEC and NSEC3, which are the chain's, are not.
base::Result<std::vector<snapshot::Rrset>> render_name(const zone::Wire& apex,
                                                       const zone::Node& node,
                                                       const FindNode& find);

// The SOA as it goes with NODATA and NXDOMAIN (RFC 2308 5).
struct Negative {
  Bytes blob;
  Bytes signed_blob;  // empty: the SOA has no signatures
};
base::Result<Negative> render_negative(const zone::Wire& apex, const zone::Rrset& soa);

// A record of the zone's chain, NSEC or NSEC3, with its signatures (RFC 4035 3.1.3, RFC 5155 7.2).
// `owner` in lower case.
base::Result<Bytes> render_denial(const zone::Wire& apex, const zone::Wire& owner,
                                  const zone::Rrset& set);

// The route bytes of an owner (lower-case wire name); empty: not proxied.
using RouteOf = std::function<Bytes(const zone::Wire& owner)>;

// Puts a whole checked zone that is neither above nor below another one, signed if it brought
// signatures and a chain. What lies below a delegation or DNAME is left out, but for glue.
base::Result<void> render_zone(snapshot::ChangeSink& sink, const zone::Zone& zone,
                               const RouteOf& route_of);

}  // namespace brink::dns::render
