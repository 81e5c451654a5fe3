#include "l7/route/lookup.h"

#include "l7/route/zone_table.h"

namespace brink::l7::route {

namespace {

RouteVerdict find_record(const snapshot::View& view, std::string_view host, RouteView& out,
                         const snapshot::Record*& record) noexcept {
  snapshot::NameKey key;
  if (!snapshot::set_key_from_text(key, view.hash_key(), host)) return RouteVerdict::unknown_host;
  const snapshot::Lookup found = view.lookup(key);
  if (found.record == nullptr) return RouteVerdict::unknown_host;
  const std::span<const std::uint8_t> blob = view.route(*found.record);
  if (blob.empty()) return RouteVerdict::not_proxied;
  record = found.record;
  return out.open(blob) == RouteError::none ? RouteVerdict::found : RouteVerdict::bad_blob;
}

}  // namespace

RouteVerdict find_route(const snapshot::View& view, std::string_view host,
                        RouteView& out) noexcept {
  const snapshot::Record* record;
  return find_record(view, host, out, record);
}

RouteVerdict find_route(const snapshot::View& view, std::string_view host, RouteView& out,
                        SettingsLayout& settings) noexcept {
  const snapshot::Record* record = nullptr;
  const RouteVerdict verdict = find_record(view, host, out, record);
  if (verdict == RouteVerdict::found) settings = ZoneTable(view, *record).settings();
  return verdict;
}

}  // namespace brink::l7::route
