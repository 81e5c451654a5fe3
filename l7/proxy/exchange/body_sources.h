// BodySources: where the bytes of a body come from: a client's or an origin's connection, or what
// came on a stream and waits in its inbox.
//
// One of a worker, its thread only. Of the stage it calls ClientSessions and OriginConnections.
#pragma once

#include "l7/proxy/client/client_sessions.h"
#include "l7/proxy/origin/origin_connections.h"
#include "l7/proxy/state/client.h"
#include "l7/proxy/state/exchanges.h"
#include "l7/proxy/state/turn.h"
#include "l7/proxy/transfer/body_relay.h"

namespace brink::l7::proxy {

class BodySources {
 public:
  // All outlive it.
  BodySources(Turn& turn, const Clients& clients, Exchanges& exchanges, ClientSessions& sessions,
              OriginConnections& origins) noexcept
      : turn_(turn),
        clients_(clients),
        exchanges_(exchanges),
        sessions_(sessions),
        origins_(origins) {}

  // Moves of the request's body what there is, as far as `to` has room: a connection, or a frame.
  template <typename To>
  RelayState pump_request(Exchange& exchange, To& to, bool& progressed) noexcept;
  // Likewise of the response's; `to` may be a coder as well.
  template <typename To>
  RelayState pump_response(Exchange& exchange, To& to, bool& progressed) noexcept;

 private:
  Turn& turn_;
  const Clients& clients_;
  Exchanges& exchanges_;
  ClientSessions& sessions_;
  OriginConnections& origins_;
};

}  // namespace brink::l7::proxy
