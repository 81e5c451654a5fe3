// Transmitter: a worker's way out: its own transmit queue, or the ring to a worker that has one.
// Frames that do not fit at once wait for the next flush; only a full buffer drops. One thread.
// Hot.
#pragma once

#include <array>
#include <cstdint>

#include "dataplane/ipc/counters.h"
#include "dataplane/port/queue.h"

struct rte_mbuf;
struct rte_ring;

namespace brink::worker {

inline constexpr std::uint16_t kTransmitBuffer = 2 * port::kBurst;

class Transmitter {
 public:
  // `ring` is used when `queue` cannot transmit; exactly one of them can.
  Transmitter(const port::Queue& queue, rte_ring* ring, ipc::WorkerCounters& counters) noexcept
      : queue_(queue), ring_(ring), counters_(counters) {}

  // Takes ownership of the frame.
  void push(rte_mbuf* frame) noexcept;
  // Sends what the port (or the ring) takes now.
  void flush() noexcept;

  [[nodiscard]] bool empty() const noexcept { return count_ == 0; }
  // Room for at least `frames` without dropping.
  [[nodiscard]] bool has_room(std::uint16_t frames) const noexcept {
    return count_ + frames <= kTransmitBuffer;
  }

  // Frees what waits. When the worker stops.
  void drop_all() noexcept;

 private:
  std::uint16_t send(std::uint16_t count) noexcept;

  port::Queue queue_;
  rte_ring* ring_;
  ipc::WorkerCounters& counters_;
  std::uint16_t count_ = 0;
  std::array<rte_mbuf*, kTransmitBuffer> frames_{};
};

}  // namespace brink::worker
