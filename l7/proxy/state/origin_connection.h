// OriginConnection: a connection to an origin, from the moment that it is begun. In a fixed array,
// named by index.
#pragma once

#include <cstdint>

#include "dataplane/base/clock.h"
#include "dataplane/tcp/types.h"
#include "l7/origin/idle_pool.h"
#include "l7/proxy/state/slots.h"

namespace brink::l7::proxy {

// shared: over HTTP/2, with as many exchanges as it has streams; in the pool while it takes
// another.
enum class OriginState : std::uint8_t { free, connecting, securing, busy, idle, shared };

struct OriginConnection {
  tcp::ConnectionId id;
  OriginState state = OriginState::free;
  bool peer_closed = false;
  std::uint32_t exchange = kNoIndex;
  origin::OriginKey key;
  std::uint64_t number = 0;  // names key.endpoint, to tables that count by it
  bool flushing = false;  // is in the origins' flush ring
  std::uint32_t session = kNoIndex;
  std::uint32_t streams = 0;        // of the session: exchanges
  bool orphaned = false;            // the client that it was for alone has gone
  std::uint32_t record = kNoIndex;  // in the table of origins, which counts it
  base::Time race_at{};             // while it connects: when another family may join in
};

}  // namespace brink::l7::proxy
