// Stage: DNS over TCP (RFC 7766), or over TLS (RFC 7858), on one worker's stack: takes messages off
// connections, a burst at a time and over as many connections as have any, and puts their responses
// back in order. A message stays in its connection's receive queue until its response is queued
// whole, so that a client that does not read is not read from, and no message needs a buffer of its
// own.
//
// One worker's thread. Nothing is allocated after construction. Hot.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>

#include "dataplane/base/clock.h"
#include "dataplane/base/hash.h"
#include "dataplane/base/ip.h"
#include "dataplane/ipc/counters.h"
#include "dataplane/ipc/latency.h"
#include "dataplane/snapshot/view.h"
#include "dataplane/tcp/index_list.h"
#include "dataplane/tls/server.h"
#include "dataplane/transport/transport.h"
#include "dns/answer/engine.h"

namespace brink::dns::stream {

// Queries beyond it end their connection: nothing that is asked here is so long.
inline constexpr std::uint16_t kQueryMax = 4096;
// A message, its two octets of length before it (RFC 1035 4.2.2).
inline constexpr std::size_t kFrameMax = 2 + 65535;
// What a transport's plaintext buffers must have room for under TLS: a whole query.
inline constexpr std::uint32_t kPlaintextBuffer = (2 + kQueryMax + 63) / 64 * 64;

struct StageConfig {
  std::uint32_t max_connections = 4096;  // as many as the stack has
  std::uint32_t per_client_max = 128;    // of one IPv4 address, or one IPv6 /64
  // Without a whole query for so long a connection is closed (RFC 7766 6.2.3); a tenth of it when
  // more than three in four connections are in use.
  base::Duration idle_timeout = std::chrono::seconds(10);
  base::HashKey client_key{};  // random
  // Whose certificates clients are shown, each of them under TLS; it outlives the stage. Null: DNS
  // over TCP.
  tls::CertificateSource* certificates = nullptr;
  base::Duration handshake_timeout = std::chrono::seconds(10);
};

class Stage {
 public:
  static std::size_t memory_size(const StageConfig& config) noexcept;

  // `memory` (at least memory_size(config) bytes, 64-byte aligned) and all that is given outlive
  // the stage. The transport and its stack are the stage's alone; with `certificates`, the
  // transport has a plaintext buffer of kPlaintextBuffer for each connection, so that a client
  // which holds one for long keeps nobody waiting.
  Stage(const StageConfig& config, std::span<std::byte> memory, transport::Transport& transport,
        answer::Engine& engine, ipc::WorkerCounters& counters) noexcept;
  Stage(const Stage&) = delete;
  Stage& operator=(const Stage&) = delete;

  // After the stack took its segments: answers what has come, ends what is idle. True: there is
  // more to answer at once.
  bool run(const snapshot::View& view, base::Time now) noexcept;

  // Where the time that queries took is noted; null: nowhere. It outlives the stage.
  void set_latency(ipc::TurnLatency* latency) noexcept { latency_ = latency; }

  // Connections end as soon as nothing of theirs is unanswered.
  void drain() noexcept { draining_ = true; }

  // When run() is due without a segment; Time::max() for never.
  [[nodiscard]] base::Time next_deadline() const noexcept;
  [[nodiscard]] std::uint32_t connection_count() const noexcept {
    return idle_.size() + shaking_.size();
  }

 private:
  static constexpr std::size_t kBurst = 16;         // messages answered together
  static constexpr std::size_t kPerConnection = 8;  // of them from one connection
  static constexpr int kBurstsPerTurn = 4;

  // What is counted under one name without TLS and another with it.
  struct Names {
    answer::Transport transport;
    ipc::LatencyKind latency;
    ipc::Counter queries, waits, drop_limit, drop_framing;
  };
  static const Names kOverTcp, kOverTls;

  struct Connection {
    transport::ConnectionId id;
    base::Time active{};        // last query answered, secured, or accepted
    base::Time asked{};         // since when there is something to answer
    base::IpAddress address;    // the client's
    std::uint32_t client = 0;   // index of its count
    bool ending = false;        // peer closed, or broke the framing
    bool blocked = false;       // a response waits for room
    bool incomplete = false;    // what is readable is less than a message
    bool shaking = false;       // its handshake is not done
    tcp::IndexLink ready_link;  // readable, not blocked
    tcp::IndexLink idle_link;   // in the order of `active`: of shaking_ or of idle_
    std::uint32_t next_free = tcp::kNil;
  };
  struct Taken {
    std::uint32_t connection = 0;
    std::uint16_t query_size = 0;
  };

  [[nodiscard]] bool is_secure() const noexcept { return config_.certificates != nullptr; }
  void on_event(const transport::Event& event) noexcept;
  void admit(transport::ConnectionId id) noexcept;
  void make_room() noexcept;
  void secured(std::uint32_t index) noexcept;
  void fail(std::uint32_t index) noexcept;
  void wake(std::uint32_t index) noexcept;
  void touch(std::uint32_t index) noexcept;
  void answer_ready(const snapshot::View& view) noexcept;
  std::size_t take(std::uint32_t index, std::size_t count) noexcept;
  void put(const Taken& taken, const std::uint8_t* frame, std::uint16_t size) noexcept;
  void settle(std::uint32_t index) noexcept;
  void end(std::uint32_t index) noexcept;
  void free_slot(std::uint32_t index) noexcept;
  void end_idle() noexcept;
  void end_handshakes() noexcept;
  [[nodiscard]] base::Duration shortened(base::Duration timeout) const noexcept;
  [[nodiscard]] std::uint32_t client_of(const base::IpAddress& address) const noexcept;
  [[nodiscard]] std::uint8_t* frame(std::size_t i) noexcept { return frames_ + i * kFrameStride; }

  static constexpr std::size_t kFrameStride = (kFrameMax + 63) / 64 * 64;

  StageConfig config_;
  const Names& names_;
  transport::Transport& transport_;
  answer::Engine& engine_;
  ipc::WorkerCounters& counters_;
  ipc::TurnLatency* latency_ = nullptr;
  base::Time now_{};
  bool draining_ = false;
  std::span<Connection> connections_;
  std::span<std::uint16_t> clients_;  // connections, by hash of the client: a collision adds up
  std::uint8_t* frames_;              // kBurst of kFrameStride bytes
  std::uint32_t free_ = tcp::kNil;
  tcp::IndexList<Connection, &Connection::ready_link> ready_;
  tcp::IndexList<Connection, &Connection::idle_link> idle_;
  tcp::IndexList<Connection, &Connection::idle_link> shaking_;
  std::array<Taken, kBurst> taken_;
};

}  // namespace brink::dns::stream
