#include "l7/route/route.h"

#include <cstring>

namespace brink::l7::route {
namespace {

// A day: longer than any sane timeout, short enough that sums never overflow.
constexpr std::uint32_t kTimeoutMaxMs = 24 * 60 * 60 * 1000;

bool is_timeout(std::uint32_t ms) noexcept {
  return ms > 0 && ms <= kTimeoutMaxMs;
}

bool is_zone_name(std::string_view name) noexcept {
  for (const char c : name) {
    const bool plain = (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' || c == '_';
    if (!plain && c != '.') return false;
  }
  return !name.empty() && name.front() != '.' && name.back() != '.';
}

RouteError verify_origins(std::span<const std::uint8_t> bytes) noexcept {
  for (std::size_t at = 0; at < bytes.size(); at += sizeof(RouteOrigin)) {
    RouteOrigin origin;
    std::memcpy(&origin, bytes.data() + at, sizeof origin);
    for (const std::uint16_t word : origin.reserved) {
      if (word != 0) return RouteError::reserved_not_zero;
    }
  }
  return RouteError::none;
}

}  // namespace

std::string_view name_of(RouteError error) noexcept {
  switch (error) {
    case RouteError::none:
      return "none";
    case RouteError::truncated:
      return "truncated";
    case RouteError::misaligned:
      return "misaligned";
    case RouteError::bad_magic:
      return "bad_magic";
    case RouteError::bad_version:
      return "bad_version";
    case RouteError::unknown_flags:
      return "unknown_flags";
    case RouteError::bad_size:
      return "bad_size";
    case RouteError::too_many_origins:
      return "too_many_origins";
    case RouteError::bad_zone_name:
      return "bad_zone_name";
    case RouteError::bad_target_name:
      return "bad_target_name";
    case RouteError::bad_timeout:
      return "bad_timeout";
    case RouteError::reserved_not_zero:
      return "reserved_not_zero";
  }
  return "unknown";
}

RouteError verify_route(std::span<const std::uint8_t> blob) noexcept {
  if (blob.size() < sizeof(RouteLayout)) return RouteError::truncated;
  if (reinterpret_cast<std::uintptr_t>(blob.data()) % alignof(RouteLayout) != 0) {
    return RouteError::misaligned;
  }
  RouteLayout layout;
  std::memcpy(&layout, blob.data(), sizeof layout);
  if (layout.magic != kRouteMagic) return RouteError::bad_magic;
  if (layout.layout_version != kRouteLayoutVersion) return RouteError::bad_version;
  if ((layout.flags & ~kRouteFlagsKnown) != 0) return RouteError::unknown_flags;
  if (layout.size_bytes > blob.size()) return RouteError::truncated;
  if (layout.origin_count > kMaxOrigins) return RouteError::too_many_origins;
  if (layout.zone_name_size == 0 || layout.zone_name_size > kZoneNameMax) {
    return RouteError::bad_zone_name;
  }
  const std::size_t name_at = sizeof(RouteLayout) + layout.origin_count * sizeof(RouteOrigin);
  if (layout.target_name_size > kZoneNameMax) return RouteError::bad_target_name;
  const std::size_t target_at = name_at + layout.zone_name_size;
  const std::size_t end = (target_at + layout.target_name_size + 7) & ~std::size_t{7};
  if (layout.size_bytes != end) return RouteError::bad_size;
  if (!is_timeout(layout.connect_timeout_ms) || !is_timeout(layout.ack_timeout_ms) ||
      !is_timeout(layout.read_timeout_ms)) {
    return RouteError::bad_timeout;
  }
  const char* const name = reinterpret_cast<const char*>(blob.data()) + name_at;
  if (!is_zone_name({name, layout.zone_name_size})) return RouteError::bad_zone_name;
  const std::string_view target(name + layout.zone_name_size, layout.target_name_size);
  if (!target.empty() && !is_zone_name(target)) return RouteError::bad_target_name;
  return verify_origins(blob.subspan(sizeof(RouteLayout), name_at - sizeof(RouteLayout)));
}

RouteError RouteView::open(std::span<const std::uint8_t> blob) noexcept {
  const RouteError error = verify_route(blob);
  if (error == RouteError::none) blob_ = blob;
  return error;
}

std::string_view RouteView::zone_name() const noexcept {
  const std::size_t at = sizeof(RouteLayout) + layout().origin_count * sizeof(RouteOrigin);
  return {reinterpret_cast<const char*>(blob_.data()) + at, layout().zone_name_size};
}

std::string_view RouteView::target_name() const noexcept {
  const std::string_view zone = zone_name();
  return {zone.data() + zone.size(), layout().target_name_size};
}

std::size_t RouteView::origin_count() const noexcept {
  return layout().origin_count;
}

base::Endpoint RouteView::origin(std::size_t index) const noexcept {
  RouteOrigin origin;
  std::memcpy(&origin, blob_.data() + sizeof(RouteLayout) + index * sizeof origin, sizeof origin);
  return {base::IpAddress::v6_from_wire(origin.address),
          origin.port != 0 ? origin.port : layout().origin_port};
}

base::Duration RouteView::connect_timeout() const noexcept {
  return std::chrono::milliseconds(layout().connect_timeout_ms);
}
base::Duration RouteView::ack_timeout() const noexcept {
  return std::chrono::milliseconds(layout().ack_timeout_ms);
}
base::Duration RouteView::read_timeout() const noexcept {
  return std::chrono::milliseconds(layout().read_timeout_ms);
}

void RouteView::copy_to(RouteCopy& out) const noexcept {
  out.origin_count = static_cast<std::uint8_t>(origin_count());
  for (std::size_t i = 0; i < out.origin_count; ++i) out.origins[i] = origin(i);
  const std::string_view name = zone_name();
  out.zone_name_size = static_cast<std::uint8_t>(name.size());
  std::memcpy(out.zone_name_chars.data(), name.data(), name.size());
  const std::string_view target = target_name();
  out.target_name_size = static_cast<std::uint8_t>(target.size());
  std::memcpy(out.target_name_chars.data(), target.data(), target.size());
  out.connect_timeout = connect_timeout();
  out.ack_timeout = ack_timeout();
  out.read_timeout = read_timeout();
}

}  // namespace brink::l7::route
