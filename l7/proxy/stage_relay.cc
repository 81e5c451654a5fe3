// Moving an exchange forward: everything that can be sent is sent, everything that has come is
// read, as far as the other side has room. Called for every event of either connection.
#include <algorithm>
#include <cstring>

#include "dataplane/base/check.h"
#include "l7/http/chars.h"
#include "l7/http1/head_writer.h"
#include "l7/http1/response_parser.h"
#include "l7/proxy/forwarded_head.h"
#include "l7/proxy/http_date.h"
#include "l7/proxy/octets.h"
#include "l7/proxy/redirect_loop.h"
#include "l7/proxy/stage.h"

namespace brink::l7::proxy {
namespace {

// Interim responses of one request beyond this are an origin out of order.
constexpr int kInterimMax = 16;

}  // namespace

void Stage::drive(std::uint32_t x) noexcept {
  Exchange& exchange = exchanges_[x];
  switch (exchange.phase) {
    case Phase::reading_head:
    case Phase::connecting:
      return;  // what the client sends meanwhile waits in its receive queue
    case Phase::answering:
      if (exchange.stream == 0 && flush_pending(exchange)) finish(x);
      return;
    case Phase::relaying:
      return drive_relay(x);
  }
}

void Stage::drive_relay(std::uint32_t x) noexcept {
  Exchange& exchange = exchanges_[x];
  const bool waiting = exchange.websocket && !exchange.tunnel;
  if (!drive_request(x)) return;
  drive_response(x);
  // What the client sent before it was told may go now.
  const bool granted = waiting && exchange.client != kNoIndex && exchange.tunnel;
  if (granted) drive_request(x);
}

// True once the client's send queue has taken everything that was serialised for it.
bool Stage::flush_pending(Exchange& exchange) noexcept {
  if (exchange.pending_sent == exchange.pending_size) return true;
  const std::uint32_t x = index_of(exchange);
  const std::span<const char> rest =
      in_buffer(x).subspan(exchange.pending_sent, exchange.pending_size - exchange.pending_sent);
  const std::size_t written = transport_.write(clients_[exchange.client].id, as_octets(rest), now_);
  if (written > 0) exchange.last_progress = now_;
  exchange.pending_sent += static_cast<std::uint32_t>(written);
  if (exchange.pending_sent < exchange.pending_size) return false;
  exchange.pending_sent = exchange.pending_size = 0;
  return true;
}

// Sends `size` bytes of the scratch buffer to the client; what it has no room for is kept in the
// exchange's own buffer, which holds nothing else at that time.
void Stage::queue_scratch(std::uint32_t x, std::size_t size) noexcept {
  Exchange& exchange = exchanges_[x];
  CHECK(size <= scratch_.size() && exchange.pending_sent == exchange.pending_size);
  const std::span<const char> text(scratch_.data(), size);
  const std::size_t written = transport_.write(clients_[exchange.client].id, as_octets(text), now_);
  exchange.last_progress = now_;
  exchange.entry.response_bytes += size;
  exchange.pending_sent = 0;
  exchange.pending_size = static_cast<std::uint32_t>(size - written);
  std::memcpy(in_buffer(x).data(), scratch_.data() + written, size - written);
}

// Request head and body towards the origin. False: the exchange has ended or changed.
bool Stage::drive_request(std::uint32_t x) noexcept {
  Exchange& exchange = exchanges_[x];
  if (exchange.origin == kNoIndex) return true;
  if (exchange.origin_stream != 0) {
    if (exchange.request_done) return true;
    origin_session_of(exchange).resume(exchange.origin_stream);  // it asks in pull_request()
    push_origin_flush(exchange.origin);
    return true;
  }
  const tcp::ConnectionId origin = origins_[exchange.origin].id;
  bool progressed = false;
  if (exchange.out_sent < exchange.out_size) {
    const std::span<const char> rest =
        out_buffer(x).subspan(exchange.out_sent, exchange.out_size - exchange.out_sent);
    const std::size_t written = transport_.write(origin, as_octets(rest), now_);
    exchange.out_sent += static_cast<std::uint32_t>(written);
    if (written > 0) exchange.last_progress = now_;
    if (exchange.out_sent < exchange.out_size) {
      exchange.waiting = Waiting::origin_room;
      return true;
    }
  }
  exchange.waiting = Waiting::origin_bytes;
  if (exchange.request_done || (exchange.websocket && !exchange.tunnel)) return true;
  ConnectionEnd to(transport_, origin, now_);
  const RelayState state = pump_request(exchange, to, progressed);
  if (progressed) exchange.last_progress = now_;
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
      exchange.request_done = true;
      if (exchange.tunnel) transport_.close(origin, now_);
      return true;
    case RelayState::malformed:
    case RelayState::too_large:
      break;
  }
  counters_.add(ipc::Counter::kHttpBadRequests);
  if (exchange.response_started) {
    cut_short(x);
  } else {
    answer_error(
        x, state == RelayState::malformed ? EdgeError::bad_request : EdgeError::content_too_large);
  }
  return false;
}

// Response heads and body towards the client, until something is missing.
void Stage::drive_response(std::uint32_t x) noexcept {
  Exchange& exchange = exchanges_[x];
  if (exchange.stream != 0) return drive_stream_response(x);
  for (;;) {
    if (!flush_pending(exchange)) {
      exchange.waiting = Waiting::client_room;
      return;
    }
    if (exchange.response_started) break;
    if (exchange.origin == kNoIndex || !read_response(x)) return;
  }
  bool progressed = false;
  ConnectionEnd to(transport_, clients_[exchange.client].id, now_);
  const RelayState state =
      exchange.coded ? send_coded(exchange, progressed) : pump_response(exchange, to, progressed);
  if (progressed) exchange.last_progress = now_;
  switch (state) {
    case RelayState::needs_input:
      exchange.waiting = Waiting::origin_bytes;
      return;
    case RelayState::needs_room:
      exchange.waiting = Waiting::client_room;
      return;
    case RelayState::done:
      exchange.response_done = true;
      return finish(x);
    case RelayState::malformed:
    case RelayState::too_large:
      return cut_short(x);
  }
}

// Gathers and handles one response head. True: look again; false: more must come, or the exchange
// has ended or changed.
bool Stage::read_response(std::uint32_t x) noexcept {
  Exchange& exchange = exchanges_[x];
  if (exchange.origin_stream != 0) return false;  // it comes as an event
  const tcp::ConnectionId origin = origins_[exchange.origin].id;
  const std::span<char> in = in_buffer(x);
  for (;;) {
    const std::span<const std::uint8_t> fresh = transport_.readable(origin, now_);
    if (fresh.empty()) return false;
    if (!exchange.response_seen) {
      exchange.response_seen = true;
      exchange.entry.first_byte_us = us_between(exchange.noted_at, now_);
    }
    exchange.last_progress = now_;
    const std::uint32_t before = exchange.gathered;
    const std::size_t added =
        std::min<std::size_t>(fresh.size(), config_.response_limits.head_max - before);
    std::string_view text(reinterpret_cast<const char*>(fresh.data()), fresh.size());
    if (before != 0) {
      std::memcpy(in.data() + before, fresh.data(), added);
      text = {in.data(), before + added};
    }
    std::uint32_t head_size = 0;
    const http1::Verdict verdict =
        http1::parse_response(text, config_.response_limits, exchange.method, exchange.progress,
                              parsed_response_, head_size);
    response_ = &parsed_response_;
    if (verdict == http1::Verdict::ok) return begin_response(x, head_size - before);
    if (verdict != http1::Verdict::incomplete) {
      answer_error(x, EdgeError::origin_malformed);
      return false;
    }
    if (before == 0) std::memcpy(in.data(), fresh.data(), added);
    exchange.gathered = before + static_cast<std::uint32_t>(added);
    transport_.consume(origin, added, now_);
  }
}

// Forwards a parsed head. `consume`: bytes of it that are still in the receive queue. False: the
// exchange has ended or changed.
bool Stage::begin_response(std::uint32_t x, std::size_t consume) noexcept {
  Exchange& exchange = exchanges_[x];
  const bool interim = response_->status < 200;
  const bool old_client = exchange.version == http::Version::http_1_0;
  const bool switching = response_->status == 101;
  if ((switching && !is_granted(exchange)) || (interim && ++exchange.interim_count > kInterimMax)) {
    answer_error(x, EdgeError::origin_malformed);
    return false;
  }
  if (!interim || switching) count_origin_response(exchange);
  if (!interim && leads_back(x)) {
    counters_.add(ipc::Counter::kHttpRedirectLoops);
    answer_error(x, EdgeError::redirect_loop);
    return false;
  }
  ResponseContext context;
  context.ray = exchange.ray_text();
  const HttpDate date =
      http_date((now_.time_since_epoch() + config_.wall_offset).count() / 1'000'000'000);
  context.date = date.view();
  if (!interim && !plan_coding(x, context.plan)) {
    answer_error(x, EdgeError::overloaded);
    return false;
  }
  context.body_out = response_->body.kind;
  if (response_->body.kind == http::BodyKind::chunked ||
      response_->body.kind == http::BodyKind::until_close || exchange.coded) {
    const bool framed = !old_client && exchange.stream == 0;
    context.body_out = framed ? http::BodyKind::chunked : http::BodyKind::until_close;
  }
  exchange.raw_until_close =
      exchange.stream == 0 && context.body_out == http::BodyKind::until_close;
  if (switching) {
    context.switched = exchange.stream == 0 ? Switched::http1 : Switched::http2;
  }
  // An early response: the rest of the request is not waited for, so nothing may follow it.
  if (!interim && (!exchange.request_done || exchange.raw_until_close)) {
    exchange.close_client = true;
  }
  context.connection = connection_field(exchange);
  if (!run_response_rules(x)) {
    answer_error(x, EdgeError::internal);
    return false;
  }
  context.edits = &rules_.front().edits;
  context.zone = zone_fields(exchange);
  // 100 answers an expectation; without one, or to an HTTP/1.0 client, it means nothing.
  const bool wanted = !interim || switching ||
                      (!old_client && (response_->status != 100 || exchange.expect_continue));
  std::size_t size = 0;
  if (!write_response(x, context, wanted, size)) {
    answer_error(x, EdgeError::origin_malformed);
    return false;
  }
  if (consume > 0) transport_.consume(origins_[exchange.origin].id, consume, now_);
  exchange.gathered = 0;
  exchange.progress = {};
  // Of an interim head, too: a body that it announces is never read, and might pass for an answer.
  exchange.origin_keep = exchange.origin_keep && response_->keep_alive;
  if (switching) {
    begin_tunnel(x, size);
    return true;
  }
  if (interim) {
    if (wanted) send_response(x, size);
    return true;
  }
  counters_.add(ipc::Counter::kHttpResponses);
  exchange.entry.status = exchange.entry.origin_status = response_->status;
  note_keep_alive(exchange);
  exchange.response_started = true;
  http::BodyFraming from = response_->body;
  if (exchange.origin_stream != 0 && from.kind == http::BodyKind::chunked) {
    from.kind = http::BodyKind::until_close;  // a stream's frames are off already
  }
  // A coder's bytes are framed behind it.
  exchange.response_body.start(from,
                               exchange.coded ? http::BodyKind::until_close : context.body_out);
  send_response(x, size);
  return true;
}

// A 101 answers what was asked for, and nothing else.
bool Stage::is_granted(const Exchange& exchange) const noexcept {
  const http::Field* const upgrade = response_->fields.find(http::FieldName::upgrade);
  return exchange.websocket && response_->upgrade && upgrade != nullptr &&
         http::equals_ignoring_case(response_->fields.value(*upgrade), "websocket");
}

// The request's target is where it was written for the origin; the client's own head is gone.
bool Stage::leads_back(std::uint32_t x) noexcept {
  const Exchange& exchange = exchanges_[x];
  const std::string_view sent(out_buffer(x).data(), exchange.out_size);
  const std::string_view target = http::text_from(sent, sent.find(' ') + 1);
  return is_redirect_loop(*response_,
                          {.client_secure = clients_[exchange.client].secure,
                           .origin_secure = exchange.security != 0,
                           .host = exchange.host.text(),
                           .target = target.substr(0, target.find(' '))},
                          exchange.settings);
}

// From here on bytes are carried both ways until either side ends.
void Stage::begin_tunnel(std::uint32_t x, std::size_t head_size) noexcept {
  Exchange& exchange = exchanges_[x];
  counters_.add(ipc::Counter::kHttpResponses);
  counters_.add(ipc::Counter::kHttpTunnels);
  exchange.entry.status = exchange.stream == 0 ? 101 : 200;
  exchange.entry.origin_status = 101;
  exchange.tunnel = true;
  exchange.request_done = false;
  exchange.response_started = true;
  exchange.origin_keep = false;
  exchange.close_client = true;
  exchange.raw_until_close = exchange.stream == 0;
  exchange.request_body.start({http::BodyKind::until_close, 0}, http::BodyKind::until_close);
  exchange.response_body.start({http::BodyKind::until_close, 0}, http::BodyKind::until_close);
  send_response(x, head_size);
}

// The client's head, in its protocol: to the scratch buffer (HTTP/1), or to the session at once,
// which copies it. False: it does not fit.
bool Stage::write_response(std::uint32_t x, const ResponseContext& context, bool wanted,
                           std::size_t& size) noexcept {
  Exchange& exchange = exchanges_[x];
  if (exchange.stream == 0) {
    http1::HeadWriter writer(scratch_);
    write_client_response(writer, *response_, context);
    size = writer.size();
    return writer.ok();
  }
  if (!wanted) return true;
  http2::HeadWriter writer(scratch_);
  write_client_response(writer, *response_, context);
  size = writer.size();
  if (!writer.ok()) return false;
  if (response_->status >= 200 || context.switched != Switched::none) {
    const bool has_body =
        response_->body.kind != http::BodyKind::none || context.switched != Switched::none;
    respond(x, writer, has_body);
  } else {
    session_of(exchange).interim(exchange.stream, writer);
    push_flush(exchange.client);
  }
  return true;
}

void Stage::send_response(std::uint32_t x, std::size_t size) noexcept {
  if (exchanges_[x].stream == 0) return queue_scratch(x, size);
  exchanges_[x].entry.response_bytes += size;
}

}  // namespace brink::l7::proxy
