// OriginSessions: the HTTP/2 sessions on connections to origins, and which of them may have
// something to write. What their streams say goes elsewhere.
//
// One of a worker, its thread only; it calls nothing of the stage.
#pragma once

#include <cstdint>
#include <memory>
#include <span>

#include "dataplane/base/index_ring.h"
#include "l7/http2/session.h"
#include "l7/proxy/state/origin_connection.h"
#include "l7/proxy/state/slots.h"
#include "l7/proxy/state/turn.h"

namespace brink::l7::proxy {

class OriginSessions {
 public:
  struct Memory {
    SlotMemory<http2::ClientSession> slots;
    std::span<std::uint32_t> flush;  // one for each connection
  };
  OriginSessions(Turn& turn, const Memory& memory) noexcept
      : turn_(turn), slots_(memory.slots), flush_(memory.flush) {}

  [[nodiscard]] std::uint32_t used() const noexcept { return slots_.used(); }
  http2::ClientSession& of(const OriginConnection& origin) noexcept {
    return slots_[origin.session];
  }

  // Where the requests' bodies come from, before the first is opened.
  void set_source(http2::BodySource source) noexcept { source_ = source; }

  // False: no slot or no memory is left.
  [[nodiscard]] bool open(OriginConnection& origin) noexcept {
    const std::uint32_t s = slots_.acquire();
    if (s == kNoIndex) return false;
    if (!slots_[s].open(*turn_.config.http2, source_, turn_.now)) {
      slots_.give_back(s);
      return false;
    }
    turn_.counters.add(ipc::Counter::kHttp2OriginSessions);
    origin.session = s;
    return true;
  }
  // Its memory goes back to the codec. Precondition: it has one, without streams.
  void close(OriginConnection& origin) noexcept {
    std::destroy_at(&slots_[origin.session]);
    std::construct_at(&slots_[origin.session]);
    slots_.give_back(origin.session);
    origin.session = kNoIndex;
  }

  // `o` may have something to write; it is written at the turn's end.
  void push_flush(std::uint32_t o, OriginConnection& origin) noexcept {
    flush_.push(o, origin.flushing);
  }
  [[nodiscard]] std::uint32_t flush_count() const noexcept { return flush_.size(); }
  // Precondition: flush_count() > 0. The caller takes the mark off.
  std::uint32_t pop_flush() noexcept { return flush_.pop(); }

 private:
  Turn& turn_;
  Slots<http2::ClientSession> slots_;
  base::IndexRing flush_;
  http2::BodySource source_;
};

}  // namespace brink::l7::proxy
