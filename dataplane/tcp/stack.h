// Stack: Brink's TCP (RFC 9293). Sans-IO: segments, the time and the application's calls go in;
// segments and events come out by polling. One instance a worker, used by that worker's thread only.
// It calls no clock, allocates nothing, and never blocks.
//
// The worker's turn:
//     for each TCP packet:            stack.receive(segment, now);
//     stack.advance(now);             // timers
//     while (stack.next_event(e))     // the application reacts by readable/consume/write/close/...
//     while (tx_room && stack.next_segment(out, now))   // IP header, checksum, send
//     idle until stack.next_deadline() or the next packet
//
// Bytes live in a pool of chunks shared by all connections; a connection that holds no bytes holds no
// chunk. When the pool runs low the stack offers smaller windows, then drops out-of-order data, then
// in-order data (the peer retransmits), and writes become short; nothing fails.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include "dataplane/tcp/types.h"

namespace brink::tcp {
class Stack {
 public:
  // Bytes of memory a stack of this configuration needs, aligned to 64.
  static std::size_t memory_size(const StackConfig& config) noexcept;

  // `memory` (at least memory_size(config) bytes, 64-byte aligned) and `counters` outlive the stack.
  Stack(const StackConfig& config, std::span<std::byte> memory,
        ipc::WorkerCounters& counters) noexcept;
  Stack(const Stack&) = delete;
  Stack& operator=(const Stack&) = delete;

  // ---- packet side ----
  Verdict receive(const Segment& segment, base::Time now) noexcept;

  // An ICMP error that quotes a segment of ours (`local` was its source). RFC 5927: ignored unless
  // the sequence number is in flight; ends only a connection that is still in SYN_SENT.
  void unreachable(const base::Endpoint& local, const base::Endpoint& remote,
                   const IcmpError& error, base::Time now) noexcept;

  // Runs the timers that are due.
  void advance(base::Time now) noexcept;
  // Never later than the next timer, may be earlier; base::Time::max() when there is none.
  [[nodiscard]] base::Time next_deadline() const noexcept;

  // The next segment to send; false when there is none now.
  bool next_segment(SegmentOut& out, base::Time now) noexcept;

  // ---- application side ----
  // False: SYNs are dropped and counted; connections that exist go on.
  void set_accepting(bool accepting) noexcept;

  bool next_event(Event& out) noexcept;

  // Active open; kConnected or kClosed follows. The caller owns the choice of the local port.
  ConnectResult connect(const base::Endpoint& local, const base::Endpoint& remote,
                        std::uint64_t user, base::Time now) noexcept;

  // The first contiguous received bytes, empty when there are none; valid until the next call that
  // changes the stack. More may follow after consume().
  [[nodiscard]] std::span<const std::uint8_t> readable(ConnectionId id) const noexcept;
  // Gives back the first `count` readable bytes (over any number of spans; clamped to what is there).
  void consume(ConnectionId id, std::size_t count, base::Time now) noexcept;

  // Queues bytes for sending, copied. Returns how many were taken; fewer than given means: wait for
  // kWritable. After close() none is taken. On a connection whose peer has reset it but whose kClosed is still to
  // come, all are taken and forgotten.
  std::size_t write(ConnectionId id, std::span<const std::uint8_t> bytes, base::Time now) noexcept;
  // What write() would take now; asking does not arm kWritable.
  [[nodiscard]] std::size_t writable_bytes(ConnectionId id) const noexcept;

  // Moves up to `max_bytes` received in-order bytes of `from` to the send queue of `to`, whole chunks
  // without copying. Returns how many; fewer than were readable means that `to` is full: kWritable
  // of `to` follows.
  std::size_t transfer(ConnectionId from, ConnectionId to, std::size_t max_bytes,
                       base::Time now) noexcept;

  // Sends FIN after what is queued; receiving goes on. kClosed comes when both directions are done
  // and the received bytes are consumed.
  void close(ConnectionId id, base::Time now) noexcept;
  // Like close(), and the application forgets the connection: no event follows, received bytes are
  // dropped, the id is stale at once. Bytes that come later are answered with RST.
  void release(ConnectionId id, base::Time now) noexcept;
  // Sends RST and drops what is queued; kClosed with kAborted follows.
  void abort(ConnectionId id, base::Time now) noexcept;

  [[nodiscard]] std::uint64_t user(ConnectionId id) const noexcept;
  void set_user(ConnectionId id, std::uint64_t user) noexcept;
  [[nodiscard]] ConnectionInfo info(ConnectionId id) const noexcept;

  // ---- for budgets, metrics and tests ----
  [[nodiscard]] std::uint32_t connection_count() const noexcept;  // half-open and TIME_WAIT apart
  [[nodiscard]] std::uint32_t half_open_count() const noexcept;
  [[nodiscard]] std::uint32_t time_wait_count() const noexcept;
  [[nodiscard]] std::uint32_t free_chunks() const noexcept;
};
}  // namespace brink::tcp
