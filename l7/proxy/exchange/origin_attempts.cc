#include "l7/proxy/exchange/origin_attempts.h"

#include <algorithm>

#include "l7/http/method.h"
#include "l7/http1/request_parser.h"
#include "l7/proxy/head/forwarded_head.h"

namespace brink::l7::proxy {

OriginAttempts::OriginAttempts(Turn& turn, const Uses& uses) noexcept
    : turn_(turn),
      exchanges_(uses.exchanges),
      books_(uses.books),
      origin_sessions_(uses.origin_sessions),
      origins_(uses.origins),
      races_(uses.races),
      origin_tls_(uses.origin_tls),
      relay_(uses.relay),
      answers_(uses.answers),
      lifecycle_(uses.lifecycle),
      traffic_(uses.traffic) {}

void OriginAttempts::start(std::uint32_t x, EdgeError otherwise) noexcept {
  Exchange& exchange = exchanges_[x];
  std::uint32_t refused = 0;
  for (std::size_t left = exchange.route.origin_count; left > 0; --left) {
    const std::size_t i = books_.choose(exchange, exchange.tried | refused);
    if (i == balancer::kNoOrigin) break;
    if (use_origin(x, i, otherwise)) return;
    refused |= 1U << i;
  }
  exchange.failed_over = false;  // it would have been this
  answers_.error(x, otherwise);
}

bool OriginAttempts::use_origin(std::uint32_t x, std::size_t i, EdgeError& why) noexcept {
  Exchange& exchange = exchanges_[x];
  const base::Endpoint remote = exchange.route.origins[i];
  const std::uint32_t record = books_.find(remote);
  if (!books_.may_request(exchange, record, why)) return false;
  base::Duration max_idle = books_.usable_idle(record);
  if (!http::is_idempotent(exchange.method)) {
    max_idle = std::min(max_idle, turn_.config.unsafe_reuse_max_idle);
  }
  // A connection that stands may be used whatever happens to new ones.
  const std::uint32_t pooled = origins_.take_pooled(origins_.key_of(exchange, remote), max_idle);
  if (pooled == origin::kNone && !origins_.may_connect(record, why)) return false;
  exchange.tried |= 1U << i;
  exchange.remote = remote;
  exchange.remote_number = pooled == origin::kNone ? 0 : origins_[pooled].number;
  if (exchange.failed_over) {
    turn_.counters.add(ipc::Counter::kHttpOriginRetries);
    traffic_.count_origin(exchange, ipc::OriginCounter::kRetries);
  } else {
    books_.note_request(record);
  }
  books_.charge(exchange, record);
  pooled == origin::kNone ? connect(x) : use_pooled(x, pooled);
  return true;
}

// A connection that is just out of the pool.
void OriginAttempts::use_pooled(std::uint32_t x, std::uint32_t o) noexcept {
  Exchange& exchange = exchanges_[x];
  exchange.reused = true;
  exchange.reused_after = turn_.now - origins_.idle_since(o);
  turn_.counters.add(ipc::Counter::kHttpOriginReused);
  traffic_.count_origin_request(exchange);
  if (origins_[o].state == OriginState::shared) return join(x, o);
  origins_.attach(x, o);
  origins_[o].state = OriginState::busy;
  exchange.phase = Phase::relaying;
  exchange.phase_since = turn_.now;
  relay_.drive(x);
}

void OriginAttempts::connect(std::uint32_t x) noexcept {
  Exchange& exchange = exchanges_[x];
  const base::Endpoint remote = exchange.remote;
  exchange.reused = false;
  const base::IpAddress source =
      remote.address.is_v4() ? turn_.config.source_v4 : turn_.config.source_v6;
  if (source == base::IpAddress{}) return failed(x, EdgeError::origin_unreachable);
  const std::uint32_t o = origins_.open(x, remote);
  if (o == kNoIndex) return answers_.error(x, EdgeError::overloaded);
  exchange.securing = false;
  origins_.attach(x, o);
  exchange.phase = Phase::connecting;
  exchange.phase_since = turn_.now;
  books_.begin_pending(exchange);
  races_.begin(x);
}

void OriginAttempts::connected(std::uint32_t x) noexcept {
  Exchange& exchange = exchanges_[x];
  OriginConnection& origin = origins_[exchange.origin];
  origins_.note_connected(exchange.origin);
  exchange.entry.connect_us = us_between(exchange.phase_since, turn_.now);
  if (!origins_.announce_client(exchange)) return answers_.error(x, EdgeError::overloaded);
  if (origin.key.security != 0) return secure(x);
  ready(x);
}

void OriginAttempts::secure(std::uint32_t x) noexcept {
  Exchange& exchange = exchanges_[x];
  OriginConnection& origin = origins_[exchange.origin];
  exchange.securing = true;
  origin.state = OriginState::securing;
  if (origin_tls_.begin(exchange, origin.id) == tls::Failure::kNone) return;
  turn_.counters.add(ipc::Counter::kTlsOriginFailed);
  origins_.drop(exchange.origin, false);
  failed(x, EdgeError::origin_tls);
}

void OriginAttempts::secured(std::uint32_t x) noexcept {
  turn_.counters.add(ipc::Counter::kTlsOriginHandshakes);
  ready(x);
}

// The connection stands, and is as secure as was asked for.
void OriginAttempts::ready(std::uint32_t x) noexcept {
  Exchange& exchange = exchanges_[x];
  books_.note_success(exchange.remote);
  books_.end_pending(exchange);
  traffic_.count_origin_request(exchange);
  const tls::Stream* const security = turn_.transport.security(origins_[exchange.origin].id);
  if (security != nullptr && security->info().protocol == tls::Alpn::kH2) {
    return begin_session(x);
  }
  // What is left of a body that began on a stream has not the framing of this connection.
  if (exchange.request_body.touched()) return answers_.error(x, EdgeError::origin_malformed);
  origins_[exchange.origin].state = OriginState::busy;
  exchange.phase = Phase::relaying;
  exchange.phase_since = turn_.now;
  exchange.last_progress = turn_.now;
  relay_.drive(x);
}

// ---- over HTTP/2 ----

// The exchange's fresh connection has agreed on HTTP/2.
void OriginAttempts::begin_session(std::uint32_t x) noexcept {
  const std::uint32_t o = exchanges_[x].origin;
  OriginConnection& origin = origins_[o];
  if (!origin_sessions_.open(origin)) return answers_.error(x, EdgeError::overloaded);
  origin.state = OriginState::shared;
  origin.exchange = kNoIndex;
  exchanges_[x].origin = kNoIndex;
  join(x, o);
}

void OriginAttempts::join(std::uint32_t x, std::uint32_t o) noexcept {
  Exchange& exchange = exchanges_[x];
  origins_.attach(x, o);
  origins_[o].exchange = kNoIndex;
  if (!exchange.request_body.touched()) {
    http::BodyFraming from = exchange.request_framing;
    http::BodyKind out = from.kind;
    if (out == http::BodyKind::chunked) out = http::BodyKind::until_close;
    if (exchange.stream != 0) from.kind = out;
    exchange.request_body.start(from, out, exchange.request_max);
  }
  exchange.out_sent = exchange.out_size;
  exchange.phase = Phase::relaying;
  exchange.phase_since = turn_.now;
  exchange.waiting = exchange.request_done ? Waiting::origin_bytes : Waiting::origin_room;
  exchange.origin_stream = open_stream(x, o);
  origins_.push_flush(o);
  if (exchange.origin_stream == 0) {
    exchange.origin = kNoIndex;
    return exchange.reused ? connect(x) : answers_.error(x, EdgeError::origin_malformed);
  }
  ++origins_[o].streams;
  origins_.offer(o);
}

http2::StreamId OriginAttempts::open_stream(std::uint32_t x, std::uint32_t o) noexcept {
  const Exchange& exchange = exchanges_[x];
  http1::Limits limits = turn_.config.request_limits;
  limits.head_max += kAddedFieldsMax;
  limits.field_max += kAddedFieldsMax;
  limits.fields_max = http::kFieldsRoom;
  http::RequestHead head;
  http1::Progress progress;
  std::uint32_t size = 0;
  const std::string_view text(exchanges_.out(x).data(), exchange.out_size);
  if (http1::parse_request(text, limits, 443, progress, head, size) != http1::Verdict::ok) return 0;
  const http::Field* const host = head.fields.find(http::FieldName::host);
  http2::HeadWriter writer(turn_.scratch);
  write_stream_request(writer, head, head.fields.value(*host), exchange.te_trailers);
  return origins_.session(o).request(
      writer, exchange.method, exchange.request_done ? http2::Body::none : http2::Body::source,
      std::uint64_t{x} + 1);
}

// ---- failures ----

// No connection to the address that was tried.
void OriginAttempts::connect_failed(const Exchange& exchange) noexcept {
  books_.note_failure(exchange.remote);
  traffic_.count_origin(exchange, ipc::OriginCounter::kConnectFailures);
}

// The connect phase failed; nothing of the request's body was read yet. Zero-downtime failover: one
// more attempt, at another address, if its budget for retries has it.
void OriginAttempts::failed(std::uint32_t x, EdgeError error) noexcept {
  Exchange& exchange = exchanges_[x];
  const std::uint32_t all = (1U << exchange.route.origin_count) - 1;
  if (!exchange.failed_over && (exchange.tried & all) != all) {
    exchange.failed_over = true;
    return start(x, error);
  }
  answers_.error(x, error);
}

// During the handshake another address may do better; later it is as if the origin had gone.
void OriginAttempts::security_failed(std::uint32_t x) noexcept {
  Exchange& exchange = exchanges_[x];
  const tls::Failure failure = turn_.transport.security(origins_[exchange.origin].id)->failure();
  const bool handshake = exchange.phase == Phase::connecting;
  turn_.counters.add(ipc::Counter::kTlsOriginFailed);
  origins_.drop(exchange.origin, true);
  if (handshake) {
    connect_failed(exchange);
    return failed(x, failure == tls::Failure::kCertificate ? EdgeError::origin_certificate
                                                           : EdgeError::origin_tls);
  }
  transport::Event gone;
  gone.kind = transport::EventKind::kClosed;
  gone.reason = tcp::CloseReason::kResetByPeer;
  ended(x, gone);
}

void OriginAttempts::ended(std::uint32_t x, const transport::Event& event) noexcept {
  Exchange& exchange = exchanges_[x];
  const bool gone = event.kind == transport::EventKind::kClosed;
  if (exchange.phase == Phase::connecting) {
    connect_failed(exchange);
    return failed(x, exchange.securing ? EdgeError::origin_tls : connect_error(event.reason));
  }
  if (exchange.phase != Phase::relaying) return;
  if (exchange.response_started) {
    const bool orderly = gone ? event.reason == tcp::CloseReason::kNormal : !event.truncated;
    // Of a coded body the last bytes may be in the coder.
    const bool whole = exchange.response_body.done();
    return whole || (orderly && exchange.response_body.input_ended()) ? relay_.drive(x)
                                                                      : lifecycle_.cut_short(x);
  }
  // A pooled connection that was dead before any response byte: the request was not handled, or may
  // be repeated. Its body must not have been touched.
  const bool body_untouched = !exchange.request_body.touched();
  const bool repeatable = http::is_idempotent(exchange.method) || exchange.out_sent == 0;
  if (exchange.reused && !exchange.replayed && !exchange.response_seen && body_untouched &&
      repeatable) {
    books_.note_idle_end(exchange.record, exchange.reused_after);
    exchange.replayed = true;
    turn_.counters.add(ipc::Counter::kHttpOriginRetries);
    traffic_.count_origin(exchange, ipc::OriginCounter::kRetries);
    origins_.leave(x, true);
    return connect(x);
  }
  const bool unacknowledged = gone && event.reason == tcp::CloseReason::kUserTimeout;
  answers_.error(x, unacknowledged ? EdgeError::origin_timeout : EdgeError::origin_malformed);
}

void OriginAttempts::timed_out(std::uint32_t x) noexcept {
  Exchange& exchange = exchanges_[x];
  if (exchange.rival != kNoIndex) {
    origins_.note_unconnected(exchange.rival, EdgeError::origin_timeout);
    origins_.drop_rival(x);
  }
  if (!exchange.securing) origins_.note_unconnected(exchange.origin, EdgeError::origin_timeout);
  connect_failed(exchange);
  origins_.drop(exchange.origin, false);
  failed(x, exchange.securing ? EdgeError::origin_tls : EdgeError::origin_timeout);
}

// A request that an origin has certainly not handled, or that may be repeated, goes once more.
void OriginAttempts::stream_lost(std::uint32_t x, const http2::Event& event) noexcept {
  Exchange& exchange = exchanges_[x];
  if (exchange.origin_ended) return relay_.drive(x);  // all that counts had come
  if (exchange.response_started) return lifecycle_.cut_short(x);
  if (exchange.request_fault != EdgeError::internal) {
    turn_.counters.add(ipc::Counter::kHttpBadRequests);
    return answers_.error(x, exchange.request_fault);
  }
  const bool unseen = event.cause == http2::ResetCause::connection && exchange.reused &&
                      !exchange.response_seen && http::is_idempotent(exchange.method);
  const bool has_body = exchange.sent.size() == exchange.request_body.moved_bytes();
  if ((event.retry || unseen) && !exchange.replayed && has_body) {
    exchange.replayed = true;
    exchange.request_done = exchange.request_framing.kind == http::BodyKind::none;
    turn_.counters.add(ipc::Counter::kHttpOriginRetries);
    traffic_.count_origin(exchange, ipc::OriginCounter::kRetries);
    return connect(x);
  }
  answers_.error(x, EdgeError::origin_malformed);
}

}  // namespace brink::l7::proxy
