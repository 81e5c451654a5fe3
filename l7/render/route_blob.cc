#include "l7/render/route_blob.h"

#include <algorithm>
#include <chrono>
#include <cstring>

#include "dataplane/base/check.h"
#include "l7/route/route.h"

namespace brink::l7::render {

namespace {

// In lower case, without a trailing dot.
std::string plain(std::string name) {
  if (!name.empty() && name.back() == '.') name.pop_back();
  for (char& c : name) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c + ('a' - 'A'));
  }
  return name;
}

// Nobody can make a certificate for anything else.
bool is_host_name(const std::string& name) {
  return name.size() <= route::kZoneNameMax && !name.starts_with('.') &&
         std::all_of(name.begin(), name.end(), [](char c) {
           return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' || c == '_' ||
                  c == '.';
         });
}

}  // namespace

std::vector<std::uint8_t> render_route(const RouteSpec& spec) {
  const std::string zone = plain(spec.zone_name);
  std::string target = plain(spec.target_name);
  if (!is_host_name(target)) target.clear();
  CHECK(!zone.empty() && zone.size() <= route::kZoneNameMax);

  route::RouteLayout layout{};
  const std::size_t origin_count = std::min(spec.origins.size(), route::kMaxOrigins);
  const std::size_t name_at = sizeof layout + origin_count * sizeof(route::RouteOrigin);
  std::vector<std::uint8_t> blob((name_at + zone.size() + target.size() + 7) & ~std::size_t{7});
  layout.magic = route::kRouteMagic;
  layout.layout_version = route::kRouteLayoutVersion;
  layout.size_bytes = static_cast<std::uint32_t>(blob.size());
  layout.origin_count = static_cast<std::uint16_t>(origin_count);
  layout.zone_name_size = static_cast<std::uint16_t>(zone.size());
  layout.connect_timeout_ms = spec.connect_timeout_ms;
  layout.ack_timeout_ms = spec.ack_timeout_ms;
  layout.read_timeout_ms = spec.read_timeout_ms;
  layout.origin_port = spec.origin_port;
  layout.target_name_size = static_cast<std::uint16_t>(target.size());
  std::memcpy(blob.data(), &layout, sizeof layout);
  for (std::size_t i = 0; i < origin_count; ++i) {
    route::RouteOrigin origin{};
    std::memcpy(origin.address, spec.origins[i].bytes().data(), sizeof origin.address);
    std::memcpy(blob.data() + sizeof layout + i * sizeof origin, &origin, sizeof origin);
  }
  std::memcpy(blob.data() + name_at, zone.data(), zone.size());
  std::memcpy(blob.data() + name_at + zone.size(), target.data(), target.size());
  CHECK(route::verify_route(blob) == route::RouteError::none);
  return blob;
}

base::Result<RouteContents> read_route(std::span<const std::uint8_t> blob) {
  const std::vector<std::uint8_t> aligned(blob.begin(), blob.end());
  route::RouteView view;
  if (const auto error = view.open(aligned); error != route::RouteError::none) {
    return base::Error{"not a route of an image: " + std::string(route::name_of(error)), "", ""};
  }
  const auto milliseconds = [](base::Duration duration) {
    return static_cast<std::uint32_t>(duration / std::chrono::milliseconds(1));
  };
  RouteContents contents;
  contents.zone_name = view.zone_name();
  contents.target_name = view.target_name();
  for (std::size_t i = 0; i < view.origin_count(); ++i) contents.origins.push_back(view.origin(i));
  contents.connect_timeout_ms = milliseconds(view.connect_timeout());
  contents.ack_timeout_ms = milliseconds(view.ack_timeout());
  contents.read_timeout_ms = milliseconds(view.read_timeout());
  return contents;
}

}  // namespace brink::l7::render
