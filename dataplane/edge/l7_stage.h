// L7Stage: one worker's proxy stage and the TCP stack under it, with their memory. Made by the main
// thread, then used by the worker's thread alone, but for what is said to be shared.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "dataplane/base/result.h"
#include "dataplane/edge/owned_stack.h"
#include "dataplane/ipc/stats_segment.h"
#include "dataplane/snapshot/view.h"
#include "dataplane/steer/worker_set.h"
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
  l7::log::Ring* access_log = nullptr;  // null: requests are not logged
  std::string colo;
  std::string node;
  base::Duration wall_offset{};  // Unix time minus base::Time's epoch
};

class L7Stage {
 public:
  static base::Result<std::unique_ptr<L7Stage>> create(const L7Config& config,
                                                       ipc::WorkerStats& stats,
                                                       ipc::TurnLatency& latency);
  L7Stage(const L7Stage&) = delete;
  L7Stage& operator=(const L7Stage&) = delete;

  // Worker.
  OwnedStack& stack() noexcept { return *stack_; }
  void run(const snapshot::View& view, base::Time now) noexcept;
  [[nodiscard]] base::Time next_deadline() const noexcept;

  // Any thread; see Stages.
  void drain() noexcept { drain_.store(true, std::memory_order_relaxed); }
  [[nodiscard]] std::uint32_t client_count() const noexcept {
    return client_count_.load(std::memory_order_relaxed);
  }

 private:
  L7Stage(const L7Config& config, ipc::WorkerStats& stats) : config_(config), stats_(stats) {}
  base::Result<void> make();

  L7Config config_;
  ipc::WorkerStats& stats_;
  std::unique_ptr<OwnedStack> stack_;
  AlignedMemory stage_memory_;
  std::optional<l7::proxy::Stage> stage_;
  std::atomic<bool> drain_{false};              // main thread: wo, worker: ro
  std::atomic<std::uint32_t> client_count_{0};  // worker: wo, main thread: ro
  bool draining_ = false;
};

}  // namespace brink::edge
