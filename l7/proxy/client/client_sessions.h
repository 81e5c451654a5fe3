// ClientSessions: the HTTP/2 sessions of clients, and which of them may have something to write.
// What their streams say goes elsewhere (client_streams.h).
//
// One of a worker, its thread only; it calls nothing of the stage.
#pragma once

#include <cstdint>
#include <memory>
#include <span>

#include "dataplane/base/index_ring.h"
#include "l7/http2/session.h"
#include "l7/proxy/state/client.h"
#include "l7/proxy/state/exchange.h"
#include "l7/proxy/state/slots.h"
#include "l7/proxy/state/turn.h"

namespace brink::l7::proxy {

class ClientSessions {
 public:
  struct Memory {
    SlotMemory<http2::ServerSession> slots;
    std::span<std::uint32_t> flush;  // one for each client
    std::span<std::uint32_t> early;  // one for each exchange
  };
  // All outlive it.
  ClientSessions(Turn& turn, Clients& clients, const Memory& memory) noexcept
      : turn_(turn),
        clients_(clients),
        slots_(memory.slots),
        flush_(memory.flush),
        early_(memory.early) {}

  [[nodiscard]] std::uint32_t used() const noexcept { return slots_.used(); }
  http2::ServerSession& of(std::uint32_t c) noexcept { return slots_[clients_[c].session]; }
  http2::ServerSession& session_of(const Exchange& exchange) noexcept {
    return of(exchange.client);
  }

  // Where the responses' bodies come from, before the first is opened.
  void set_source(http2::BodySource source) noexcept { source_ = source; }

  // False: no slot or no memory is left.
  [[nodiscard]] bool open(std::uint32_t c) noexcept {
    const std::uint32_t s = slots_.acquire();
    if (s == kNoIndex) return false;
    if (!slots_[s].open(*turn_.config.http2, source_, turn_.now)) {
      slots_.give_back(s);
      return false;
    }
    turn_.counters.add(ipc::Counter::kHttp2Sessions);
    clients_[c].session = s;
    return true;
  }
  // Its memory goes back to the codec. Precondition: it has one, without exchanges.
  void close(std::uint32_t c) noexcept {
    const std::uint32_t s = clients_[c].session;
    std::destroy_at(&slots_[s]);
    std::construct_at(&slots_[s]);
    slots_.give_back(s);
    clients_[c].session = kNoIndex;
  }

  // `c` may have something to write; it is written at the turn's end.
  void push_flush(std::uint32_t c) noexcept { flush_.push(c, clients_[c].flushing); }
  [[nodiscard]] std::uint32_t flush_count() const noexcept { return flush_.size(); }
  // Precondition: flush_count() > 0. The caller takes the mark off.
  std::uint32_t pop_flush() noexcept { return flush_.pop(); }

  // Exchanges that were answered before their request was there, of the session that is writing.
  void push_early(std::uint32_t x) noexcept { early_[early_size_++] = x; }
  // kNoIndex: no more.
  std::uint32_t pop_early() noexcept { return early_size_ == 0 ? kNoIndex : early_[--early_size_]; }
  void forget_early() noexcept { early_size_ = 0; }

 private:
  Turn& turn_;
  Clients& clients_;
  Slots<http2::ServerSession> slots_;
  base::IndexRing flush_;
  std::span<std::uint32_t> early_;
  std::uint32_t early_size_ = 0;
  http2::BodySource source_;
};

}  // namespace brink::l7::proxy
