// The application's side: events, bytes, transfer, close. And ICMP, which is also only advice.
#include <algorithm>
#include <bit>

#include "dataplane/tcp/stack.h"

namespace brink::tcp {
namespace {

constexpr std::uint8_t bit(EventKind kind) noexcept {
  return static_cast<std::uint8_t>(1U << static_cast<unsigned>(kind));
}

}  // namespace

bool Stack::next_event(Event& out) noexcept {
  if (events_.empty()) return false;
  const std::uint32_t index = events_.front();
  Connection& c = connections_[index];
  const auto kind = static_cast<EventKind>(std::countr_zero(c.events));
  c.events = static_cast<std::uint8_t>(c.events & ~bit(kind));
  if (c.events == 0) events_.remove(index);
  out = {{index, c.generation}, kind, c.reason, c.user};
  if (kind == EventKind::kClosed) free_connection(c);
  return true;
}

void Stack::tell_peer_closed(Connection& c) noexcept {
  if (c.peer_closed_told) return;
  c.peer_closed_told = true;
  raise(c, EventKind::kPeerClosed);
}

std::span<const std::uint8_t> Stack::readable(ConnectionId id) const noexcept {
  const Connection* c = resolve(id);
  return c == nullptr ? std::span<const std::uint8_t>{} : c->received.front(pool_);
}

std::size_t Stack::readable_bytes(ConnectionId id) const noexcept {
  const Connection* c = resolve(id);
  return c == nullptr ? 0 : c->received.size();
}

std::size_t Stack::peek(ConnectionId id, std::size_t offset,
                        std::span<std::uint8_t> out) const noexcept {
  const Connection* c = resolve(id);
  return c == nullptr ? 0 : c->received.copy(pool_, offset, out);
}

void Stack::consume(ConnectionId id, std::size_t count, base::Time now) noexcept {
  Connection* c = resolve(id);
  if (c == nullptr || count == 0) return;
  c->received.consume(pool_,
                      static_cast<std::uint32_t>(std::min<std::size_t>(count, c->received.size())));
  after_consume(*c, now);
}

void Stack::after_consume(Connection& c, base::Time now) noexcept {
  (void)now;
  if (c.received.size() > 0) {
    update_advertised(c);
    return;
  }
  if (c.fin_received) tell_peer_closed(c);
  if (c.state == State::kClosed) {
    if (c.linger_at != kNever) {
      c.linger_at = kNever;
      raise(c, EventKind::kClosed);
    }
    return;
  }
  update_advertised(c);
}

// What a connection may queue in an empty pool: what the peer's window takes, or a little for the
// time when it opens. When it does, what is queued goes out, and its acknowledgment makes room.
std::uint32_t Stack::send_limit_of(const Connection& c) const noexcept {
  if (!c.synchronized()) return config_.send_limit;
  constexpr std::uint32_t kChunk = kChunkCapacity;
  return std::min(config_.send_limit,
                  std::max(c.snd_wnd, pool_.low() ? kChunk : config_.ahead_of_window));
}

// And now: like a window no more than a share of what is left, but a few segments while there is
// any.
std::uint32_t Stack::send_limit_now(const Connection& c) const noexcept {
  const std::uint32_t limit = send_limit_of(c);
  return ample() ? limit : std::min(limit, std::max(share_of_free({}), kScarceSend));
}

// Looked at again from time to time, for no segment tells when the pool has room.
void Stack::wait_for_pool(Connection& c) noexcept {
  const std::uint32_t index = index_of(c);
  if (starved_.contains(index)) return;
  count(ipc::Counter::kTcpPoolWaits);
  starved_.push_back(index);
}

std::uint32_t Stack::send_share(const Connection& c) const noexcept {
  const std::uint32_t limit = send_limit_now(c);
  return limit - std::min(limit, c.send.size());
}

std::size_t Stack::room_to_send(const Connection& c) const noexcept {
  if (c.fin_queued) return 0;
  const std::size_t memory =
      std::size_t{pool_.available(ChunkUse::kSend)} * kChunkCapacity + c.send.tail_room(pool_);
  return std::min<std::size_t>(send_share(c), memory);
}

std::size_t Stack::writable_bytes(ConnectionId id) const noexcept {
  const Connection* c = resolve(id);
  return c == nullptr || c->state == State::kClosed ? 0 : room_to_send(*c);
}

void Stack::await_room(ConnectionId id) noexcept {
  Connection* c = resolve(id);
  if (c != nullptr && c->state != State::kClosed && !c->fin_queued) short_write(*c);
}

void Stack::short_write(Connection& c) noexcept {
  c.want_writable = true;
  // An acknowledgment will make room in this connection's share, but not in the pool's.
  if (c.send.size() < send_limit_of(c)) wait_for_pool(c);
}

std::size_t Stack::write(ConnectionId id, std::span<const std::uint8_t> bytes,
                         base::Time now) noexcept {
  (void)now;
  Connection* c = resolve(id);
  if (c == nullptr) return 0;
  if (c->state == State::kClosed) return bytes.size();
  if (c->fin_queued) return 0;
  const std::size_t room = room_to_send(*c);
  const std::size_t taken = c->send.append(pool_, bytes.first(std::min(room, bytes.size())));
  if (taken < bytes.size()) short_write(*c);
  if (taken > 0) want_output(*c);
  return taken;
}

// Moves the first chunk, or copies its first bytes when only a part of it may go or it is so short
// that moving it would waste a chunk. Returns how many bytes went.
std::uint32_t Stack::move_front(Connection& source, Connection& sink,
                                std::uint32_t limit) noexcept {
  const std::span<const std::uint8_t> front = source.received.front(pool_);
  const auto size = static_cast<std::uint32_t>(front.size());
  // A chunk that is not full wastes the rest of it: in a short pool better copied, if one is free.
  const bool pack = pool_.low() && pool_.available(ChunkUse::kSend) > 0;
  const std::uint32_t least = pack ? kChunkCapacity * 3 / 4 : kMinMovedBytes;
  const bool whole =
      size <= limit && (size >= least || (!pack && sink.send.tail_room(pool_) < size));
  if (whole && pool_.reassign_to_send()) {
    sink.send.append_chunk(pool_, source.received.pop_chunk(pool_));
    return size;
  }
  const std::uint32_t copied = sink.send.append(pool_, front.first(std::min(size, limit)));
  source.received.consume(pool_, copied);
  return copied;
}

std::size_t Stack::transfer(ConnectionId from, ConnectionId to, std::size_t max_bytes,
                            base::Time now) noexcept {
  Connection* source = resolve(from);
  Connection* sink = resolve(to);
  if (source == nullptr || sink == nullptr) return 0;
  const std::size_t wanted = std::min<std::size_t>(max_bytes, source->received.size());
  if (wanted == 0) return 0;
  if (sink->state == State::kClosed) {
    source->received.consume(pool_, static_cast<std::uint32_t>(wanted));
    after_consume(*source, now);
    return wanted;
  }
  if (sink->fin_queued) return 0;
  std::size_t moved = 0;
  while (moved < wanted) {  // at most one turn a chunk of the source
    const auto limit =
        static_cast<std::uint32_t>(std::min<std::size_t>(wanted - moved, send_share(*sink)));
    const std::uint32_t count = limit == 0 ? 0 : move_front(*source, *sink, limit);
    if (count == 0) break;
    moved += count;
  }
  if (moved < wanted) short_write(*sink);
  if (moved > 0) {
    want_output(*sink);
    after_consume(*source, now);
  }
  return moved;
}

void Stack::close(ConnectionId id, base::Time now) noexcept {
  (void)now;
  Connection* c = resolve(id);
  if (c == nullptr || c->fin_queued) return;
  c->fin_queued = true;
  c->want_writable = false;
  switch (c->state) {
    case State::kEstablished:
      c->state = State::kFinWait1;
      break;
    case State::kCloseWait:
      c->state = State::kLastAck;
      break;
    case State::kSynSent:  // establish() goes on from here
    case State::kSynReceived:
    case State::kFinWait1:
    case State::kFinWait2:
    case State::kClosing:
    case State::kLastAck:
    case State::kTimeWait:
    case State::kClosed:
      return;
  }
  want_output(*c);
}

void Stack::release(ConnectionId id, base::Time now) noexcept {
  Connection* c = resolve(id);
  if (c == nullptr) return;
  if (c->state == State::kClosed) {
    free_connection(*c);
    return;
  }
  if (c->state == State::kSynSent) {
    c->released = true;
    finish(*c, CloseReason::kAborted, false, now);
    return;
  }
  close(id, now);
  c->released = true;
  promises_.settle(c->promise, 0);
  c->events = 0;
  events_.remove(id.index);
  c->received.clear(pool_);
  if (c->state == State::kFinWait2) c->linger_at = now + config_.fin_wait_2;
  rearm(*c);
}

void Stack::abort(ConnectionId id, base::Time now) noexcept {
  Connection* c = resolve(id);
  if (c == nullptr) return;
  if (c->state == State::kClosed) {  // its end is already known: only the unread bytes hold it back
    c->received.clear(pool_);
    c->linger_at = kNever;
    raise(*c, EventKind::kClosed);
    return;
  }
  if (c->synchronized()) send_reset(*c);
  finish(*c, CloseReason::kAborted, false, now);
}

std::uint64_t Stack::user(ConnectionId id) const noexcept {
  const Connection* c = resolve(id);
  return c == nullptr ? 0 : c->user;
}

void Stack::set_user(ConnectionId id, std::uint64_t user) noexcept {
  if (Connection* c = resolve(id)) c->user = user;
}

ConnectionInfo Stack::info(ConnectionId id) const noexcept {
  ConnectionInfo info;
  const Connection* c = resolve(id);
  if (c == nullptr) return info;
  info.local = {c->key.local_address(), c->key.local_port};
  info.remote = {c->key.remote_address(), c->key.remote_port};
  info.state = c->state;
  info.mss = static_cast<std::uint16_t>(c->smss());
  info.srtt = c->rtt.srtt();
  info.rto = c->rtt.timeout(config_.rto_max);
  info.cwnd = c->congestion.cwnd();
  info.unacked = c->flight();
  info.queued = c->send.size();
  info.readable = c->received.size();
  info.retransmits = c->retransmits;
  info.bytes_sent = c->bytes_sent;
  info.bytes_received = c->bytes_received;
  info.last_acked = c->last_acked;
  info.last_heard = c->last_heard;
  info.peer_closed = c->fin_received;
  return info;
}

// RFC 5927: an error is believed only when it quotes a byte in flight; then a hard error ends an
// attempt to connect, and nothing else. RFC 1191: a smaller path takes smaller segments.
void Stack::unreachable(const base::Endpoint& local, const base::Endpoint& remote,
                        const IcmpError& error, base::Time now) noexcept {
  const FlowKey key = FlowKey::of(local, remote);
  const Flow flow = find(key, flows_.hash_of(key));
  if (flow.kind != FlowKind::kConnection) return;
  Connection& c = connections_[flow.index];
  const Sequence sequence(error.sequence);
  if (sequence < c.snd_una || sequence >= c.snd_nxt) return;
  switch (error.kind) {
    case IcmpKind::kUnreachable:
      if (c.state == State::kSynSent) finish(c, CloseReason::kUnreachable, false, now);
      return;
    case IcmpKind::kPacketTooBig: {
      const std::uint32_t headers = local.address.is_v4() ? 40 : 60;
      if (!c.synchronized() || error.mtu < headers) return;
      const auto mss =
          static_cast<std::uint16_t>(std::max<std::uint32_t>(error.mtu - headers, config_.mss_min));
      if (mss >= c.agreed.mss) return;
      c.agreed.mss = mss;
      c.congestion.set_smss(c.smss());
      // What was too big is lost for certain; it was not congestion that took it.
      if (c.recovery == Recovery::kOpen) {
        c.recovery = Recovery::kFast;
        c.recover = c.lost_end = c.snd_nxt;
        c.high_rxt = c.snd_una;
        c.force_retransmit = true;
        c.rtt_timing = false;
        want_output(c);
      }
      return;
    }
    case IcmpKind::kOther:
      return;
  }
}

}  // namespace brink::tcp
