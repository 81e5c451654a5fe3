// Segments to send: control segments first, then one connection after the other in bursts. For each
// connection: SYN, what was lost, what is new, probes, acknowledgments (RFC 9293 3.8, RFC 6675 5).
#include <algorithm>

#include "dataplane/tcp/stack.h"

namespace brink::tcp {

bool Stack::next_segment(SegmentOut& out, base::Time now) noexcept {
  if (control_size_ > 0) {
    const Control& control = control_[control_head_];
    write_segment(control.key, control.header, out);
    control_head_ = (control_head_ + 1) % kControlRing;
    --control_size_;
    count(ipc::Counter::kTcpSegmentsOut);
    return true;
  }
  while (!output_.empty()) {
    const std::uint32_t index = output_.front();
    Connection& c = connections_[index];
    if (burst_ < kBurstSegments && emit(c, out, now)) {
      ++burst_;
      count(ipc::Counter::kTcpSegmentsOut);
      rearm(c);
      return true;
    }
    const bool more = burst_ == kBurstSegments;
    burst_ = 0;
    output_.remove(index);
    if (more) {
      output_.push_back(index);
    } else {
      after_output(c, now);
    }
  }
  return false;
}

bool Stack::emit(Connection& c, SegmentOut& out, base::Time now) noexcept {
  if (c.syn_pending) return emit_syn(c, out, now);
  if (!c.synchronized()) return false;
  if (c.state != State::kSynReceived && (emit_again(c, out, now) || emit_new(c, out, now))) {
    return true;
  }
  if (c.probe_pending) {
    // Below the window, so that the peer must answer where it is and how much it takes.
    c.probe_pending = false;
    emit_empty(c, c.snd_una - 1, kAck, out, now);
    return true;
  }
  if (c.acks_owed > 0) {
    emit_empty(c, c.snd_nxt, kAck, out, now);
    return true;
  }
  return false;
}

bool Stack::emit_syn(Connection& c, SegmentOut& out, base::Time now) noexcept {
  const bool answer = c.state == State::kSynReceived;
  Header header;
  header.source_port = c.key.local_port;
  header.destination_port = c.key.remote_port;
  header.flags = answer ? kSyn | kAck : kSyn;
  header.sequence = c.agreed.iss;
  header.acknowledgment = c.rcv_nxt;
  header.window = static_cast<std::uint16_t>(c.first_window > 0 ? c.first_window : initial_window_);
  header.options = syn_options(c.key, c.agreed, answer, now);
  write_segment(c.key, header, out);

  c.syn_pending = false;
  c.acks_owed = 0;
  c.rtt_sent_at = now;
  const std::size_t last = config_.syn_schedule_s.size() - 1;
  c.retransmit_at =
      now + std::chrono::seconds(config_.syn_schedule_s[std::min<std::size_t>(c.syn_tries, last)]);
  if (c.syn_tries > 0) {
    ++c.retransmits;
    count(ipc::Counter::kTcpRetransmits);
  }
  ++c.syn_tries;
  return true;
}

// The first hole that counts as lost and was not sent again yet.
bool Stack::emit_again(Connection& c, SegmentOut& out, base::Time now) noexcept {
  if (c.recovery == Recovery::kOpen) return false;
  const SackBlock hole =
      c.scoreboard.next_hole(pool_, later(c.high_rxt, c.snd_una), earlier(c.lost_end, c.snd_nxt));
  if (hole.start == hole.end) return false;
  const std::uint32_t size = std::min(hole.end - hole.start, c.smss());
  if (!c.force_retransmit) {
    if (pipe(c) + size > c.congestion.cwnd()) return false;
    if (hole.start + size > c.snd_una + c.snd_wnd) return false;  // the peer took window back
  }
  c.force_retransmit = false;
  c.rtt_timing = false;
  const bool fin = c.fin_sent && hole.start + size == c.snd_nxt;
  const std::uint32_t sent = emit_bytes(c, hole.start, fin ? size - 1 : size, fin, out, now);
  c.high_rxt = hole.start + sent;
  if (c.retransmit_at == kNever) c.retransmit_at = now + c.rtt.timeout(config_.rto_max);
  ++c.retransmits;
  count(ipc::Counter::kTcpRetransmits);
  return true;
}

bool Stack::emit_new(Connection& c, SegmentOut& out, base::Time now) noexcept {
  if (c.fin_sent) return false;
  const std::uint32_t available = c.send.end() - c.snd_nxt;
  const Sequence window_end = c.snd_una + c.snd_wnd;
  const std::uint32_t usable = window_end > c.snd_nxt ? window_end - c.snd_nxt : 0;
  const std::uint32_t size = std::min({available, usable, c.smss()});
  const bool fin = c.fin_queued && size == available;
  if (size == 0 && !fin) return false;
  // Sender SWS avoidance (RFC 9293 3.8.6.2.1) without Nagle: a small segment only when it carries
  // everything there is, half the largest window seen, or when the override timer has run out.
  if (size < available && size < c.smss() && size < c.max_snd_wnd / 2 && !c.force_small) {
    return false;
  }
  if (c.flight() == 0 && now - c.last_sent_at > c.rtt.timeout(config_.rto_max)) {
    c.congestion.on_idle();
  }
  const std::uint32_t in_network = pipe(c);
  if (in_network > 0 && in_network + size > c.congestion.cwnd()) {
    c.cwnd_limited = true;
    return false;
  }
  const bool first = c.flight() == 0;
  const std::uint32_t sent = emit_bytes(c, c.snd_nxt, size, fin, out, now);
  if (first) c.progress_at = now;
  c.snd_nxt += sent;
  c.fin_sent = fin && sent == size + 1;
  c.cwnd_limited = in_network + sent + c.smss() > c.congestion.cwnd();
  c.force_small = false;
  c.persist_at = kNever;
  after_sending(c, sent, now);
  return true;
}

void Stack::after_sending(Connection& c, std::uint32_t size, base::Time now) noexcept {
  c.last_sent_at = c.last_data = now;
  if (!c.rtt_timing && c.recovery == Recovery::kOpen) {
    c.rtt_timing = true;
    c.rtt_sequence = c.snd_nxt;
    c.rtt_sent_at = now;
  }
  if (c.retransmit_at == kNever && size > 0) {
    c.retransmit_at = now + c.rtt.timeout(config_.rto_max);
  }
}

// Sends up to `size` bytes at `from`, less when options or spans do not allow it, and the FIN when
// everything before it fitted. Returns the sequence numbers used.
std::uint32_t Stack::emit_bytes(Connection& c, Sequence from, std::uint32_t size, bool fin,
                                SegmentOut& out, base::Time now) noexcept {
  Header header = next_header(c, from, kAck, now);
  const auto room = static_cast<std::uint32_t>(c.agreed.mss - options_size(header.options));
  const std::uint32_t wanted = std::min(size, room);
  out.span_count = 0;
  const std::uint32_t sent =
      wanted == 0 ? 0 : c.send.gather(pool_, from, wanted, out.spans, out.span_count);
  const bool with_fin = fin && sent == size;
  if (with_fin) header.flags |= kFin;
  if (sent > 0 && from + sent == c.send.end()) header.flags |= kPsh;
  const std::uint8_t spans = out.span_count;
  write_segment(c.key, header, out);
  out.span_count = spans;
  out.payload_size = static_cast<std::uint16_t>(sent);
  return sent + (with_fin ? 1U : 0U);
}

void Stack::emit_empty(Connection& c, Sequence sequence, std::uint8_t flags, SegmentOut& out,
                       base::Time now) noexcept {
  write_segment(c.key, next_header(c, sequence, flags, now), out);
}

// The header of a segment of a synchronized connection. It acknowledges, so nothing is owed after
// it but further duplicates.
Header Stack::next_header(Connection& c, Sequence sequence, std::uint8_t flags,
                          base::Time now) noexcept {
  Header header;
  header.source_port = c.key.local_port;
  header.destination_port = c.key.remote_port;
  header.flags = flags;
  header.sequence = sequence;
  header.acknowledgment = c.rcv_nxt;
  header.window = choose_window(c);
  Options& options = header.options;
  if (c.agreed.timestamps) {
    options.has_timestamps = true;
    options.timestamp_value = timestamp(c.agreed.timestamp_offset, now);
    options.timestamp_echo = c.agreed.timestamp_recent;
  }
  if (c.agreed.sack) {
    if (c.duplicate.start != c.duplicate.end) options.sack[options.sack_count++] = c.duplicate;
    std::array<SackBlock, kMaxSackBlocks> blocks;
    const std::uint8_t count = c.received.sack_blocks(pool_, blocks);
    for (std::uint8_t i = 0; i < count && options.sack_count < kMaxSackBlocks; ++i) {
      options.sack[options.sack_count++] = blocks[i];
    }
  }
  c.duplicate = {};
  if (c.acks_owed > 0) --c.acks_owed;
  c.segments_unacked = 0;
  c.delayed_ack_at = kNever;
  c.last_ack_sent = c.rcv_nxt;
  return header;
}

void Stack::write_segment(const FlowKey& key, const Header& header, SegmentOut& out) noexcept {
  out.source = key.local_address();
  out.destination = key.remote_address();
  out.header_size = static_cast<std::uint8_t>(build_header(header, out.header));
  out.span_count = 0;
  out.payload_size = 0;
}

// A share of what is neither in use nor promised to others.
std::uint32_t Stack::share_of_free(const Promise& own) const noexcept {
  const std::uint64_t free = std::uint64_t{pool_.promisable()} * kChunkCapacity;
  const std::uint64_t share = (free - std::min(free, promises_.beside(own))) >> share_shift_;
  return static_cast<std::uint32_t>(std::min<std::uint64_t>(share, 0x7fffffff));
}

// The pool has so much left that nobody's share of it is less than a connection's limits. Nearly
// always so, and then nothing else has to be looked at.
bool Stack::ample() const noexcept {
  return std::uint64_t{pool_.free()} * kChunkCapacity >= ample_ + promises_.total();
}

// How many bytes from rcv_nxt on the connection would be offered in an empty pool: more as more
// comes.
std::uint32_t Stack::wanted_window(const Connection& c) const noexcept {
  const std::uint32_t largest = 0xffffU << c.agreed.receive_scale;
  const std::uint32_t limit = std::min(config_.receive_limit, largest);
  if (c.released) return limit;
  return std::min(limit - std::min(limit, c.received.size()),
                  initial_window_ + 2 * promises_.left_of(c.recent));
}

// How many of the bytes wanted we are willing to take: no more than the connection's share of what
// is neither in use nor promised to others. The share falls as the pool fills, so those that nobody
// reads stop growing while there is something left for the rest.
std::uint32_t Stack::window_space(Connection& c, std::uint32_t wanted) noexcept {
  if (c.released || ample()) return wanted;
  const std::uint32_t held = c.received.size();
  const std::uint32_t limit = share_of_free(c.promise);
  std::uint32_t share = limit - std::min(limit, held);
  if (share >= wanted) return wanted;
  wait_for_pool(c);
  // Whole segments, for a peer does not like to send less; and never less than receiver SWS
  // avoidance would let through while it holds little, or a window could stay closed for ever.
  share -= share % c.smss();
  if (held < c.smss() && pool_.available(ChunkUse::kReceive) > 0) {
    share = std::max(share, 2 * c.smss());
  }
  return std::min(wanted, share);
}

// Receiver SWS avoidance (RFC 9293 3.8.6.2.2): the right edge moves by a segment or half the
// buffer, and never back. The field is rounded up, or its rounding would take back what was
// offered.
std::uint16_t Stack::choose_window(Connection& c) noexcept {
  const std::uint32_t step = std::min(config_.receive_limit / 2, c.smss());
  const std::uint32_t wanted = wanted_window(c);
  std::uint32_t window = c.rcv_adv - c.rcv_nxt;
  // Most segments of a sender end here: nothing came, so nothing was used of what is promised.
  const bool opens = window + step <= wanted;
  if (opens) {
    const std::uint32_t space = window_space(c, wanted);
    if (space >= window + step) window = space;
  }
  const std::uint8_t scale = c.agreed.receive_scale;
  const std::uint32_t field = std::min((window + (1U << scale) - 1) >> scale, 0xffffU);
  c.rcv_adv = later(c.rcv_adv, c.rcv_nxt + (field << scale));
  if (opens || c.rcv_nxt != c.last_ack_sent) settle_promise(c);
  return static_cast<std::uint16_t>(field);
}

// Counts of the window what the peer will use, by what it sent of late, in the chunks it will take.
void Stack::settle_promise(Connection& c) noexcept {
  if (!c.synchronized() || c.fin_received || c.released) return;
  const std::uint32_t bytes = std::min(c.rcv_adv - c.rcv_nxt, 2 * promises_.left_of(c.recent));
  constexpr std::uint32_t kChunk = kChunkSize;
  promises_.settle(c.promise, (bytes + kChunk - 1) / kChunk * kChunk);
}

// After bytes were consumed: a window update, when the peer may be waiting for it.
void Stack::update_advertised(Connection& c) noexcept {
  if (!c.synchronized() || c.fin_received || c.released) return;
  const std::uint32_t window = c.rcv_adv - c.rcv_nxt;
  const std::uint32_t usual = std::min(config_.receive_limit, initial_window_ + 2 * c.recent.bytes);
  if (window >= usual / 2) return;
  const std::uint32_t space = window_space(c, wanted_window(c));
  const std::uint32_t step = std::min(config_.receive_limit / 2, 2 * c.smss());
  if (space > window && space - window >= step) owe_ack(c);
}

// The connection has nothing (more) to send now. Bytes that wait for the peer's window with nothing
// in flight need the persist timer (RFC 9293 3.8.6.1), or an update that got lost would end it all.
void Stack::after_output(Connection& c, base::Time now) noexcept {
  if (c.synchronized() && c.flight() == 0 && c.send.size() > 0 && c.persist_at == kNever) {
    base::Duration wait = c.rtt.timeout(config_.rto_max);
    for (unsigned i = 0; i < c.persist_tries && wait < config_.rto_max; ++i) wait *= 2;
    c.persist_at = now + std::min(wait, config_.rto_max);
    rearm(c);
  }
}

}  // namespace brink::tcp
