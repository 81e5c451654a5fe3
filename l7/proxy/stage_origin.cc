// The origin side of the stage: connections, and what their failure means.
#include <algorithm>

#include "l7/proxy/stage.h"

namespace brink::l7::proxy {
namespace {

constexpr std::uint64_t kOriginUser = std::uint64_t{2} << 32;

}  // namespace

// A connection that is just out of the pool.
void Stage::use_pooled(std::uint32_t x, std::uint32_t o) noexcept {
  Exchange& exchange = exchanges_[x];
  exchange.reused = true;
  exchange.reused_after = now_ - pool_.idle_since(o);
  counters_.add(ipc::Counter::kHttpOriginReused);
  exchange.remote = origins_[o].key.endpoint;
  count_origin_request(exchange);
  if (origins_[o].state == OriginState::shared) return join_origin(x, o);
  attach(x, o);
  origins_[o].state = OriginState::busy;
  exchange.phase = Phase::relaying;
  exchange.phase_since = now_;
  drive(x);
}

// A connection whose origin has spoken since, of which we are still to be told, is out of step: the
// bytes would be taken for an answer.
std::uint32_t Stage::take_pooled(const origin::OriginKey& key, base::Duration max_idle) noexcept {
  for (;;) {
    const std::uint32_t o = pool_.take(key, now_, max_idle);
    if (o == origin::kNone || origins_[o].state == OriginState::shared) return o;
    if (transport_.readable(origins_[o].id, now_).empty()) return o;
    drop_origin(o, false);
  }
}

void Stage::attach(std::uint32_t x, std::uint32_t o) noexcept {
  Exchange& exchange = exchanges_[x];
  exchange.origin = o;
  exchange.remote = origins_[o].key.endpoint;
  exchange.out_sent = 0;
  exchange.origin_keep = true;
  exchange.last_progress = now_;
  http::BodyFraming from = exchange.request_framing;
  if (exchange.stream != 0 && from.kind == http::BodyKind::chunked) {
    from.kind = http::BodyKind::until_close;  // a stream's frames are off already
  }
  exchange.request_body.start(from, exchange.request_framing.kind, config_.body_max);
  origins_[o].exchange = x;
}

// Which other connections would do as well.
origin::OriginKey Stage::key_of(const Exchange& exchange,
                                const base::Endpoint& remote) const noexcept {
  return {remote, exchange.security,
          announces_clients(exchange) ? clients_.items[exchange.client].number : 0};
}

void Stage::connect_fresh(std::uint32_t x, const base::Endpoint& remote) noexcept {
  Exchange& exchange = exchanges_[x];
  exchange.reused = false;
  exchange.remote = remote;
  const base::IpAddress source = remote.address.is_v4() ? config_.source_v4 : config_.source_v6;
  if (source == base::IpAddress{}) return origin_failed(x, EdgeError::origin_unreachable);
  const std::uint32_t o = open_connection(x, remote);
  if (o == kNoIndex) return answer_error(x, EdgeError::overloaded);
  exchange.securing = false;
  attach(x, o);
  exchange.phase = Phase::connecting;
  exchange.phase_since = now_;
  begin_pending(exchange);
  begin_race(x);
}

// Begins to connect. kNoIndex: no slot or no port is left.
std::uint32_t Stage::open_connection(std::uint32_t x, const base::Endpoint& remote) noexcept {
  const Exchange& exchange = exchanges_[x];
  const base::IpAddress source = remote.address.is_v4() ? config_.source_v4 : config_.source_v6;
  std::uint32_t o = origins_.acquire();
  if (o == kNoIndex) {
    // Every slot is taken: the idle connection that waited longest makes room.
    const std::uint32_t oldest = pool_.evict();
    if (oldest != origin::kNone) retire_origin(oldest);
    o = origins_.acquire();
    if (o == kNoIndex) return o;
  }
  tcp::ConnectResult result;
  for (int attempt = 0; attempt < origin::kPortAttemptsMax; ++attempt) {
    const base::Endpoint local{source, ports_.next(source, remote)};
    result = transport_.connect(local, remote, kOriginUser | o, now_);
    if (result.error != tcp::ConnectError::kInUse) break;
  }
  if (!result.ok()) {
    origins_.give_back(o);
    return kNoIndex;
  }
  const bool flushing = origins_[o].flushing;  // a stale entry of the ring stays valid
  origins_[o] = {.id = result.id,
                 .state = OriginState::connecting,
                 .exchange = x,
                 .key = key_of(exchange, remote),
                 .flushing = flushing,
                 .record = records_.find(remote, now_)};
  if (origins_[o].record != kNoIndex) {
    ++records_[origins_[o].record].connections;
  } else {
    counters_.add(ipc::Counter::kHttpOriginUntracked);
  }
  if (origins_[o].key.client != 0) clients_[exchange.client].has_own_origins = true;
  return o;
}

void Stage::origin_connected(std::uint32_t x) noexcept {
  Exchange& exchange = exchanges_[x];
  OriginConnection& origin = origins_[exchange.origin];
  note_connected(exchange.origin);
  exchange.entry.connect_us = us_between(exchange.phase_since, now_);
  if (!announce_client(exchange)) return answer_error(x, EdgeError::overloaded);
  if (origin.key.security != 0) return secure_origin(x);
  origin_ready(x);
}

// The connection stands, and is as secure as was asked for.
void Stage::origin_ready(std::uint32_t x) noexcept {
  Exchange& exchange = exchanges_[x];
  health_.report_success(exchange.remote);
  end_pending(exchange);
  count_origin_request(exchange);
  const tls::Stream* const security = transport_.security(origins_[exchange.origin].id);
  if (security != nullptr && security->info().protocol == tls::Alpn::kH2) {
    return begin_origin_session(x);
  }
  origins_[exchange.origin].state = OriginState::busy;
  exchange.phase = Phase::relaying;
  exchange.phase_since = now_;
  exchange.last_progress = now_;
  drive(x);
}

// No connection to the address that was tried.
void Stage::connect_failed(const Exchange& exchange) noexcept {
  health_.report_failure(exchange.remote, now_);
  count_origin(exchange.remote, ipc::OriginCounter::kConnectFailures);
}

// The connect phase failed; nothing of the request's body was read yet. Zero-downtime failover: one
// more attempt, at another address, if its budget for retries has it.
void Stage::origin_failed(std::uint32_t x, EdgeError error) noexcept {
  Exchange& exchange = exchanges_[x];
  const std::uint32_t all = (1U << exchange.route.origin_count) - 1;
  if (!exchange.failed_over && (exchange.tried & all) != all) {
    exchange.failed_over = true;
    return start_origin(x, error);
  }
  answer_error(x, error);
}

// The origin closed (kPeerClosed: everything it sent was read; the connection is still ours) or the
// connection is gone (kClosed: exchange.origin is kNoIndex already).
void Stage::origin_ended(std::uint32_t x, const transport::Event& event) noexcept {
  Exchange& exchange = exchanges_[x];
  const bool gone = event.kind == transport::EventKind::kClosed;
  if (exchange.phase == Phase::connecting) {
    connect_failed(exchange);
    return origin_failed(x,
                         exchange.securing ? EdgeError::origin_tls : connect_error(event.reason));
  }
  if (exchange.phase != Phase::relaying) return;
  if (exchange.response_started) {
    const bool orderly = gone ? event.reason == tcp::CloseReason::kNormal : !event.truncated;
    // Of a coded body the last bytes may be in the coder.
    const bool whole = exchange.response_body.done();
    return whole || (orderly && exchange.response_body.input_ended()) ? drive(x) : cut_short(x);
  }
  // A pooled connection that was dead before any response byte: the request was not handled, or may
  // be repeated. Its body must not have been touched.
  const bool body_untouched = !exchange.request_body.touched();
  const bool repeatable = http::is_idempotent(exchange.method) || exchange.out_sent == 0;
  if (exchange.reused && !exchange.replayed && !exchange.response_seen && body_untouched &&
      repeatable) {
    note_idle_end(exchange.record, exchange.reused_after);
    exchange.replayed = true;
    counters_.add(ipc::Counter::kHttpOriginRetries);
    count_origin(exchange.remote, ipc::OriginCounter::kRetries);
    leave_origin(x, true);
    return connect_fresh(x, exchange.remote);
  }
  const bool unacknowledged = gone && event.reason == tcp::CloseReason::kUserTimeout;
  answer_error(x, unacknowledged ? EdgeError::origin_timeout : EdgeError::origin_malformed);
}

// The response cannot be completed. The client must see that: no final chunk, a short body, or a
// reset where only the close would have marked the end.
void Stage::cut_short(std::uint32_t x) noexcept {
  Exchange& exchange = exchanges_[x];
  const std::uint32_t c = exchange.client;
  counters_.add(ipc::Counter::kHttpTruncated);
  exchange.entry.flags |= log::kTruncated;
  if (exchange.stream != 0) return reset_stream(x, http2::ErrorCode::internal_error);
  if (exchange.raw_until_close) return abort_client(c);
  leave_origin(x, false);
  free_exchange(x);
  linger(c);
}

}  // namespace brink::l7::proxy
