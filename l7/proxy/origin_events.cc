#include "l7/proxy/origin_events.h"

#include "l7/proxy/head/edge_error.h"

namespace brink::l7::proxy {

void OriginEvents::on_event(std::uint32_t o, const transport::Event& event) noexcept {
  OriginConnection& origin = uses_.origins[o];
  if (origin.state == OriginState::idle) return uses_.origins.on_idle_event(o, event);
  if (origin.state == OriginState::shared) return uses_.streams.on_event(o, event);
  const std::uint32_t x = origin.exchange;
  switch (event.kind) {
    case transport::EventKind::kAccepted:
      return;
    case transport::EventKind::kConnected:
      if (uses_.exchanges[x].rival != kNoIndex) uses_.races.won(x, o);
      return uses_.attempts.connected(x);
    case transport::EventKind::kSecured:
      return uses_.attempts.secured(x);
    case transport::EventKind::kFailed:
      return uses_.attempts.security_failed(x);
    case transport::EventKind::kReadable:
    case transport::EventKind::kWritable:
      return uses_.relay.drive(x);
    case transport::EventKind::kPeerClosed:
      origin.peer_closed = true;
      return uses_.attempts.ended(x, event);
    case transport::EventKind::kClosed:
      return closed(o, event);
  }
}

// The connection is gone already; only our books remain.
void OriginEvents::closed(std::uint32_t o, const transport::Event& event) noexcept {
  const std::uint32_t x = uses_.origins[o].exchange;
  if (uses_.exchanges[x].rival != kNoIndex) {
    return uses_.races.lost(x, o, connect_error(event.reason));
  }
  if (uses_.origins[o].state == OriginState::connecting) {
    uses_.origins.note_unconnected(o, connect_error(event.reason));
  }
  uses_.origins.free(o);
  uses_.exchanges[x].origin = kNoIndex;
  uses_.attempts.ended(x, event);
}

}  // namespace brink::l7::proxy
