// Origins over HTTP/2: their sessions, each with as many exchanges as it has streams. A request is
// written for HTTP/1.1 before it is known what the origin speaks; for a stream it is read from
// there.
#include <algorithm>
#include <cstring>
#include <memory>

#include "dataplane/base/check.h"
#include "l7/http1/request_parser.h"
#include "l7/proxy/forwarded_head.h"
#include "l7/proxy/octets.h"
#include "l7/proxy/session_output.h"
#include "l7/proxy/stage.h"

namespace brink::l7::proxy {
// ---- sessions ----

// The exchange's fresh connection has agreed on HTTP/2.
void Stage::begin_origin_session(std::uint32_t x) noexcept {
  const std::uint32_t o = exchanges_[x].origin;
  OriginConnection& origin = origins_[o];
  const std::uint32_t s = origin_sessions_.acquire();
  if (s == kNoIndex) return answer_error(x, EdgeError::overloaded);
  if (!origin_sessions_[s].open(*config_.http2, {&Stage::pull_request, this}, now_)) {
    origin_sessions_.give_back(s);
    return answer_error(x, EdgeError::overloaded);
  }
  counters_.add(ipc::Counter::kHttp2OriginSessions);
  origin.session = s;
  origin.state = OriginState::shared;
  origin.exchange = kNoIndex;
  exchanges_[x].origin = kNoIndex;
  join_origin(x, o);
}

// Its streams are told, and go on elsewhere or fail.
void Stage::close_origin_session(std::uint32_t o) noexcept {
  const std::uint32_t s = origins_[o].session;
  pool_.remove(o);
  origin_sessions_[s].abandon();
  take_origin_events(o);
  CHECK(origins_[o].streams == 0);
  std::destroy_at(&origin_sessions_[s]);
  std::construct_at(&origin_sessions_[s]);
  origin_sessions_.give_back(s);
  origins_[o].session = kNoIndex;
}

void Stage::on_origin_session_event(std::uint32_t o, const transport::Event& event) noexcept {
  switch (event.kind) {
    case transport::EventKind::kAccepted:
    case transport::EventKind::kConnected:
    case transport::EventKind::kSecured:
      return;
    case transport::EventKind::kReadable:
      return read_origin_session(o);
    case transport::EventKind::kWritable:
      return push_origin_flush(o);
    case transport::EventKind::kFailed:
      counters_.add(ipc::Counter::kTlsOriginFailed);
      [[fallthrough]];
    case transport::EventKind::kPeerClosed:
      return drop_origin(o, true);
    case transport::EventKind::kClosed:
      close_origin_session(o);
      return free_origin(o);
  }
}

void Stage::read_origin_session(std::uint32_t o) noexcept {
  OriginConnection& origin = origins_[o];
  http2::ClientSession& session = origin_sessions_[origin.session];
  for (;;) {
    const std::string_view bytes = as_text(transport_.readable(origin.id, now_));
    if (bytes.empty()) break;
    const std::size_t used = session.feed(bytes, now_);
    take_origin_events(o);
    if (used == 0) break;
    transport_.consume(origin.id, used, now_);
  }
  push_origin_flush(o);
}

void Stage::flush_origin_session(std::uint32_t o) noexcept {
  OriginConnection& origin = origins_[o];
  http2::ClientSession& session = origin_sessions_[origin.session];
  if (write_session(session, transport_, origin.id, scratch_, now_).failed) {
    return drop_origin(o, false);
  }
  take_origin_events(o);
  settle_origin(o);
}

// A connection that takes no more streams ends with its last.
void Stage::settle_origin(std::uint32_t o) noexcept {
  if (origin_sessions_[origins_[o].session].finished()) return drop_origin(o, true);
  if (offer_origin(o)) return;
  pool_.remove(o);
  if (origins_[o].streams == 0) drop_origin(o, true);
}

// A connection that has left the pool, for its age or to make room. What goes on over it goes on.
void Stage::retire_origin(std::uint32_t o) noexcept {
  if (origins_[o].streams > 0) return push_origin_flush(o);
  drop_origin(o, true);
}

// ---- exchanges on them ----

void Stage::join_origin(std::uint32_t x, std::uint32_t o) noexcept {
  Exchange& exchange = exchanges_[x];
  attach(x, o);
  origins_[o].exchange = kNoIndex;
  http::BodyFraming from = exchange.request_framing;
  http::BodyKind out = from.kind;
  if (out == http::BodyKind::chunked) out = http::BodyKind::until_close;
  if (exchange.stream != 0) from.kind = out;
  exchange.request_body.start(from, out, config_.body_max);
  exchange.out_sent = exchange.out_size;
  exchange.phase = Phase::relaying;
  exchange.phase_since = now_;
  exchange.waiting = exchange.request_done ? Waiting::origin_bytes : Waiting::origin_room;
  exchange.origin_stream = open_stream(x, o);
  push_origin_flush(o);
  if (exchange.origin_stream == 0) {
    exchange.origin = kNoIndex;
    return exchange.reused ? connect_fresh(x, exchange.remote)
                           : answer_error(x, EdgeError::origin_malformed);
  }
  ++origins_[o].streams;
  offer_origin(o);
}

// Puts the connection into the pool while it takes another stream; false: it takes none.
bool Stage::offer_origin(std::uint32_t o) noexcept {
  if (draining_ || origins_[o].orphaned) return false;
  if (!origin_sessions_[origins_[o].session].can_request()) return false;
  if (pool_.is_idle(o)) return true;
  const std::uint32_t evicted = pool_.put(o, origins_[o].key, now_);
  if (evicted != kNoIndex) retire_origin(evicted);
  return true;
}

http2::StreamId Stage::open_stream(std::uint32_t x, std::uint32_t o) noexcept {
  const Exchange& exchange = exchanges_[x];
  http1::Limits limits = config_.request_limits;
  limits.head_max += kAddedFieldsMax;
  limits.field_max += kAddedFieldsMax;
  limits.fields_max = http::kFieldsRoom;
  http::RequestHead head;
  http1::Progress progress;
  std::uint32_t size = 0;
  const std::string_view text(out_buffer(x).data(), exchange.out_size);
  if (http1::parse_request(text, limits, 443, progress, head, size) != http1::Verdict::ok) return 0;
  const http::Field* const host = head.fields.find(http::FieldName::host);
  http2::HeadWriter writer(scratch_);
  write_stream_request(writer, head, head.fields.value(*host), exchange.te_trailers);
  return origin_sessions_[origins_[o].session].request(
      writer, exchange.method, exchange.request_done ? http2::Body::none : http2::Body::source,
      std::uint64_t{x} + 1);
}

// The exchange wants no more of its origin. `orderly`: the connection is between messages.
void Stage::leave_origin(std::uint32_t x, bool orderly) noexcept {
  Exchange& exchange = exchanges_[x];
  drop_rival(x);
  if (exchange.origin == kNoIndex) return;
  if (exchange.origin_stream == 0) return drop_origin(exchange.origin, orderly);
  origin_session_of(exchange).reset(exchange.origin_stream, http2::ErrorCode::cancel);
  detach_stream(x);
}

void Stage::detach_stream(std::uint32_t x) noexcept {
  Exchange& exchange = exchanges_[x];
  origin_session_of(exchange).consumed(exchange.origin_stream, exchange.response_inbox.size());
  --origins_[exchange.origin].streams;
  push_origin_flush(exchange.origin);
  exchange.origin = kNoIndex;
  exchange.origin_stream = 0;
}

void Stage::take_origin_events(std::uint32_t o) noexcept {
  http2::Event event;
  while (origin_sessions_[origins_[o].session].next_event(event)) on_origin_stream_event(o, event);
}

void Stage::on_origin_stream_event(std::uint32_t o, const http2::Event& event) noexcept {
  std::uint32_t x = static_cast<std::uint32_t>(event.tag) - 1;
  if (event.tag == 0 || exchanges_[x].origin != o || exchanges_[x].origin_stream != event.stream) {
    x = kNoIndex;  // the exchange has left
  }
  if (event.kind == http2::EventKind::body) return take_response_body(o, x, event);
  if (x == kNoIndex) return;
  switch (event.kind) {
    case http2::EventKind::response:
      return take_response(x, event);
    case http2::EventKind::end:
      return end_response(x, event);
    case http2::EventKind::closed:
      exchanges_[x].origin_ended = true;
      detach_stream(x);
      return drive(x);
    case http2::EventKind::reset:
      return lose_origin_stream(x, event);
    default:
      return;
  }
}

void Stage::take_response(std::uint32_t x, const http2::Event& event) noexcept {
  Exchange& exchange = exchanges_[x];
  if (!exchange.response_seen) {
    exchange.response_seen = true;
    exchange.entry.first_byte_us = us_between(exchange.noted_at, now_);
  }
  exchange.last_progress = now_;
  exchange.from_session = true;
  response_ = event.response;
  if (begin_response(x, 0) && exchange.response_started) drive(x);
}

void Stage::take_response_body(std::uint32_t o, std::uint32_t x,
                               const http2::Event& event) noexcept {
  if (x == kNoIndex) {
    return origin_sessions_[origins_[o].session].consumed(event.stream, event.bytes.size());
  }
  Exchange& exchange = exchanges_[x];
  if (!exchange.response_inbox.has_room(event.bytes.size())) {  // the window says how much
    return exchange.response_started ? cut_short(x) : answer_error(x, EdgeError::origin_malformed);
  }
  exchange.last_progress = now_;
  exchange.response_inbox.append(inbox_blocks_, as_octets(event.bytes));
  drive(x);
}

void Stage::end_response(std::uint32_t x, const http2::Event& event) noexcept {
  Exchange& exchange = exchanges_[x];
  exchange.origin_ended = true;
  if (event.trailers != nullptr && exchange.stream != 0) keep_trailers(x, *event.trailers);
  drive(x);
}

// The stream ended before its time, or its connection did.
void Stage::lose_origin_stream(std::uint32_t x, const http2::Event& event) noexcept {
  Exchange& exchange = exchanges_[x];
  detach_stream(x);
  if (exchange.origin_ended) return drive(x);  // all that counts had come
  if (exchange.response_started) return cut_short(x);
  if (exchange.request_fault != EdgeError::internal) {
    counters_.add(ipc::Counter::kHttpBadRequests);
    return answer_error(x, exchange.request_fault);
  }
  const bool unseen = event.cause == http2::ResetCause::connection && exchange.reused &&
                      !exchange.response_seen && http::is_idempotent(exchange.method);
  if ((event.retry || unseen) && !exchange.replayed && !exchange.request_body.touched()) {
    exchange.replayed = true;
    counters_.add(ipc::Counter::kHttpOriginRetries);
    count_origin(exchange.remote, ipc::OriginCounter::kRetries);
    return connect_fresh(x, exchange.remote);
  }
  answer_error(x, EdgeError::origin_malformed);
}

// ---- bodies ----

http2::BodyPart Stage::pull_request(void* owner, http2::StreamId stream, std::uint64_t tag,
                                    std::span<char> room) noexcept {
  Stage& stage = *static_cast<Stage*>(owner);
  CHECK(tag != 0);
  Exchange& exchange = stage.exchanges_[static_cast<std::uint32_t>(tag - 1)];
  CHECK(exchange.origin_stream == stream);
  RoomEnd to(room);
  bool progressed = false;
  const RelayState state = stage.pump_request(exchange, to, progressed);
  if (progressed) exchange.last_progress = stage.now_;
  switch (state) {
    case RelayState::needs_input:
      // With an expectation the client waits for the origin's word before it sends anything.
      exchange.waiting = exchange.expect_continue && !exchange.request_body.touched()
                             ? Waiting::origin_bytes
                             : Waiting::client_bytes;
      return {.size = to.written(), .state = http2::BodyState::more};
    case RelayState::needs_room:
      exchange.waiting = Waiting::origin_room;
      return {.size = to.written(), .state = http2::BodyState::more};
    case RelayState::done:
      exchange.request_done = true;
      exchange.waiting = Waiting::origin_bytes;
      return {.size = to.written(), .state = http2::BodyState::end};
    case RelayState::malformed:
      exchange.request_fault = EdgeError::bad_request;
      break;
    case RelayState::too_large:
      exchange.request_fault = EdgeError::content_too_large;
      break;
  }
  return {.size = 0, .state = http2::BodyState::failed};
}

template <typename To>
RelayState Stage::pump_response(Exchange& exchange, To& to, bool& progressed) noexcept {
  if (!exchange.from_session) {
    const tcp::ConnectionId origin =
        exchange.origin == kNoIndex ? tcp::ConnectionId{} : origins_[exchange.origin].id;
    ConnectionEnd from(transport_, origin, now_);
    return exchange.response_body.pump(from, to, progressed);
  }
  http2::Session* const session =
      exchange.origin_stream == 0 ? nullptr : &origin_session_of(exchange);
  InboxEnd from(exchange.response_inbox, inbox_blocks_, session, exchange.origin_stream);
  RelayState state = exchange.response_body.pump(from, to, progressed);
  if (state == RelayState::needs_input && exchange.origin_ended &&
      exchange.response_inbox.empty() && exchange.response_body.input_ended()) {
    state = exchange.response_body.pump(from, to, progressed);
  }
  if (progressed && exchange.origin != kNoIndex) push_origin_flush(exchange.origin);
  return state;
}
template RelayState Stage::pump_response(Exchange&, ConnectionEnd&, bool&) noexcept;
template RelayState Stage::pump_response(Exchange&, RoomEnd&, bool&) noexcept;
template RelayState Stage::pump_response(Exchange&, CodedEnd&, bool&) noexcept;

// ---- trailers ----

// Sizes before texts, in the exchange's own buffer, which a stream of a client uses for nothing
// else once its response has begun.
void Stage::keep_trailers(std::uint32_t x, const http::Fields& trailers) noexcept {
  const std::span<char> out = in_buffer(x);
  std::size_t at = 0;
  for (const http::Field& field : trailers) {
    if ((field.flags & http::kFieldHopByHop) != 0) continue;
    const std::uint32_t sizes[] = {field.name_size, field.value_size};
    const std::size_t size = sizeof sizes + sizes[0] + sizes[1];
    if (size > out.size() - at) return;  // of those that fit, all
    std::memcpy(out.data() + at, sizes, sizeof sizes);
    std::memcpy(out.data() + at + sizeof sizes, trailers.name(field).data(), sizes[0]);
    if (sizes[1] > 0) {
      std::memcpy(out.data() + at + sizeof sizes + sizes[0], trailers.value(field).data(),
                  sizes[1]);
    }
    at += size;
    exchanges_[x].trailers_size = static_cast<std::uint32_t>(at);
  }
}

const http2::HeadWriter* Stage::write_trailers(std::uint32_t x) noexcept {
  trailers_.emplace(out_buffer(x));
  const char* at = in_buffer(x).data();
  const char* const end = at + exchanges_[x].trailers_size;
  while (at < end) {
    std::uint32_t sizes[2];
    std::memcpy(sizes, at, sizeof sizes);
    at += sizeof sizes;
    trailers_->field(std::string_view(at, sizes[0]), std::string_view(at + sizes[0], sizes[1]));
    at += sizes[0] + sizes[1];
  }
  return &*trailers_;
}

}  // namespace brink::l7::proxy
