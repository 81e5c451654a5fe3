// The origin side of the stage: which address, which connection, and what a failure means.
#include <algorithm>

#include "l7/proxy/stage.h"

namespace brink::l7::proxy {
namespace {

constexpr std::uint64_t kOriginUser = std::uint64_t{2} << 32;

EdgeError connect_error(tcp::CloseReason reason) noexcept {
  switch (reason) {
    case tcp::CloseReason::kRefused:
    case tcp::CloseReason::kResetByPeer:
      return EdgeError::origin_refused;
    case tcp::CloseReason::kUnreachable:
      return EdgeError::origin_unreachable;
    case tcp::CloseReason::kConnectTimeout:
    case tcp::CloseReason::kUserTimeout:
    case tcp::CloseReason::kIdleTimeout:
    case tcp::CloseReason::kNormal:
    case tcp::CloseReason::kAborted:
      return EdgeError::origin_timeout;
  }
  return EdgeError::origin_timeout;
}

}  // namespace

// Picks the next untried address and a connection to it, pooled or fresh.
void Stage::start_origin(std::uint32_t x) noexcept {
  Exchange& exchange = exchanges_[x];
  const std::span<const base::Endpoint> origins(exchange.route.origins.data(),
                                                exchange.route.origin_count);
  const std::size_t i =
      balancer::choose_origin(origins, exchange.tried, next_random(), health_, now_);
  if (i == balancer::kNoOrigin) return answer_error(x, EdgeError::origin_unreachable);
  exchange.tried |= 1U << i;
  const base::Duration max_idle =
      http::is_idempotent(exchange.method) ? base::Duration::max() : config_.unsafe_reuse_max_idle;
  const std::uint32_t pooled = take_pooled({origins[i], exchange.security}, max_idle);
  if (pooled == origin::kNone) return connect_fresh(x, origins[i]);
  exchange.reused = true;
  counters_.add(ipc::Counter::kHttpOriginReused);
  if (origins_[pooled].state == OriginState::shared) return join_origin(x, pooled);
  attach(x, pooled);
  origins_[pooled].state = OriginState::busy;
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

void Stage::connect_fresh(std::uint32_t x, const base::Endpoint& remote) noexcept {
  Exchange& exchange = exchanges_[x];
  exchange.reused = false;
  const base::IpAddress source = remote.address.is_v4() ? config_.source_v4 : config_.source_v6;
  if (source == base::IpAddress{}) return origin_failed(x, EdgeError::origin_unreachable);
  std::uint32_t o = origins_.acquire();
  if (o == kNoIndex) {
    // Every slot is taken: the idle connection that waited longest makes room.
    const std::uint32_t oldest = pool_.evict();
    if (oldest != origin::kNone) retire_origin(oldest);
    o = origins_.acquire();
    if (o == kNoIndex) return answer_error(x, EdgeError::overloaded);
  }
  tcp::ConnectResult result;
  for (int attempt = 0; attempt < origin::kPortAttemptsMax; ++attempt) {
    const base::Endpoint local{source, ports_.next(source, remote)};
    result = transport_.connect(local, remote, kOriginUser | o, now_);
    if (result.error != tcp::ConnectError::kInUse) break;
  }
  if (!result.ok()) {
    origins_.give_back(o);
    return answer_error(x, EdgeError::overloaded);
  }
  const bool flushing = origins_[o].flushing;  // a stale entry of the ring stays valid
  origins_[o] = {.id = result.id,
                 .state = OriginState::connecting,
                 .exchange = x,
                 .key = {remote, exchange.security},
                 .flushing = flushing};
  exchange.securing = false;
  attach(x, o);
  exchange.phase = Phase::connecting;
  exchange.phase_since = now_;
}

void Stage::origin_connected(std::uint32_t x) noexcept {
  Exchange& exchange = exchanges_[x];
  OriginConnection& origin = origins_[exchange.origin];
  exchange.entry.connect_us = us_between(exchange.phase_since, now_);
  if (origin.key.security != 0) return secure_origin(x);
  origin_ready(x);
}

// The connection stands, and is as secure as was asked for.
void Stage::origin_ready(std::uint32_t x) noexcept {
  Exchange& exchange = exchanges_[x];
  health_.report_success(exchange.remote);
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

// The connect phase failed; nothing of the request's body was read yet. Zero-downtime failover: one
// more attempt, at another address.
void Stage::origin_failed(std::uint32_t x, EdgeError error) noexcept {
  Exchange& exchange = exchanges_[x];
  const std::uint32_t all = (1U << exchange.route.origin_count) - 1;
  if (!exchange.failed_over && (exchange.tried & all) != all) {
    exchange.failed_over = true;
    counters_.add(ipc::Counter::kHttpOriginRetries);
    return start_origin(x);
  }
  answer_error(x, error);
}

// The origin closed (kPeerClosed: everything it sent was read; the connection is still ours) or the
// connection is gone (kClosed: exchange.origin is kNoIndex already).
void Stage::origin_ended(std::uint32_t x, const transport::Event& event) noexcept {
  Exchange& exchange = exchanges_[x];
  const bool gone = event.kind == transport::EventKind::kClosed;
  if (exchange.phase == Phase::connecting) {
    health_.report_failure(exchange.remote, now_);
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
    exchange.replayed = true;
    counters_.add(ipc::Counter::kHttpOriginRetries);
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
