// RouteView reads a Route blob (route_layout.h) out of the snapshot. Nothing outlives the burst:
// a request in flight copies what it needs with copy_to().
#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <string_view>

#include "dataplane/base/clock.h"
#include "dataplane/base/ip.h"
#include "l7/route/route_layout.h"

namespace brink::l7::route {

// Why a blob is refused.
enum class RouteError : std::uint8_t {
  none,
  truncated,
  misaligned,
  bad_magic,
  bad_version,
  unknown_flags,
  bad_size,
  too_many_origins,
  bad_zone_name,
  bad_target_name,
  bad_timeout,
  reserved_not_zero,
};
std::string_view name_of(RouteError error) noexcept;

// Checks every bound and value. O(origins); any thread. The edge runs it on every route of a
// transaction before publishing, and RouteView::open once more in front of each use.
RouteError verify_route(std::span<const std::uint8_t> blob) noexcept;

// What a request keeps of its route.
struct RouteCopy {
  std::array<base::Endpoint, kMaxOrigins> origins{};  // port 0: the port the client came to
  std::uint8_t origin_count = 0;
  std::uint8_t zone_name_size = 0;
  std::array<char, kZoneNameMax> zone_name_chars{};
  std::uint8_t target_name_size = 0;
  std::array<char, kZoneNameMax> target_name_chars{};
  base::Duration connect_timeout{};
  base::Duration ack_timeout{};
  base::Duration read_timeout{};

  [[nodiscard]] std::string_view zone_name() const noexcept {
    return {zone_name_chars.data(), zone_name_size};
  }
  // As RouteView::target_name.
  [[nodiscard]] std::string_view target_name() const noexcept {
    return {target_name_chars.data(), target_name_size};
  }
};

class RouteView {
 public:
  // Points the view at `blob`; any error leaves it unusable.
  RouteError open(std::span<const std::uint8_t> blob) noexcept;

  [[nodiscard]] std::string_view zone_name() const noexcept;
  // What the name's CNAME leads to: its origins' certificates may be made for it. Empty: no CNAME.
  [[nodiscard]] std::string_view target_name() const noexcept;
  [[nodiscard]] std::size_t origin_count() const noexcept;
  // The port is the origin's own, else the route's, else 0.
  [[nodiscard]] base::Endpoint origin(std::size_t index) const noexcept;
  [[nodiscard]] base::Duration connect_timeout() const noexcept;
  [[nodiscard]] base::Duration ack_timeout() const noexcept;
  [[nodiscard]] base::Duration read_timeout() const noexcept;
  void copy_to(RouteCopy& out) const noexcept;

 private:
  [[nodiscard]] const RouteLayout& layout() const noexcept {
    return *reinterpret_cast<const RouteLayout*>(blob_.data());
  }

  std::span<const std::uint8_t> blob_;
};

}  // namespace brink::l7::route
