// The stage's timeouts, checked by a sweep every kSweepInterval: all of them are seconds long, and
// a sweep over the slots in use is cheaper than a timer per state change.
#include <algorithm>
#include <array>

#include "l7/proxy/stage.h"

namespace brink::l7::proxy {
namespace {

constexpr base::Duration kSweepInterval = std::chrono::milliseconds(100);

}  // namespace

void Stage::sweep() noexcept {
  next_sweep_ = now_ + kSweepInterval;
  const auto clients = static_cast<std::uint32_t>(clients_.items.size());
  for (std::uint32_t c = 0; c < clients; ++c) {
    if (clients_[c].state != ClientState::free) check_client(c);
  }
  if (sessions_.used() > 0) {
    for (std::uint32_t x = 0; x < exchanges_.items.size(); ++x) {
      if (exchanges_[x].stream != 0) check_exchange(x);
    }
  }
  std::array<std::uint32_t, 64> expired;
  for (std::size_t n = expired.size(); n == expired.size();) {
    n = pool_.expire(now_, expired);
    for (std::size_t i = 0; i < n; ++i) retire_origin(expired[i]);
  }
  while (draining_ && pool_.size() > 0) retire_origin(pool_.evict());
  if (origin_sessions_.used() > 0) {
    for (std::uint32_t o = 0; o < origins_.items.size(); ++o) {
      if (origins_[o].state != OriginState::shared) continue;
      origin_sessions_[origins_[o].session].advance(now_);
      push_origin_flush(o);
    }
  }
}

void Stage::check_client(std::uint32_t c) noexcept {
  Client& client = clients_[c];
  if (client.session != kNoIndex) return check_session(c);
  if (client.state == ClientState::open && client.exchange != kNoIndex) {
    return check_exchange(client.exchange);
  }
  const bool idle_while_draining = draining_ && client.state == ClientState::open && !client.ready;
  if (now_ < client.deadline && !idle_while_draining) return;
  if (client.awaits_header) return refuse_relay(c);
  note_unfinished_handshake(client);
  transport_.release(client.id, now_);
  free_client(c);
}

void Stage::check_exchange(std::uint32_t x) noexcept {
  Exchange& exchange = exchanges_[x];
  const auto since = [this](base::Time then) { return now_ - then; };
  switch (exchange.phase) {
    case Phase::reading_head:
      if (since(exchange.phase_since) < config_.header_timeout) return;
      make_ray(exchange);
      exchange.close_client = true;
      return answer_error(x, EdgeError::request_timeout);
    case Phase::connecting: {
      if (since(exchange.phase_since) < exchange.route.connect_timeout) return;
      if (exchange.rival != kNoIndex) {
        note_unconnected(exchange.rival, EdgeError::origin_timeout);
        drop_rival(x);
      }
      if (!exchange.securing) note_unconnected(exchange.origin, EdgeError::origin_timeout);
      connect_failed(exchange);
      drop_origin(exchange.origin, false);
      return origin_failed(x,
                           exchange.securing ? EdgeError::origin_tls : EdgeError::origin_timeout);
    }
    case Phase::answering:
      if (since(exchange.last_progress) < config_.client_write_timeout) return;
      return give_up_client(x);
    case Phase::relaying:
      return check_relay(x);
  }
}

void Stage::check_relay(std::uint32_t x) noexcept {
  Exchange& exchange = exchanges_[x];
  base::Duration limit{};
  EdgeError error = EdgeError::origin_silent;
  switch (exchange.waiting) {
    case Waiting::client_room:
      if (now_ - exchange.last_progress < config_.client_write_timeout) return;
      return give_up_client(x);
    case Waiting::client_bytes:
      limit = config_.body_timeout;
      error = EdgeError::request_timeout;
      break;
    case Waiting::origin_room:
      limit = config_.origin_write_timeout;
      break;
    case Waiting::origin_bytes:
      limit = exchange.route.read_timeout;
      break;
  }
  if (exchange.tunnel) limit = config_.tunnel_timeout;
  bool expired = now_ - exchange.last_progress >= limit;
  if (!expired && !exchange.response_seen && exchange.origin != kNoIndex) {
    // What we sent was never acknowledged: the origin is not slow but away.
    const tcp::ConnectionInfo info = transport_.info(origins_[exchange.origin].id);
    const base::Time heard = std::max(info.last_acked, exchange.phase_since);
    expired = info.unacked > 0 && now_ - heard >= exchange.route.ack_timeout;
    error = EdgeError::origin_timeout;
  }
  if (!expired) return;
  if (exchange.response_started) return cut_short(x);
  answer_error(x, error);
}

}  // namespace brink::l7::proxy
