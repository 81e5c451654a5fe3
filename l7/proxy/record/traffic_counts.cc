#include "l7/proxy/record/traffic_counts.h"

#include <algorithm>
#include <charconv>

#include "l7/proxy/state/keyed_number.h"
#include "l7/proxy/transfer/octets.h"
#include "l7/route/lookup.h"

namespace brink::l7::proxy {
namespace {

using ipc::OriginCounter;
using ipc::ZoneCounter;

using NameRoom = std::span<char, ipc::kTrafficNameMax>;

// The counter of a status, where that of 1xx is `first`.
template <typename Which>
Which class_of(std::uint16_t status, Which first) noexcept {
  const auto offset = std::clamp<unsigned>(status / 100U, 1, 5) - 1;
  return static_cast<Which>(static_cast<unsigned>(first) + offset);
}
static_assert(static_cast<unsigned>(ZoneCounter::kResponses5xx) ==
              static_cast<unsigned>(ZoneCounter::kResponses1xx) + 4);
static_assert(static_cast<unsigned>(OriginCounter::kResponses5xx) ==
              static_cast<unsigned>(OriginCounter::kResponses1xx) + 4);

std::size_t write_text(std::string_view text, NameRoom room) noexcept {
  const std::size_t size = std::min(text.size(), room.size());
  std::copy_n(text.data(), size, room.data());
  return size;
}

// 192.0.2.1:80, [2001:db8::1]:443
std::size_t write_endpoint(const base::Endpoint& endpoint, NameRoom room) noexcept {
  const base::IpText address = endpoint.address.text();
  const bool brackets = !endpoint.address.is_v4();
  char* at = room.data();
  if (brackets) *at++ = '[';
  at = std::copy(address.view().begin(), address.view().end(), at);
  if (brackets) *at++ = ']';
  *at++ = ':';
  at = std::to_chars(at, room.data() + room.size(), endpoint.port).ptr;
  return static_cast<std::size_t>(at - room.data());
}

}  // namespace

ipc::TrafficSlot* TrafficCounts::zone_slot(std::string_view zone) noexcept {
  if (tables_ == nullptr || !tables_->zones.counts()) return nullptr;
  return &tables_->zones.find(number_of(turn_.config.hash_key, as_octets(zone)), turn_.now,
                              [zone](NameRoom room) { return write_text(zone, room); });
}

// An address is hashed once for each connection that is made to it.
ipc::TrafficSlot* TrafficCounts::origin_slot(const Exchange& exchange) noexcept {
  if (tables_ == nullptr || !tables_->origins.counts()) return nullptr;
  const std::uint64_t number = exchange.remote_number != 0
                                   ? exchange.remote_number
                                   : number_of(turn_.config.hash_key, exchange.remote);
  return &tables_->origins.find(number, turn_.now, [&exchange](NameRoom room) {
    return write_endpoint(exchange.remote, room);
  });
}

void TrafficCounts::count_zone(const Exchange& exchange) noexcept {
  const std::string_view zone = exchange.route.zone_name();
  if (zone.empty()) return;
  ipc::TrafficSlot* const slot = zone_slot(zone);
  if (slot == nullptr) return;
  const log::Entry& entry = exchange.entry;
  slot->add(ZoneCounter::kRequests);
  slot->add(entry.status == log::kClientGone ? ZoneCounter::kUnanswered
                                             : class_of(entry.status, ZoneCounter::kResponses1xx));
  slot->add(ZoneCounter::kBytesIn, entry.request_bytes);
  slot->add(ZoneCounter::kBytesOut, entry.response_bytes);
  slot->add_time(entry.duration_us);
  if ((entry.flags & log::kTruncated) != 0) slot->add(ZoneCounter::kTruncated);
  if (entry.error_type == 0) return;
  slot->add(ZoneCounter::kEdgeErrors);
  if (entry.error_type == info_of(EdgeError::blocked).type) slot->add(ZoneCounter::kBlocked);
  if (entry.error_type == info_of(EdgeError::redirect_loop).type) {
    slot->add(ZoneCounter::kRedirectLoops);
  }
}

void TrafficCounts::count_handshake(const tls::ConnectionInfo& agreed) noexcept {
  route::RouteView route;
  if (tables_ == nullptr || agreed.server_name.empty() ||
      route::find_route(*turn_.view, agreed.server_name, route) != route::RouteVerdict::found) {
    return;
  }
  ipc::TrafficSlot* const slot = zone_slot(route.zone_name());
  if (slot == nullptr) return;
  slot->add(ZoneCounter::kTlsHandshakes);
  if (agreed.resumed) slot->add(ZoneCounter::kTlsResumed);
}

void TrafficCounts::count_origin(const Exchange& exchange, OriginCounter which) noexcept {
  ipc::TrafficSlot* const slot = origin_slot(exchange);
  if (slot != nullptr) slot->add(which);
}

void TrafficCounts::count_origin_request(const Exchange& exchange) noexcept {
  ipc::TrafficSlot* const slot = origin_slot(exchange);
  if (slot == nullptr) return;
  slot->add(OriginCounter::kRequests);
  slot->add(exchange.reused ? OriginCounter::kReused : OriginCounter::kConnects);
}

void TrafficCounts::count_origin_response(const Exchange& exchange, std::uint16_t status) noexcept {
  ipc::TrafficSlot* const slot = origin_slot(exchange);
  if (slot == nullptr) return;
  slot->add(class_of(status, OriginCounter::kResponses1xx));
  slot->add_time(us_between(exchange.phase_since, turn_.now));
}

}  // namespace brink::l7::proxy
