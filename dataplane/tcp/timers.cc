// Time: one wheel node a connection, armed no later than its earliest deadline and looked at again
// when it fires (so that moving a deadline back costs nothing). RFC 6298, RFC 9293 3.8.3-3.8.6.
#include <algorithm>

#include "dataplane/tcp/stack.h"

namespace brink::tcp {

void Stack::advance(base::Time now) noexcept {
  promises_.advance(now);
  wheel_.advance(now, [&](base::TimerNode& node) noexcept {
    const std::uint32_t index = node.owner & 0x3fffffff;
    if (node.owner >> 30 == static_cast<std::uint32_t>(FlowKind::kHalfOpen)) {
      on_half_open_timer(half_open_[index], now);
    } else {
      on_timer(connections_[index], now);
    }
  });
  while (!time_wait_order_.empty() && time_wait_[time_wait_order_.front()].expires <= now) {
    free_time_wait(time_wait_order_.front(), false);
  }
  serve_starved(now);
}

base::Time Stack::next_deadline() const noexcept {
  base::Time deadline = wheel_.next_deadline();
  if (!starved_.empty()) deadline = std::min(deadline, serve_starved_at_);
  if (!time_wait_order_.empty()) {
    deadline = std::min(deadline, time_wait_[time_wait_order_.front()].expires);
  }
  return deadline;
}

void Stack::on_half_open_timer(HalfOpen& half, base::Time now) noexcept {
  if (half.tries >= config_.syn_schedule_s.size()) {
    count(ipc::Counter::kTcpTimedOut);
    free_half_open(half, false);
    return;
  }
  count(ipc::Counter::kTcpRetransmits);
  send_syn_ack(half, now);
}

void Stack::on_timer(Connection& c, base::Time now) noexcept {
  if (c.state == State::kClosed) {
    if (c.linger_at <= now) {  // nobody read the rest
      c.received.clear(pool_);
      c.linger_at = kNever;
      raise(c, EventKind::kClosed);
    }
    rearm(c);
    return;
  }
  if (c.delayed_ack_at <= now) {
    c.delayed_ack_at = kNever;
    owe_ack(c);
  }
  if (c.retransmit_at <= now && (c.state == State::kSynSent || c.state == State::kSynReceived)) {
    if (c.syn_tries >= config_.syn_schedule_s.size()) {
      fail(c, CloseReason::kConnectTimeout, now);
      return;
    }
    c.retransmit_at = kNever;
    c.syn_pending = true;
    want_output(c);
  }
  if (user_timeout_at(c) <= now) {
    fail(c, CloseReason::kUserTimeout, now);
    return;
  }
  if (c.retransmit_at <= now) on_retransmit_timer(c, now);
  if (c.persist_at <= now) on_persist_timer(c);
  if (c.linger_at <= now) {  // FIN_WAIT_2 of a connection that nobody owns
    finish(c, CloseReason::kNormal, false, now);
    return;
  }
  if (idle_at(c) <= now) {
    fail(c, CloseReason::kIdleTimeout, now);
    return;
  }
  if (keepalive_at(c) <= now) {
    if (c.keepalive_sent >= config_.keepalive_probes) {
      fail(c, CloseReason::kUserTimeout, now);
      return;
    }
    ++c.keepalive_sent;
    c.probe_pending = true;
    want_output(c);
  }
  rearm(c);
}

// RFC 6298 5.4-5.6, RFC 5681 3.1. What the peer reported by SACK is forgotten: it may take that
// back.
void Stack::on_retransmit_timer(Connection& c, base::Time now) noexcept {
  count(ipc::Counter::kTcpTimeouts);
  c.congestion.on_timeout(c.flight(), c.rtt.backoff() == 0);
  c.scoreboard.clear(pool_);
  c.recovery = Recovery::kTimeout;
  c.recover = c.lost_end = c.snd_nxt;
  c.high_rxt = c.snd_una;
  c.dup_acks = 0;
  c.force_retransmit = true;
  c.rtt_timing = false;
  c.rtt.back_off();
  c.retransmit_at = now + c.rtt.timeout(config_.rto_max);
  want_output(c);
}

void Stack::on_persist_timer(Connection& c) noexcept {
  c.persist_at = kNever;
  if (c.flight() > 0 || c.send.size() == 0) return;
  if (c.persist_tries < 16) ++c.persist_tries;
  if (c.snd_wnd > 0) {
    c.force_small = true;
  } else {
    c.probe_pending = true;
  }
  want_output(c);
}

base::Time Stack::keepalive_at(const Connection& c) const noexcept {
  if (config_.keepalive_idle.count() == 0 || c.flight() > 0 || c.send.size() > 0) return kNever;
  if (!c.synchronized() || c.state == State::kSynReceived) return kNever;
  return c.last_heard + config_.keepalive_idle + config_.keepalive_interval * c.keepalive_sent;
}

base::Time Stack::idle_at(const Connection& c) const noexcept {
  if (config_.idle_timeout.count() == 0 || !c.synchronized()) return kNever;
  return c.last_data + config_.idle_timeout;
}

// Bytes in flight must be acknowledged in time. A peer whose window is closed only has to answer
// (RFC 9293 3.8.6.1).
base::Time Stack::user_timeout_at(const Connection& c) const noexcept {
  if (!c.synchronized() || c.state == State::kSynReceived || c.send.size() + c.flight() == 0) {
    return kNever;
  }
  const bool waits_for_window = c.flight() == 0 || c.snd_wnd == 0;
  return (waits_for_window ? std::max(c.last_heard, c.progress_at) : c.progress_at) +
         config_.user_timeout;
}

void Stack::rearm(Connection& c) noexcept {
  base::Time next = std::min({c.retransmit_at, c.persist_at, c.delayed_ack_at, c.linger_at});
  if (c.state != State::kClosed) {
    next = std::min({next, keepalive_at(c), idle_at(c), user_timeout_at(c)});
  }
  if (next == kNever) return;
  const auto armed_for =
      base::Time(base::TimerWheel::kTick * static_cast<std::int64_t>(c.timer.tick));
  if (!c.timer.armed() || armed_for - next >= base::TimerWheel::kTick) wheel_.arm(c.timer, next);
}

// Connections that found the pool short are looked at again in the order they came, a bounded
// number a time and not at every turn, since the pool may stay short for long.
void Stack::serve_starved(base::Time now) noexcept {
  if (starved_.empty() || now < serve_starved_at_) return;
  serve_starved_at_ = now + kStarvedSpacing;
  const std::uint32_t turns = std::min(starved_.size(), kStarvedPerTurn);
  for (std::uint32_t i = 0; i < turns; ++i) {
    Connection& c = connections_[starved_.front()];
    starved_.remove(starved_.front());
    update_advertised(c);
    tell_writable(c);
    if (c.want_writable && c.send.size() < send_limit_of(c)) starved_.push_back(index_of(c));
  }
}

}  // namespace brink::tcp
