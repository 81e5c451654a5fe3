// TrafficCounts: what zones and origins are counted by (dataplane/ipc/traffic.h). A request counts
// for its zone when it is over; for origins each attempt counts when its outcome is known.
//
// One of a worker, its thread only; it calls nothing of the stage.
#pragma once

#include <cstdint>
#include <string_view>

#include "dataplane/ipc/traffic.h"
#include "dataplane/tls/stream.h"
#include "l7/proxy/state/exchange.h"
#include "l7/proxy/state/turn.h"

namespace brink::l7::proxy {

class TrafficCounts {
 public:
  // `turn` outlives it.
  explicit TrafficCounts(const Turn& turn) noexcept : turn_(turn) {}

  // Where to count; null: nowhere. It outlives this.
  void set_tables(ipc::TrafficTables* tables) noexcept { tables_ = tables; }

  // The exchange is over and its log entry whole. What was asked of no zone of ours counts for
  // none.
  void count_zone(const Exchange& exchange) noexcept;
  // For the zone of the name that the client asked for.
  void count_handshake(const tls::ConnectionInfo& agreed) noexcept;
  // For exchange.remote, like the next two.
  void count_origin(const Exchange& exchange, ipc::OriginCounter which) noexcept;
  // It goes to a connection that stands: a pooled one, or one that was made for it.
  void count_origin_request(const Exchange& exchange) noexcept;
  // The head of the final response is here; the request was given to its connection phase_since.
  void count_origin_response(const Exchange& exchange, std::uint16_t status) noexcept;

 private:
  ipc::TrafficSlot* zone_slot(std::string_view zone) noexcept;
  ipc::TrafficSlot* origin_slot(const Exchange& exchange) noexcept;

  const Turn& turn_;
  ipc::TrafficTables* tables_ = nullptr;
};

}  // namespace brink::l7::proxy
