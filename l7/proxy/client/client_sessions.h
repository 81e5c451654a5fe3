// ClientSessions: the HTTP/2 sessions of clients, and which of them may have something to write.
// What their streams say goes elsewhere (client_streams.h).
//
// One of a worker, its thread only; it calls nothing of the stage.
#pragma once

#include <cstdint>
#include <span>

#include "l7/http2/session.h"
#include "l7/proxy/state/client.h"
#include "l7/proxy/state/exchange.h"
#include "l7/proxy/state/sessions.h"
#include "l7/proxy/state/turn.h"

namespace brink::l7::proxy {

class ClientSessions : public Sessions<http2::ServerSession> {
 public:
  struct Memory {
    Sessions::Memory sessions;       // flushed are clients
    std::span<std::uint32_t> early;  // one for each exchange
  };
  // All outlive it.
  ClientSessions(Turn& turn, Clients& clients, const Memory& memory) noexcept
      : Sessions(memory.sessions), turn_(turn), clients_(clients), early_(memory.early) {}

  http2::ServerSession& of(std::uint32_t c) noexcept { return at(clients_[c].session); }
  http2::ServerSession& session_of(const Exchange& exchange) noexcept {
    return of(exchange.client);
  }

  // False: no slot or no memory is left.
  [[nodiscard]] bool open(std::uint32_t c) noexcept {
    const std::uint32_t s = open_slot(*turn_.config.http2, turn_.now);
    if (s == kNoIndex) return false;
    turn_.counters.add(ipc::Counter::kHttp2Sessions);
    clients_[c].session = s;
    return true;
  }
  // Its memory goes back to the codec. Precondition: it has one, without exchanges.
  void close(std::uint32_t c) noexcept {
    close_slot(clients_[c].session);
    clients_[c].session = kNoIndex;
  }

  // `c` may have something to write; it is written at the turn's end.
  void push_flush(std::uint32_t c) noexcept { mark(c, clients_[c].flushing); }

  // Exchanges that were answered before their request was there, of the session that is writing.
  void push_early(std::uint32_t x) noexcept { early_[early_size_++] = x; }
  // kNoIndex: no more.
  std::uint32_t pop_early() noexcept { return early_size_ == 0 ? kNoIndex : early_[--early_size_]; }
  void forget_early() noexcept { early_size_ = 0; }

 private:
  Turn& turn_;
  Clients& clients_;
  std::span<std::uint32_t> early_;
  std::uint32_t early_size_ = 0;
};

}  // namespace brink::l7::proxy
