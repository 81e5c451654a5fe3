// Stream: what a session remembers of one stream, from the arena. Internal to l7/http2.
#pragma once

#include <array>
#include <cstdint>

#include "dataplane/base/clock.h"
#include "l7/http/method.h"
#include "l7/http2/event.h"

namespace brink::l7::http2 {

struct Stream {
  StreamId id = 0;
  std::uint32_t unconsumed = 0;  // body bytes that the owner has not given back
  std::uint64_t tag = 0;
  std::uint64_t length_left = 0;  // of the announced Content-Length
  Stream* chain = nullptr;        // next in its bucket
  Stream* next_end = nullptr;     // next in the list of last events
  base::Time progress{};          // our body moved last, or its window was seen open

  // The peer's message.
  http::Method method = http::Method::other;  // of our request, client
  std::uint8_t interim_count = 0;
  bool head_done = false;   // its final head was read
  bool has_length = false;  // length_left counts
  bool no_body = false;     // its head said so
  bool dropped = false;     // refused: what still comes is thrown away
  bool peer_ended = false;  // END_STREAM

  // Ours.
  bool responded = false;
  bool sending = false;  // the source is asked for its body
  bool blocked = false;  // and had nothing
  bool we_ended = false;

  bool gone = false;       // `last` is decided
  bool delivered = false;  // and taken
  EventKind last = EventKind::none;
  ResetCause cause = ResetCause::peer;
  http::Verdict verdict = http::Verdict::ok;
  bool retry = false;
  ErrorCode code = ErrorCode::no_error;
};

// The streams that ended last, and whether the peer knows: who has ended a stream must not send on
// it, while what was on its way when we reset it is no fault (RFC 9113 5.1).
class ClosedStreams {
 public:
  enum class Kind : std::uint8_t { unknown, ended_by_peer, reset_by_us };

  void add(StreamId id, Kind kind) noexcept {
    ring_[count_ % kKept] = {id, kind};
    ++count_;
  }
  [[nodiscard]] Kind find(StreamId id) const noexcept {
    for (const Entry& entry : ring_) {
      if (entry.id == id) return entry.kind;
    }
    return Kind::unknown;
  }
  // Nothing was forgotten yet: a stream that is unknown never was.
  [[nodiscard]] bool complete() const noexcept { return count_ <= kKept; }

 private:
  static constexpr std::size_t kKept = 16;
  struct Entry {
    StreamId id = 0;
    Kind kind = Kind::unknown;
  };
  std::array<Entry, kKept> ring_{};
  std::uint64_t count_ = 0;
};

}  // namespace brink::l7::http2
