#include "l7/proxy/client_streams.h"

#include <algorithm>

#include "l7/proxy/state/ray.h"
#include "l7/proxy/transfer/octets.h"
#include "l7/proxy/transfer/session_bytes.h"

namespace brink::l7::proxy {

ClientStreams::ClientStreams(Turn& turn, const Uses& uses) noexcept
    : turn_(turn),
      clients_(uses.clients),
      exchanges_(uses.exchanges),
      connections_(uses.connections),
      sessions_(uses.sessions),
      requests_(uses.requests),
      relay_(uses.relay),
      answers_(uses.answers),
      lifecycle_(uses.lifecycle),
      trailers_(uses.trailers),
      log_(uses.log) {}

bool ClientStreams::open(std::uint32_t c) noexcept {
  if (!sessions_.open(c)) return false;
  clients_[c].deadline = base::Time::max();
  sessions_.push_flush(c);
  return true;
}

// The connection is gone, or about to be: what goes on for its streams ends.
void ClientStreams::close(std::uint32_t c) noexcept {
  sessions_.of(c).abandon();
  take_stream_events(c);
  sessions_.close(c);
}

void ClientStreams::abort(std::uint32_t c) noexcept {
  close(c);
  connections_.abort(c);
}

void ClientStreams::on_event(std::uint32_t c, const transport::Event& event) noexcept {
  switch (event.kind) {
    case transport::EventKind::kAccepted:
    case transport::EventKind::kConnected:
    case transport::EventKind::kSecured:
      return;
    case transport::EventKind::kReadable:
      return read(c);
    case transport::EventKind::kWritable:
      return sessions_.push_flush(c);
    case transport::EventKind::kFailed:
      turn_.counters.add(ipc::Counter::kTlsFailed);
      [[fallthrough]];
    case transport::EventKind::kPeerClosed:
      close(c);
      return connections_.close(c);
    case transport::EventKind::kClosed:
      close(c);
      return connections_.free(c);
  }
}

void ClientStreams::read(std::uint32_t c) noexcept {
  read_session(sessions_.of(c), turn_.transport, clients_[c].id, turn_.now,
               [&] { take_stream_events(c); });
  sessions_.push_flush(c);
}

// Only what is there now: what one session's bytes make another write waits for the next turn.
void ClientStreams::flush() noexcept {
  for (std::uint32_t n = sessions_.flush_count(); n > 0; --n) {
    const std::uint32_t c = sessions_.pop_flush();
    clients_[c].flushing = false;
    if (clients_[c].state == ClientState::open && clients_[c].session != kNoIndex) flush_session(c);
  }
}

void ClientStreams::flush_session(std::uint32_t c) noexcept {
  Client& client = clients_[c];
  http2::ServerSession& session = sessions_.of(c);
  const SessionOutput output =
      write_session(session, turn_.transport, client.id, turn_.scratch, turn_.now);
  if (output.wrote) client.deadline = base::Time::max();
  if (output.blocked) {
    client.deadline = std::min(client.deadline, turn_.now + turn_.config.client_write_timeout);
  }
  if (output.failed) {
    sessions_.forget_early();  // its exchanges go with the connection
    return abort(c);
  }
  // Answered before the request was there: the client need not send the rest (RFC 9113 8.1).
  for (std::uint32_t x = sessions_.pop_early(); x != kNoIndex; x = sessions_.pop_early()) {
    if (!exchanges_[x].request_done) lifecycle_.reset_stream(x, http2::ErrorCode::no_error);
  }
  take_stream_events(c);
  if (!session.finished()) return;
  count_end(session.end_reason());
  close(c);
  connections_.linger(c);
}

void ClientStreams::count_end(http2::EndReason reason) noexcept {
  switch (reason) {
    case http2::EndReason::protocol:
      return turn_.counters.add(ipc::Counter::kHttp2Faults);
    case http2::EndReason::glitches:
    case http2::EndReason::head_bomb:
    case http2::EndReason::settings_timeout:
    case http2::EndReason::head_timeout:
    case http2::EndReason::memory:
      return turn_.counters.add(ipc::Counter::kHttp2Floods);
    case http2::EndReason::none:
    case http2::EndReason::drained:
    case http2::EndReason::idle:
    case http2::EndReason::peer_goaway:
    case http2::EndReason::peer_closed:
      return;
  }
}

void ClientStreams::check(std::uint32_t c) noexcept {
  Client& client = clients_[c];
  if (turn_.now >= client.deadline) return abort(c);
  http2::ServerSession& session = sessions_.of(c);
  if (turn_.draining && !client.drained) {
    client.drained = true;
    session.drain(turn_.now);
  }
  session.advance(turn_.now);
  sessions_.push_flush(c);
}

void ClientStreams::take_stream_events(std::uint32_t c) noexcept {
  http2::Event event;
  while (sessions_.of(c).next_event(event)) on_stream_event(c, event);
}

void ClientStreams::on_stream_event(std::uint32_t c, const http2::Event& event) noexcept {
  if (event.kind == http2::EventKind::request) return begin_stream(c, event);
  if (event.kind == http2::EventKind::refused) return refuse_stream(c, event);
  if (event.kind == http2::EventKind::reset && event.cause == http2::ResetCause::malformed) {
    turn_.counters.add(ipc::Counter::kHttpBadRequests);  // of most there was never an exchange
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
      if (event.trailers != nullptr && exchange.request_framing.kind == http::BodyKind::chunked &&
          exchange.phase != Phase::answering && !exchange.response_done) {
        trailers_.keep_request(x, *event.trailers);
      }
      if (exchange.phase == Phase::answering) exchange.request_done = true;
      return relay_.drive(x);
    case http2::EventKind::closed:
      lifecycle_.complete(x);
      return lifecycle_.free(x);
    case http2::EventKind::reset:
      return lose_stream(x, event);
    default:
      return;
  }
}

std::uint32_t ClientStreams::acquire_stream(std::uint32_t c, const http2::Event& event) noexcept {
  const std::uint32_t x = lifecycle_.acquire(c);
  http2::ServerSession& session = sessions_.of(c);
  if (x == kNoIndex) {
    answers_.count_error(EdgeError::overloaded);
    session.reset(event.stream, http2::ErrorCode::refused_stream);
    return x;
  }
  exchanges_[x].stream = event.stream;
  session.set_tag(event.stream, std::uint64_t{x} + 1);
  return x;
}

void ClientStreams::begin_stream(std::uint32_t c, const http2::Event& event) noexcept {
  const std::uint32_t x = acquire_stream(c, event);
  if (x == kNoIndex) return;
  log_.note_request(exchanges_[x], *event.request, 0);
  requests_.begin(x, *event.request, 0);
}

// Well-formed, but more than is taken here. What follows of it is dropped by the session.
void ClientStreams::refuse_stream(std::uint32_t c, const http2::Event& event) noexcept {
  const std::uint32_t x = acquire_stream(c, event);
  if (x == kNoIndex) return;
  turn_.counters.add(ipc::Counter::kHttpBadRequests);
  exchanges_[x].version = http::Version::http_2;
  exchanges_[x].request_done = true;
  exchanges_[x].ray = make_ray(turn_);
  answers_.error(x, error_of(event.verdict));
}

void ClientStreams::take_body(std::uint32_t c, std::uint32_t x,
                              const http2::Event& event) noexcept {
  if (x == kNoIndex || exchanges_[x].phase == Phase::answering) {
    return sessions_.of(c).consumed(event.stream, event.bytes.size());
  }
  Exchange& exchange = exchanges_[x];
  if (!exchange.inbox.has_room(event.bytes.size())) {  // the window says how much
    return lifecycle_.reset_stream(x, http2::ErrorCode::flow_control_error);
  }
  exchange.last_progress = turn_.now;
  exchange.inbox.append(exchanges_.blocks(), as_octets(event.bytes));
  relay_.drive(x);
}

void ClientStreams::lose_stream(std::uint32_t x, const http2::Event& event) noexcept {
  if (event.cause != http2::ResetCause::own) lifecycle_.lose_client(x);
  lifecycle_.abandon(x);
}

}  // namespace brink::l7::proxy
