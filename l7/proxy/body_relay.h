// BodyRelay moves one message body from one connection to another, taking the framing of the sender
// off and putting that of the receiver on. It keeps no body byte: what the receiver has no room for
// stays in the sender's receive queue, so memory is bounded by the stack's windows (back-pressure).
#pragma once

#include <array>
#include <cstdint>
#include <string_view>

#include "dataplane/base/clock.h"
#include "dataplane/tcp/stack.h"
#include "l7/http/head.h"
#include "l7/http1/chunked.h"

namespace brink::l7::proxy {

enum class RelayState : std::uint8_t {
  needs_input,  // nothing to read now
  needs_room,   // the receiver is full; its kWritable follows
  done,         // the whole body, with its end mark, is in the receiver's send queue
  malformed,    // the sender's chunked framing is broken
  too_large,    // over the limit given to start()
};

class BodyRelay {
 public:
  // `in` and `out` are the framings; until_close as `in` ends by input_ended(). `limit` bounds the
  // body's size in bytes.
  void start(http::BodyFraming in, http::BodyKind out, std::uint64_t limit = UINT64_MAX) noexcept;

  // Moves as much as goes. `progressed` is set when any byte left or arrived, else untouched.
  RelayState pump(tcp::Stack& stack, tcp::ConnectionId from, tcp::ConnectionId to, base::Time now,
                  bool& progressed) noexcept;

  // The sender has closed after its last byte was read: the end of an until_close body. Returns
  // false if that truncates the body, which stays unfinished.
  bool input_ended() noexcept;

  [[nodiscard]] bool done() const noexcept { return finished_ && outbox_size_ == 0; }
  [[nodiscard]] bool touched() const noexcept { return touched_; }
  [[nodiscard]] std::uint64_t moved_bytes() const noexcept { return moved_; }  // of the body

 private:
  bool flush(tcp::Stack& stack, tcp::ConnectionId to, base::Time now, bool& progressed) noexcept;
  bool move(tcp::Stack& stack, tcp::ConnectionId from, tcp::ConnectionId to, std::uint64_t count,
            base::Time now, bool& progressed) noexcept;
  // Body bytes that may be moved next, after walking chunked framing; 0 with input_done_ or
  // malformed_ set, or when there is nothing to read.
  std::uint64_t due(tcp::Stack& stack, tcp::ConnectionId from, base::Time now,
                    bool& progressed) noexcept;
  void post(std::string_view framing) noexcept;

  http::BodyKind in_ = http::BodyKind::none;
  http::BodyKind out_ = http::BodyKind::none;
  bool input_done_ = false;
  bool malformed_ = false;
  bool finished_ = false;
  bool touched_ = false;
  std::uint8_t outbox_size_ = 0;
  std::uint8_t outbox_sent_ = 0;
  std::array<char, 24> outbox_{};  // framing on its way out
  std::uint64_t left_ = 0;         // of a length body
  std::uint64_t chunk_left_ = 0;   // announced in our chunk head, not moved yet
  std::uint64_t limit_left_ = 0;
  std::uint64_t moved_ = 0;
  http1::ChunkDecoder decoder_;
};

}  // namespace brink::l7::proxy
