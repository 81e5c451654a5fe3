// Life, streams, events and time of a session. What comes in is session_input.cc, what goes out
// session_output.cc.
#include "l7/http2/session.h"

#include <algorithm>
#include <memory>
#include <new>
#include <utility>

#include "dataplane/base/check.h"
#include "l7/http2/callbacks.h"
#include "l7/http2/head_reader.h"
#include "l7/http2/tables.h"

namespace brink::l7::http2 {
namespace {

// How often streams are looked at for stalls.
constexpr base::Duration kSweep = std::chrono::seconds{1};

constexpr std::uint32_t code_of(ErrorCode code) noexcept {
  return static_cast<std::uint32_t>(code);
}

}  // namespace

std::string_view name_of(EndReason reason) noexcept {
  static constexpr std::array<std::string_view, kEndReasonCount> kNames = {
      "none",     "drained",  "idle",      "peer_goaway",      "peer_closed",
      "protocol", "glitches", "head_bomb", "settings_timeout", "head_timeout",
      "memory"};
  return kNames[static_cast<std::size_t>(reason)];
}

Session::~Session() {
  close();
}

bool Session::open(Codec& codec, bool server, const BodySource& source, base::Time now) noexcept {
  close();
  std::destroy_at(this);
  std::construct_at(this);
  codec_ = &codec;
  server_ = server;
  settings_ = server ? &codec.server_ : &codec.client_;
  source_ = source;
  now_ = opened_ = idle_since_ = swept_ = now;
  scan_.start(server);
  nghttp2_mem memory = Callbacks::memory_of(*this);
  const Codec::Tables& tables = *codec.tables_;
  const int error =
      server ? nghttp2_session_server_new3(&h2_, tables.callbacks, this, tables.server, &memory)
             : nghttp2_session_client_new3(&h2_, tables.callbacks, this, tables.client, &memory);
  if (error != 0) h2_ = nullptr;
  if (error == 0 && announce()) return true;
  close();
  dead_ = true;
  end_reason_ = EndReason::memory;
  return false;
}

// Our SETTINGS, and the connection's window, which has no setting.
bool Session::announce() noexcept {
  std::array<nghttp2_settings_entry, 7> entries;
  std::size_t count = 0;
  const auto add = [&](std::int32_t id, std::uint32_t value) { entries[count++] = {id, value}; };
  if (server_) {
    add(NGHTTP2_SETTINGS_MAX_CONCURRENT_STREAMS, settings_->max_concurrent_streams);
    if (settings_->connect_protocol) add(NGHTTP2_SETTINGS_ENABLE_CONNECT_PROTOCOL, 1);
  } else {
    add(NGHTTP2_SETTINGS_ENABLE_PUSH, 0);
  }
  add(NGHTTP2_SETTINGS_INITIAL_WINDOW_SIZE, settings_->stream_window);
  add(NGHTTP2_SETTINGS_MAX_HEADER_LIST_SIZE, settings_->head_max);
  add(NGHTTP2_SETTINGS_NO_RFC7540_PRIORITIES, 1);
  if (settings_->header_table_size != NGHTTP2_DEFAULT_HEADER_TABLE_SIZE) {
    add(NGHTTP2_SETTINGS_HEADER_TABLE_SIZE, settings_->header_table_size);
  }
  return nghttp2_submit_settings(h2_, NGHTTP2_FLAG_NONE, entries.data(), count) == 0 &&
         nghttp2_session_set_local_window_size(
             h2_, NGHTTP2_FLAG_NONE, 0, static_cast<std::int32_t>(settings_->connection_window)) ==
             0;
}

void Session::close() noexcept {
  for (Stream*& bucket : buckets_) {
    while (bucket != nullptr) free_stream(bucket);
  }
  first_end_ = last_end_ = nullptr;
  if (saved_head_ != nullptr) release(saved_head_);
  saved_head_ = nullptr;
  if (h2_ != nullptr) nghttp2_session_del(h2_);
  h2_ = nullptr;
  CHECK(memory_ == 0);
}

// ---- memory ----

void* Session::allocate(std::size_t size) noexcept {
  if (memory_ + size > settings_->memory_max) return nullptr;
  void* const memory = codec_->arena_.allocate(size);
  if (memory != nullptr) memory_ += Arena::size_of(memory);
  return memory;
}

void Session::release(void* memory) noexcept {
  if (memory == nullptr) return;
  memory_ -= Arena::size_of(memory);
  codec_->arena_.release(memory);
}

// ---- streams ----

namespace {

std::size_t bucket_of(StreamId id, std::size_t buckets) noexcept {
  return (static_cast<std::uint32_t>(id) >> 1) % buckets;
}

}  // namespace

Stream* Session::find_record(StreamId id) noexcept {
  Stream* stream = buckets_[bucket_of(id, kBuckets)];
  while (stream != nullptr && stream->id != id) stream = stream->chain;
  return stream;
}

Stream* Session::find(StreamId id) noexcept {
  Stream* const stream = find_record(id);
  return stream != nullptr && !stream->gone ? stream : nullptr;
}

Stream* Session::make_stream(StreamId id) noexcept {
  void* const memory = allocate(sizeof(Stream));
  if (memory == nullptr) return nullptr;
  auto* const stream = new (memory) Stream{};
  Stream*& bucket = buckets_[bucket_of(id, kBuckets)];
  stream->id = id;
  stream->chain = bucket;
  stream->progress = now_;
  bucket = stream;
  ++stream_count_;
  return stream;
}

void Session::free_stream(Stream* stream) noexcept {
  Stream** at = &buckets_[bucket_of(stream->id, kBuckets)];
  while (*at != stream) at = &(*at)->chain;
  *at = stream->chain;
  release(stream);
  if (--stream_count_ == 0) idle_since_ = now_;
}

void Session::set_tag(StreamId id, std::uint64_t tag) noexcept {
  if (Stream* const stream = find(id); stream != nullptr) stream->tag = tag;
}

void Session::consumed(StreamId id, std::size_t size) noexcept {
  // Streams that have closed in order are found as well: their bytes still lie with the owner.
  Stream* const stream = find_record(id);
  if (stream == nullptr || dead_) return;
  const auto n = static_cast<std::uint32_t>(std::min<std::size_t>(size, stream->unconsumed));
  stream->unconsumed -= n;
  if (n != 0) {
    const int error = nghttp2_session_consume(h2_, id, n);
    if (error != 0) return fail(error);
  }
  if (stream->delivered && stream->unconsumed == 0) free_stream(stream);
}

// Opens the connection's window alone, for bytes that nobody will consume.
void Session::give_back(std::size_t size) noexcept {
  if (size == 0 || dead_) return;
  const int error = nghttp2_session_consume_connection(h2_, size);
  if (error != 0) fail(error);
}

void Session::reset(StreamId id, ErrorCode code) noexcept {
  Stream* const stream = find(id);
  if (stream == nullptr || dead_) return;
  post_reset(*stream, ResetCause::own, code);
  const int error = nghttp2_submit_rst_stream(h2_, NGHTTP2_FLAG_NONE, id, code_of(code));
  if (error != 0) fail(error);
}

// ---- events ----

void Session::post_event(const Event& event) noexcept {
  CHECK(event_count_ < events_.size());
  events_[event_count_++] = event;
}

void Session::post_end(Stream& stream, const Event& last) noexcept {
  stream.gone = true;
  stream.last = last.kind;
  stream.cause = last.cause;
  stream.code = last.code;
  stream.verdict = last.verdict;
  stream.retry = last.retry;
  stream.next_end = nullptr;
  (last_end_ == nullptr ? first_end_ : last_end_->next_end) = &stream;
  last_end_ = &stream;
}

void Session::post_reset(Stream& stream, ResetCause cause, ErrorCode code,
                         http::Verdict verdict) noexcept {
  Event last;
  last.kind = EventKind::reset;
  last.cause = cause;
  last.code = code;
  last.verdict = verdict;
  last.retry = !server_ && cause == ResetCause::peer && code == ErrorCode::refused_stream;
  post_end(stream, last);
  if (cause != ResetCause::peer) closed_.add(stream.id, ClosedStreams::Kind::reset_by_us);
  give_back(std::exchange(stream.unconsumed, 0));
}

bool Session::next_event(Event& event) noexcept {
  while (event_first_ < event_count_) {
    event = events_[event_first_++];
    if (event_first_ == event_count_) event_first_ = event_count_ = 0;
    const Stream* const stream = find_record(event.stream);
    // Reset since: only the last event counts. The bytes were given back with the stream.
    if (stream == nullptr || stream->last == EventKind::reset) continue;
    event.tag = stream->tag;
    return true;
  }
  if (first_end_ == nullptr) return false;
  Stream* const stream = first_end_;
  first_end_ = stream->next_end;
  if (first_end_ == nullptr) last_end_ = nullptr;
  event = Event{};
  event.kind = stream->last;
  event.stream = stream->id;
  event.tag = stream->tag;
  event.cause = stream->cause;
  event.code = stream->code;
  event.verdict = stream->verdict;
  event.retry = stream->retry;
  stream->delivered = true;
  if (stream->unconsumed == 0) free_stream(stream);
  return true;
}

// ---- ends ----

void Session::reset_all() noexcept {
  for (Stream* bucket : buckets_) {
    for (Stream* stream = bucket; stream != nullptr; stream = stream->chain) {
      if (!stream->gone) post_reset(*stream, ResetCause::connection, code_);
    }
  }
}

void Session::end(EndReason reason, ErrorCode code) noexcept {
  const bool orderly = end_reason_ == EndReason::none || end_reason_ == EndReason::drained ||
                       end_reason_ == EndReason::peer_goaway;
  if (!orderly) return;
  end_reason_ = reason;
  code_ = code;
  head_stream_ = 0;
  if (!dead_) {
    const int error = nghttp2_session_terminate_session(h2_, code_of(code));
    if (error != 0) fail(error);
  }
  reset_all();
}

// An error after which nghttp2 must not be called: it says no GOAWAY any more, so we do.
void Session::fail(int error) noexcept {
  if (dead_) return;
  dead_ = true;
  const bool flood = error == NGHTTP2_ERR_FLOODED || error == NGHTTP2_ERR_TOO_MANY_CONTINUATIONS;
  if (flood) end(EndReason::glitches, ErrorCode::enhance_your_calm);
  if (error == NGHTTP2_ERR_NOMEM) end(EndReason::memory, ErrorCode::internal_error);
  end(EndReason::protocol, ErrorCode::protocol_error);
  head_stream_ = 0;
  const bool in_frame = !unsent_.empty();
  if (in_frame || error == NGHTTP2_ERR_BAD_CLIENT_MAGIC) return;
  // 8 bytes of payload, type GOAWAY, stream 0; last stream, code.
  last_words_ = {0, 0, 8, 7, 0, 0, 0, 0, 0};
  const auto put = [this](std::size_t at, std::uint32_t value) {
    for (std::size_t i = 0; i < 4; ++i) {
      last_words_[at + i] = static_cast<char>(value >> (24 - 8 * i) & 0xff);
    }
  };
  put(9, server_ ? static_cast<std::uint32_t>(last_stream_) : 0);
  put(13, code_of(code_));
  unsent_ = {last_words_.data(), last_words_.size()};
}

void Session::drain(base::Time now) noexcept {
  now_ = now;
  if (dead_ || draining_) return;
  draining_ = true;
  if (end_reason_ == EndReason::none) end_reason_ = EndReason::drained;
  int error = 0;
  if (server_) {
    drain_notice_ = true;
    drain_at_ = now + settings_->drain_delay;
    error = nghttp2_submit_shutdown_notice(h2_);
  } else {
    error = nghttp2_submit_goaway(h2_, NGHTTP2_FLAG_NONE, 0, NGHTTP2_NO_ERROR, nullptr, 0);
  }
  if (error != 0) fail(error);
}

void Session::abandon() noexcept {
  if (end_reason_ == EndReason::none) end_reason_ = EndReason::peer_closed;
  dead_ = true;
  unsent_ = {};
  reset_all();
}

bool Session::finished() const noexcept {
  if (event_count_ != 0 || first_end_ != nullptr || !unsent_.empty()) return false;
  return dead_ || (nghttp2_session_want_read(h2_) == 0 && nghttp2_session_want_write(h2_) == 0);
}

// ---- time ----

void Session::advance(base::Time now) noexcept {
  now_ = now;
  if (dead_) return;
  if (drain_notice_ && now >= drain_at_) {
    drain_notice_ = false;
    const std::int32_t last = nghttp2_session_get_last_proc_stream_id(h2_);
    const int error =
        nghttp2_submit_goaway(h2_, NGHTTP2_FLAG_NONE, last, NGHTTP2_NO_ERROR, nullptr, 0);
    if (error != 0) return fail(error);
  }
  if (!announced_ && now - opened_ >= settings_->settings_timeout) {
    return end(EndReason::settings_timeout, ErrorCode::settings_timeout);
  }
  if (head_stream_ != 0 && now - head_since_ >= settings_->head_timeout) {
    return end(EndReason::head_timeout, ErrorCode::enhance_your_calm);
  }
  if (stream_count_ == 0 && now - idle_since_ >= settings_->idle_timeout) {
    return end(EndReason::idle, ErrorCode::no_error);
  }
  if (now - swept_ >= kSweep) check_streams();
}

void Session::check_streams() noexcept {
  swept_ = now_;
  for (Stream* bucket : buckets_) {
    for (Stream* stream = bucket; stream != nullptr; stream = stream->chain) {
      const bool waits = stream->sending && !stream->blocked && !stream->gone;
      // Where there is a window, others go first, or the transport is slow: no fault of this
      // stream.
      const bool open = nghttp2_session_get_remote_window_size(h2_) > 0 &&
                        nghttp2_session_get_stream_remote_window_size(h2_, stream->id) > 0;
      if (!waits || open) stream->progress = now_;
      if (now_ - stream->progress < settings_->stall_timeout) continue;
      post_reset(*stream, ResetCause::stalled, ErrorCode::cancel);
      const int error =
          nghttp2_submit_rst_stream(h2_, NGHTTP2_FLAG_NONE, stream->id, NGHTTP2_CANCEL);
      if (error != 0) return fail(error);
    }
  }
}

base::Time Session::next_deadline() const noexcept {
  if (dead_) return base::Time::max();
  base::Time at = stream_count_ == 0 ? idle_since_ + settings_->idle_timeout : swept_ + kSweep;
  if (!announced_) at = std::min(at, opened_ + settings_->settings_timeout);
  if (head_stream_ != 0) at = std::min(at, head_since_ + settings_->head_timeout);
  if (drain_notice_) at = std::min(at, drain_at_);
  return at;
}

}  // namespace brink::l7::http2
