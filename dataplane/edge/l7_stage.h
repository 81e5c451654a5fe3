// L7Stage: one worker's TCP stack and proxy stage, with the memory of both. Made by the main
// thread, then used by the worker's thread alone, but for what is said to be shared.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "dataplane/base/result.h"
#include "dataplane/ipc/stats_segment.h"
#include "dataplane/net/icmp_error.h"
#include "dataplane/snapshot/view.h"
#include "dataplane/steer/worker_set.h"
#include "dataplane/tcp/stack.h"
#include "dataplane/worker/stage_table.h"
#include "l7/proxy/stage.h"

namespace brink::edge {

struct L7Config {
  std::uint32_t clients = 0;
  std::uint32_t requests = 0;
  std::uint32_t origins = 0;
  std::uint32_t buffer_mb = 0;
  std::uint32_t body_max_mb = 0;
  std::uint16_t mtu = 1500;
  base::IpAddress source_v4;  // unspecified: none
  base::IpAddress source_v6;
  steer::PortPartition::Range ports{};
  std::vector<base::IpAddress> edge_addresses;
  std::string colo;
  std::string node;
  base::Duration wall_offset{};  // Unix time minus base::Time's epoch
};

class L7Stage {
 public:
  static base::Result<std::unique_ptr<L7Stage>> create(const L7Config& config,
                                                       ipc::WorkerStats& stats);
  L7Stage(const L7Stage&) = delete;
  L7Stage& operator=(const L7Stage&) = delete;

  // Worker.
  void receive(const base::IpAddress& source, const base::IpAddress& destination,
               std::span<const std::uint8_t> segment, base::Time now) noexcept;
  void unreachable(const net::IcmpError& error, base::Time now) noexcept;
  void run(const snapshot::View& view, base::Time now) noexcept;
  bool next_segment(worker::SegmentOut& out, base::Time now) noexcept;
  [[nodiscard]] base::Time next_deadline() const noexcept;

  // Any thread. After drain() no connection is accepted, idle ones are closed and the others end
  // with their response; client_count() tells how many are left.
  void drain() noexcept { drain_.store(true, std::memory_order_relaxed); }
  [[nodiscard]] std::uint32_t client_count() const noexcept {
    return client_count_.load(std::memory_order_relaxed);
  }

 private:
  struct Free {
    void operator()(std::byte* memory) const noexcept;
  };
  using Memory = std::unique_ptr<std::byte, Free>;
  static Memory allocate(std::size_t size);

  L7Stage(const L7Config& config, ipc::WorkerStats& stats) : config_(config), stats_(stats) {}
  base::Result<void> make();

  L7Config config_;
  ipc::WorkerStats& stats_;
  Memory stack_memory_;
  Memory stage_memory_;
  std::optional<tcp::Stack> stack_;
  std::optional<l7::proxy::Stage> stage_;
  tcp::SegmentOut sending_;                     // what a worker::SegmentOut points into
  std::atomic<bool> drain_{false};              // main thread: wo, worker: ro
  std::atomic<std::uint32_t> client_count_{0};  // worker: wo, main thread: ro
  bool draining_ = false;
};

}  // namespace brink::edge
