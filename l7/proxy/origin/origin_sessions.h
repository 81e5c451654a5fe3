// OriginSessions: the HTTP/2 sessions on connections to origins, and which of them may have
// something to write. What their streams say goes elsewhere.
//
// One of a worker, its thread only; it calls nothing of the stage.
#pragma once

#include <cstdint>

#include "l7/http2/session.h"
#include "l7/proxy/state/origin_connection.h"
#include "l7/proxy/state/sessions.h"
#include "l7/proxy/state/turn.h"

namespace brink::l7::proxy {

class OriginSessions : public Sessions<http2::ClientSession> {
 public:
  OriginSessions(Turn& turn, const Memory& memory) noexcept : Sessions(memory), turn_(turn) {}

  http2::ClientSession& of(const OriginConnection& origin) noexcept { return at(origin.session); }

  // False: no slot or no memory is left.
  [[nodiscard]] bool open(OriginConnection& origin) noexcept {
    const std::uint32_t s = open_slot(*turn_.config.http2, turn_.now);
    if (s == kNoIndex) return false;
    turn_.counters.add(ipc::Counter::kHttp2OriginSessions);
    origin.session = s;
    return true;
  }
  // Its memory goes back to the codec. Precondition: it has one, without streams.
  void close(OriginConnection& origin) noexcept {
    close_slot(origin.session);
    origin.session = kNoIndex;
  }

  // `o` may have something to write; it is written at the turn's end.
  void push_flush(std::uint32_t o, OriginConnection& origin) noexcept { mark(o, origin.flushing); }

 private:
  Turn& turn_;
};

}  // namespace brink::l7::proxy
