// OwnedStack: a TCP stack with its memory and secrets, between the worker's packets and a stage.
// Made by the main thread, then used by the worker's thread alone.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>

#include "dataplane/base/result.h"
#include "dataplane/ipc/counters.h"
#include "dataplane/net/icmp_error.h"
#include "dataplane/tcp/stack.h"
#include "dataplane/worker/stage_table.h"

namespace brink::edge {

// Memory aligned to a cache line; null when there is none.
struct AlignedFree {
  void operator()(std::byte* memory) const noexcept;
};
using AlignedMemory = std::unique_ptr<std::byte, AlignedFree>;
AlignedMemory allocate_aligned(std::size_t size);

class OwnedStack {
 public:
  // `config` without its segment sizes and secrets: the first follow from `mtu`, the others are
  // drawn. `settings` names what to lower when there is no memory. `counters` outlive it.
  static base::Result<std::unique_ptr<OwnedStack>> create(tcp::StackConfig config,
                                                          std::uint16_t mtu, const char* settings,
                                                          ipc::WorkerCounters& counters);
  OwnedStack(const OwnedStack&) = delete;
  OwnedStack& operator=(const OwnedStack&) = delete;

  tcp::Stack& tcp() noexcept { return *stack_; }
  [[nodiscard]] const tcp::Stack& tcp() const noexcept { return *stack_; }

  // The worker's entries of the same names (dataplane/worker/stage_table.h).
  void receive(const base::IpAddress& source, const base::IpAddress& destination,
               std::span<const std::uint8_t> segment, base::Time now) noexcept {
    stack_->receive({source, destination, segment}, now);  // the stack counts what it refuses
  }
  void unreachable(const net::IcmpError& error, base::Time now) noexcept;
  bool next_segment(worker::SegmentOut& out, base::Time now) noexcept;

 private:
  OwnedStack() = default;

  AlignedMemory memory_;
  std::optional<tcp::Stack> stack_;
  tcp::SegmentOut sending_;  // what a worker::SegmentOut points into
};

}  // namespace brink::edge
