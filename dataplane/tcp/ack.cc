// Acknowledgments and loss recovery: RFC 5681, RFC 6582 (NewReno), RFC 6675 (SACK), RFC 3042
// (limited transmit follows from counting reported bytes as no longer in flight), RFC 6298, RFC
// 7323.
#include <algorithm>

#include "dataplane/tcp/stack.h"

namespace brink::tcp {
namespace {

constexpr base::Duration kMaxTimestampRtt = std::chrono::seconds(120);

}  // namespace

// RFC 9293 3.10.7.4, fifth step, for states from SYN-RECEIVED on.
Verdict Stack::on_acknowledgment(Connection& c, const Arrival& a) noexcept {
  const Header& h = a.header;
  const Sequence ack = h.acknowledgment;
  if (c.state == State::kSynReceived) {
    if (ack <= c.snd_una || ack > c.snd_nxt) {
      push_reset(a);
      return drop(Verdict::kBadAck);
    }
    c.snd_una = c.agreed.iss + 1;
    c.snd_wl1 = h.sequence - 1;  // makes the window that follows count
    c.retransmit_at = kNever;
    c.syn_pending = false;
    establish(c);
  }
  if (ack > c.snd_nxt) {
    courtesy_ack(c, a.now);
    return drop(Verdict::kBadAck);
  }
  if (ack < c.snd_una - c.max_snd_wnd) {  // RFC 5961 5.2
    challenge(c, a.now);
    return drop(Verdict::kBadAck);
  }

  const bool window_changed = update_window(c, a);
  std::uint32_t reported = 0;
  if (c.agreed.sack) {
    for (std::uint8_t i = 0; i < h.options.sack_count; ++i) {
      reported += c.scoreboard.record(pool_, h.options.sack[i], later(ack, c.snd_una), c.snd_nxt);
    }
  }
  if (ack > c.snd_una) {
    const std::uint32_t generation = c.generation;
    on_progress(c, a);
    if (c.generation != generation || c.state == State::kClosed) return Verdict::kAccepted;
  } else if (ack == c.snd_una && c.flight() > 0) {
    // RFC 5681 2 says what a duplicate is; with SACK it is one that reports something (RFC 6675 2).
    const bool repeats = a.payload.empty() && !window_changed && !h.has(kFin);
    if (c.agreed.sack ? reported > 0 : repeats) ++c.dup_acks;
  }
  detect_loss(c);
  want_output(c);
  rearm(c);
  return Verdict::kAccepted;
}

bool Stack::update_window(Connection& c, const Arrival& a) noexcept {
  const Header& h = a.header;
  const bool newer =
      c.snd_wl1 < h.sequence || (c.snd_wl1 == h.sequence && c.snd_wl2 <= h.acknowledgment);
  if (!newer) return false;
  const std::uint32_t window = std::uint32_t{h.window} << (h.has(kSyn) ? 0 : c.agreed.send_scale);
  const bool changed = window != c.snd_wnd;
  c.snd_wnd = window;
  c.max_snd_wnd = std::max(c.max_snd_wnd, window);
  c.snd_wl1 = h.sequence;
  c.snd_wl2 = h.acknowledgment;
  if (window > 0 && changed) c.persist_tries = 0;
  return changed;
}

// Karn's rule: only a segment that was sent once is timed. While segments are being sent again the
// echoed timestamp tells which of them was acknowledged (RFC 7323 4.1).
void Stack::sample_rtt(Connection& c, const Arrival& a) noexcept {
  if (c.rtt_timing) {
    if (a.header.acknowledgment < c.rtt_sequence) return;
    c.rtt_timing = false;
    c.rtt.sample(a.now - c.rtt_sent_at, config_.rto_min, config_.rto_max);
    return;
  }
  if (c.recovery == Recovery::kOpen || !c.agreed.timestamps || !a.header.options.has_timestamps) {
    return;
  }
  const std::uint32_t ms =
      timestamp(c.agreed.timestamp_offset, a.now) - a.header.options.timestamp_echo;
  const base::Duration rtt = std::chrono::milliseconds(ms);
  if (rtt < kMaxTimestampRtt) c.rtt.sample(rtt, config_.rto_min, config_.rto_max);
}

// Precondition: snd_una < acknowledgment <= snd_nxt.
void Stack::on_progress(Connection& c, const Arrival& a) noexcept {
  const Sequence ack = a.header.acknowledgment;
  const std::uint32_t acked = ack - c.snd_una;
  const bool fin_acked = c.fin_sent && ack == c.snd_nxt;
  sample_rtt(c, a);
  c.rtt.clear_backoff();

  const std::uint32_t queued = c.send.size();
  c.send.acknowledge(pool_, earlier(ack, c.send.end()));
  c.bytes_sent += queued - c.send.size();
  c.snd_una = ack;
  c.scoreboard.acknowledge(pool_, ack);
  c.high_rxt = later(c.high_rxt, ack);
  c.lost_end = later(c.lost_end, ack);
  c.last_acked = c.last_data = c.progress_at = a.now;
  progress_recovery(c, acked);
  c.retransmit_at =
      c.flight() > 0 ? a.now + c.rtt.timeout(config_.rto_max) : kNever;  // RFC 6298 5.2, 5.3
  tell_writable(c);
  if (fin_acked) after_fin_acked(c, a.now);
}

void Stack::progress_recovery(Connection& c, std::uint32_t acked) noexcept {
  const bool complete = c.snd_una >= c.recover;
  switch (c.recovery) {
    case Recovery::kOpen:
      c.dup_acks = 0;
      if (c.cwnd_limited) c.congestion.on_ack(acked);
      return;
    case Recovery::kFast:
      if (complete) break;
      // A partial acknowledgment: the byte it stops at was lost too (RFC 6582 3.2 step 3).
      if (!c.agreed.sack) {
        const std::uint32_t segments = acked / c.smss();
        c.dup_acks -= std::min(c.dup_acks, segments > 0 ? segments - 1 : 0);
        c.force_retransmit = c.force_retransmit || c.high_rxt == c.snd_una;
      }
      c.lost_end = later(c.lost_end, earlier(c.snd_una + c.smss(), c.recover));
      return;
    case Recovery::kTimeout:
      c.congestion.on_ack(acked);
      if (complete) break;
      return;
  }
  c.recovery = Recovery::kOpen;
  c.dup_acks = 0;
  c.force_retransmit = false;
  c.high_rxt = c.lost_end = c.snd_una;
}

void Stack::detect_loss(Connection& c) noexcept {
  if (c.flight() == 0) return;
  switch (c.recovery) {
    case Recovery::kOpen: {
      // RFC 6582 3.2 step 2: duplicates of what a former recovery sent again start no new one.
      if (c.snd_una < c.recover && !c.agreed.sack) return;
      const bool lost =
          c.dup_acks >= kDupThresh || c.scoreboard.lost_end(pool_, c.snd_una, c.smss()) > c.snd_una;
      if (lost) enter_fast_recovery(c);
      return;
    }
    case Recovery::kFast:
      c.lost_end = later(c.lost_end, c.scoreboard.lost_end(pool_, c.snd_una, c.smss()));
      return;
    case Recovery::kTimeout:
      return;
  }
}

void Stack::enter_fast_recovery(Connection& c) noexcept {
  count(ipc::Counter::kTcpFastRetransmits);
  c.congestion.on_loss(c.flight());
  c.recovery = Recovery::kFast;
  c.recover = c.snd_nxt;
  c.high_rxt = c.snd_una;
  c.lost_end = later(c.scoreboard.lost_end(pool_, c.snd_una, c.smss()),
                     earlier(c.snd_una + c.smss(), c.snd_nxt));
  c.force_retransmit = true;
  c.rtt_timing = false;
}

// Bytes that are thought to be in the network (RFC 6675 4's pipe): neither reported nor lost, or
// lost and sent again. Without SACK each duplicate acknowledgment stands for one segment that has
// left.
std::uint32_t Stack::pipe(const Connection& c) const noexcept {
  std::uint32_t bytes = 0;
  if (c.recovery == Recovery::kOpen) {
    bytes = c.scoreboard.missing(pool_, c.snd_una, c.snd_nxt);
  } else {
    bytes = c.scoreboard.missing(pool_, c.snd_una, c.high_rxt) +
            c.scoreboard.missing(pool_, later(c.lost_end, c.high_rxt), c.snd_nxt);
  }
  if (c.agreed.sack) return bytes;
  const std::uint64_t left = std::uint64_t{c.dup_acks} * c.smss();
  return bytes - static_cast<std::uint32_t>(std::min<std::uint64_t>(left, bytes));
}

void Stack::after_fin_acked(Connection& c, base::Time now) noexcept {
  switch (c.state) {
    case State::kFinWait1:
      c.state = State::kFinWait2;
      if (c.released) c.linger_at = now + config_.fin_wait_2;
      return;
    case State::kClosing:
      enter_time_wait(c, now);
      return;
    case State::kLastAck:
      finish(c, CloseReason::kNormal, false, now);
      return;
    case State::kEstablished:
    case State::kCloseWait:
    case State::kFinWait2:
    case State::kTimeWait:
    case State::kSynSent:
    case State::kSynReceived:
    case State::kClosed:
      return;
  }
}

// The connection's share must leave a worthwhile piece; of a short pool one chunk is enough.
void Stack::tell_writable(Connection& c) noexcept {
  if (!c.want_writable) return;
  const auto piece = static_cast<std::uint32_t>(kChunkCapacity) * kWritableChunks;
  if (send_share(c) < std::min(send_limit_now(c) / 4, piece)) return;
  if (pool_.available(ChunkUse::kSend) == 0) {
    wait_for_pool(c);
    return;
  }
  c.want_writable = false;
  raise(c, EventKind::kWritable);
}

}  // namespace brink::tcp
