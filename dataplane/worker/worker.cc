#include "dataplane/worker/worker.h"

#include <rte_prefetch.h>
#include <rte_ring.h>

#include "dataplane/worker/mbuf.h"

namespace brink::worker {

using ipc::Counter;
using steer::Action;

namespace {

constexpr std::uint16_t kPrefetchAhead = 4;

rte_ring* ring_of(const WorkerConfig& config) noexcept {
  if (config.queue.can_transmit() || config.transmit_owner == config.index) return nullptr;
  return config.mesh->transmit(config.index, config.transmit_owner);
}

}  // namespace

Worker::Worker(const WorkerConfig& config) noexcept
    : config_(config),
      counters_(*config.counters),
      transmitter_(config.queue, ring_of(config), *config.counters),
      kernel_link_(config.kernel_link_per_s, config.kernel_link_per_s / 10 + 1),
      kernel_host_(config.kernel_host_per_s, config.kernel_host_per_s / 10 + 1),
      echo_(config.echo_per_s, config.echo_per_s / 10 + 1) {}

bool Worker::turn(base::Time now) noexcept {
  if (unsent_answers_ == 0) unsent_since_ = now;
  std::uint32_t work = take_from_port(now);
  work += take_from_workers(now);
  answer_datagrams();
  work += config_.stages.run(config_.stages.self, now) ? 1 : 0;
  work += send_segments(now);
  work += take_for_transmit();
  transmitter_.flush();
  note_answers();
  return work != 0 || !transmitter_.empty();
}

void Worker::stop() noexcept {
  answer_datagrams();
  transmitter_.flush();
  transmitter_.drop_all();
}

std::uint32_t Worker::take_from_port(base::Time now) noexcept {
  rte_mbuf* burst[port::kBurst];
  const std::uint16_t count = config_.queue.receive(burst, port::kBurst);
  if (count == 0) return 0;
  std::uint64_t bytes = 0;
  for (std::uint16_t i = 0; i < count && i < kPrefetchAhead; ++i) {
    rte_prefetch0(rte_pktmbuf_mtod(burst[i], void*));
  }
  for (std::uint16_t i = 0; i < count; ++i) {
    if (i + kPrefetchAhead < count) {
      rte_prefetch0(rte_pktmbuf_mtod(burst[i + kPrefetchAhead], void*));
    }
    bytes += burst[i]->pkt_len;
    handle(burst[i], false, now);
  }
  counters_.add(Counter::kRxPackets, count);
  counters_.add(Counter::kRxBytes, bytes);
  return count;
}

std::uint32_t Worker::take_from_workers(base::Time now) noexcept {
  std::uint32_t total = 0;
  for (std::uint32_t from = 0; from < config_.mesh->workers(); ++from) {
    rte_ring* ring = config_.mesh->packets(from, config_.index);
    if (ring == nullptr) continue;
    rte_mbuf* burst[port::kBurst];
    const unsigned count =
        rte_ring_sc_dequeue_burst(ring, reinterpret_cast<void**>(burst), port::kBurst, nullptr);
    for (unsigned i = 0; i < count; ++i) handle(burst[i], true, now);
    counters_.add(Counter::kSteeredIn, count);
    total += count;
  }
  return total;
}

// Frames of workers without a transmit queue, and of the kernel (the last row of the mesh).
std::uint32_t Worker::take_for_transmit() noexcept {
  if (!config_.queue.can_transmit()) return 0;
  std::uint32_t total = 0;
  for (std::uint32_t from = 0; from <= config_.mesh->workers(); ++from) {
    rte_ring* ring = config_.mesh->transmit(from, config_.index);
    if (ring == nullptr) continue;
    if (!transmitter_.has_room(port::kBurst)) transmitter_.flush();
    if (!transmitter_.has_room(port::kBurst)) break;
    rte_mbuf* burst[port::kBurst];
    const unsigned count =
        rte_ring_sc_dequeue_burst(ring, reinterpret_cast<void**>(burst), port::kBurst, nullptr);
    for (unsigned i = 0; i < count; ++i) transmitter_.push(burst[i]);
    if (from == config_.mesh->workers()) counters_.add(Counter::kExceptionIn, count);
    total += count;
  }
  return total;
}

void Worker::handle(rte_mbuf* mbuf, bool steered, base::Time now) noexcept {
  if (mbuf->nb_segs != 1) return drop(mbuf, Counter::kDropOversized);
  const Frame frame = frame_of(mbuf);
  // Where it stays if it is a datagram: nothing is copied.
  net::Packet& packet = pending_[pending_count_].packet;
  const net::Verdict verdict =
      net::parse_frame(frame, config_.link, ip_checksum_known_good(mbuf), packet);
  if (verdict != net::Verdict::kAccepted) return drop(mbuf, steer::counter_of(verdict));
  if (packet.options && !steered) counters_.add(Counter::kIpv4Options);
  const steer::Decision decision = config_.steering->decide(frame, packet, config_.index);
  const bool mine = decision.worker == config_.index;
  switch (decision.action) {
    case Action::kDrop:
      return drop(mbuf, decision.drop);
    case Action::kDns:
      return mine ? add_datagram(mbuf) : hand_over(mbuf, decision.worker);
    case Action::kTcp:
      return mine ? deliver_segment(mbuf, packet, now) : hand_over(mbuf, decision.worker);
    case Action::kIcmpError:
      return mine ? deliver_error(mbuf, packet, now) : hand_over(mbuf, decision.worker);
    case Action::kIcmp:
      return answer_icmp(mbuf, packet, now);
    case Action::kArpReply:
    case Action::kNeighbourReply:
      return answer_link(mbuf, packet, decision.action);
    case Action::kKernel:
      return to_kernel(mbuf, packet, now);
  }
}

void Worker::hand_over(rte_mbuf* mbuf, std::uint8_t worker) noexcept {
  if (rte_ring_sp_enqueue(config_.mesh->packets(config_.index, worker), mbuf) != 0) {
    return drop(mbuf, Counter::kDropSteerFull);
  }
  counters_.add(Counter::kSteeredOut);
}

void Worker::drop(rte_mbuf* mbuf, Counter counter) noexcept {
  counters_.add(counter);
  rte_pktmbuf_free(mbuf);
}

}  // namespace brink::worker
