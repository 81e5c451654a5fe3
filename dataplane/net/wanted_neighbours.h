// WantedNeighbours: next hops that a worker had no link address for, on their way to housekeeping,
// which asks the kernel to resolve them. One producer (a worker), one consumer (housekeeping). A
// full one refuses, which costs nothing: the next packet asks again.
#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <optional>

#include "dataplane/base/ip.h"

namespace brink::net {

class WantedNeighbours {
 public:
  static constexpr std::uint32_t kCapacity = 32;  // a power of two

  // The worker.
  void post(const base::IpAddress& address) noexcept {
    const std::uint32_t head = head_.load(std::memory_order_relaxed);
    if (head - tail_.load(std::memory_order_acquire) == kCapacity) return;
    slots_[head % kCapacity] = address;
    head_.store(head + 1, std::memory_order_release);  // pairs with take()
  }

  // Housekeeping.
  std::optional<base::IpAddress> take() noexcept {
    const std::uint32_t tail = tail_.load(std::memory_order_relaxed);
    if (head_.load(std::memory_order_acquire) == tail) return std::nullopt;
    const base::IpAddress address = slots_[tail % kCapacity];
    tail_.store(tail + 1, std::memory_order_release);  // pairs with post()
    return address;
  }

 private:
  std::array<base::IpAddress, kCapacity> slots_;
  alignas(64) std::atomic<std::uint32_t> head_{0};  // worker: wo, housekeeping: ro
  alignas(64) std::atomic<std::uint32_t> tail_{0};  // housekeeping: wo, worker: ro
};

}  // namespace brink::net
