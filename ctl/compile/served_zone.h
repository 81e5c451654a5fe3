// serve_zone: one zone as the world sees it, record by record: what a secondary would have of it.
#pragma once

#include <functional>

#include "ctl/compile/compile.h"
#include "dns/zone/zone.h"

namespace brink::ctl::compile {

// `owner` in lower case; `set` with its signatures.
using VisitRrset = std::function<void(const dns::zone::Wire& owner, const dns::zone::Rrset& set)>;

// Visits the apex first, then all names in the order of the tree, with glue, then the records of
// the chain. Proxied names have the edge's addresses, aliases that are flattened what they lead to.
// A zone that is signed is signed for it, with times as they are served (signatures that draw
// random numbers are others): that costs some 50 us a signature. Not for presigned zones, whose
// records are what is served. As for compile_all: the caller's read transaction, and the store's
// thread.
base::Result<void> serve_zone(store::Store& store, const model::Zone& zone, const Options& options,
                              const VisitRrset& visit);

}  // namespace brink::ctl::compile
