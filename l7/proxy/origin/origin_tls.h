// OriginTls: how a request's origin is spoken to (the zone's SSL mode), and TLS with it.
//
// One of a worker, its thread only; it calls nothing of the stage.
#pragma once

#include <cstdint>

#include "l7/proxy/state/client.h"
#include "l7/proxy/state/exchange.h"
#include "l7/proxy/state/turn.h"

namespace brink::l7::proxy {

class OriginTls {
 public:
  explicit OriginTls(Turn& turn) noexcept : turn_(turn) {}

  // Whether origins are spoken to under TLS, and at which port where the record names none. The
  // exchange has its route and settings, and is the client's.
  void choose_scheme(Exchange& exchange, const Client& client) const noexcept;

  // Begins the handshake on the connection made for the exchange.
  [[nodiscard]] tls::Failure begin(const Exchange& exchange, tcp::ConnectionId id) noexcept;

 private:
  [[nodiscard]] std::uint64_t security_of(const Exchange& exchange) const noexcept;
  [[nodiscard]] bool may_use_http2(const Exchange& exchange) const noexcept;

  Turn& turn_;
};

}  // namespace brink::l7::proxy
