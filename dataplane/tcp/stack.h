// Stack: Brink's TCP (RFC 9293). Sans-IO: segments, the time and the application's calls go in;
// segments and events come out by polling. One instance a worker, used by that worker's thread
// only. It calls no clock, allocates nothing, and never blocks.
//
// The worker's turn:
//     for each TCP packet:            stack.receive(segment, now);
//     stack.advance(now);             // timers
//     while (stack.next_event(e))     // the application reacts by readable/consume/write/close/...
//     while (tx_room && stack.next_segment(out, now))   // IP header, checksum, send
//     idle until stack.next_deadline() or the next packet
//
// Bytes live in a pool of chunks shared by all connections; a connection that holds no bytes holds
// no chunk. A window and a send queue may grow to a small share of what is neither in use nor
// promised to other peers, so readers that stop leave room for the rest, and what was promised is
// taken. Nor is more queued for a peer than its window takes, but for 16 KiB. When the pool runs
// low all the same, out-of-order data is dropped, then in-order data (the peer retransmits), and
// writes become short; nothing fails.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include "dataplane/base/timer_wheel.h"
#include "dataplane/ipc/counters.h"
#include "dataplane/tcp/chunk_pool.h"
#include "dataplane/tcp/connection.h"
#include "dataplane/tcp/flow_table.h"
#include "dataplane/tcp/promises.h"
#include "dataplane/tcp/types.h"

namespace brink::tcp {

class Stack {
 public:
  // Bytes of memory a stack of this configuration needs, aligned to 64.
  static std::size_t memory_size(const StackConfig& config) noexcept;

  // `memory` (at least memory_size(config) bytes, 64-byte aligned) and `counters` outlive the
  // stack.
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
  // How many bytes are readable, over all spans.
  [[nodiscard]] std::size_t readable_bytes(ConnectionId id) const noexcept;
  // Copies the readable bytes that follow the first `offset` into `out`, over any number of spans,
  // and consumes none; returns how many there were.
  std::size_t peek(ConnectionId id, std::size_t offset, std::span<std::uint8_t> out) const noexcept;
  // Gives back the first `count` readable bytes (over any number of spans; clamped to what is
  // there).
  void consume(ConnectionId id, std::size_t count, base::Time now) noexcept;

  // Queues bytes for sending, copied. Returns how many were taken; fewer than given means: wait for
  // kWritable. After close() none is taken. On a connection whose peer has reset it but whose
  // kClosed is still to come, all are taken and forgotten.
  std::size_t write(ConnectionId id, std::span<const std::uint8_t> bytes, base::Time now) noexcept;
  // What write() would take now; asking does not arm kWritable.
  [[nodiscard]] std::size_t writable_bytes(ConnectionId id) const noexcept;
  // Arms kWritable, as a short write() does: there is no room for what is to be written whole.
  void await_room(ConnectionId id) noexcept;

  // Moves up to `max_bytes` received in-order bytes of `from` to the send queue of `to`, whole
  // chunks without copying. Returns how many; fewer than were readable means that `to` is full:
  // kWritable of `to` follows.
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

 private:
  // A segment taken in, parsed, with what is needed everywhere.
  struct Arrival {
    const Header& header;
    std::span<const std::uint8_t> payload;
    const FlowKey& key;
    std::uint32_t hash;
    base::Time now;
  };
  // A segment without payload that belongs to no connection block, ready to be sent.
  struct Control {
    FlowKey key;
    Header header;
  };
  struct Layout;
  static constexpr std::uint32_t kControlRing = 256;
  static constexpr std::uint32_t kBurstSegments =
      16;  // of one connection before the next one's turn
  static constexpr std::uint32_t kStarvedPerTurn = 32;
  static constexpr base::Duration kStarvedSpacing = std::chrono::milliseconds(5);
  // A queue may grow to a part of what is free, so that any number of them leave some over:
  // 1/2^this at most, less of a pool that holds many queues of full size.
  static constexpr unsigned kLeastShareShift = 3;
  static constexpr std::uint32_t kScarceSend = 8192;    // may be queued while the pool is low
  static constexpr std::uint32_t kWritableChunks = 8;   // of room make a kWritable worthwhile
  static constexpr std::uint32_t kMinMovedBytes = 512;  // a shorter chunk is copied, not moved

  // stack.cc: slots, flows, the control ring, limits
  Stack(const StackConfig& config, const Layout& layout, std::byte* memory,
        ipc::WorkerCounters& counters) noexcept;
  static unsigned share_shift(const StackConfig& config) noexcept;
  static std::uint64_t ample_bytes(const StackConfig& config) noexcept;
  Connection* resolve(ConnectionId id) noexcept;
  const Connection* resolve(ConnectionId id) const noexcept;
  std::uint32_t index_of(const Connection& c) const noexcept;
  Flow find(const FlowKey& key, std::uint32_t hash) const noexcept;
  Connection& allocate_connection(const FlowKey& key, std::uint32_t hash) noexcept;
  void free_connection(Connection& c) noexcept;
  bool connection_available() const noexcept;
  void count(ipc::Counter counter, std::uint64_t amount = 1) noexcept;
  Verdict drop(Verdict verdict) noexcept;
  void raise(Connection& c, EventKind kind) noexcept;
  void want_output(Connection& c) noexcept;
  void push_control(const FlowKey& key, const Header& header) noexcept;
  void push_reset(const Arrival& a) noexcept;
  void renew_budgets(base::Time now) noexcept;
  bool may_challenge(base::Time now) noexcept;
  bool may_reset(base::Time now) noexcept;
  std::uint32_t timestamp(std::uint32_t offset, base::Time now) const noexcept;

  // handshake.cc
  Verdict on_no_flow(const Arrival& a) noexcept;
  Verdict on_listen_syn(const Arrival& a, bool has_floor, Sequence iss_floor) noexcept;
  Verdict on_half_open(HalfOpen& half, const Arrival& a) noexcept;
  Verdict on_syn_sent(Connection& c, const Arrival& a) noexcept;
  Connection& promote(HalfOpen& half, const Arrival& a) noexcept;
  void begin(Connection& c, const Agreement& agreed, base::Time now) noexcept;
  void agree(Agreement& agreed, const Header& syn, const FlowKey& key) const noexcept;
  void establish(Connection& c) noexcept;
  void send_syn_ack(HalfOpen& half, base::Time now) noexcept;
  void free_half_open(HalfOpen& half, bool keep_flow) noexcept;
  void choose_sequence(const FlowKey& key, base::Time now, Agreement& agreed) const noexcept;
  Options syn_options(const FlowKey& key, const Agreement& agreed, bool answer,
                      base::Time now) const noexcept;

  // time_wait.cc
  void enter_time_wait(Connection& c, base::Time now) noexcept;
  Verdict on_time_wait(std::uint32_t index, const Arrival& a) noexcept;
  void free_time_wait(std::uint32_t index, bool keep_flow) noexcept;
  void finish(Connection& c, CloseReason reason, bool keep_flow, base::Time now) noexcept;
  void fail(Connection& c, CloseReason reason, base::Time now) noexcept;
  void send_reset(Connection& c) noexcept;
  void acknowledge_from(const TimeWait& wait, base::Time now) noexcept;

  // input.cc: segments of a synchronized connection
  Verdict on_synchronized(Connection& c, const Arrival& a) noexcept;
  Verdict on_unacceptable(Connection& c, const Arrival& a, Sequence end) noexcept;
  Verdict on_reset(Connection& c, const Arrival& a) noexcept;
  Verdict challenge(Connection& c, base::Time now) noexcept;
  void courtesy_ack(Connection& c, base::Time now) noexcept;
  bool old_timestamp(const Connection& c, const Arrival& a) const noexcept;
  Verdict on_text(Connection& c, const Arrival& a, Sequence sequence,
                  std::span<const std::uint8_t> bytes, bool fin) noexcept;
  Verdict on_in_order(Connection& c, std::span<const std::uint8_t> bytes, bool fin,
                      base::Time now) noexcept;
  void on_fin(Connection& c, base::Time now) noexcept;
  void owe_ack(Connection& c) noexcept;
  void owe_duplicate_ack(Connection& c) noexcept;

  // ack.cc: acknowledgments, loss recovery
  Verdict on_acknowledgment(Connection& c, const Arrival& a) noexcept;
  void on_progress(Connection& c, const Arrival& a) noexcept;
  void progress_recovery(Connection& c, std::uint32_t acked) noexcept;
  void sample_rtt(Connection& c, const Arrival& a) noexcept;
  bool update_window(Connection& c, const Arrival& a) noexcept;
  void detect_loss(Connection& c) noexcept;
  void enter_fast_recovery(Connection& c) noexcept;
  std::uint32_t pipe(const Connection& c) const noexcept;
  void after_fin_acked(Connection& c, base::Time now) noexcept;
  void tell_writable(Connection& c) noexcept;

  // output.cc
  bool emit(Connection& c, SegmentOut& out, base::Time now) noexcept;
  bool emit_syn(Connection& c, SegmentOut& out, base::Time now) noexcept;
  bool emit_again(Connection& c, SegmentOut& out, base::Time now) noexcept;
  bool emit_new(Connection& c, SegmentOut& out, base::Time now) noexcept;
  std::uint32_t emit_bytes(Connection& c, Sequence from, std::uint32_t size, bool fin,
                           SegmentOut& out, base::Time now) noexcept;
  void after_sending(Connection& c, std::uint32_t size, base::Time now) noexcept;
  void after_output(Connection& c, base::Time now) noexcept;
  static void write_segment(const FlowKey& key, const Header& header, SegmentOut& out) noexcept;
  void emit_empty(Connection& c, Sequence sequence, std::uint8_t flags, SegmentOut& out,
                  base::Time now) noexcept;
  Header next_header(Connection& c, Sequence sequence, std::uint8_t flags, base::Time now) noexcept;
  std::uint16_t choose_window(Connection& c) noexcept;
  void update_advertised(Connection& c) noexcept;
  std::uint32_t window_space(Connection& c, std::uint32_t wanted) noexcept;
  std::uint32_t share_of_free(const Promise& own) const noexcept;
  bool ample() const noexcept;
  std::uint32_t wanted_window(const Connection& c) const noexcept;
  void settle_promise(Connection& c) noexcept;

  // timers.cc
  void on_timer(Connection& c, base::Time now) noexcept;
  void on_half_open_timer(HalfOpen& half, base::Time now) noexcept;
  void on_retransmit_timer(Connection& c, base::Time now) noexcept;
  void on_persist_timer(Connection& c) noexcept;
  base::Time keepalive_at(const Connection& c) const noexcept;
  base::Time idle_at(const Connection& c) const noexcept;
  base::Time user_timeout_at(const Connection& c) const noexcept;
  void rearm(Connection& c) noexcept;
  void serve_starved(base::Time now) noexcept;

  // application.cc
  void after_consume(Connection& c, base::Time now) noexcept;
  void tell_peer_closed(Connection& c) noexcept;
  std::uint32_t send_limit_of(const Connection& c) const noexcept;
  std::uint32_t send_limit_now(const Connection& c) const noexcept;
  void wait_for_pool(Connection& c) noexcept;
  std::uint32_t send_share(const Connection& c) const noexcept;
  std::size_t room_to_send(const Connection& c) const noexcept;
  void short_write(Connection& c) noexcept;
  std::uint32_t move_front(Connection& source, Connection& sink, std::uint32_t limit) noexcept;

  StackConfig config_;
  ipc::WorkerCounters& counters_;
  std::uint8_t receive_scale_;
  std::uint32_t initial_window_;
  unsigned share_shift_;
  std::uint64_t ample_;  // bytes, see ample()
  bool accepting_ = true;
  std::span<Connection> connections_;
  std::span<HalfOpen> half_open_;
  std::span<TimeWait> time_wait_;
  ChunkPool pool_;
  FlowTable flows_;
  std::uint32_t free_connections_ = kNil;
  std::uint32_t free_half_open_ = kNil;
  std::uint32_t free_time_wait_ = kNil;
  std::uint32_t connections_used_ = 0;
  std::uint32_t half_open_used_ = 0;
  IndexList<Connection, &Connection::event_link> events_;
  IndexList<Connection, &Connection::output_link> output_;
  IndexList<Connection, &Connection::starved_link> starved_;  // waits for free chunks
  Promises promises_;
  IndexList<TimeWait, &TimeWait::link> time_wait_order_;
  base::Time serve_starved_at_{};
  std::uint32_t burst_ = 0;  // segments of the connection at the front of output_
  std::span<Control> control_;
  std::uint32_t control_head_ = 0;
  std::uint32_t control_size_ = 0;
  // Budgets of the present second (RFC 5961 7).
  std::int64_t second_ = -1;
  std::uint32_t challenges_left_ = 0;
  std::uint32_t resets_left_ = 0;
  base::TimerWheel wheel_;
};

}  // namespace brink::tcp
