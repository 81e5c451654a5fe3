// Client: a client's connection. Over HTTP/1 it has one exchange at most, over HTTP/2 one for each
// of its session's streams. In a fixed array, named by index.
#pragma once

#include <cstdint>

#include "dataplane/base/clock.h"
#include "dataplane/base/ip.h"
#include "dataplane/tcp/types.h"
#include "l7/proxy/state/slots.h"

namespace brink::l7::proxy {

enum class ClientState : std::uint8_t {
  free,
  open,       // between requests, or with an exchange
  lingering,  // our FIN is queued; what still arrives is read and dropped
};

struct Client {
  tcp::ConnectionId id;
  ClientState state = ClientState::free;
  bool peer_closed = false;
  bool ready = false;                 // is in the ready ring
  bool secure = false;                // under TLS
  bool secured = false;               // its handshake is done
  bool has_certificate = false;       // credentials::ClientCertificates may know what it has shown
  bool told_certificate = false;      // to an origin
  bool flushing = false;              // is in the flush ring
  bool drained = false;               // its session was told that the edge goes away
  bool awaits_header = false;         // the PROXY header that it has to begin with
  bool has_own_origins = false;       // origin connections that are for it alone
  std::uint64_t number = 0;           // of all the worker's clients, never 0
  std::uint32_t exchange = kNoIndex;  // HTTP/1
  std::uint32_t session = kNoIndex;   // HTTP/2
  base::Time deadline{};              // idle or lingering clients, or those that take nothing
  base::IpAddress address;
  std::uint16_t remote_port = 0;
  std::uint16_t port = 0;      // the port of ours that it came to
  base::Endpoint destination;  // where it meant to go: that port of ours, or what a relay says
};

using Clients = Slots<Client>;

}  // namespace brink::l7::proxy
