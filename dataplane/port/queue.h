// Queue: one worker's end of a port. A worker polls at most one and no two workers share one. Hot:
// two indirect calls a burst, none a packet, which is what lets tests put a fake port behind it.
#pragma once

#include <cstdint>
#include <span>

struct rte_mbuf;

namespace brink::port {

inline constexpr std::uint16_t kBurst = 32;

class Queue {
 public:
  // Both may move fewer than offered; `transmit` owns the packets it took, the caller the rest.
  using Receive = std::uint16_t (*)(void* device, std::uint16_t queue, rte_mbuf** out,
                                    std::uint16_t count) noexcept;
  using Transmit = std::uint16_t (*)(void* device, std::uint16_t queue, rte_mbuf** packets,
                                     std::uint16_t count) noexcept;

  Queue() = default;
  // A null function: this worker has no such queue.
  Queue(void* device, std::uint16_t queue, Receive take, Transmit give) noexcept
      : device_(device), queue_(queue), receive_(take), transmit_(give) {}

  [[nodiscard]] bool can_receive() const noexcept { return receive_ != nullptr; }
  [[nodiscard]] bool can_transmit() const noexcept { return transmit_ != nullptr; }

  std::uint16_t receive(rte_mbuf** out, std::uint16_t count) const noexcept {
    return receive_ == nullptr ? std::uint16_t{0} : receive_(device_, queue_, out, count);
  }
  // Precondition: can_transmit().
  std::uint16_t transmit(rte_mbuf** packets, std::uint16_t count) const noexcept {
    return transmit_(device_, queue_, packets, count);
  }

 private:
  void* device_ = nullptr;
  std::uint16_t queue_ = 0;
  Receive receive_ = nullptr;
  Transmit transmit_ = nullptr;
};

// The functions behind a Queue of an ethdev; `device` points at an EthDevice.
struct EthDevice {
  std::uint16_t port_id = 0;
};
std::uint16_t eth_receive(void* device, std::uint16_t queue, rte_mbuf** out,
                          std::uint16_t count) noexcept;
std::uint16_t eth_transmit(void* device, std::uint16_t queue, rte_mbuf** packets,
                           std::uint16_t count) noexcept;

}  // namespace brink::port
