// Sessions: the HTTP/2 sessions of one side, by slot, and which of that side's connections may have
// something to write. Whose they are, and what their streams say, is known elsewhere
// (client/client_sessions.h, origin/origin_sessions.h).
//
// One a side of a worker, its thread only; it calls nothing of the stage.
#pragma once

#include <cstdint>
#include <memory>
#include <span>

#include "dataplane/base/clock.h"
#include "dataplane/base/index_ring.h"
#include "l7/http2/session.h"
#include "l7/proxy/state/slots.h"

namespace brink::l7::proxy {

template <typename Session>
class Sessions {
 public:
  struct Memory {
    SlotMemory<Session> slots;
    std::span<std::uint32_t> flush;  // one for each connection
  };
  explicit Sessions(const Memory& memory) noexcept : slots_(memory.slots), flush_(memory.flush) {}

  [[nodiscard]] std::uint32_t used() const noexcept { return slots_.used(); }

  // Where the bodies come from that are sent, before the first is opened.
  void set_source(http2::BodySource source) noexcept { source_ = source; }

  [[nodiscard]] std::uint32_t flush_count() const noexcept { return flush_.size(); }
  // Precondition: flush_count() > 0. The caller takes the mark off.
  std::uint32_t pop_flush() noexcept { return flush_.pop(); }

 protected:
  Session& at(std::uint32_t s) noexcept { return slots_[s]; }

  // kNoIndex: no slot or no memory is left.
  [[nodiscard]] std::uint32_t open_slot(http2::Codec& codec, base::Time now) noexcept {
    const std::uint32_t s = slots_.acquire();
    if (s == kNoIndex || slots_[s].open(codec, source_, now)) return s;
    slots_.give_back(s);
    return kNoIndex;
  }
  // Its memory goes back to the codec. Precondition: it is open, and without streams.
  void close_slot(std::uint32_t s) noexcept {
    std::destroy_at(&slots_[s]);
    std::construct_at(&slots_[s]);
    slots_.give_back(s);
  }

  // The connection may have something to write; it is written at the turn's end.
  void mark(std::uint32_t connection, bool& flushing) noexcept { flush_.push(connection, flushing); }

 private:
  Slots<Session> slots_;
  base::IndexRing flush_;
  http2::BodySource source_;
};

}  // namespace brink::l7::proxy
