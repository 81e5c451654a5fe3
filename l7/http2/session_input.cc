// What the peer sends: frames are judged by their cost, messages by the rules, and become events.
#include <algorithm>
#include <cstring>

#include "dataplane/base/check.h"
#include "l7/http2/callbacks.h"
#include "l7/http2/head_reader.h"
#include "l7/http2/priority.h"

namespace brink::l7::http2 {
namespace {

using http::Verdict;

constexpr std::uint8_t kInterimMax = 16;

}  // namespace

std::size_t Session::feed(std::string_view bytes, base::Time now) noexcept {
  now_ = now;
  const std::size_t size = bytes.size();
  take_head_up();
  while (!bytes.empty() && event_count_ == 0 && first_end_ == nullptr) {
    if (dead_) return size;
    const FrameScan::Step step = scan_.step(bytes);
    if (step.frame_known) judge_frame(scan_.header());
    if (step.peek_known && scan_.dependency() == scan_.header().stream) {
      end(EndReason::protocol, ErrorCode::protocol_error);  // RFC 7540 5.3.1
    }
    if (!step.bytes.empty() && !read(step.bytes)) return size;
    bytes.remove_prefix(step.size);
  }
  put_head_aside();
  return size - bytes.size();
}

// False when there is nothing more to read, ever.
bool Session::read(std::string_view bytes) noexcept {
  if (dead_) return false;
  const auto* const data = reinterpret_cast<const std::uint8_t*>(bytes.data());
  const ssize_t taken = nghttp2_session_mem_recv(h2_, data, bytes.size());
  if (taken < 0) {
    fail(static_cast<int>(taken));
    return false;
  }
  CHECK(static_cast<std::size_t>(taken) == bytes.size());
  return !dead_;
}

// ---- frames ----

void Session::add_glitch(Glitch glitch) noexcept {
  if (glitches_.add(glitch, settings_->glitches, now_)) return;
  end(EndReason::glitches, ErrorCode::enhance_your_calm);
}

void Session::judge_frame(const FrameHeader& frame) noexcept {
  const bool empty = frame.length == 0;
  switch (frame.type) {
    case FrameType::data:
      if (empty && (frame.flags & kFlagEndStream) == 0) add_glitch(Glitch::empty_data);
      return judge_closed(frame);
    case FrameType::headers:
      if (empty) add_glitch(Glitch::empty_headers);
      judge_closed(frame);
      if (server_) last_stream_ = std::max(last_stream_, frame.stream);
      return;
    case FrameType::continuation:
      return add_glitch(empty ? Glitch::empty_headers : Glitch::continuation);
    case FrameType::priority:
      // nghttp2 does not look at them, since we have said that we ignore them.
      if (frame.stream == 0) end(EndReason::protocol, ErrorCode::protocol_error);
      return add_glitch(Glitch::priority);
    case FrameType::priority_update:
      return add_glitch(Glitch::priority);
    case FrameType::settings:
      if ((frame.flags & kFlagAck) != 0) return;
      if (settings_seen_) add_glitch(Glitch::settings);
      settings_seen_ = true;
      return;
    case FrameType::ping:
      if ((frame.flags & kFlagAck) == 0) add_glitch(Glitch::ping);
      return;
    case FrameType::rst_stream:
    case FrameType::push_promise:
    case FrameType::goaway:
    case FrameType::window_update:
      return;
  }
  add_glitch(Glitch::unknown_frame);
}

// DATA and HEADERS on streams that have ended; RFC 9113 5.1. nghttp2 forgets them at once.
void Session::judge_closed(const FrameHeader& frame) noexcept {
  const bool opened_by_client = (frame.stream & 1) != 0;
  if (!server_ || !opened_by_client || frame.stream > last_stream_) return;
  if (find(frame.stream) != nullptr) return;
  switch (closed_.find(frame.stream)) {
    case ClosedStreams::Kind::ended_by_peer:
      return end(EndReason::protocol, ErrorCode::stream_closed);
    case ClosedStreams::Kind::reset_by_us:
      return add_glitch(Glitch::frame_on_closed);
    case ClosedStreams::Kind::unknown:
      break;
  }
  // A number that was passed over (RFC 9113 5.1.1), or a stream of long ago.
  if (closed_.complete()) return end(EndReason::protocol, ErrorCode::protocol_error);
  add_glitch(Glitch::frame_on_closed);
}

// ---- heads ----

// Another session may use the worker's reader before this one goes on.
void Session::put_head_aside() noexcept {
  if (head_stream_ == 0 || dead_) return;
  const HeadReader& reader = *codec_->reader_;
  saved_head_ = static_cast<std::byte*>(allocate(reader.saved_size()));
  if (saved_head_ == nullptr) return end(EndReason::memory, ErrorCode::internal_error);
  reader.save(saved_head_);
}

void Session::take_head_up() noexcept {
  if (saved_head_ == nullptr) return;
  codec_->reader_->restore(saved_head_);
  release(saved_head_);
  saved_head_ = nullptr;
}

void Session::begin_head(StreamId id, bool opens, bool end_stream) noexcept {
  head_stream_ = 0;
  if (end_reason_ == EndReason::memory) return;
  Stream* stream = opens ? make_stream(id) : find(id);
  if (stream == nullptr) {
    if (opens) end(EndReason::memory, ErrorCode::internal_error);
    return;
  }
  HeadKind kind = HeadKind::request;
  if (!server_) kind = stream->head_done ? HeadKind::trailers : HeadKind::response;
  if (server_ && !opens) kind = HeadKind::trailers;
  if (kind == HeadKind::trailers && !end_stream) {
    return malformed(*stream, Verdict::trailers_not_last);
  }
  head_stream_ = id;
  head_since_ = now_;
  codec_->reader_->begin(kind, *settings_);
}

void Session::finish_head(StreamId id, bool end_stream) noexcept {
  if (head_stream_ != id) return;
  head_stream_ = 0;
  Stream* const stream = find(id);
  if (stream == nullptr) return;
  if (stream->head_done) return finish_trailers(*stream);
  server_ ? finish_request(*stream, end_stream) : finish_response(*stream, end_stream);
}

void Session::expect_body(Stream& stream, const http::BodyFraming& body) noexcept {
  stream.head_done = true;
  stream.no_body = body.kind == http::BodyKind::none;
  stream.has_length = body.kind == http::BodyKind::length;
  stream.length_left = body.length;
}

void Session::finish_request(Stream& stream, bool end_stream) noexcept {
  HeadReader& reader = *codec_->reader_;
  const Verdict verdict = reader.finish_request(end_stream);
  const http::RequestHead& head = reader.request();
  Event event;
  event.stream = stream.id;
  event.verdict = verdict;
  if (verdict == Verdict::ok) {
    expect_body(stream, head.body);
    event.kind = EventKind::request;
    event.request = &head;
    for (const http::Field& field : head.fields) {
      if (head.fields.name(field) != "priority") continue;
      set_priority(stream.id, head.fields.value(field), false);
    }
  } else if (http::status_of(verdict) == 400) {
    return malformed(stream, verdict);
  } else {
    const bool oversized =
        verdict == Verdict::head_too_large || verdict == Verdict::too_many_fields;
    if (oversized) add_glitch(Glitch::oversized_head);
    if (stream.gone) return;
    stream.head_done = true;
    stream.dropped = true;
    event.kind = EventKind::refused;
  }
  stream.peer_ended = end_stream;
  post_event(event);
}

void Session::finish_response(Stream& stream, bool end_stream) noexcept {
  HeadReader& reader = *codec_->reader_;
  const Verdict verdict = reader.finish_response(stream.method, end_stream);
  if (verdict != Verdict::ok) return malformed(stream, verdict);
  const http::ResponseHead& head = reader.response();
  const bool interim = head.status < 200;
  if (interim && ++stream.interim_count > kInterimMax) {
    return malformed(stream, Verdict::too_many_interim);
  }
  if (!interim) expect_body(stream, head.body);
  stream.peer_ended = end_stream;
  Event event;
  event.kind = EventKind::response;
  event.stream = stream.id;
  event.response = &head;
  post_event(event);
}

void Session::finish_trailers(Stream& stream) noexcept {
  HeadReader& reader = *codec_->reader_;
  const Verdict verdict = reader.finish_trailers();
  if (verdict != Verdict::ok) return malformed(stream, verdict);
  message_ended(stream, &reader.trailers());
}

// nghttp2 resets the stream, or ends the connection: this stream is lost either way, at once.
void Session::frame_refused(StreamId id, bool over_limit) noexcept {
  Stream* const stream = find(id);
  if (stream != nullptr) post_reset(*stream, ResetCause::malformed, ErrorCode::protocol_error);
  if (over_limit) closed_.add(id, ClosedStreams::Kind::reset_by_us);
  add_glitch(over_limit ? Glitch::refused_stream : Glitch::provoked_reset);
}

void Session::malformed(Stream& stream, Verdict verdict) noexcept {
  const StreamId id = stream.id;
  post_reset(stream, ResetCause::malformed, ErrorCode::protocol_error, verdict);
  if (dead_) return;
  const int error = nghttp2_submit_rst_stream(h2_, NGHTTP2_FLAG_NONE, id, NGHTTP2_PROTOCOL_ERROR);
  if (error != 0) return fail(error);
  add_glitch(Glitch::malformed_message);
}

// ---- bodies ----

void Session::body_came(StreamId id, std::string_view bytes) noexcept {
  Stream* const stream = find(id);
  if (stream == nullptr) return give_back(bytes.size());
  if (stream->dropped) {
    stream->unconsumed += static_cast<std::uint32_t>(bytes.size());
    return consumed(id, bytes.size());
  }
  Verdict verdict = Verdict::ok;
  if (!stream->head_done || stream->no_body) verdict = Verdict::body_unexpected;
  if (stream->has_length && bytes.size() > stream->length_left) verdict = Verdict::length_mismatch;
  stream->unconsumed += static_cast<std::uint32_t>(bytes.size());
  if (verdict != Verdict::ok) return malformed(*stream, verdict);
  if (stream->has_length) stream->length_left -= bytes.size();
  Event event;
  event.kind = EventKind::body;
  event.stream = id;
  event.bytes = bytes;
  post_event(event);
}

void Session::message_ended(Stream& stream, const http::Fields* trailers) noexcept {
  if (!stream.head_done) return malformed(stream, Verdict::body_unexpected);
  if (stream.has_length && stream.length_left != 0) {
    return malformed(stream, Verdict::length_mismatch);
  }
  stream.peer_ended = true;
  if (stream.no_body || stream.dropped) return;
  Event event;
  event.kind = EventKind::end;
  event.stream = stream.id;
  event.trailers = trailers;
  post_event(event);
}

// ---- ends of streams ----

void Session::stream_reset(StreamId id, ErrorCode code) noexcept {
  closed_.add(id, ClosedStreams::Kind::ended_by_peer);
  Stream* const stream = find(id);
  if (stream == nullptr) return;
  const bool unanswered = !stream->we_ended;
  post_reset(*stream, ResetCause::peer, code);
  if (server_ && unanswered) add_glitch(Glitch::cancelled_request);
}

// The last word about a stream: both directions ended, or a reset of either side, or a GOAWAY.
void Session::stream_closed(StreamId id, ErrorCode code) noexcept {
  Stream* const stream = find(id);
  if (stream == nullptr) {
    if (closed_.find(id) == ClosedStreams::Kind::unknown) {
      closed_.add(id, ClosedStreams::Kind::reset_by_us);
    }
    return;
  }
  const bool whole = stream->peer_ended && stream->we_ended;
  closed_.add(id, stream->peer_ended ? ClosedStreams::Kind::ended_by_peer
                                     : ClosedStreams::Kind::reset_by_us);
  if (!whole) return post_reset(*stream, ResetCause::peer, code);
  Event last;
  last.kind = EventKind::closed;
  post_end(*stream, last);
}

}  // namespace brink::l7::http2
