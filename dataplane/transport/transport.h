// Transport: the connections of a TCP stack as protocols want them, some of them under TLS. It has
// the operations of tcp::Stack's application side under the same names, so that who reads and
// writes need not know which of its connections are secured; a connection becomes so by
// secure_accept() or secure_connect(), at any time before its first byte.
//
// Ciphertext never leaves the stack's queues but on its way through the TLS library. Plaintext lies
// in one of its buffers from when a record was opened until it is consumed; a connection
// without plaintext holds none. When all buffers are taken, the others' bytes wait as ciphertext.
//
// One instance a stack, used by its worker's thread only. It allocates nothing after construction;
// the TLS library does during handshakes.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "dataplane/base/clock.h"
#include "dataplane/base/index_ring.h"
#include "dataplane/tcp/stack.h"
#include "dataplane/tls/engine.h"

namespace brink::transport {

using tcp::ConnectionId;

enum class EventKind : std::uint8_t {
  kAccepted,    // as tcp::EventKind
  kConnected,   // likewise
  kSecured,     // the handshake that was begun is done: see security(), writing works
  kReadable,    // new bytes; not repeated until more arrive, so read until empty
  kWritable,    // room again after a short write()
  kPeerClosed,  // nothing more will come, after all bytes were consumed; sending still works
  kFailed,      // TLS failed: see security(). Nothing is read or written any more; an alert may be
                // on its way, so release() it. Before or after kSecured.
  kClosed,      // the end: the id is stale from here on
};

struct Event {
  ConnectionId id;
  EventKind kind = EventKind::kClosed;
  tcp::CloseReason reason = tcp::CloseReason::kNormal;  // of kClosed
  // Of kPeerClosed: TCP ended without close_notify, so what came may lack its end.
  bool truncated = false;
  std::uint64_t user = 0;
};

// Steps of handshakes, each of them up to some hundred microseconds, that are left in a turn; the
// others wait for the next one, so that a burst of them does not keep whoever shares the worker
// from its packets.
class HandshakeBudget {
 public:
  explicit HandshakeBudget(std::uint32_t steps_a_turn = 4) noexcept
      : steps_(steps_a_turn == 0 ? 1 : steps_a_turn), left_(steps_) {}

  void begin_turn() noexcept { left_ = steps_; }
  bool take() noexcept {
    if (left_ == 0) return false;
    --left_;
    return true;
  }

 private:
  std::uint32_t steps_;
  std::uint32_t left_;
};

struct TransportConfig {
  std::uint32_t connections = 0;        // of the stack: StackConfig::max_connections
  std::uint32_t plaintext_buffers = 0;  // 0: no connection can be secured
  // Until next_event() says that there is nothing more.
  std::uint32_t handshake_steps = 4;
  // In the place of those: a budget that several transports of a worker share, which outlives them.
  // Whoever shares it begins its turns.
  HandshakeBudget* handshakes = nullptr;
  std::uint32_t plaintext_buffer_bytes = tls::kRecordPlaintextMax;
};

class Transport {
 public:
  // Both outlive it; `engine` null: no connection can be secured.
  Transport(tcp::Stack& stack, tls::Engine* engine, const TransportConfig& config);
  Transport(const Transport&) = delete;
  Transport& operator=(const Transport&) = delete;

  // ---- TLS ----
  // Begins a server's handshake on an accepted connection, or a client's on a connected one.
  // kSecured or kFailed follows, or kClosed. Not ok: the connection is as it was. `source` is
  // asked during next_event().
  tls::Failure secure_accept(ConnectionId id, tls::CertificateSource& source, std::uint64_t user,
                             base::Time now) noexcept;
  tls::Failure secure_connect(ConnectionId id, const tls::OriginSettings& settings,
                              base::Time now) noexcept;
  // The connection's stream, for what was agreed or why it failed; null on one that is not secured.
  [[nodiscard]] const tls::Stream* security(ConnectionId id) const noexcept;
  // The connection begins to wait for its next request: gives memory back, once kRestingMax others
  // have begun to wait after it.
  void rest(ConnectionId id) noexcept;

  // Handshakes wait for the next turn, which should come at once.
  [[nodiscard]] bool has_waiting() const noexcept { return handshake_ring_.size() > 0; }

  // ---- as tcp::Stack ----
  bool next_event(Event& out, base::Time now) noexcept;
  tcp::ConnectResult connect(const base::Endpoint& local, const base::Endpoint& remote,
                             std::uint64_t user, base::Time now) noexcept {
    return stack_.connect(local, remote, user, now);
  }
  // The first bytes that are there, valid until the next call.
  std::span<const std::uint8_t> readable(ConnectionId id, base::Time now) noexcept;
  // How many bytes there are at least; of a secured connection never more than a buffer's.
  std::size_t readable_bytes(ConnectionId id, base::Time now) noexcept;
  std::size_t peek(ConnectionId id, std::size_t offset, std::span<std::uint8_t> out) const noexcept;
  void consume(ConnectionId id, std::size_t count, base::Time now) noexcept;
  std::size_t write(ConnectionId id, std::span<const std::uint8_t> bytes, base::Time now) noexcept;
  [[nodiscard]] std::size_t writable_bytes(ConnectionId id) const noexcept;
  void await_room(ConnectionId id) noexcept { stack_.await_room(id); }
  // Moves up to `max_bytes` of what is readable; fewer than readable_bytes() means that `to` is
  // full, and kWritable of `to` follows.
  std::size_t transfer(ConnectionId from, ConnectionId to, std::size_t max_bytes,
                       base::Time now) noexcept;
  void close(ConnectionId id, base::Time now) noexcept;
  void release(ConnectionId id, base::Time now) noexcept;
  void abort(ConnectionId id, base::Time now) noexcept;
  [[nodiscard]] std::uint64_t user(ConnectionId id) const noexcept { return stack_.user(id); }
  void set_user(ConnectionId id, std::uint64_t user) noexcept { stack_.set_user(id, user); }
  // `readable` counts ciphertext on a secured connection.
  [[nodiscard]] tcp::ConnectionInfo info(ConnectionId id) const noexcept { return stack_.info(id); }
  // Nothing will come behind what readable_bytes() has just counted.
  [[nodiscard]] bool is_at_end(ConnectionId id) const noexcept;

 private:
  static constexpr std::uint32_t kNone = 0xffffffff;
  // Of 33 KiB each. To free and allocate them for each request costs a tenth of a small one.
  static constexpr std::uint32_t kRestingMax = 256;
  static constexpr std::uint32_t kRings = 4;

  // What is to be told or done; bits of Secured::due.
  enum Due : std::uint8_t {
    kDueProgress = 1,  // the handshake, or what found no room
    kDueSecured = 2,
    kDueReadable = 4,
    kDueWritable = 8,
    kDuePeerClosed = 16,
    kDueFailed = 32,
  };

  struct Secured {
    ConnectionId id;  // the default names none: not secured
    tls::Stream stream;
    std::uint32_t buffer = kNone;
    std::uint32_t begin = 0;  // of the plaintext in the buffer
    std::uint32_t end = 0;
    std::uint8_t due = 0;
    bool listed = false;            // is in due_ring_
    bool handshake_listed = false;  // is in handshake_ring_
    bool told = false;              // kSecured was
    bool ended = false;  // nothing more will be read: close_notify, truncation or failure
    bool truncated = false;
    bool failed = false;
    bool closing = false;          // close() was called, close_notify is not out yet
    bool input_ended = false;      // TCP's end has been reached
    bool starved = false;          // waits for a buffer
    bool starved_listed = false;   // is in starved_ring_
    bool reading_blocked = false;  // reading waits for room to answer in
    bool resting_listed = false;   // is in resting_ring_
  };

  Secured* secured(ConnectionId id) noexcept;
  [[nodiscard]] const Secured* secured(ConnectionId id) const noexcept;
  Secured* begin(ConnectionId id) noexcept;
  void forget(Secured& s) noexcept;
  void note(Secured& s, std::uint8_t due) noexcept;
  bool next_due(Event& out, base::Time now) noexcept;
  void next_handshake(base::Time now) noexcept;
  bool translate(const tcp::Event& event, Event& out) noexcept;
  void progress(Secured& s, base::Time now) noexcept;
  void finish_closing(Secured& s, base::Time now) noexcept;
  bool take_buffer(Secured& s) noexcept;
  void give_buffer(Secured& s) noexcept;
  void wake_starved() noexcept;
  void fill(Secured& s, base::Time now) noexcept;
  void end_reading(Secured& s, bool truncated) noexcept;
  std::size_t gather(ConnectionId from, ConnectionId to, std::size_t max_bytes,
                     base::Time now) noexcept;
  void fail(Secured& s) noexcept;
  // Calls `step(wire)` with `in`, the first received bytes or none of them, and room to send in,
  // and settles both.
  template <typename Step>
  auto on_wire(Secured& s, std::span<const std::uint8_t> in, base::Time now, Step step) noexcept;
  [[nodiscard]] std::uint32_t index_of(const Secured& s) const noexcept {
    return static_cast<std::uint32_t>(&s - secured_.get());
  }
  std::span<std::uint32_t> ring_of(std::size_t ring) noexcept {
    return std::span(ring_memory_)
        .subspan(ring * (ring_memory_.size() / kRings), ring_memory_.size() / kRings);
  }
  std::uint8_t* buffer_of(const Secured& s) noexcept {
    return buffers_.get() + std::size_t{s.buffer} * buffer_size_;
  }

  tcp::Stack& stack_;
  tls::Engine* engine_;
  std::unique_ptr<Secured[]> secured_;  // by ConnectionId::index
  std::uint32_t connections_;
  std::size_t buffer_size_;
  std::unique_ptr<std::uint8_t[]> buffers_;
  std::vector<std::uint32_t> free_buffers_;
  std::unique_ptr<std::uint8_t[]> room_;      // what a step writes, on its way to the stack
  std::unique_ptr<std::uint8_t[]> gathered_;  // what becomes one record
  HandshakeBudget own_handshakes_;
  HandshakeBudget* handshakes_;
  // Connections by index, each at most once. Who was forgotten stays in and is skipped.
  std::vector<std::uint32_t> ring_memory_;
  base::IndexRing due_ring_;
  base::IndexRing handshake_ring_;  // with kDueProgress before kSecured was told
  base::IndexRing starved_ring_;
  base::IndexRing resting_ring_;  // the last that began to wait
};

}  // namespace brink::transport
