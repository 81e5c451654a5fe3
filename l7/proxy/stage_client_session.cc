// Clients over HTTP/2: their sessions, and exchanges that belong to streams. What a session has to
// say is written once a turn, so that many streams share records and segments.
#include <algorithm>
#include <cstring>
#include <memory>

#include "dataplane/base/check.h"
#include "l7/proxy/octets.h"
#include "l7/proxy/session_output.h"
#include "l7/proxy/stage.h"

namespace brink::l7::proxy {
// ---- sessions ----

bool Stage::open_session(std::uint32_t c) noexcept {
  const std::uint32_t s = sessions_.acquire();
  if (s == kNoIndex) return false;
  if (!sessions_[s].open(*config_.http2, {&Stage::pull_body, this}, now_)) {
    sessions_.give_back(s);
    return false;
  }
  counters_.add(ipc::Counter::kHttp2Sessions);
  clients_[c].session = s;
  clients_[c].deadline = base::Time::max();
  push_flush(c);
  return true;
}

// The connection is gone, or about to be: what goes on for its streams ends.
void Stage::close_session(std::uint32_t c) noexcept {
  const std::uint32_t s = clients_[c].session;
  sessions_[s].abandon();
  take_stream_events(c);
  // Its memory goes back to the codec.
  std::destroy_at(&sessions_[s]);
  std::construct_at(&sessions_[s]);
  sessions_.give_back(s);
  clients_[c].session = kNoIndex;
}

void Stage::on_session_event(std::uint32_t c, const transport::Event& event) noexcept {
  switch (event.kind) {
    case transport::EventKind::kAccepted:
    case transport::EventKind::kConnected:
    case transport::EventKind::kSecured:
      return;
    case transport::EventKind::kReadable:
      return read_client(c);
    case transport::EventKind::kWritable:
      return push_flush(c);
    case transport::EventKind::kFailed:
      counters_.add(ipc::Counter::kTlsFailed);
      [[fallthrough]];
    case transport::EventKind::kPeerClosed:
      close_session(c);
      transport_.release(clients_[c].id, now_);
      return free_client(c);
    case transport::EventKind::kClosed:
      close_session(c);
      return free_client(c);
  }
}

void Stage::read_session(std::uint32_t c) noexcept {
  Client& client = clients_[c];
  http2::ServerSession& session = sessions_[client.session];
  for (;;) {
    const std::string_view bytes = as_text(transport_.readable(client.id, now_));
    if (bytes.empty()) break;
    const std::size_t used = session.feed(bytes, now_);
    take_stream_events(c);
    if (used == 0) break;
    transport_.consume(client.id, used, now_);
  }
  push_flush(c);
}

void Stage::flush_session(std::uint32_t c) noexcept {
  Client& client = clients_[c];
  if (client.session == kNoIndex) return;
  http2::ServerSession& session = sessions_[client.session];
  const SessionOutput output = write_session(session, transport_, client.id, scratch_, now_);
  if (output.wrote) client.deadline = base::Time::max();
  if (output.blocked) {
    client.deadline = std::min(client.deadline, now_ + config_.client_write_timeout);
  }
  if (output.failed) {
    early_size_ = 0;  // its exchanges go with the connection
    return abort_client(c);
  }
  // Answered before the request was there: the client need not send the rest (RFC 9113 8.1).
  while (early_size_ > 0) {
    const std::uint32_t x = early_[--early_size_];
    if (!exchanges_[x].request_done) reset_stream(x, http2::ErrorCode::no_error);
  }
  take_stream_events(c);
  if (!session.finished()) return;
  count_end(session.end_reason());
  close_session(c);
  linger(c);
}

void Stage::count_end(http2::EndReason reason) noexcept {
  switch (reason) {
    case http2::EndReason::protocol:
      return counters_.add(ipc::Counter::kHttp2Faults);
    case http2::EndReason::glitches:
    case http2::EndReason::head_bomb:
    case http2::EndReason::settings_timeout:
    case http2::EndReason::head_timeout:
    case http2::EndReason::memory:
      return counters_.add(ipc::Counter::kHttp2Floods);
    case http2::EndReason::none:
    case http2::EndReason::drained:
    case http2::EndReason::idle:
    case http2::EndReason::peer_goaway:
    case http2::EndReason::peer_closed:
      return;
  }
}

void Stage::check_session(std::uint32_t c) noexcept {
  Client& client = clients_[c];
  if (now_ >= client.deadline) return abort_client(c);
  http2::ServerSession& session = sessions_[client.session];
  if (draining_ && !client.drained) {
    client.drained = true;
    session.drain(now_);
  }
  session.advance(now_);
  push_flush(c);
}

// ---- what streams say ----

void Stage::take_stream_events(std::uint32_t c) noexcept {
  http2::Event event;
  while (sessions_[clients_[c].session].next_event(event)) on_stream_event(c, event);
}

void Stage::on_stream_event(std::uint32_t c, const http2::Event& event) noexcept {
  if (event.kind == http2::EventKind::request) return begin_stream(c, event);
  if (event.kind == http2::EventKind::refused) return refuse_stream(c, event);
  if (event.kind == http2::EventKind::reset && event.cause == http2::ResetCause::malformed) {
    counters_.add(ipc::Counter::kHttpBadRequests);  // of most there was never an exchange
  }
  // A tag outlives its exchange when we have ended that first.
  std::uint32_t x = static_cast<std::uint32_t>(event.tag) - 1;
  if (event.tag == 0 || exchanges_[x].client != c || exchanges_[x].stream != event.stream) {
    x = kNoIndex;
  }
  if (event.kind == http2::EventKind::body) return take_body(c, x, event);
  if (x == kNoIndex) return;
  Exchange& exchange = exchanges_[x];
  switch (event.kind) {
    case http2::EventKind::end:
      exchange.stream_ended = true;
      if (exchange.phase == Phase::answering) exchange.request_done = true;
      return drive(x);
    case http2::EventKind::closed:
      complete(x);
      return free_exchange(x);
    case http2::EventKind::reset:
      return lose_stream(x, event);
    default:
      return;
  }
}

std::uint32_t Stage::acquire_stream(std::uint32_t c, const http2::Event& event) noexcept {
  const std::uint32_t x = acquire_exchange(c);
  http2::ServerSession& session = sessions_[clients_[c].session];
  if (x == kNoIndex) {
    count_error(EdgeError::overloaded);
    session.reset(event.stream, http2::ErrorCode::refused_stream);
    return x;
  }
  exchanges_[x].stream = event.stream;
  session.set_tag(event.stream, std::uint64_t{x} + 1);
  return x;
}

void Stage::begin_stream(std::uint32_t c, const http2::Event& event) noexcept {
  const std::uint32_t x = acquire_stream(c, event);
  if (x == kNoIndex) return;
  request_ = event.request;
  note_request(x, 0);
  begin_request(x, 0);
}

// Well-formed, but more than is taken here. What follows of it is dropped by the session.
void Stage::refuse_stream(std::uint32_t c, const http2::Event& event) noexcept {
  const std::uint32_t x = acquire_stream(c, event);
  if (x == kNoIndex) return;
  counters_.add(ipc::Counter::kHttpBadRequests);
  exchanges_[x].version = http::Version::http_2;
  exchanges_[x].request_done = true;
  make_ray(exchanges_[x]);
  answer_error(x, error_of(event.verdict));
}

void Stage::take_body(std::uint32_t c, std::uint32_t x, const http2::Event& event) noexcept {
  if (x == kNoIndex || exchanges_[x].phase == Phase::answering) {
    return sessions_[clients_[c].session].consumed(event.stream, event.bytes.size());
  }
  Exchange& exchange = exchanges_[x];
  if (!exchange.inbox.has_room(event.bytes.size())) {  // the window says how much
    return reset_stream(x, http2::ErrorCode::flow_control_error);
  }
  exchange.last_progress = now_;
  exchange.inbox.append(inbox_blocks_, as_octets(event.bytes));
  drive(x);
}

void Stage::lose_stream(std::uint32_t x, const http2::Event& event) noexcept {
  if (event.cause != http2::ResetCause::own) lose_client(x);
  leave_origin(x, false);
  free_exchange(x);
}

void Stage::reset_stream(std::uint32_t x, http2::ErrorCode code) noexcept {
  const Exchange& exchange = exchanges_[x];
  session_of(exchange).reset(exchange.stream, code);
  push_flush(exchange.client);
  release_origin(x);
  free_exchange(x);
}

// ---- requests out ----

// The end of a body of unknown length is known only when its last byte was taken.
template <typename To>
RelayState Stage::pump_request(Exchange& exchange, To& to, bool& progressed) noexcept {
  if (exchange.stream == 0) {
    ConnectionEnd from(transport_, clients_[exchange.client].id, now_);
    return exchange.request_body.pump(from, to, progressed);
  }
  InboxEnd from(exchange.inbox, inbox_blocks_, &session_of(exchange), exchange.stream);
  RelayState state = exchange.request_body.pump(from, to, progressed);
  if (state == RelayState::needs_input && exchange.stream_ended && exchange.inbox.empty() &&
      exchange.request_body.input_ended()) {
    state = exchange.request_body.pump(from, to, progressed);
  }
  if (progressed) push_flush(exchange.client);  // windows are open again
  return state;
}
template RelayState Stage::pump_request(Exchange&, ConnectionEnd&, bool&) noexcept;
template RelayState Stage::pump_request(Exchange&, RoomEnd&, bool&) noexcept;

void Stage::drop_inbox(Exchange& exchange) noexcept {
  session_of(exchange).consumed(exchange.stream, exchange.inbox.size());
  exchange.inbox.clear(inbox_blocks_);
}

// ---- responses in ----

// A response that ends before its request does needs a body, if an empty one: its end, asked for in
// pull_body(), is when the rest of the request is given up.
void Stage::respond(std::uint32_t x, const http2::HeadWriter& head, bool has_body) noexcept {
  const Exchange& exchange = exchanges_[x];
  const bool asked = has_body || !exchange.request_done;
  session_of(exchange).respond(exchange.stream, head,
                               asked ? http2::Body::source : http2::Body::none);
  push_flush(exchange.client);
}

void Stage::respond_composed(std::uint32_t x, const http2::HeadWriter& head,
                             std::string_view body) noexcept {
  Exchange& exchange = exchanges_[x];
  drop_inbox(exchange);
  if (exchange.stream_ended) exchange.request_done = true;
  exchange.entry.response_bytes += head.size() + body.size();
  exchange.pending_sent = 0;
  exchange.pending_size = static_cast<std::uint32_t>(body.size());
  if (!body.empty()) std::memcpy(in_buffer(x).data(), body.data(), body.size());
  respond(x, head, !body.empty());
}

void Stage::drive_stream_response(std::uint32_t x) noexcept {
  Exchange& exchange = exchanges_[x];
  while (!exchange.response_started) {
    if (exchange.origin == kNoIndex || !read_response(x)) return;
  }
  exchange.waiting = Waiting::client_room;  // until the session asks
  session_of(exchange).resume(exchange.stream);
  push_flush(exchange.client);
}

http2::BodyPart Stage::pull_body(void* owner, http2::StreamId stream, std::uint64_t tag,
                                 std::span<char> room) noexcept {
  Stage& stage = *static_cast<Stage*>(owner);
  CHECK(tag != 0);
  const auto x = static_cast<std::uint32_t>(tag - 1);
  Exchange& exchange = stage.exchanges_[x];
  CHECK(exchange.stream == stream);
  const http2::BodyPart part = exchange.phase == Phase::answering
                                   ? stage.pull_answer(exchange, room)
                                   : stage.pull_response(exchange, room);
  if (part.size > 0) exchange.last_progress = stage.now_;
  const bool ended =
      part.state == http2::BodyState::end || part.state == http2::BodyState::trailers;
  if (ended && !exchange.request_done) {
    stage.early_[stage.early_size_++] = x;
  }
  return part;
}

http2::BodyPart Stage::pull_answer(Exchange& exchange, std::span<char> room) noexcept {
  const std::uint32_t x = index_of(exchange);
  const std::uint32_t left = exchange.pending_size - exchange.pending_sent;
  const std::size_t size = std::min<std::size_t>(left, room.size());
  if (size > 0) std::memcpy(room.data(), in_buffer(x).data() + exchange.pending_sent, size);
  exchange.pending_sent += static_cast<std::uint32_t>(size);
  return {.size = size, .state = size == left ? http2::BodyState::end : http2::BodyState::more};
}

RelayState Stage::pump_into(Exchange& exchange, std::span<char> room, std::size_t& size,
                            bool& progressed) noexcept {
  if (exchange.coded) {
    const std::span bytes(reinterpret_cast<std::uint8_t*>(room.data()), room.size());
    return pump_coded(exchange, bytes, size, progressed);
  }
  RoomEnd to(room);
  const RelayState state = pump_response(exchange, to, progressed);
  size = to.written();
  return state;
}

http2::BodyPart Stage::pull_response(Exchange& exchange, std::span<char> room) noexcept {
  bool progressed = false;
  std::size_t size = 0;
  const RelayState state = pump_into(exchange, room, size, progressed);
  if (progressed) exchange.last_progress = now_;
  switch (state) {
    case RelayState::needs_input:
      exchange.waiting = Waiting::origin_bytes;
      return {.size = size, .state = http2::BodyState::more};
    case RelayState::needs_room:
      exchange.waiting = Waiting::client_room;
      return {.size = size, .state = http2::BodyState::more};
    case RelayState::done:
      exchange.response_done = true;
      if (exchange.trailers_size > 0) {
        return {.size = size,
                .state = http2::BodyState::trailers,
                .trailers = write_trailers(index_of(exchange))};
      }
      return {.size = size, .state = http2::BodyState::end};
    case RelayState::malformed:
    case RelayState::too_large:
      break;
  }
  counters_.add(ipc::Counter::kHttpTruncated);
  exchange.entry.flags |= log::kTruncated;
  return {.size = 0, .state = http2::BodyState::failed};
}

}  // namespace brink::l7::proxy
