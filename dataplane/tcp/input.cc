// Segments taken in, and the steps of RFC 9293 3.10.7.4 for a synchronized connection, hardened by
// RFC 5961 and RFC 7323. Acknowledgments are in ack.cc.
#include <algorithm>

#include "dataplane/tcp/stack.h"

namespace brink::tcp {
namespace {

constexpr base::Duration kCourtesyAckSpacing = std::chrono::milliseconds(500);
constexpr base::Duration kTimestampLifetime = std::chrono::hours(24 * 24);  // RFC 7323 5.5
constexpr std::uint8_t kMaxAcksOwed = 8;

bool flags_possible(std::uint8_t flags) noexcept {
  if ((flags & (kSyn | kFin | kRst | kAck)) == 0) return false;
  if ((flags & kSyn) != 0 && (flags & (kFin | kRst)) != 0) return false;
  return true;
}

}  // namespace

Verdict Stack::receive(const Segment& segment, base::Time now) noexcept {
  count(ipc::Counter::kTcpSegmentsIn);
  Header header;
  const std::size_t header_size = parse_header(segment.bytes, header);
  if (header_size == 0) return drop(Verdict::kBadHeader);
  if (!flags_possible(header.flags)) return drop(Verdict::kBadFlags);

  const FlowKey key = FlowKey::of({segment.destination, header.destination_port},
                                  {segment.source, header.source_port});
  const Arrival a{header, segment.bytes.subspan(header_size), key, flows_.hash_of(key), now};
  const Flow flow = find(key, a.hash);
  switch (flow.kind) {
    case FlowKind::kNone:
      return on_no_flow(a);
    case FlowKind::kHalfOpen:
      return on_half_open(half_open_[flow.index], a);
    case FlowKind::kTimeWait:
      return on_time_wait(flow.index, a);
    case FlowKind::kConnection:
      break;
  }
  Connection& c = connections_[flow.index];
  return c.state == State::kSynSent ? on_syn_sent(c, a) : on_synchronized(c, a);
}

Verdict Stack::on_synchronized(Connection& c, const Arrival& a) noexcept {
  const Header& h = a.header;
  Sequence sequence = h.sequence;
  bool syn = h.has(kSyn);
  // The SYN-ACK of a simultaneous open repeats the SYN that brought us here: only its ACK is news.
  if (syn && c.state == State::kSynReceived && sequence == c.agreed.irs && h.has(kAck)) {
    sequence += 1;
    syn = false;
  }
  bool fin = h.has(kFin);
  std::span<const std::uint8_t> bytes = a.payload;
  const Sequence end =
      sequence + static_cast<std::uint32_t>(bytes.size()) + (fin ? 1U : 0U) + (syn ? 1U : 0U);

  // First: sequence numbers. PAWS comes before (RFC 7323 5.3 R1).
  if (old_timestamp(c, a)) {
    courtesy_ack(c, a.now);
    return drop(Verdict::kOldTimestamp);
  }
  const bool closed_window = c.rcv_adv == c.rcv_nxt;
  const bool acceptable = end == sequence ? c.rcv_nxt <= sequence && sequence <= c.rcv_adv
                                          : (sequence < c.rcv_adv && c.rcv_nxt < end) ||
                                                (closed_window && sequence == c.rcv_nxt);
  if (!acceptable) return on_unacceptable(c, a, end);

  // Second and fourth: RST and SYN.
  if (h.has(kRst)) return on_reset(c, a);
  if (syn) return challenge(c, a.now);
  if (!h.has(kAck)) return drop(Verdict::kBadFlags);

  c.last_heard = a.now;
  c.keepalive_sent = 0;
  if (h.options.has_timestamps && c.agreed.timestamps && sequence <= c.last_ack_sent) {
    c.agreed.timestamp_recent = h.options.timestamp_value;  // RFC 7323 4.3
    c.timestamp_recent_at = a.now;
  }

  // Fifth: the acknowledgment. It may end the connection.
  const std::uint32_t generation = c.generation;
  const Verdict verdict = on_acknowledgment(c, a);
  if (verdict != Verdict::kAccepted) return verdict;
  if (c.generation != generation || c.state == State::kClosed) return verdict;

  // Sixth is the urgent pointer: urgent bytes are ordinary bytes here. Seventh and eighth: text,
  // FIN.
  if (bytes.empty() && !fin) return verdict;
  if (sequence < c.rcv_nxt) {  // the front came before
    const std::uint32_t known = c.rcv_nxt - sequence;
    c.duplicate = {sequence, c.rcv_nxt};
    owe_ack(c);
    const std::size_t skip = std::min<std::size_t>(known, bytes.size());
    bytes = bytes.subspan(skip);
    sequence = c.rcv_nxt;
  }
  const std::uint32_t room = c.rcv_adv - sequence;
  if (bytes.size() > room) {
    bytes = bytes.first(room);
    fin = false;
    owe_ack(c);
  }
  return on_text(c, a, sequence, bytes, fin);
}

bool Stack::old_timestamp(const Connection& c, const Arrival& a) const noexcept {
  if (!c.agreed.timestamps || !a.header.options.has_timestamps || a.header.has(kRst)) return false;
  return timestamp_before(a.header.options.timestamp_value, c.agreed.timestamp_recent) &&
         a.now - c.timestamp_recent_at < kTimestampLifetime;
}

// An ACK tells the peer where we are: at once when it sent bytes, else at most twice a second, so
// that two confused peers do not answer each other for ever.
Verdict Stack::on_unacceptable(Connection& c, const Arrival& a, Sequence end) noexcept {
  if (a.header.has(kRst)) return drop(Verdict::kOutOfWindow);
  if (!a.payload.empty() || a.header.has(kFin)) {
    if (end <= c.rcv_nxt) c.duplicate = {a.header.sequence, end};
    owe_ack(c);
  } else if (a.header.has(kSyn)) {
    return challenge(c, a.now);
  } else if (a.header.sequence + 1 == c.rcv_nxt) {  // a keep-alive or window probe
    c.last_heard = a.now;
    owe_ack(c);
  } else {
    courtesy_ack(c, a.now);
  }
  return drop(Verdict::kOutOfWindow);
}

void Stack::courtesy_ack(Connection& c, base::Time now) noexcept {
  if (now < c.next_courtesy_ack) return;
  c.next_courtesy_ack = now + kCourtesyAckSpacing;
  owe_ack(c);
}

void Stack::owe_ack(Connection& c) noexcept {
  if (c.acks_owed == 0) c.acks_owed = 1;
  want_output(c);
}

// A peer without SACK counts these to find a loss, so each is sent; with SACK one tells everything.
void Stack::owe_duplicate_ack(Connection& c) noexcept {
  if (c.acks_owed == 0 || (!c.agreed.sack && c.acks_owed < kMaxAcksOwed)) ++c.acks_owed;
  want_output(c);
}

// RFC 5961 3.2: only the exact sequence number resets.
Verdict Stack::on_reset(Connection& c, const Arrival& a) noexcept {
  if (a.header.sequence != c.rcv_nxt) return challenge(c, a.now);
  count(ipc::Counter::kTcpResetsIn);
  const bool refused = c.state == State::kSynReceived;
  const bool done = c.state == State::kClosing || c.state == State::kLastAck;
  finish(
      c,
      refused ? CloseReason::kRefused : (done ? CloseReason::kNormal : CloseReason::kResetByPeer),
      false, a.now);
  return Verdict::kAccepted;
}

Verdict Stack::challenge(Connection& c, base::Time now) noexcept {
  if (may_challenge(now)) {
    count(ipc::Counter::kTcpChallengeAcks);
    owe_ack(c);
  }
  return drop(Verdict::kChallenged);
}

// Preconditions: rcv_nxt <= sequence, and the bytes end within the window.
Verdict Stack::on_text(Connection& c, const Arrival& a, Sequence sequence,
                       std::span<const std::uint8_t> bytes, bool fin) noexcept {
  if (c.fin_received) {  // nothing can follow a FIN
    owe_ack(c);
    return drop(Verdict::kOutOfWindow);
  }
  if (sequence == c.rcv_nxt) return on_in_order(c, bytes, fin, a.now);

  // RFC 5681 4.2: a gap is reported at once.
  owe_duplicate_ack(c);
  if (c.released) return Verdict::kAccepted;
  if (fin) {
    c.fin_known = true;
    c.fin_sequence = sequence + static_cast<std::uint32_t>(bytes.size());
  }
  if (bytes.empty()) return Verdict::kAccepted;
  count(ipc::Counter::kTcpOutOfOrder);
  return c.received.insert(pool_, sequence, bytes) ? Verdict::kAccepted : drop(Verdict::kNoMemory);
}

Verdict Stack::on_in_order(Connection& c, std::span<const std::uint8_t> bytes, bool fin,
                           base::Time now) noexcept {
  const auto size = static_cast<std::uint32_t>(bytes.size());
  if (c.released && size > 0 && c.state == State::kFinWait2) {
    // Nobody will read this, and our FIN has arrived: RFC 1122 4.2.2.13.
    send_reset(c);
    finish(c, CloseReason::kAborted, false, now);
    return Verdict::kAccepted;
  }
  const Sequence before = c.rcv_nxt;
  if (fin) {
    c.fin_known = true;
    c.fin_sequence = before + size;
  }
  const std::uint32_t stored = c.released ? size : c.received.append(pool_, bytes);
  c.rcv_nxt += stored;
  if (c.received.has_gaps()) {
    c.rcv_nxt = c.received.join(pool_, c.rcv_nxt);
    owe_ack(c);  // RFC 5681 4.2: the gap, or a part of it, is filled
  }
  c.rcv_adv = later(c.rcv_adv, c.rcv_nxt);
  const std::uint32_t gained = c.rcv_nxt - before;
  if (gained > 0) {
    c.bytes_received += gained;
    c.last_data = now;
    promises_.add(c.recent, gained, 2 * config_.receive_limit);
    raise(c, EventKind::kReadable);
    if (c.acks_owed > 1) c.acks_owed = 1;  // duplicates of an older number mean nothing any more
    if (gained >= c.smss() / 2 && ++c.segments_unacked >= 2) {
      owe_ack(c);
    } else if (c.delayed_ack_at == kNever) {
      c.delayed_ack_at = now + config_.delayed_ack;
      rearm(c);
    }
  }
  if (c.fin_known && c.rcv_nxt == c.fin_sequence) on_fin(c, now);
  return stored == size ? Verdict::kAccepted : drop(Verdict::kNoMemory);
}

void Stack::on_fin(Connection& c, base::Time now) noexcept {
  c.fin_received = true;
  promises_.settle(c.promise, 0);
  c.rcv_nxt += 1;
  c.rcv_adv = later(c.rcv_adv, c.rcv_nxt);
  owe_ack(c);
  if (c.received.size() == 0) tell_peer_closed(c);
  switch (c.state) {
    case State::kSynReceived:
    case State::kEstablished:
      c.state = State::kCloseWait;
      break;
    case State::kFinWait1:
      c.state = State::kClosing;
      break;  // our FIN is not acknowledged yet
    case State::kFinWait2:
      enter_time_wait(c, now);
      break;
    case State::kCloseWait:
    case State::kClosing:
    case State::kLastAck:
    case State::kTimeWait:
    case State::kClosed:
    case State::kSynSent:
      break;
  }
}

}  // namespace brink::tcp
