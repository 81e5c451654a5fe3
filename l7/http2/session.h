// ServerSession and ClientSession: one HTTP/2 connection each, sans-IO: bytes in, events and bytes
// out, the time an argument. nghttp2 does frames, HPACK and windows; what a message may look like
// and what a peer may cost is judged here. RFC 9113, 7541, 8441, 9218.
//
// The owner's turn:
//     while (bytes left) {
//       bytes = from(bytes, session.feed(bytes, now));
//       while (session.next_event(event)) { ... respond, request, consumed, reset ... }
//     }
//     while (room && (n = session.write(room, now)) != 0) ...   // to TLS or TCP
//     while (session.next_event(event)) ...                     // ends of streams
//     session.advance(now) by next_deadline();
//     if (session.finished()) close the connection
//
// No body is kept here: body bytes are handed out where they lie in the input, and asked for when
// there is a window and room for them. What may be under way is bounded by windows that only the
// owner reopens. All memory is from the Codec's arena. One thread. A peer can cause no error but an
// end of its own connection.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

#include "dataplane/base/clock.h"
#include "l7/http2/codec.h"
#include "l7/http2/event.h"
#include "l7/http2/frame_scan.h"
#include "l7/http2/glitch.h"
#include "l7/http2/head_writer.h"
#include "l7/http2/stream.h"

struct nghttp2_session;

namespace brink::l7::http2 {

enum class BodyState : std::uint8_t {
  more,      // ask again
  blocked,   // nothing now; the owner calls resume() when there is
  end,       // these were the last bytes
  trailers,  // these were the last bytes; `trailers` follow them
  failed,    // the body cannot be finished: the stream is reset with INTERNAL_ERROR
};

struct BodyPart {
  std::size_t size = 0;  // bytes written to `room`
  BodyState state = BodyState::blocked;
  const HeadWriter* trailers = nullptr;  // read before the next call of anything
};

// Where the bytes of the bodies that we send come from. Called within write(); may call consumed()
// of the session, nothing else. `size` 0 with `more` means blocked.
struct BodySource {
  BodyPart (*pull)(void* owner, StreamId stream, std::uint64_t tag,
                   std::span<char> room) noexcept = nullptr;
  void* owner = nullptr;
};

enum class Body : std::uint8_t {
  none,    // the head ends the message
  source,  // the session's BodySource is asked
};

// Why the connection ended or is about to; each is a counter.
enum class EndReason : std::uint8_t {
  none,
  drained,           // our GOAWAY, streams finished
  idle,              // idle_timeout
  peer_goaway,       // the peer's GOAWAY, streams finished
  peer_closed,       // the transport ended, abandon()
  protocol,          // the peer broke RFC 9113; code() says how
  glitches,          // too many of GlitchScore::last()
  head_bomb,         // a head that decodes to several times head_max
  settings_timeout,  // our SETTINGS were not acknowledged
  head_timeout,      // a head took too long
  memory,            // memory_max, or the arena is full
};
inline constexpr std::size_t kEndReasonCount = static_cast<std::size_t>(EndReason::memory) + 1;
std::string_view name_of(EndReason reason) noexcept;

class Session {
 public:
  Session() noexcept = default;
  Session(const Session&) = delete;
  Session& operator=(const Session&) = delete;
  ~Session();

  // Takes bytes of the peer, up to the end of the first frame that has an event; returns how many.
  // 0 while there are events to take. A finished session takes all and does nothing.
  std::size_t feed(std::string_view bytes, base::Time now) noexcept;
  bool next_event(Event& event) noexcept;

  // Writes frames to `room` and returns their bytes; 0 when there is nothing to write now. Give 1
  // KiB or more: with less than kRoomMin left a new frame is not begun.
  std::size_t write(std::span<char> room, base::Time now) noexcept;
  static constexpr std::size_t kRoomMin = 256;
  [[nodiscard]] bool wants_write() const noexcept;

  // Gives `size` bytes of a body back to the peer's windows. Streams that are gone are ignored.
  void consumed(StreamId stream, std::size_t size) noexcept;
  // The source has bytes again.
  void resume(StreamId stream) noexcept;
  // RST_STREAM. The stream's last event follows, and no other.
  void reset(StreamId stream, ErrorCode code) noexcept;
  void set_tag(StreamId stream, std::uint64_t tag) noexcept;

  // Ends gracefully: servers send GOAWAY twice (RFC 9113 6.8), streams go on to their end.
  void drain(base::Time now) noexcept;
  // The transport is gone: every stream gets its reset event, then finished().
  void abandon() noexcept;

  // Timeouts; call at the latest at next_deadline().
  void advance(base::Time now) noexcept;
  [[nodiscard]] base::Time next_deadline() const noexcept;

  // All is written that will ever be, and all events are taken: close the transport.
  [[nodiscard]] bool finished() const noexcept;
  [[nodiscard]] EndReason end_reason() const noexcept { return end_reason_; }
  [[nodiscard]] ErrorCode code() const noexcept { return code_; }
  [[nodiscard]] const GlitchScore& glitches() const noexcept { return glitches_; }
  [[nodiscard]] std::uint32_t stream_count() const noexcept { return stream_count_; }
  [[nodiscard]] std::size_t memory_bytes() const noexcept { return memory_; }

 protected:
  bool open(Codec& codec, bool server, const BodySource& source, base::Time now) noexcept;
  Stream* find(StreamId id) noexcept;
  bool submit(StreamId id, const HeadWriter& head, Body body, bool interim) noexcept;
  StreamId submit_request(const HeadWriter& head, http::Method method, Body body,
                          std::uint64_t tag) noexcept;
  [[nodiscard]] bool may_request() const noexcept;
  void set_priority(StreamId id, std::string_view value, bool over_client) noexcept;

 private:
  friend class Codec;
  struct Callbacks;  // nghttp2's way in

  // ---- session.cc: life, streams, events, time ----
  void close() noexcept;
  bool announce() noexcept;
  Stream* make_stream(StreamId id) noexcept;
  Stream* find_record(StreamId id) noexcept;  // of a stream that is gone, too
  void free_stream(Stream* stream) noexcept;
  void post_event(const Event& event) noexcept;
  void post_end(Stream& stream, const Event& last) noexcept;
  void post_reset(Stream& stream, ResetCause cause, ErrorCode code,
                  http::Verdict verdict = http::Verdict::ok) noexcept;
  void give_back(std::size_t size) noexcept;
  void end(EndReason reason, ErrorCode code) noexcept;
  void fail(int error) noexcept;
  void reset_all() noexcept;
  void check_streams() noexcept;
  void* allocate(std::size_t size) noexcept;
  void release(void* memory) noexcept;

  // ---- session_input.cc: what the peer sends ----
  bool read(std::string_view bytes) noexcept;
  void judge_frame(const FrameHeader& frame) noexcept;
  void judge_closed(const FrameHeader& frame) noexcept;
  void add_glitch(Glitch glitch) noexcept;
  void begin_head(StreamId id, bool opens, bool end_stream) noexcept;
  void finish_head(StreamId id, bool end_stream) noexcept;
  void finish_request(Stream& stream, bool end_stream) noexcept;
  void finish_response(Stream& stream, bool end_stream) noexcept;
  void finish_trailers(Stream& stream) noexcept;
  void expect_body(Stream& stream, const http::BodyFraming& body) noexcept;
  void body_came(StreamId id, std::string_view bytes) noexcept;
  void message_ended(Stream& stream, const http::Fields* trailers) noexcept;
  void frame_refused(StreamId id, bool over_limit) noexcept;
  void malformed(Stream& stream, http::Verdict verdict) noexcept;
  void stream_reset(StreamId id, ErrorCode code) noexcept;
  void stream_closed(StreamId id, ErrorCode code) noexcept;
  void put_head_aside() noexcept;
  void take_head_up() noexcept;

  // ---- session_output.cc: what we send ----
  std::size_t flush_unsent(std::span<char> room) noexcept;
  void sent_end(StreamId id) noexcept;
  std::ptrdiff_t pull_body(StreamId id, std::size_t size_max, std::uint32_t& flags) noexcept;
  bool submit_trailers(StreamId id, const HeadWriter& fields) noexcept;

  static constexpr std::size_t kBuckets = 32;
  static constexpr std::size_t kGoawaySize = 17;

  Codec* codec_ = nullptr;
  const Settings* settings_ = nullptr;
  nghttp2_session* h2_ = nullptr;
  BodySource source_;
  bool server_ = false;
  bool dead_ = false;           // h2_ must not be called any more
  bool announced_ = false;      // our SETTINGS were acknowledged
  bool settings_seen_ = false;  // the peer's first
  bool draining_ = false;
  bool drain_notice_ = false;  // the second GOAWAY is still to come, at drain_at_
  bool peer_goaway_ = false;

  // Time, as of the latest call.
  base::Time now_{};
  base::Time opened_{};
  base::Time idle_since_{};
  base::Time head_since_{};
  base::Time drain_at_{};
  base::Time swept_{};  // check_streams() ran

  // Input.
  FrameScan scan_;
  StreamId head_stream_ = 0;  // whose head is being read, or 0
  StreamId last_stream_ = 0;  // highest that the peer opened
  std::byte* saved_head_ = nullptr;
  ClosedStreams closed_;

  // Streams and events.
  std::array<Stream*, kBuckets> buckets_{};
  std::array<Event, 2> events_;  // of the frame just read
  std::uint8_t event_first_ = 0;
  std::uint8_t event_count_ = 0;
  Stream* first_end_ = nullptr;
  Stream* last_end_ = nullptr;

  // Output.
  std::string_view unsent_;  // rest of a frame that nghttp2 keeps
  std::span<char> room_;     // during write()
  bool wrote_body_ = false;
  std::array<char, kGoawaySize> last_words_{};

  EndReason end_reason_ = EndReason::none;
  ErrorCode code_ = ErrorCode::no_error;
  GlitchScore glitches_;
  std::uint32_t stream_count_ = 0;
  std::size_t memory_ = 0;
};

class ServerSession : public Session {
 public:
  // False when the arena has no room. The session must not move while it is open; a finished one
  // may be opened again.
  bool open(Codec& codec, const BodySource& source, base::Time now) noexcept {
    return Session::open(codec, true, source, now);
  }

  // False for a stream that is gone, a head that is not ok() or a full arena (then it is reset).
  bool interim(StreamId stream, const HeadWriter& head) noexcept {
    return submit(stream, head, Body::none, true);
  }
  bool respond(StreamId stream, const HeadWriter& head, Body body) noexcept {
    return submit(stream, head, body, false);
  }

  // Overrides the client's priority, as an origin's `Priority` field may (RFC 9218 8).
  void prioritize(StreamId stream, std::string_view priority) noexcept {
    set_priority(stream, priority, true);
  }
};

class ClientSession : public Session {
 public:
  bool open(Codec& codec, const BodySource& source, base::Time now) noexcept {
    return Session::open(codec, false, source, now);
  }

  // True when a stream may be opened now: the origin and our settings allow another and it has not
  // said GOAWAY.
  [[nodiscard]] bool can_request() const noexcept { return may_request(); }
  // The new stream, or 0 when !can_request(), the head is not ok() or the arena is full.
  StreamId request(const HeadWriter& head, http::Method method, Body body,
                   std::uint64_t tag) noexcept {
    return submit_request(head, method, body, tag);
  }
};

}  // namespace brink::l7::http2
