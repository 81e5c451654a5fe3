#include "l7/route/lookup.h"

namespace brink::l7::route {

RouteVerdict find_route(const snapshot::View& view, std::string_view host, Found& out) noexcept {
  snapshot::NameKey key;
  if (!snapshot::set_key_from_text(key, view.hash_key(), host)) return RouteVerdict::unknown_host;
  const snapshot::Lookup found = view.lookup(key);
  if (found.record == nullptr) return RouteVerdict::unknown_host;
  const std::span<const std::uint8_t> blob = view.route(*found.record);
  if (blob.empty()) return RouteVerdict::not_proxied;
  out.record = found.record;
  return out.route.open(blob) == RouteError::none ? RouteVerdict::found : RouteVerdict::bad_blob;
}

}  // namespace brink::l7::route
