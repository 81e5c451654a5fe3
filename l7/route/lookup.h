// find_route: the Host of a request to its route, in the same name table that DNS answers from.
#pragma once

#include <cstdint>
#include <string_view>

#include "dataplane/snapshot/view.h"
#include "l7/route/route.h"

namespace brink::l7::route {

enum class RouteVerdict : std::uint8_t {
  found,
  unknown_host,  // no such name, and no wildcard that covers it
  not_proxied,   // the name exists, but answers DNS only
  bad_blob,      // the route is there but refused: a rendering bug, counted by the caller
};

// What a host leads to; borrows from the snapshot.
struct Found {
  RouteView route;
  const snapshot::Record* record = nullptr;  // whose route it is: the name's, or a wildcard's
};

// `host` is a normalised name (l7/http Authority); `out` is complete on found.
RouteVerdict find_route(const snapshot::View& view, std::string_view host, Found& out) noexcept;

}  // namespace brink::l7::route
