// What we send: frames into the caller's room, bodies straight from their source.
#include <algorithm>
#include <cstring>

#include "dataplane/base/check.h"
#include "l7/http2/callbacks.h"
#include "l7/http2/priority.h"

namespace brink::l7::http2 {
namespace {

// A head as nghttp2 takes it. It copies names and values at once.
struct NameValues {
  explicit NameValues(const HeadWriter& head) noexcept {
    for (const HeadWriter::Field& field : head.fields()) {
      const std::string_view name = head.text(field.name_at, field.name_size);
      const std::string_view value = head.text(field.value_at, field.value_size);
      entries[count++] = {.name = bytes(name),
                          .value = bytes(value),
                          .namelen = name.size(),
                          .valuelen = value.size(),
                          .flags = NGHTTP2_NV_FLAG_NONE};
    }
  }

  std::array<nghttp2_nv, HeadWriter::kFieldsMax> entries;
  std::size_t count = 0;

 private:
  static std::uint8_t* bytes(std::string_view text) noexcept {
    return reinterpret_cast<std::uint8_t*>(const_cast<char*>(text.data()));
  }
};

}  // namespace

// ---- heads ----

bool Session::submit(StreamId id, const HeadWriter& head, Body body, bool interim) noexcept {
  Stream* const stream = find(id);
  if (stream == nullptr || dead_ || !head.ok() || stream->responded) return false;
  const NameValues fields(head);
  const nghttp2_data_provider provider = {.source = {}, .read_callback = Callbacks::read_body};
  const int error = interim ? nghttp2_submit_headers(h2_, NGHTTP2_FLAG_NONE, id, nullptr,
                                                     fields.entries.data(), fields.count, nullptr)
                            : nghttp2_submit_response(h2_, id, fields.entries.data(), fields.count,
                                                      body == Body::source ? &provider : nullptr);
  if (error != 0) {
    fail(error);
    return false;
  }
  stream->responded = !interim;
  stream->sending = body == Body::source;
  stream->progress = now_;
  return true;
}

bool Session::may_request() const noexcept {
  if (dead_ || draining_ || peer_goaway_ || end_reason_ != EndReason::none) return false;
  const std::uint32_t allowed =
      std::min(settings_->max_concurrent_streams,
               nghttp2_session_get_remote_settings(h2_, NGHTTP2_SETTINGS_MAX_CONCURRENT_STREAMS));
  return stream_count_ < allowed && nghttp2_session_check_request_allowed(h2_) != 0;
}

StreamId Session::submit_request(const HeadWriter& head, http::Method method, Body body,
                                 std::uint64_t tag) noexcept {
  if (!may_request() || !head.ok()) return 0;
  const auto next = static_cast<StreamId>(nghttp2_session_get_next_stream_id(h2_));
  Stream* const stream = next > 0 ? make_stream(next) : nullptr;
  if (stream == nullptr) return 0;
  const NameValues fields(head);
  const nghttp2_data_provider provider = {.source = {}, .read_callback = Callbacks::read_body};
  const StreamId id = nghttp2_submit_request(h2_, nullptr, fields.entries.data(), fields.count,
                                             body == Body::source ? &provider : nullptr, nullptr);
  if (id != next) {
    free_stream(stream);
    if (nghttp2_is_fatal(id) != 0) fail(id);
    return 0;
  }
  stream->tag = tag;
  stream->method = method;
  stream->sending = body == Body::source;
  stream->responded = true;
  return id;
}

bool Session::submit_trailers(StreamId id, const HeadWriter& fields) noexcept {
  if (!fields.ok()) return false;
  const NameValues values(fields);
  return nghttp2_submit_trailer(h2_, id, values.entries.data(), values.count) == 0;
}

void Session::set_priority(StreamId id, std::string_view value, bool over_client) noexcept {
  Priority priority;
  if (dead_ || !parse_priority(value, priority)) return;
  const nghttp2_extpri wanted = {.urgency = priority.urgency, .inc = priority.incremental ? 1 : 0};
  const int error = nghttp2_session_change_extpri_stream_priority(h2_, id, &wanted, over_client);
  if (nghttp2_is_fatal(error) != 0) fail(error);
}

// ---- bodies ----

void Session::resume(StreamId id) noexcept {
  Stream* const stream = find(id);
  if (stream == nullptr || dead_ || !stream->blocked) return;
  stream->blocked = false;
  stream->progress = now_;
  // Not deferred yet when the source was blocked after bytes of its own: it is asked anyway.
  const int error = nghttp2_session_resume_data(h2_, id);
  if (nghttp2_is_fatal(error) != 0) fail(error);
}

// nghttp2's question for a body: bytes go behind the space for their frame's header.
std::ptrdiff_t Session::pull_body(StreamId id, std::size_t size_max,
                                  std::uint32_t& flags) noexcept {
  Stream* stream = find(id);
  if (stream == nullptr) return NGHTTP2_ERR_TEMPORAL_CALLBACK_FAILURE;
  std::span<char> space = room_.subspan(FrameScan::kHeaderSize);
  space = space.first(std::min(size_max, space.size()));
  BodyPart part = source_.pull(source_.owner, id, stream->tag, space);
  CHECK(part.size <= space.size());
  stream = find(id);
  if (stream == nullptr || dead_) return NGHTTP2_ERR_TEMPORAL_CALLBACK_FAILURE;
  const bool nothing = part.size == 0 && part.state == BodyState::more;
  if (nothing) part.state = BodyState::blocked;
  CHECK(part.state != BodyState::trailers || part.trailers != nullptr);
  if (part.state == BodyState::trailers && !submit_trailers(id, *part.trailers)) {
    part.state = BodyState::failed;
  }
  stream->progress = now_;
  flags |= NGHTTP2_DATA_FLAG_NO_COPY;
  switch (part.state) {
    case BodyState::more:
      break;
    case BodyState::blocked:
      if (part.size != 0) break;  // it will say so again
      stream->blocked = true;
      return NGHTTP2_ERR_DEFERRED;
    case BodyState::trailers:
      flags |= NGHTTP2_DATA_FLAG_EOF | NGHTTP2_DATA_FLAG_NO_END_STREAM;
      stream->sending = false;
      break;
    case BodyState::end:
      flags |= NGHTTP2_DATA_FLAG_EOF;
      stream->sending = false;
      break;
    case BodyState::failed:
      post_reset(*stream, ResetCause::own, ErrorCode::internal_error);
      return NGHTTP2_ERR_TEMPORAL_CALLBACK_FAILURE;
  }
  return static_cast<std::ptrdiff_t>(part.size);
}

void Session::sent_end(StreamId id) noexcept {
  if (Stream* const stream = find(id); stream != nullptr) {
    stream->we_ended = true;
    stream->sending = false;
  }
}

// ---- frames ----

std::size_t Session::flush_unsent(std::span<char> room) noexcept {
  const std::size_t n = std::min(room.size(), unsent_.size());
  if (n != 0) std::memcpy(room.data(), unsent_.data(), n);
  unsent_.remove_prefix(n);
  return n;
}

std::size_t Session::write(std::span<char> room, base::Time now) noexcept {
  now_ = now;
  room_ = room.subspan(flush_unsent(room));
  while (!dead_ && room_.size() >= kRoomMin && nghttp2_session_want_write(h2_) != 0) {
    const std::uint8_t* frame = nullptr;
    wrote_body_ = false;
    const ssize_t size = nghttp2_session_mem_send(h2_, &frame);
    if (size < 0) {
      fail(static_cast<int>(size));
    } else if (size != 0) {
      unsent_ = {reinterpret_cast<const char*>(frame), static_cast<std::size_t>(size)};
    } else if (!wrote_body_) {
      break;
    }
    room_ = room_.subspan(flush_unsent(room_));
  }
  const std::size_t written = room.size() - room_.size();
  room_ = {};
  return written;
}

bool Session::wants_write() const noexcept {
  return !unsent_.empty() || (!dead_ && nghttp2_session_want_write(h2_) != 0);
}

}  // namespace brink::l7::http2
