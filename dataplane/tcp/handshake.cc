// Opening: SYNs to nobody, half-open connections, active and simultaneous open
// (RFC 9293 3.10.7.2-3, RFC 4987, RFC 6528, RFC 7323).
#include <algorithm>

#include "dataplane/tcp/stack.h"

namespace brink::tcp {
namespace {

constexpr std::uint16_t kDefaultMssV4 = 536;  // RFC 9293 3.7.1
constexpr std::uint16_t kDefaultMssV6 = 1220;
constexpr base::Duration kSynAckSpacing = std::chrono::milliseconds(500);
constexpr std::uint32_t kIssStep = 1U << 17;  // beyond TIME_WAIT's last number (RFC 6191 3)

}  // namespace

// ISN = a 4-microsecond clock + a keyed hash of the connection (RFC 6528 3). Two constant blocks
// follow the endpoints, so that what a peer chooses passes at least six more AES rounds than it
// would at the end of the input. The other half of the hash offsets the timestamps (RFC 7323 7.1).
void Stack::choose_sequence(const FlowKey& key, base::Time now, Agreement& agreed) const noexcept {
  struct alignas(16) Input {
    FlowKey key;
    std::uint8_t tail[32];
  };
  static_assert(sizeof(Input) == 80);
  Input input{key, {}};
  const std::uint64_t hash = base::keyed_hash(
      config_.sequence_secret, reinterpret_cast<const std::uint8_t*>(&input), sizeof input);
  const auto clock = static_cast<std::uint64_t>(now.time_since_epoch().count()) / 4000;
  agreed.iss = Sequence(static_cast<std::uint32_t>(hash + clock));
  agreed.timestamp_offset = static_cast<std::uint32_t>(hash >> 32);
}

// Takes from a SYN (or SYN-ACK) what both sides support.
void Stack::agree(Agreement& agreed, const Header& syn, const FlowKey& key) const noexcept {
  const bool v4 = key.local_address().is_v4();
  const std::uint16_t ours = v4 ? config_.mss_v4 : config_.mss_v6;
  const std::uint16_t theirs =
      syn.options.has_mss ? syn.options.mss : (v4 ? kDefaultMssV4 : kDefaultMssV6);
  agreed.mss = std::min(ours, std::max(theirs, config_.mss_min));
  agreed.irs = syn.sequence;
  agreed.sack = syn.options.sack_permitted;
  agreed.timestamps = syn.options.has_timestamps;
  agreed.timestamp_recent = syn.options.timestamp_value;
  agreed.send_scale = syn.options.window_scale;
  agreed.receive_scale = syn.options.has_window_scale ? receive_scale_ : std::uint8_t{0};
}

// The options of our SYN; of an answer, only what the peer's SYN had as well.
Options Stack::syn_options(const FlowKey& key, const Agreement& agreed, bool answer,
                           base::Time now) const noexcept {
  Options options;
  options.has_mss = true;
  options.mss = key.local_address().is_v4() ? config_.mss_v4 : config_.mss_v6;
  options.sack_permitted = agreed.sack;
  options.has_timestamps = agreed.timestamps;
  options.timestamp_value = timestamp(agreed.timestamp_offset, now);
  options.timestamp_echo = answer ? agreed.timestamp_recent : 0;
  options.has_window_scale = agreed.receive_scale > 0 || agreed.send_scale > 0 || !answer;
  options.window_scale = agreed.receive_scale;
  return options;
}

Verdict Stack::on_no_flow(const Arrival& a) noexcept {
  const Header& h = a.header;
  if (h.has(kSyn) && !h.has(kAck) && !h.has(kRst)) return on_listen_syn(a, false, Sequence(0));
  push_reset(a);
  return drop(Verdict::kNoConnection);
}

Verdict Stack::on_listen_syn(const Arrival& a, bool has_floor, Sequence iss_floor) noexcept {
  if (!accepting_) return drop(Verdict::kNotAccepting);
  // When SYN cookies come, they are the answer here instead of the drop.
  if (free_half_open_ == kNil || !connection_available()) return drop(Verdict::kBacklogFull);
  if (pool_.free() < config_.chunk_count / 32) return drop(Verdict::kNoMemory);

  HalfOpen& half = half_open_[free_half_open_];
  const std::uint32_t index = free_half_open_;
  free_half_open_ = half.next_free;
  ++half_open_used_;
  half.key = a.key;
  half.hash = a.hash;
  half.tries = 0;
  half.agreed = Agreement{};
  agree(half.agreed, a.header, a.key);
  half.scaling = a.header.options.has_window_scale;
  choose_sequence(a.key, a.now, half.agreed);
  if (has_floor && half.agreed.iss <= iss_floor) half.agreed.iss = iss_floor + kIssStep;
  flows_.insert(a.hash, {FlowKind::kHalfOpen, index});
  send_syn_ack(half, a.now);
  return Verdict::kAccepted;
}

void Stack::send_syn_ack(HalfOpen& half, base::Time now) noexcept {
  half.sent_at = now;
  wheel_.arm(half.timer, now + std::chrono::seconds(config_.syn_schedule_s[half.tries]));
  ++half.tries;
  Header header;
  header.flags = kSyn | kAck;
  header.sequence = half.agreed.iss;
  header.acknowledgment = half.agreed.irs + 1;
  header.window = static_cast<std::uint16_t>(initial_window_);
  header.options = syn_options(half.key, half.agreed, true, now);
  header.options.has_window_scale = half.scaling;
  push_control(half.key, header);
}

void Stack::free_half_open(HalfOpen& half, bool keep_flow) noexcept {
  const auto index = static_cast<std::uint32_t>(&half - half_open_.data());
  wheel_.cancel(half.timer);
  if (!keep_flow) flows_.erase(half.hash, {FlowKind::kHalfOpen, index});
  half.next_free = free_half_open_;
  free_half_open_ = index;
  --half_open_used_;
}

// RFC 9293 3.10.7.4 for SYN-RECEIVED after a passive open.
Verdict Stack::on_half_open(HalfOpen& half, const Arrival& a) noexcept {
  const Header& h = a.header;
  const Agreement& agreed = half.agreed;
  const Sequence expected = agreed.irs + 1;
  if (h.has(kRst)) {
    if (h.sequence != expected) return drop(Verdict::kOutOfWindow);  // RFC 5961 3
    free_half_open(half, false);
    return Verdict::kAccepted;
  }
  if (h.has(kSyn)) {
    // The same SYN again, or another one that our answer will make the peer explain.
    if (a.now - half.sent_at >= kSynAckSpacing && half.tries < config_.syn_schedule_s.size()) {
      send_syn_ack(half, a.now);
    }
    return h.sequence == agreed.irs ? Verdict::kAccepted : drop(Verdict::kChallenged);
  }
  if (!h.has(kAck)) return drop(Verdict::kBadFlags);
  if (h.acknowledgment != agreed.iss + 1) {
    push_reset(a);
    return drop(Verdict::kBadAck);
  }
  if (agreed.timestamps && h.options.has_timestamps &&
      timestamp_before(h.options.timestamp_value, agreed.timestamp_recent)) {
    return drop(Verdict::kOldTimestamp);
  }
  const std::uint32_t window = initial_window_;
  if (h.sequence < agreed.irs || expected + window < h.sequence) {
    return drop(Verdict::kOutOfWindow);
  }
  return on_synchronized(promote(half, a), a);
}

Connection& Stack::promote(HalfOpen& half, const Arrival& a) noexcept {
  Connection& c = allocate_connection(half.key, half.hash);
  const auto half_index = static_cast<std::uint32_t>(&half - half_open_.data());
  flows_.replace(half.hash, {FlowKind::kHalfOpen, half_index},
                 {FlowKind::kConnection, index_of(c)});
  begin(c, half.agreed, a.now);
  if (half.tries == 1) {
    c.rtt.sample(a.now - half.sent_at, config_.rto_min, config_.rto_max);
  } else if (half.tries > 2) {  // RFC 5681 3.1, as RFC 6928 2 relaxes it
    c.congestion.reset(c.smss(), 1);
  }
  c.snd_una = half.agreed.iss + 1;
  c.snd_wnd = std::uint32_t{a.header.window} << half.agreed.send_scale;
  c.max_snd_wnd = c.snd_wnd;
  c.snd_wl1 = a.header.sequence;
  c.snd_wl2 = a.header.acknowledgment;
  c.state = State::kEstablished;
  free_half_open(half, true);
  count(ipc::Counter::kTcpAccepted);
  raise(c, EventKind::kAccepted);
  rearm(c);
  return c;
}

// Everything that follows from the agreement. snd_una is left at the ISS for an active open.
void Stack::begin(Connection& c, const Agreement& agreed, base::Time now) noexcept {
  c.agreed = agreed;
  c.snd_una = agreed.iss;
  c.snd_nxt = c.recover = c.high_rxt = c.lost_end = agreed.iss + 1;
  c.rcv_nxt = c.last_ack_sent = agreed.irs + 1;
  c.rcv_adv = c.rcv_nxt + (c.first_window > 0 ? c.first_window : initial_window_);
  c.timestamp_recent_at = now;
  c.rtt.reset(config_.rto_initial);
  c.congestion.reset(c.smss(), config_.initial_window_segments);
  if (c.send.size() == 0) c.send.reset(agreed.iss + 1);
  c.last_heard = c.last_data = c.last_acked = c.progress_at = now;
}

ConnectResult Stack::connect(const base::Endpoint& local, const base::Endpoint& remote,
                             std::uint64_t user, base::Time now) noexcept {
  const FlowKey key = FlowKey::of(local, remote);
  const std::uint32_t hash = flows_.hash_of(key);
  if (find(key, hash).kind != FlowKind::kNone) return {ConnectError::kInUse, {}};
  if (!connection_available()) return {ConnectError::kNoSlot, {}};

  Connection& c = allocate_connection(key, hash);
  // Bytes in bulk come from whom we connect to: already its first window is a share.
  c.first_window = std::min(initial_window_, std::max(share_of_free({}), 2U * config_.mss_v4));
  const std::uint32_t index = index_of(c);
  flows_.insert(hash, {FlowKind::kConnection, index});
  Agreement offer;
  offer.sack = offer.timestamps = true;
  offer.receive_scale = receive_scale_;
  const bool v4 = local.address.is_v4();
  offer.mss = v4 ? config_.mss_v4 : config_.mss_v6;
  choose_sequence(key, now, offer);
  begin(c, offer, now);
  c.user = user;
  c.state = State::kSynSent;
  c.syn_pending = true;
  want_output(c);
  return {ConnectError::kNone, {index, c.generation}};
}

// RFC 9293 3.10.7.3.
Verdict Stack::on_syn_sent(Connection& c, const Arrival& a) noexcept {
  const Header& h = a.header;
  const bool acks = h.has(kAck);
  if (acks && h.acknowledgment != c.snd_nxt) {
    push_reset(a);
    return drop(Verdict::kBadAck);
  }
  if (h.has(kRst)) {
    if (!acks) return drop(Verdict::kOutOfWindow);
    finish(c, CloseReason::kRefused, false, a.now);
    return Verdict::kAccepted;
  }
  if (!h.has(kSyn)) return drop(Verdict::kBadFlags);

  Agreement agreed = c.agreed;
  agree(agreed, h, c.key);
  const Sequence una = acks ? h.acknowledgment : c.snd_una;
  const bool sample = acks && c.syn_tries == 1;
  const base::Time sent_at = c.rtt_sent_at;
  begin(c, agreed, a.now);
  c.snd_una = una;
  c.snd_wnd = c.max_snd_wnd = h.window;  // never scaled in a SYN
  c.snd_wl1 = h.sequence;
  c.snd_wl2 = una;
  c.retransmit_at = kNever;
  if (!acks) {  // simultaneous open (figure 7)
    c.state = State::kSynReceived;
    c.syn_pending = true;
    want_output(c);
    return Verdict::kAccepted;
  }
  if (sample) {
    c.rtt.sample(a.now - sent_at, config_.rto_min, config_.rto_max);
  } else if (c.syn_tries > 2) {
    c.congestion.reset(c.smss(), 1);
  }
  establish(c);
  c.acks_owed = 1;
  want_output(c);
  rearm(c);
  return Verdict::kAccepted;
}

void Stack::establish(Connection& c) noexcept {
  c.state = c.fin_queued ? State::kFinWait1 : State::kEstablished;
  count(ipc::Counter::kTcpConnected);
  raise(c, EventKind::kConnected);
}

}  // namespace brink::tcp
