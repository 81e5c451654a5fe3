// ClientTls: TLS with clients: how their handshakes begin, what they have shown, and which hosts
// they may ask for because of it.
//
// One of a worker, its thread only; it calls nothing of the stage.
#pragma once

#include <cstdint>
#include <string_view>

#include "l7/proxy/state/client.h"
#include "l7/proxy/state/turn.h"
#include "l7/rewrite/facts.h"
#include "l7/route/zone_table.h"

namespace brink::l7::proxy {

class ClientTls {
 public:
  // All outlive it.
  ClientTls(Turn& turn, Clients& clients) noexcept : turn_(turn), clients_(clients) {}

  [[nodiscard]] bool is_https_port(std::uint16_t port) const noexcept;
  // Begins a handshake. False: the network of the client has begun too many, or there is no TLS.
  [[nodiscard]] bool begin(std::uint32_t c) noexcept;
  // The client went or took too long; where TLS itself failed, who finds it counts.
  void note_unfinished(const Client& client) noexcept;

  // What the client has shown is read once, when its handshake is done. False: there is no memory.
  [[nodiscard]] bool read_certificate(std::uint32_t c) noexcept;
  // What it has shown, as it stands now in that zone; null: nothing.
  const rewrite::ClientCertificate* certificate_of(std::uint32_t c,
                                                   const route::ZoneTable& table) noexcept;
  // What the origin is told of it, by the setting of the host; null: nothing.
  const rewrite::ClientCertificate* forwarded_certificate(std::uint32_t c,
                                                          std::string_view host) noexcept;
  // The client goes.
  void forget(std::uint32_t c) noexcept;

  // A request for a host of another zone than the one whose certificate the client was shown, or
  // for one that asks clients for other certificates than the one that they came for
  // (CVE-2025-23419 is the same by way of sessions).
  [[nodiscard]] bool is_misdirected(std::uint32_t c, std::string_view host) noexcept;

 private:
  Turn& turn_;
  Clients& clients_;
};

}  // namespace brink::l7::proxy
