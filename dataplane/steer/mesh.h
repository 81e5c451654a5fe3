// Mesh: the bounded single-producer single-consumer rings between threads. For each ordered pair of
// workers one ring of packets to be handled and one of frames to be sent (for workers without a
// transmit queue of their own); from each worker one ring of frames to the kernel; from
// housekeeping to each worker one ring of the kernel's frames to be sent. A full ring refuses; the
// producer counts and frees.
//
// A frame carries no notes: the receiving worker parses it again, since its checks are its own.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "dataplane/base/result.h"
#include "dataplane/steer/worker_set.h"

struct rte_ring;

namespace brink::steer {

inline constexpr std::uint32_t kSteerRingSize =
    1024;  // packets, a power of two; one less is usable
inline constexpr std::uint32_t kTransmitRingSize = 1024;
inline constexpr std::uint32_t kKernelRingSize = 512;

class Mesh {
 public:
  // Cold. Rings are owned by the result; drain() before the pools of what they hold go.
  static base::Result<std::unique_ptr<Mesh>> create(std::uint32_t workers);
  ~Mesh();
  Mesh(const Mesh&) = delete;
  Mesh& operator=(const Mesh&) = delete;

  // Producer: worker `from`. Consumer: worker `to`. Null when from == to.
  [[nodiscard]] rte_ring* packets(std::uint32_t from, std::uint32_t to) const noexcept {
    return packets_[from * workers_ + to];
  }
  // Frames to be sent. Producer: worker `from`, or housekeeping as from == workers().
  [[nodiscard]] rte_ring* transmit(std::uint32_t from, std::uint32_t to) const noexcept {
    return transmit_[from * workers_ + to];
  }
  // Producer: worker `from`. Consumer: housekeeping.
  [[nodiscard]] rte_ring* kernel(std::uint32_t from) const noexcept { return kernel_[from]; }
  [[nodiscard]] std::uint32_t workers() const noexcept { return workers_; }

  // Packets that all rings together can hold for one consumer's pools.
  [[nodiscard]] static std::uint32_t capacity(std::uint32_t workers) noexcept {
    return workers * (kSteerRingSize + kTransmitRingSize + kKernelRingSize);
  }

  // Frees every packet in every ring. Cold; all producers and consumers have stopped.
  void drain() noexcept;

 private:
  Mesh() = default;
  std::uint32_t workers_ = 0;
  std::vector<rte_ring*> packets_;
  std::vector<rte_ring*> transmit_;
  std::vector<rte_ring*> kernel_;
};

}  // namespace brink::steer
