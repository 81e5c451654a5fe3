// The end of connections: TIME_WAIT as a small record (RFC 9293 3.10.7.4, RFC 1337, RFC 6191), and
// the ways a control block comes to its end.
#include "dataplane/tcp/stack.h"

namespace brink::tcp {

// Ends the connection; its flow has been given to another record when `keep_flow`. kClosed follows,
// behind the received bytes that are still to be consumed where the stream was complete.
void Stack::finish(Connection& c, CloseReason reason, bool keep_flow, base::Time now) noexcept {
  const std::uint32_t index = index_of(c);
  if (!keep_flow) flows_.erase(c.hash, {FlowKind::kConnection, index});
  if (c.released) {
    free_connection(c);
    return;
  }
  c.state = State::kClosed;
  promises_.settle(c.promise, 0);
  c.reason = reason;
  wheel_.cancel(c.timer);
  if (output_.front() == index) burst_ = 0;
  output_.remove(index);
  starved_.remove(index);
  c.send.clear(pool_);
  c.scoreboard.clear(pool_);
  c.received.drop_out_of_order(pool_);
  c.want_writable = false;
  c.snd_una = c.snd_nxt;
  c.retransmit_at = c.persist_at = c.delayed_ack_at = kNever;
  if (reason == CloseReason::kAborted) c.received.clear(pool_);
  if (c.fin_received && c.received.size() > 0) {
    c.linger_at = now + config_.user_timeout;
    rearm(c);
    return;
  }
  raise(c, EventKind::kClosed);
}

void Stack::send_reset(Connection& c) noexcept {
  Header reset;
  reset.flags = kRst | kAck;
  reset.sequence = c.snd_nxt;
  reset.acknowledgment = c.rcv_nxt;
  count(ipc::Counter::kTcpResetsSent);
  push_control(c.key, reset);
}

// A timeout of ours: the peer, should it still be there, learns it by RST.
void Stack::fail(Connection& c, CloseReason reason, base::Time now) noexcept {
  count(ipc::Counter::kTcpTimedOut);
  if (c.synchronized()) send_reset(c);
  finish(c, reason, false, now);
}

void Stack::enter_time_wait(Connection& c, base::Time now) noexcept {
  if (time_wait_.empty()) {
    finish(c, CloseReason::kNormal, false, now);
    return;
  }
  if (free_time_wait_ == kNil) {
    count(ipc::Counter::kTcpTimeWaitRecycled);
    free_time_wait(time_wait_order_.front(), false);
  }
  const std::uint32_t index = free_time_wait_;
  TimeWait& wait = time_wait_[index];
  free_time_wait_ = wait.next_free;
  wait.key = c.key;
  wait.hash = c.hash;
  wait.snd_nxt = c.snd_nxt;
  wait.rcv_nxt = c.rcv_nxt;
  wait.window = 0xffff;
  wait.timestamps = c.agreed.timestamps;
  wait.timestamp_offset = c.agreed.timestamp_offset;
  wait.timestamp_recent = c.agreed.timestamp_recent;
  wait.expires = now + config_.time_wait;
  time_wait_order_.push_back(index);
  flows_.replace(c.hash, {FlowKind::kConnection, index_of(c)}, {FlowKind::kTimeWait, index});
  // An ACK the block still owes is sent by the record.
  if (c.acks_owed > 0) acknowledge_from(wait, now);
  finish(c, CloseReason::kNormal, true, now);
}

void Stack::free_time_wait(std::uint32_t index, bool keep_flow) noexcept {
  TimeWait& wait = time_wait_[index];
  time_wait_order_.remove(index);
  if (!keep_flow) flows_.erase(wait.hash, {FlowKind::kTimeWait, index});
  wait.next_free = free_time_wait_;
  free_time_wait_ = index;
}

void Stack::acknowledge_from(const TimeWait& wait, base::Time now) noexcept {
  Header header;
  header.flags = kAck;
  header.sequence = wait.snd_nxt;
  header.acknowledgment = wait.rcv_nxt;
  header.window = wait.window;
  if (wait.timestamps) {
    header.options.has_timestamps = true;
    header.options.timestamp_value = timestamp(wait.timestamp_offset, now);
    header.options.timestamp_echo = wait.timestamp_recent;
  }
  push_control(wait.key, header);
}

Verdict Stack::on_time_wait(std::uint32_t index, const Arrival& a) noexcept {
  TimeWait& wait = time_wait_[index];
  const Header& h = a.header;
  if (h.has(kRst)) return drop(Verdict::kOutOfWindow);  // RFC 1337: no assassination
  if (h.has(kSyn) && !h.has(kAck)) {
    // RFC 6191: a new incarnation, when nothing of the old one can be mistaken for it.
    const bool newer =
        wait.timestamps && h.options.has_timestamps
            ? timestamp_before(wait.timestamp_recent, h.options.timestamp_value) ||
                  (h.options.timestamp_value == wait.timestamp_recent && h.sequence > wait.rcv_nxt)
            : h.sequence > wait.rcv_nxt;
    if (newer && accepting_) {
      const Sequence floor = wait.snd_nxt;
      free_time_wait(index, false);
      return on_listen_syn(a, true, floor);
    }
  }
  if (!may_challenge(a.now)) return drop(Verdict::kOutOfWindow);
  acknowledge_from(wait, a.now);
  if (h.has(kFin) || !a.payload.empty()) {  // our last ACK was lost: 2 MSL start again
    wait.expires = a.now + config_.time_wait;
    time_wait_order_.remove(index);
    time_wait_order_.push_back(index);
    return Verdict::kAccepted;
  }
  return drop(Verdict::kOutOfWindow);
}

}  // namespace brink::tcp
