// FakePort: a port of memory for tests. Frames pushed in come out of receive(); what is transmitted
// is kept as bytes. It can be told to be full. Tests only; one thread.
#pragma once

#include <cstdint>
#include <deque>
#include <vector>

#include "dataplane/port/queue.h"

struct rte_mempool;

namespace brink::port {

class FakePort {
 public:
  using Frame = std::vector<std::uint8_t>;

  explicit FakePort(rte_mempool* pool) : pool_(pool) {}

  void push(const Frame& frame) { waiting_.push_back(frame); }
  // How many more packets transmit() will take.
  void set_room(std::size_t packets) { room_ = packets; }
  // As if the device had verified, or found bad, the checksums of what it delivers.
  void set_receive_flags(std::uint64_t flags) { receive_flags_ = flags; }

  [[nodiscard]] const std::vector<Frame>& sent() const { return sent_; }
  [[nodiscard]] const std::vector<std::uint64_t>& sent_flags() const { return sent_flags_; }
  void clear_sent() { sent_.clear(); }

  [[nodiscard]] Queue queue() noexcept;

 private:
  static std::uint16_t receive(void* self, std::uint16_t queue, rte_mbuf** out,
                               std::uint16_t count) noexcept;
  static std::uint16_t transmit(void* self, std::uint16_t queue, rte_mbuf** packets,
                                std::uint16_t count) noexcept;

  rte_mempool* pool_;
  std::deque<Frame> waiting_;
  std::vector<Frame> sent_;
  std::vector<std::uint64_t> sent_flags_;
  std::size_t room_ = SIZE_MAX;
  std::uint64_t receive_flags_ = 0;
};

}  // namespace brink::port
