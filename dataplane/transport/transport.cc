#include "dataplane/transport/transport.h"

#include <algorithm>
#include <cstring>
#include <utility>

namespace brink::transport {
namespace {

// What one step may send: a record, and what the library has to say beside it.
constexpr std::size_t kStepRoom = tls::kRecordMax + tls::kEnoughRoom;

EventKind kind_of(tcp::EventKind kind) noexcept {
  switch (kind) {
    case tcp::EventKind::kAccepted:
      return EventKind::kAccepted;
    case tcp::EventKind::kConnected:
      return EventKind::kConnected;
    case tcp::EventKind::kReadable:
      return EventKind::kReadable;
    case tcp::EventKind::kWritable:
      return EventKind::kWritable;
    case tcp::EventKind::kPeerClosed:
      return EventKind::kPeerClosed;
    case tcp::EventKind::kClosed:
      return EventKind::kClosed;
  }
  return EventKind::kClosed;
}

}  // namespace

Transport::Transport(tcp::Stack& stack, tls::Engine* engine, const TransportConfig& config)
    : stack_(stack),
      engine_(config.plaintext_buffers > 0 ? engine : nullptr),
      connections_(config.connections),
      buffer_size_(config.plaintext_buffer_bytes),
      own_handshakes_(config.handshake_steps),
      handshakes_(config.handshakes != nullptr ? config.handshakes : &own_handshakes_),
      ring_memory_(engine_ == nullptr ? 0 : kRings * std::size_t{connections_}),
      due_ring_(ring_of(0)),
      handshake_ring_(ring_of(1)),
      starved_ring_(ring_of(2)),
      resting_ring_(ring_of(3)) {
  if (engine_ == nullptr) return;
  secured_ = std::make_unique<Secured[]>(connections_);
  buffers_ = std::make_unique<std::uint8_t[]>(config.plaintext_buffers * buffer_size_);
  room_ = std::make_unique<std::uint8_t[]>(kStepRoom);
  gathered_ = std::make_unique<std::uint8_t[]>(tls::kRecordPlaintextMax);
  for (std::uint32_t i = config.plaintext_buffers; i > 0; --i) free_buffers_.push_back(i - 1);
}

Transport::Secured* Transport::secured(ConnectionId id) noexcept {
  if (secured_ == nullptr || id.index >= connections_) return nullptr;
  Secured& s = secured_[id.index];
  return s.id == id ? &s : nullptr;
}
const Transport::Secured* Transport::secured(ConnectionId id) const noexcept {
  return const_cast<Transport*>(this)->secured(id);
}

const tls::Stream* Transport::security(ConnectionId id) const noexcept {
  const Secured* const s = secured(id);
  return s == nullptr ? nullptr : &s->stream;
}

void Transport::rest(ConnectionId id) noexcept {
  Secured* const s = secured(id);
  if (s == nullptr) return;
  resting_ring_.push(id.index, s->resting_listed);
  if (resting_ring_.size() <= kRestingMax) return;
  Secured& oldest = secured_[resting_ring_.pop()];
  oldest.resting_listed = false;
  oldest.stream.rest();
}

// A fresh state in the connection's place; null without TLS or for a stale id.
Transport::Secured* Transport::begin(ConnectionId id) noexcept {
  if (engine_ == nullptr || id.index >= connections_) return nullptr;
  Secured& s = secured_[id.index];
  if (s.id != ConnectionId{}) forget(s);
  s.id = id;
  return &s;
}

tls::Failure Transport::secure_accept(ConnectionId id, tls::CertificateSource& source,
                                      std::uint64_t user, base::Time now) noexcept {
  Secured* const s = begin(id);
  if (s == nullptr) return tls::Failure::kInternal;
  const tls::Failure failure = engine_->accept(s->stream, source, user);
  if (failure != tls::Failure::kNone) {
    forget(*s);
    return failure;
  }
  note(*s, kDueProgress);  // the client's first bytes may be here already
  return failure;
}

tls::Failure Transport::secure_connect(ConnectionId id, const tls::OriginSettings& settings,
                                       base::Time now) noexcept {
  Secured* const s = begin(id);
  if (s == nullptr) return tls::Failure::kInternal;
  const tls::Failure failure = engine_->connect(s->stream, settings);
  if (failure != tls::Failure::kNone) {
    forget(*s);
    return failure;
  }
  progress(*s, now);
  return failure;
}

// The entry of the rings stays and is skipped when its turn comes.
void Transport::forget(Secured& s) noexcept {
  give_buffer(s);
  s.stream.reset();
  s.id = {};
  s.due = 0;
  s.told = s.ended = s.truncated = s.failed = s.closing = false;
  s.input_ended = s.starved = s.reading_blocked = false;
  wake_starved();
}

void Transport::note(Secured& s, std::uint8_t due) noexcept {
  s.due |= due;
  const auto index = static_cast<std::uint32_t>(&s - secured_.get());
  if ((s.due & kDueProgress) != 0 && !s.told) {
    handshake_ring_.push(index, s.handshake_listed);
    if (s.due == kDueProgress) return;
  }
  due_ring_.push(index, s.listed);
}

bool Transport::next_event(Event& out, base::Time now) noexcept {
  for (;;) {
    if (due_ring_.size() > 0) {
      if (next_due(out, now)) return true;
      continue;
    }
    if (handshake_ring_.size() > 0 && handshakes_->take()) {
      next_handshake(now);
      continue;
    }
    tcp::Event event;
    if (!stack_.next_event(event)) {
      own_handshakes_.begin_turn();
      return false;
    }
    if (translate(event, out)) return true;
  }
}

void Transport::next_handshake(base::Time now) noexcept {
  Secured& s = secured_[handshake_ring_.pop()];
  s.handshake_listed = false;
  if ((s.due & kDueProgress) == 0) return;  // another connection by now, or done meanwhile
  s.due &= static_cast<std::uint8_t>(~kDueProgress);
  progress(s, now);
}

// One thing that is due; false: there was nothing to tell.
bool Transport::next_due(Event& out, base::Time now) noexcept {
  const std::uint32_t index = due_ring_.pop();
  Secured& s = secured_[index];
  s.listed = false;
  if ((s.due & kDueProgress) != 0 && s.told) {
    s.due &= static_cast<std::uint8_t>(~kDueProgress);
    progress(s, now);
  }
  static constexpr std::pair<Due, EventKind> kOrder[] = {
      {kDueSecured, EventKind::kSecured},   {kDueReadable, EventKind::kReadable},
      {kDueWritable, EventKind::kWritable}, {kDuePeerClosed, EventKind::kPeerClosed},
      {kDueFailed, EventKind::kFailed},
  };
  for (const auto& [bit, kind] : kOrder) {
    if ((s.due & bit) == 0) continue;
    const std::uint8_t left = s.due & static_cast<std::uint8_t>(~bit);
    s.due = 0;
    if (left != 0) note(s, left);
    out = {s.id, kind, tcp::CloseReason::kNormal, s.truncated, stack_.user(s.id)};
    return true;
  }
  return false;
}

// What an event of TCP means for who uses the connection. False: nothing yet, it is TLS's.
bool Transport::translate(const tcp::Event& event, Event& out) noexcept {
  Secured* const s = secured(event.id);
  if (s == nullptr || event.kind == tcp::EventKind::kClosed) {
    if (s != nullptr) forget(*s);
    out = {event.id, kind_of(event.kind), event.reason, false, event.user};
    return true;
  }
  switch (event.kind) {
    case tcp::EventKind::kAccepted:
    case tcp::EventKind::kConnected:
    case tcp::EventKind::kClosed:
      return false;
    case tcp::EventKind::kReadable:
      note(*s, s->told ? kDueReadable : kDueProgress);
      return false;
    case tcp::EventKind::kWritable:
      note(*s, kDueProgress | (s->told && !s->failed ? kDueWritable : 0));
      return false;
    case tcp::EventKind::kPeerClosed:
      s->stream.end_input();
      s->input_ended = true;
      note(*s, kDueProgress);
      return false;
  }
  return false;
}

template <typename Step>
auto Transport::on_wire(Secured& s, std::span<const std::uint8_t> in, base::Time now,
                        Step step) noexcept {
  const std::span<std::uint8_t> room(room_.get(), std::min(stack_.writable_bytes(s.id), kStepRoom));
  tls::Wire wire{in, room};
  const auto done = step(wire);
  // Written first: consuming may end the connection's receiving side.
  if (wire.out.size() < room.size()) {
    stack_.write(s.id, room.first(room.size() - wire.out.size()), now);
  }
  if (wire.in.size() < in.size()) stack_.consume(s.id, in.size() - wire.in.size(), now);
  return done;
}

// The handshake, and whatever waited for room. Each turn takes bytes in, or ends.
void Transport::progress(Secured& s, base::Time now) noexcept {
  if (s.closing) return finish_closing(s, now);
  for (;;) {
    const std::size_t before = stack_.readable_bytes(s.id);
    const tls::Status status = on_wire(s, stack_.readable(s.id), now,
                                       [&](tls::Wire& wire) { return s.stream.advance(wire); });
    switch (status) {
      case tls::Status::kDone:
        if (!s.told) {
          s.told = true;
          note(s, kDueSecured | kDueReadable);
        } else if (std::exchange(s.reading_blocked, false)) {
          note(s, kDueReadable);
        }
        // The end is found by reading; without this, who does not read would not learn of it.
        if (s.input_ended && s.begin == s.end) {
          fill(s, now);
          if (s.begin < s.end) note(s, kDueReadable);
        }
        return;
      case tls::Status::kNeedsInput:
        if (stack_.readable_bytes(s.id) < before && stack_.readable_bytes(s.id) > 0) continue;
        return;
      case tls::Status::kNeedsRoom:
        return stack_.await_room(s.id);
      case tls::Status::kPeerClosed:
        return s.told ? end_reading(s, false) : fail(s);
      case tls::Status::kFailed:
        if (!s.truncated) fail(s);  // that end was told as the peer's
        return;
    }
  }
}

void Transport::finish_closing(Secured& s, base::Time now) noexcept {
  const tls::Status status =
      on_wire(s, {}, now, [&](tls::Wire& wire) { return s.stream.close(wire); });
  if (status == tls::Status::kNeedsRoom) return stack_.await_room(s.id);
  s.closing = false;
  stack_.close(s.id, now);
}

void Transport::fail(Secured& s) noexcept {
  if (std::exchange(s.failed, true)) return;
  s.ended = true;
  note(s, kDueFailed);
}

// The last byte was opened; it is told when the last one was consumed.
void Transport::end_reading(Secured& s, bool truncated) noexcept {
  if (std::exchange(s.ended, true)) return;
  s.truncated = truncated;
  if (s.begin == s.end) note(s, kDuePeerClosed);
}

bool Transport::take_buffer(Secured& s) noexcept {
  if (s.buffer != kNone) return true;
  if (free_buffers_.empty()) {
    s.starved = true;
    starved_ring_.push(index_of(s), s.starved_listed);
    return false;
  }
  s.buffer = free_buffers_.back();
  free_buffers_.pop_back();
  s.begin = s.end = 0;
  return true;
}

void Transport::give_buffer(Secured& s) noexcept {
  s.begin = s.end = 0;
  if (s.buffer == kNone) return;
  free_buffers_.push_back(std::exchange(s.buffer, kNone));
  wake_starved();
}

// Who waits longest reads on, as many as there are buffers.
void Transport::wake_starved() noexcept {
  for (std::size_t left = free_buffers_.size(); left > 0 && starved_ring_.size() > 0;) {
    Secured& next = secured_[starved_ring_.pop()];
    next.starved_listed = false;
    if (!std::exchange(next.starved, false)) continue;
    note(next, kDueReadable);
    --left;
  }
}

// Opens what has come, as far as the buffer takes it.
void Transport::fill(Secured& s, base::Time now) noexcept {
  if (!s.told || s.ended) return;
  if (stack_.readable_bytes(s.id) == 0 && !s.input_ended && !s.stream.readable()) return;
  if (!take_buffer(s)) return;
  std::uint8_t* const buffer = buffer_of(s);
  if (s.begin > 0) {
    std::memmove(buffer, buffer + s.begin, s.end - s.begin);
    s.end -= s.begin;
    s.begin = 0;
  }
  // A turn opens bytes, takes some in, or is the last.
  while (s.end < buffer_size_) {
    const std::size_t before = stack_.readable_bytes(s.id);
    const tls::Moved moved = on_wire(s, stack_.readable(s.id), now, [&](tls::Wire& wire) {
      return s.stream.read({buffer + s.end, buffer_size_ - s.end}, wire);
    });
    s.end += static_cast<std::uint32_t>(moved.size);
    const std::size_t left = stack_.readable_bytes(s.id);
    if (moved.status == tls::Status::kDone) continue;
    if (moved.status == tls::Status::kNeedsInput && left > 0 && left < before) continue;
    if (moved.status == tls::Status::kNeedsRoom) {
      s.reading_blocked = true;
      stack_.await_room(s.id);
    }
    if (moved.status == tls::Status::kPeerClosed) end_reading(s, false);
    if (moved.status == tls::Status::kFailed) {
      const bool truncated = s.stream.failure() == tls::Failure::kTruncated;
      truncated ? end_reading(s, true) : fail(s);
    }
    break;
  }
  if (s.begin == s.end) give_buffer(s);
}

std::span<const std::uint8_t> Transport::readable(ConnectionId id, base::Time now) noexcept {
  Secured* const s = secured(id);
  if (s == nullptr) return stack_.readable(id);
  if (s->begin == s->end) fill(*s, now);
  if (s->begin == s->end) return {};
  return {buffer_of(*s) + s->begin, s->end - s->begin};
}

std::size_t Transport::readable_bytes(ConnectionId id, base::Time now) noexcept {
  Secured* const s = secured(id);
  if (s == nullptr) return stack_.readable_bytes(id);
  if (s->end - s->begin < buffer_size_) fill(*s, now);
  return s->end - s->begin;
}

bool Transport::is_at_end(ConnectionId id) const noexcept {
  const Secured* const s = secured(id);
  return s == nullptr ? stack_.info(id).peer_closed : s->ended;
}

std::size_t Transport::peek(ConnectionId id, std::size_t offset,
                            std::span<std::uint8_t> out) const noexcept {
  const Secured* const s = secured(id);
  if (s == nullptr) return stack_.peek(id, offset, out);
  const std::size_t there = s->end - s->begin;
  if (offset >= there) return 0;
  const std::size_t size = std::min(out.size(), there - offset);
  std::memcpy(out.data(), const_cast<Transport*>(this)->buffer_of(*s) + s->begin + offset, size);
  return size;
}

void Transport::consume(ConnectionId id, std::size_t count, base::Time now) noexcept {
  Secured* const s = secured(id);
  if (s == nullptr) return stack_.consume(id, count, now);
  s->begin += static_cast<std::uint32_t>(std::min<std::size_t>(count, s->end - s->begin));
  if (s->begin < s->end) return;
  give_buffer(*s);
  if (s->ended && !s->failed) note(*s, kDuePeerClosed);
}

std::size_t Transport::write(ConnectionId id, std::span<const std::uint8_t> bytes,
                             base::Time now) noexcept {
  Secured* const s = secured(id);
  if (s == nullptr) return stack_.write(id, bytes, now);
  if (!s->told || s->failed || s->closing) return 0;
  std::size_t taken = 0;
  while (taken < bytes.size()) {
    const tls::Moved moved = on_wire(
        *s, {}, now, [&](tls::Wire& wire) { return s->stream.write(bytes.subspan(taken), wire); });
    taken += moved.size;
    if (moved.status == tls::Status::kFailed) {
      fail(*s);
      break;
    }
    // Short of room in the step's own memory, it goes on; short of TCP's, it waits.
    if (moved.status != tls::Status::kDone && moved.size == 0) {
      stack_.await_room(id);
      break;
    }
  }
  return taken;
}

std::size_t Transport::writable_bytes(ConnectionId id) const noexcept {
  const std::size_t room = stack_.writable_bytes(id);
  const Secured* const s = secured(id);
  if (s == nullptr) return room;
  if (!s->told || s->failed || s->closing || s->stream.queued() > 0) return 0;
  const std::size_t overhead = tls::kRecordOverheadMax * (room / tls::kRecordMax + 1);
  return room < tls::kEnoughRoom ? 0 : room - overhead;
}

std::size_t Transport::transfer(ConnectionId from, ConnectionId to, std::size_t max_bytes,
                                base::Time now) noexcept {
  if (secured(from) == nullptr && secured(to) == nullptr) {
    return stack_.transfer(from, to, max_bytes, now);
  }
  if (secured(from) == nullptr) return gather(from, to, max_bytes, now);
  std::size_t moved = 0;
  while (moved < max_bytes) {
    const std::span<const std::uint8_t> there = readable(from, now);
    const std::size_t wanted = std::min(there.size(), max_bytes - moved);
    if (wanted == 0) break;
    const std::size_t written = write(to, there.first(wanted), now);
    consume(from, written, now);
    moved += written;
    if (written < wanted) break;
  }
  return moved;
}

// From a plain connection to a secured one. What lies in many chunks is put together for few long
// records: each costs its sealing, its framing and its opening, however short it is.
std::size_t Transport::gather(ConnectionId from, ConnectionId to, std::size_t max_bytes,
                              base::Time now) noexcept {
  std::size_t moved = 0;
  while (moved < max_bytes) {
    // No more than there is room for is copied, and something, so that write() notes a want of it.
    const std::size_t room = std::max<std::size_t>(stack_.writable_bytes(to), 1);
    const std::size_t most = std::min({max_bytes - moved, room, tls::kRecordPlaintextMax});
    const std::size_t there = stack_.peek(from, 0, {gathered_.get(), most});
    if (there == 0) break;
    const std::size_t written = write(to, {gathered_.get(), there}, now);
    stack_.consume(from, written, now);
    moved += written;
    if (written < there) break;
  }
  return moved;
}

void Transport::close(ConnectionId id, base::Time now) noexcept {
  Secured* const s = secured(id);
  if (s == nullptr || s->failed || !s->told) return stack_.close(id, now);
  s->closing = true;
  finish_closing(*s, now);
}

// close_notify goes out if there is room; nobody waits for it.
void Transport::release(ConnectionId id, base::Time now) noexcept {
  Secured* const s = secured(id);
  if (s != nullptr) {
    on_wire(*s, {}, now, [&](tls::Wire& wire) {
      return s->failed ? s->stream.advance(wire) : s->stream.close(wire);
    });
    forget(*s);
  }
  stack_.release(id, now);
}

void Transport::abort(ConnectionId id, base::Time now) noexcept {
  Secured* const s = secured(id);
  if (s != nullptr) forget(*s);
  stack_.abort(id, now);
}

}  // namespace brink::transport
