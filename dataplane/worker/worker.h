// Worker: one core's share of the packet path. turn() is one round: packets in, each to its stage,
// answers and segments out. Everything is allocated before the first turn. One thread. Hot.
#pragma once

#include <array>
#include <cstdint>

#include "dataplane/base/clock.h"
#include "dataplane/ipc/counters.h"
#include "dataplane/ipc/latency.h"
#include "dataplane/net/neighbour.h"
#include "dataplane/net/packet.h"
#include "dataplane/net/reply.h"
#include "dataplane/net/wanted_neighbours.h"
#include "dataplane/port/queue.h"
#include "dataplane/steer/mesh.h"
#include "dataplane/steer/steering.h"
#include "dataplane/worker/stage_table.h"
#include "dataplane/worker/token_bucket.h"
#include "dataplane/worker/transmitter.h"

struct rte_mbuf;
struct rte_mempool;

namespace brink::worker {

// Segments of the TCP stack sent in one turn at most: the rest waits, so that DNS is not held up.
inline constexpr std::uint32_t kSegmentBudget = 64;

// Everything pointed at outlives the worker.
struct WorkerConfig {
  std::uint8_t index = 0;
  net::Link link;
  std::uint16_t mtu = 1500;
  bool checksums_by_port = false;   // see EthPort::checksums_sent_packets
  bool kernel_path = true;          // false: what the kernel would get is dropped
  port::Queue queue;                // of the port; may be unable to receive or transmit
  std::uint8_t transmit_owner = 0;  // whose queue carries our frames when ours cannot
  const steer::Steering* steering = nullptr;
  steer::Mesh* mesh = nullptr;
  const net::NeighbourTable* neighbours = nullptr;
  const net::LinkRoutes* routes = nullptr;
  net::WantedNeighbours* wanted = nullptr;
  rte_mempool* segment_pool = nullptr;  // for segments only: packets taken in never wait for it
  ipc::WorkerCounters* counters = nullptr;
  ipc::TurnLatency* latency = nullptr;  // closed by whoever calls turn()
  StageTable stages;
  // Rate limits. ARP and NDP have one of their own, so that a flood to the box cannot cut it off.
  std::uint32_t kernel_link_per_s = 1000;
  std::uint32_t kernel_host_per_s = 20000;
  std::uint32_t echo_per_s = 1000;
};

class Worker {
 public:
  explicit Worker(const WorkerConfig& config) noexcept;

  // One round. Returns whether there was anything to do.
  bool turn(base::Time now) noexcept;

  // When a turn is due even without packets.
  [[nodiscard]] base::Time next_deadline() const noexcept {
    return config_.stages.next_deadline(config_.stages.self);
  }

  // Sends what it can and frees the rest. After the last turn.
  void stop() noexcept;

 private:
  struct Pending {
    rte_mbuf* mbuf;
    net::Packet packet;
  };
  using Frame = std::span<std::uint8_t>;

  // worker.cc: packets in.
  std::uint32_t take_from_port(base::Time now) noexcept;
  std::uint32_t take_from_workers(base::Time now) noexcept;
  std::uint32_t take_for_transmit() noexcept;
  void handle(rte_mbuf* mbuf, bool steered, base::Time now) noexcept;
  void hand_over(rte_mbuf* mbuf, std::uint8_t worker) noexcept;
  void drop(rte_mbuf* mbuf, ipc::Counter counter) noexcept;

  // reply.cc: what is answered on the spot, and what is the kernel's.
  void to_kernel(rte_mbuf* mbuf, const net::Packet& packet, base::Time now) noexcept;
  void answer_icmp(rte_mbuf* mbuf, const net::Packet& packet, base::Time now) noexcept;
  void answer_link(rte_mbuf* mbuf, const net::Packet& packet, steer::Action action) noexcept;
  void send_reply(rte_mbuf* mbuf, const net::Reply& reply) noexcept;

  // datagram.cc: the DNS stage's batch.
  void add_datagram(rte_mbuf* mbuf) noexcept;  // pending_[pending_count_].packet is of it
  void answer_datagrams() noexcept;
  void note_answers() noexcept;
  void send_answer(const Pending& pending, std::uint16_t size) noexcept;

  // segment.cc: the TCP stage.
  void deliver_segment(rte_mbuf* mbuf, const net::Packet& packet, base::Time now) noexcept;
  void deliver_error(rte_mbuf* mbuf, const net::Packet& packet, base::Time now) noexcept;
  std::uint32_t send_segments(base::Time now) noexcept;
  void send_segment(const SegmentOut& out) noexcept;
  void request_port_checksums(rte_mbuf* mbuf, const net::Route& route,
                              std::uint8_t protocol) noexcept;

  WorkerConfig config_;
  ipc::WorkerCounters& counters_;
  Transmitter transmitter_;
  TokenBucket kernel_link_;
  TokenBucket kernel_host_;
  TokenBucket echo_;
  std::uint32_t pending_count_ = 0;
  std::uint32_t unsent_answers_ = 0;  // of this turn, and of those before if the port is full
  base::Time unsent_since_{};
  std::array<Pending, port::kBurst> pending_;
  std::array<Datagram, port::kBurst> datagrams_;
};

}  // namespace brink::worker
