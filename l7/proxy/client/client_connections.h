// ClientConnections: a worker's connections from clients: their slots, their ends, and which of
// them may have something to read. What they say goes elsewhere (client_events.h); an exchange on
// one has ended before it does.
//
// One of a worker, its thread only. Of the stage it calls OriginConnections and ClientTls.
#pragma once

#include <cstdint>
#include <span>

#include "dataplane/base/index_ring.h"
#include "l7/proxy/client/client_tls.h"
#include "l7/proxy/origin/origin_connections.h"
#include "l7/proxy/state/client.h"
#include "l7/proxy/state/connection_user.h"
#include "l7/proxy/state/turn.h"

namespace brink::l7::proxy {

class ClientConnections {
 public:
  // All outlive it. `ready`: one entry for each client.
  ClientConnections(Turn& turn, Clients& clients, ClientTls& client_tls, OriginConnections& origins,
                    std::span<std::uint32_t> ready) noexcept
      : turn_(turn), clients_(clients), client_tls_(client_tls), origins_(origins), ready_(ready) {}

  // A slot for the connection; kNoIndex: there is none, and the connection is reset.
  std::uint32_t accept(tcp::ConnectionId id) noexcept;

  // Closes our side and reads on for a while: a reset would destroy the answer on its way to a
  // client that is still sending (RFC 9112 9.6).
  void linger(std::uint32_t c) noexcept;
  // What still comes of one that lingers is dropped.
  void drain(std::uint32_t c) noexcept;
  // Ends it in order, or by a reset, and forgets it.
  void close(std::uint32_t c) noexcept;
  void abort(std::uint32_t c) noexcept;
  // The connection is gone already.
  void free(std::uint32_t c) noexcept;

  // Is looked at in the next turn.
  void push_ready(std::uint32_t c) noexcept { ready_.push(c, clients_[c].ready); }
  [[nodiscard]] std::uint32_t ready_count() const noexcept { return ready_.size(); }
  // Precondition: ready_count() > 0. The caller takes the mark off.
  std::uint32_t pop_ready() noexcept { return ready_.pop(); }

 private:
  Turn& turn_;
  Clients& clients_;
  ClientTls& client_tls_;
  OriginConnections& origins_;
  base::IndexRing ready_;
  std::uint64_t last_number_ = 0;
};

}  // namespace brink::l7::proxy
