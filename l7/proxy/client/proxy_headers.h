// ProxyHeaders: the PROXY headers that relays in front of the edge begin their connections with.
// Only relays are asked for one, and every connection of theirs has to have it: from anybody else
// it could be forged, and without it the relay would pass for the client.
//
// One of a worker, its thread only; it calls nothing of the stage.
#pragma once

#include <cstdint>

#include "l7/proxy/state/client.h"
#include "l7/proxy/state/turn.h"

namespace brink::l7::proxy {

class ProxyHeaders {
 public:
  enum class Verdict : std::uint8_t { incomplete, malformed, ok };

  explicit ProxyHeaders(Turn& turn) noexcept : turn_(turn) {}

  [[nodiscard]] bool is_relay(const base::IpAddress& address) const noexcept;
  // Stays in the receive queue until there is all of it. ok: the client is who it says.
  Verdict read(Client& client) noexcept;

 private:
  Turn& turn_;
};

}  // namespace brink::l7::proxy
