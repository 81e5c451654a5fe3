// What is counted of zones and origins (dataplane/ipc/traffic.h). A request counts for its zone
// when it is over; for origins each attempt counts when its outcome is known.
#include <charconv>

#include "l7/proxy/keyed_number.h"
#include "l7/proxy/octets.h"
#include "l7/proxy/stage.h"
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

ipc::TrafficSlot* Stage::zone_slot(std::string_view zone) noexcept {
  if (traffic_ == nullptr || !traffic_->zones.counts()) return nullptr;
  return &traffic_->zones.find(number_of(config_.hash_key, as_octets(zone)), now_,
                               [zone](NameRoom room) { return write_text(zone, room); });
}

ipc::TrafficSlot* Stage::origin_slot(const base::Endpoint& origin) noexcept {
  if (traffic_ == nullptr || !traffic_->origins.counts()) return nullptr;
  return &traffic_->origins.find(number_of(config_.hash_key, origin), now_,
                                 [&origin](NameRoom room) { return write_endpoint(origin, room); });
}

// The entry is whole. What was asked of no zone of ours counts for none.
void Stage::count_zone(const Exchange& exchange) noexcept {
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

// For the zone of the name that the client asked for.
void Stage::count_handshake(const tls::ConnectionInfo& agreed) noexcept {
  route::RouteView route;
  if (traffic_ == nullptr || agreed.server_name.empty() ||
      route::find_route(*view_, agreed.server_name, route) != route::RouteVerdict::found) {
    return;
  }
  ipc::TrafficSlot* const slot = zone_slot(route.zone_name());
  if (slot == nullptr) return;
  slot->add(ZoneCounter::kTlsHandshakes);
  if (agreed.resumed) slot->add(ZoneCounter::kTlsResumed);
}

void Stage::count_origin(const base::Endpoint& origin, OriginCounter which) noexcept {
  ipc::TrafficSlot* const slot = origin_slot(origin);
  if (slot != nullptr) slot->add(which);
}

// It goes to a connection that stands: a pooled one, or one that was made for it.
void Stage::count_origin_request(const Exchange& exchange) noexcept {
  ipc::TrafficSlot* const slot = origin_slot(exchange.remote);
  if (slot == nullptr) return;
  slot->add(OriginCounter::kRequests);
  slot->add(exchange.reused ? OriginCounter::kReused : OriginCounter::kConnects);
}

// The head of the final response is here; the request was given to its connection phase_since.
void Stage::count_origin_response(const Exchange& exchange) noexcept {
  ipc::TrafficSlot* const slot = origin_slot(exchange.remote);
  if (slot == nullptr) return;
  slot->add(class_of(response_->status, OriginCounter::kResponses1xx));
  slot->add_time(us_between(exchange.phase_since, now_));
}

}  // namespace brink::l7::proxy
