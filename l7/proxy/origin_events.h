// OriginEvents: what connections to origins say, to whom it concerns: the attempt or the exchange
// that has the connection, the pool, or its session.
//
// One of a worker, its thread only. Of the stage it calls OriginConnections, OriginRaces,
// OriginAttempts, OriginStreams and Relay.
#pragma once

#include <cstdint>

#include "dataplane/transport/transport.h"
#include "l7/proxy/exchange/origin_attempts.h"
#include "l7/proxy/exchange/relay.h"
#include "l7/proxy/origin/origin_connections.h"
#include "l7/proxy/origin/origin_races.h"
#include "l7/proxy/origin_streams.h"
#include "l7/proxy/state/exchanges.h"

namespace brink::l7::proxy {

class OriginEvents {
 public:
  struct Uses {
    Exchanges& exchanges;
    OriginConnections& origins;
    OriginRaces& races;
    OriginAttempts& attempts;
    OriginStreams& streams;
    Relay& relay;
  };
  // All outlive it.
  explicit OriginEvents(const Uses& uses) noexcept : uses_(uses) {}

  // The connection may be gone when this returns.
  void on_event(std::uint32_t o, const transport::Event& event) noexcept;

 private:
  void closed(std::uint32_t o, const transport::Event& event) noexcept;

  Uses uses_;
};

}  // namespace brink::l7::proxy
