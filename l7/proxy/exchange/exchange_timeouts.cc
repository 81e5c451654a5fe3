#include "l7/proxy/exchange/exchange_timeouts.h"

#include <algorithm>

#include "l7/proxy/state/ray.h"
namespace brink::l7::proxy {

void ExchangeTimeouts::check(std::uint32_t x) noexcept {
  Exchange& exchange = exchanges_[x];
  const auto since = [this](base::Time then) { return turn_.now - then; };
  switch (exchange.phase) {
    case Phase::reading_head:
      if (since(exchange.phase_since) < turn_.config.header_timeout) return;
      exchange.ray = make_ray(turn_);
      exchange.close_client = true;
      return answers_.error(x, EdgeError::request_timeout);
    case Phase::connecting:
      if (since(exchange.phase_since) < exchange.route.connect_timeout) return;
      return attempts_.timed_out(x);
    case Phase::answering:
      if (since(exchange.last_progress) < turn_.config.client_write_timeout) return;
      return lifecycle_.give_up_client(x);
    case Phase::relaying:
      return check_relay(x);
  }
}

void ExchangeTimeouts::check_relay(std::uint32_t x) noexcept {
  Exchange& exchange = exchanges_[x];
  base::Duration limit{};
  EdgeError error = EdgeError::origin_silent;
  switch (exchange.waiting) {
    case Waiting::client_room:
      if (turn_.now - exchange.last_progress < turn_.config.client_write_timeout) return;
      return lifecycle_.give_up_client(x);
    case Waiting::client_bytes:
      limit = turn_.config.body_timeout;
      error = EdgeError::request_timeout;
      break;
    case Waiting::origin_room:
      limit = turn_.config.origin_write_timeout;
      break;
    case Waiting::origin_bytes:
      limit = exchange.route.read_timeout;
      break;
  }
  if (exchange.tunnel) limit = turn_.config.tunnel_timeout;
  bool expired = turn_.now - exchange.last_progress >= limit;
  if (!expired && !exchange.response_seen && exchange.origin != kNoIndex) {
    // What we sent was never acknowledged: the origin is not slow but away.
    const tcp::ConnectionInfo info = turn_.transport.info(origins_[exchange.origin].id);
    const base::Time heard = std::max(info.last_acked, exchange.phase_since);
    expired = info.unacked > 0 && turn_.now - heard >= exchange.route.ack_timeout;
    error = EdgeError::origin_timeout;
  }
  if (!expired) return;
  if (exchange.response_started) return lifecycle_.cut_short(x);
  answers_.error(x, error);
}

}  // namespace brink::l7::proxy
