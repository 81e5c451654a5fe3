// BodyRelay moves one message body from one end to another (body_ends.h), taking the framing of the
// sender off and putting that of the receiver on. It keeps no body byte: what the receiver has no
// room for stays with the sender, so memory is bounded by windows (back-pressure).
#pragma once

#include <array>
#include <cstdint>
#include <string_view>

#include "l7/http/head.h"
#include "l7/http1/chunked.h"
#include "l7/proxy/transfer/body_ends.h"

namespace brink::l7::proxy {

enum class RelayState : std::uint8_t {
  needs_input,  // nothing to read now
  needs_room,   // the receiver is full; a connection's kWritable follows
  done,         // the whole body, with its end mark, is with the receiver
  malformed,    // the sender's chunked framing is broken
  too_large,    // over the limit given to start()
};

class BodyRelay {
 public:
  // `in` and `out` are the framings; until_close as `in` ends by input_ended(). `limit` bounds the
  // body's size in bytes.
  void start(http::BodyFraming in, http::BodyKind out, std::uint64_t limit = UINT64_MAX) noexcept;

  // A chunked body ends with "0" CRLF: its trailers, with the empty line, are the caller's to send.
  // Until start().
  void leave_room_for_trailers() noexcept { trailers_follow_ = true; }

  // Moves as much as goes. `progressed` is set when any byte left or arrived, else untouched. 
  // From a connection or an inbox to a connection, the room in a frame or a coder.
  template <typename From, typename To>
  RelayState pump(From& from, To& to, bool& progressed) noexcept;

  // The sender has closed after its last byte was read: the end of an until_close body. Returns
  // false if that truncates the body, which stays unfinished.
  bool input_ended() noexcept;

  [[nodiscard]] bool done() const noexcept { return finished_ && outbox_size_ == 0; }
  [[nodiscard]] bool touched() const noexcept { return touched_; }
  [[nodiscard]] std::uint64_t moved_bytes() const noexcept { return moved_; }  // of the body

 private:
  template <typename To>
  bool flush(To& to, bool& progressed) noexcept;
  template <typename From, typename To>
  bool move(From& from, To& to, std::uint64_t count, bool& progressed) noexcept;
  // Body bytes that may be moved next, after walking chunked framing; 0 with input_done_ or
  // malformed_ set, or when there is nothing to read.
  template <typename From>
  std::uint64_t due(From& from, bool& progressed) noexcept;
  void post(std::string_view framing) noexcept;

  http::BodyKind in_ = http::BodyKind::none;
  http::BodyKind out_ = http::BodyKind::none;
  bool input_done_ = false;
  bool malformed_ = false;
  bool finished_ = false;
  bool touched_ = false;
  bool trailers_follow_ = false;
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
