#include "l7/proxy/origin_streams.h"

#include "dataplane/base/check.h"
#include "l7/proxy/transfer/octets.h"
#include "l7/proxy/transfer/session_bytes.h"

namespace brink::l7::proxy {

OriginStreams::OriginStreams(Turn& turn, const Uses& uses) noexcept
    : turn_(turn),
      exchanges_(uses.exchanges),
      origins_(uses.origins),
      sessions_(uses.sessions),
      attempts_(uses.attempts),
      responses_(uses.responses),
      trailers_(uses.trailers),
      relay_(uses.relay),
      answers_(uses.answers),
      lifecycle_(uses.lifecycle) {}

void OriginStreams::on_event(std::uint32_t o, const transport::Event& event) noexcept {
  switch (event.kind) {
    case transport::EventKind::kAccepted:
    case transport::EventKind::kConnected:
    case transport::EventKind::kSecured:
      return;
    case transport::EventKind::kReadable:
      return read(o);
    case transport::EventKind::kWritable:
      return origins_.push_flush(o);
    case transport::EventKind::kFailed:
      turn_.counters.add(ipc::Counter::kTlsOriginFailed);
      [[fallthrough]];
    case transport::EventKind::kPeerClosed:
      return drop(o, true);
    case transport::EventKind::kClosed:
      end_streams(o);
      return origins_.free(o);
  }
}

// Its streams are told, and go on elsewhere or fail.
void OriginStreams::end_streams(std::uint32_t o) noexcept {
  origins_.withdraw(o);
  origins_.session(o).abandon();
  take_events(o);
  CHECK(origins_[o].streams == 0);
}

void OriginStreams::drop(std::uint32_t o, bool orderly) noexcept {
  end_streams(o);
  origins_.drop(o, orderly);
}

void OriginStreams::read(std::uint32_t o) noexcept {
  read_session(origins_.session(o), turn_.transport, origins_[o].id, turn_.now,
               [&] { take_events(o); });
  origins_.push_flush(o);
}

// Only what is there now: what one session's bytes make another write waits for the next turn.
void OriginStreams::flush() noexcept {
  for (std::uint32_t n = sessions_.flush_count(); n > 0; --n) {
    const std::uint32_t o = sessions_.pop_flush();
    origins_[o].flushing = false;
    if (origins_[o].state == OriginState::shared) flush_session(o);
  }
}

void OriginStreams::flush_session(std::uint32_t o) noexcept {
  OriginConnection& origin = origins_[o];
  http2::ClientSession& session = origins_.session(o);
  if (write_session(session, turn_.transport, origin.id, turn_.scratch, turn_.now).failed) {
    return drop(o, false);
  }
  take_events(o);
  settle(o);
}

// A connection that takes no more streams ends with its last.
void OriginStreams::settle(std::uint32_t o) noexcept {
  if (origins_.session(o).finished()) return drop(o, true);
  if (origins_.offer(o)) return;
  origins_.withdraw(o);
  if (origins_[o].streams == 0) origins_.drop(o, true);
}

void OriginStreams::take_events(std::uint32_t o) noexcept {
  http2::Event event;
  while (origins_.session(o).next_event(event)) on_stream_event(o, event);
}

void OriginStreams::on_stream_event(std::uint32_t o, const http2::Event& event) noexcept {
  std::uint32_t x = static_cast<std::uint32_t>(event.tag) - 1;
  if (event.tag == 0 || exchanges_[x].origin != o || exchanges_[x].origin_stream != event.stream) {
    x = kNoIndex;  // the exchange has left
  }
  if (event.kind == http2::EventKind::body) return take_body(o, x, event);
  if (x == kNoIndex) return;
  switch (event.kind) {
    case http2::EventKind::response:
      return take_response(x, event);
    case http2::EventKind::end:
      return end_response(x, event);
    case http2::EventKind::closed:
      exchanges_[x].origin_ended = true;
      origins_.detach(x);
      return relay_.drive(x);
    case http2::EventKind::reset:
      origins_.detach(x);
      return attempts_.stream_lost(x, event);
    default:
      return;
  }
}

void OriginStreams::take_response(std::uint32_t x, const http2::Event& event) noexcept {
  exchanges_[x].sent.clear(exchanges_.blocks());
  if (responses_.take(x, *event.response) && exchanges_[x].response_started) relay_.drive(x);
}

void OriginStreams::take_body(std::uint32_t o, std::uint32_t x,
                              const http2::Event& event) noexcept {
  if (x == kNoIndex) {
    return origins_.session(o).consumed(event.stream, event.bytes.size());
  }
  Exchange& exchange = exchanges_[x];
  if (!exchange.response_inbox.has_room(event.bytes.size())) {  // the window says how much
    return exchange.response_started ? lifecycle_.cut_short(x)
                                     : answers_.error(x, EdgeError::origin_malformed);
  }
  exchange.last_progress = turn_.now;
  exchange.response_inbox.append(exchanges_.blocks(), as_octets(event.bytes));
  relay_.drive(x);
}

void OriginStreams::end_response(std::uint32_t x, const http2::Event& event) noexcept {
  Exchange& exchange = exchanges_[x];
  exchange.origin_ended = true;
  if (event.trailers != nullptr && exchange.response_started) {
    trailers_.keep_response(x, *event.trailers);
  }
  relay_.drive(x);
}

}  // namespace brink::l7::proxy
