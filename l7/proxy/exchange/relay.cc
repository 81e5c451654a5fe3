#include "l7/proxy/exchange/relay.h"

#include <algorithm>
#include <cstring>

#include "dataplane/base/check.h"
#include "l7/log/entry.h"
#include "l7/proxy/transfer/body_ends.h"
#include "l7/proxy/transfer/octets.h"

namespace brink::l7::proxy {

Relay::Relay(Turn& turn, const Uses& uses) noexcept
    : turn_(turn),
      clients_(uses.clients),
      exchanges_(uses.exchanges),
      sessions_(uses.sessions),
      output_(uses.output),
      origins_(uses.origins),
      bodies_(uses.bodies),
      codings_(uses.codings),
      trailers_(uses.trailers),
      responses_(uses.responses),
      answers_(uses.answers),
      lifecycle_(uses.lifecycle) {}

void Relay::drive(std::uint32_t x) noexcept {
  Exchange& exchange = exchanges_[x];
  switch (exchange.phase) {
    case Phase::reading_head:
    case Phase::connecting:
      return;  // what the client sends meanwhile waits in its receive queue
    case Phase::answering:
      if (exchange.stream == 0 && output_.flush(exchange)) lifecycle_.finish(x);
      return;
    case Phase::relaying:
      return drive_relay(x);
  }
}

void Relay::drive_relay(std::uint32_t x) noexcept {
  Exchange& exchange = exchanges_[x];
  const bool waiting = exchange.websocket && !exchange.tunnel;
  if (!drive_request(x)) return;
  drive_response(x);
  // What the client sent before it was told may go now.
  const bool granted = waiting && exchange.client != kNoIndex && exchange.tunnel;
  if (granted) drive_request(x);
}

void Relay::resume_coded() noexcept {
  for (std::uint32_t x = codings_.take_unflushed(); x != kNoIndex; x = codings_.take_unflushed()) {
    drive(x);
  }
  for (std::uint32_t n = codings_.resting_count(); n > 0; --n) {
    const std::uint32_t x = codings_.take_rested();
    if (x != kNoIndex) drive(x);
  }
}

// Request head and body towards the origin. False: the exchange has ended or changed.
bool Relay::drive_request(std::uint32_t x) noexcept {
  Exchange& exchange = exchanges_[x];
  if (exchange.origin == kNoIndex) return true;
  if (exchange.origin_stream != 0) {
    if (exchange.request_done) return true;
    origins_.session_of(exchange).resume(exchange.origin_stream);  // it asks in pull_request()
    origins_.push_flush(exchange.origin);
    return true;
  }
  const tcp::ConnectionId origin = origins_[exchange.origin].id;
  bool progressed = false;
  if (exchange.out_sent < exchange.out_size) {
    const std::span<const char> rest =
        exchanges_.out(x).subspan(exchange.out_sent, exchange.out_size - exchange.out_sent);
    const std::size_t written = turn_.transport.write(origin, as_octets(rest), turn_.now);
    exchange.out_sent += static_cast<std::uint32_t>(written);
    if (written > 0) exchange.last_progress = turn_.now;
    if (exchange.out_sent < exchange.out_size) {
      exchange.waiting = Waiting::origin_room;
      return true;
    }
  }
  exchange.waiting = Waiting::origin_bytes;
  if (exchange.request_done || (exchange.websocket && !exchange.tunnel)) return true;
  if (exchange.request_trailers_size > 0) exchange.request_body.leave_room_for_trailers();
  ConnectionEnd to(turn_.transport, origin, turn_.now);
  const RelayState state = bodies_.pump_request(exchange, to, progressed);
  if (progressed) exchange.last_progress = turn_.now;
  switch (state) {
    case RelayState::needs_input:
      // With an expectation the client waits for the origin's word before it sends anything.
      if (!exchange.expect_continue || exchange.request_body.touched()) {
        exchange.waiting = Waiting::client_bytes;
      }
      return true;
    case RelayState::needs_room:
      exchange.waiting = Waiting::origin_room;
      return true;
    case RelayState::done:
      if (!send_request_trailers(x)) return true;
      exchange.request_done = true;
      if (exchange.tunnel) turn_.transport.close(origin, turn_.now);
      return true;
    case RelayState::malformed:
    case RelayState::too_large:
      break;
  }
  turn_.counters.add(ipc::Counter::kHttpBadRequests);
  if (exchange.response_started) {
    lifecycle_.cut_short(x);
  } else {
    answers_.error(
        x, state == RelayState::malformed ? EdgeError::bad_request : EdgeError::content_too_large);
  }
  return false;
}

// Behind the body, to a connection. False: there is no room for all.
bool Relay::send_request_trailers(std::uint32_t x) noexcept {
  Exchange& exchange = exchanges_[x];
  const std::string_view lines = trailers_.request_lines(x);
  if (lines.empty()) return true;
  const std::size_t written =
      turn_.transport.write(origins_[exchange.origin].id, as_octets(lines), turn_.now);
  exchange.request_trailers_sent += static_cast<std::uint32_t>(written);
  if (written > 0) exchange.last_progress = turn_.now;
  if (written == lines.size()) return true;
  exchange.waiting = Waiting::origin_room;
  return false;
}

// Response heads and body towards the client, until something is missing.
void Relay::drive_response(std::uint32_t x) noexcept {
  Exchange& exchange = exchanges_[x];
  if (exchange.stream != 0) return drive_stream_response(x);
  for (;;) {
    if (!output_.flush(exchange)) {
      exchange.waiting = Waiting::client_room;
      return;
    }
    if (exchange.response_done) return lifecycle_.finish(x);
    if (exchange.response_started) break;
    if (exchange.origin == kNoIndex || !responses_.read(x)) return;
  }
  bool progressed = false;
  ConnectionEnd to(turn_.transport, clients_[exchange.client].id, turn_.now);
  const RelayState state = exchange.coded ? codings_.send(exchange, progressed)
                                          : bodies_.pump_response(exchange, to, progressed);
  if (progressed) exchange.last_progress = turn_.now;
  switch (state) {
    case RelayState::needs_input:
      exchange.waiting = Waiting::origin_bytes;
      return;
    case RelayState::needs_room:
      exchange.waiting = Waiting::client_room;
      return;
    case RelayState::done:
      return end_response(x);
    case RelayState::malformed:
    case RelayState::too_large:
      return lifecycle_.cut_short(x);
  }
}

// The body is with the client; so will be what follows it.
void Relay::end_response(std::uint32_t x) noexcept {
  Exchange& exchange = exchanges_[x];
  exchange.response_done = true;
  const std::string_view lines = trailers_.response_lines(x);
  if (!lines.empty()) {
    std::memcpy(turn_.scratch.data(), lines.data(), lines.size());
    output_.queue(x, lines.size());
  }
  if (output_.flush(exchange)) return lifecycle_.finish(x);
  exchange.waiting = Waiting::client_room;
}

void Relay::drive_stream_response(std::uint32_t x) noexcept {
  Exchange& exchange = exchanges_[x];
  while (!exchange.response_started) {
    if (exchange.origin == kNoIndex || !responses_.read(x)) return;
  }
  exchange.waiting = Waiting::client_room;  // until the session asks
  sessions_.session_of(exchange).resume(exchange.stream);
  sessions_.push_flush(exchange.client);
}

http2::BodyPart Relay::pull_body(void* owner, http2::StreamId stream, std::uint64_t tag,
                                 std::span<char> room) noexcept {
  Relay& relay = *static_cast<Relay*>(owner);
  CHECK(tag != 0);
  const auto x = static_cast<std::uint32_t>(tag - 1);
  Exchange& exchange = relay.exchanges_[x];
  CHECK(exchange.stream == stream);
  const http2::BodyPart part = exchange.phase == Phase::answering
                                   ? relay.pull_answer(exchange, room)
                                   : relay.pull_response(exchange, room);
  if (part.size > 0) exchange.last_progress = relay.turn_.now;
  const bool ended =
      part.state == http2::BodyState::end || part.state == http2::BodyState::trailers;
  if (ended && !exchange.request_done) relay.sessions_.push_early(x);
  return part;
}

http2::BodyPart Relay::pull_answer(Exchange& exchange, std::span<char> room) noexcept {
  const std::uint32_t x = exchanges_.index_of(exchange);
  const std::uint32_t left = exchange.pending_size - exchange.pending_sent;
  const std::size_t size = std::min<std::size_t>(left, room.size());
  if (size > 0) std::memcpy(room.data(), exchanges_.in(x).data() + exchange.pending_sent, size);
  exchange.pending_sent += static_cast<std::uint32_t>(size);
  return {.size = size, .state = size == left ? http2::BodyState::end : http2::BodyState::more};
}

http2::BodyPart Relay::pull_response(Exchange& exchange, std::span<char> room) noexcept {
  bool progressed = false;
  std::size_t size = 0;
  const RelayState state = pump_into(exchange, room, size, progressed);
  if (progressed) exchange.last_progress = turn_.now;
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
                .trailers = trailers_.write(exchanges_.index_of(exchange))};
      }
      return {.size = size, .state = http2::BodyState::end};
    case RelayState::malformed:
    case RelayState::too_large:
      break;
  }
  turn_.counters.add(ipc::Counter::kHttpTruncated);
  exchange.entry.flags |= log::kTruncated;
  return {.size = 0, .state = http2::BodyState::failed};
}

RelayState Relay::pump_into(Exchange& exchange, std::span<char> room, std::size_t& size,
                            bool& progressed) noexcept {
  if (exchange.coded) {
    return codings_.pump(exchange, as_octets(room), size, progressed);
  }
  RoomEnd to(room);
  const RelayState state = bodies_.pump_response(exchange, to, progressed);
  size = to.written();
  return state;
}

http2::BodyPart Relay::end_request(const Exchange& exchange, std::size_t size) noexcept {
  const auto* const trailers = trailers_.write_request(exchanges_.index_of(exchange));
  if (trailers == nullptr) return {.size = size, .state = http2::BodyState::end};
  return {.size = size, .state = http2::BodyState::trailers, .trailers = trailers};
}

// The second origin first gets what the first one got. False: there is no room for all.
bool Relay::repeat_sent(Exchange& exchange, RoomEnd& to) noexcept {
  InboxEnd sent(exchange.sent, exchanges_.blocks(), nullptr, exchange.origin_stream);
  transfer(sent, to, exchange.sent.size());
  return exchange.sent.empty();
}

// All of the body so far, or nothing.
void Relay::keep_sent(Exchange& exchange, std::span<const std::uint8_t> bytes) noexcept {
  if (exchange.replayed || bytes.empty()) return;
  const bool is_all = exchange.sent.size() + bytes.size() == exchange.request_body.moved_bytes();
  if (is_all && !exchange.response_seen && exchange.sent.has_room(bytes.size())) {
    exchange.sent.append(exchanges_.blocks(), bytes);
  } else {
    exchange.sent.clear(exchanges_.blocks());
  }
}

http2::BodyPart Relay::pull_request(void* owner, http2::StreamId stream, std::uint64_t tag,
                                    std::span<char> room) noexcept {
  Relay& relay = *static_cast<Relay*>(owner);
  CHECK(tag != 0);
  Exchange& exchange = relay.exchanges_[static_cast<std::uint32_t>(tag - 1)];
  CHECK(exchange.origin_stream == stream);
  RoomEnd to(room);
  if (exchange.replayed && !relay.repeat_sent(exchange, to)) {
    exchange.waiting = Waiting::origin_room;
    return {.size = to.written(), .state = http2::BodyState::more};
  }
  const std::size_t again = to.written();
  bool progressed = false;
  const RelayState state = relay.bodies_.pump_request(exchange, to, progressed);
  relay.keep_sent(exchange, as_octets(room.subspan(again, to.written() - again)));
  if (progressed) exchange.last_progress = relay.turn_.now;
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
      return relay.end_request(exchange, to.written());
    case RelayState::malformed:
      exchange.request_fault = EdgeError::bad_request;
      break;
    case RelayState::too_large:
      exchange.request_fault = EdgeError::content_too_large;
      break;
  }
  return {.size = 0, .state = http2::BodyState::failed};
}

}  // namespace brink::l7::proxy
