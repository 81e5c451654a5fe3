// find_route: the Host of a request to its route, in the same name table that DNS answers from.
#pragma once

#include <cstdint>
#include <string_view>

#include "dataplane/snapshot/view.h"
#include "l7/route/route.h"
#include "l7/route/settings_layout.h"

namespace brink::l7::route {

enum class RouteVerdict : std::uint8_t {
  found,
  unknown_host,  // no such name, and no wildcard that covers it
  not_proxied,   // the name exists, but answers DNS only
  bad_blob,      // the route is there but refused: a rendering bug, counted by the caller
};

// `host` is a normalised name (l7/http Authority). On found, `out` borrows from the snapshot.
RouteVerdict find_route(const snapshot::View& view, std::string_view host, RouteView& out) noexcept;
// The same with what the zone says about all its names, as a copy.
RouteVerdict find_route(const snapshot::View& view, std::string_view host, RouteView& out,
                        SettingsLayout& settings) noexcept;

}  // namespace brink::l7::route
