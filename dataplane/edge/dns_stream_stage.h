// DnsStreamStage: one worker's DNS over TCP and the stack under it, with their memory. Made by the
// main thread, then used by the worker's thread alone, but for what is said to be shared.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <optional>

#include "dataplane/base/result.h"
#include "dataplane/edge/owned_stack.h"
#include "dataplane/ipc/counters.h"
#include "dataplane/snapshot/view.h"
#include "dns/answer/engine.h"
#include "dns/stream/stage.h"

namespace brink::edge {

struct DnsStreamConfig {
  std::uint32_t connections = 0;
  std::uint32_t per_client = 0;
  base::Duration idle{};
  std::uint32_t buffer_mb = 0;
  std::uint16_t mtu = 1500;
};

class DnsStreamStage {
 public:
  // `engine`, `counters` and `latency` are the worker's and outlive the stage.
  static base::Result<std::unique_ptr<DnsStreamStage>> create(const DnsStreamConfig& config,
                                                              dns::answer::Engine& engine,
                                                              ipc::WorkerCounters& counters,
                                                              ipc::TurnLatency& latency);
  DnsStreamStage(const DnsStreamStage&) = delete;
  DnsStreamStage& operator=(const DnsStreamStage&) = delete;

  // Worker.
  OwnedStack& stack() noexcept { return *stack_; }
  [[nodiscard]] const OwnedStack& stack() const noexcept { return *stack_; }
  // True: there is more to do at once.
  bool run(const snapshot::View& view, base::Time now) noexcept;
  [[nodiscard]] base::Time next_deadline() const noexcept;

  // Any thread; see Stages.
  void drain() noexcept { drain_.store(true, std::memory_order_relaxed); }
  [[nodiscard]] std::uint32_t client_count() const noexcept {
    return client_count_.load(std::memory_order_relaxed);
  }

 private:
  DnsStreamStage() = default;

  std::unique_ptr<OwnedStack> stack_;
  AlignedMemory stage_memory_;
  std::optional<dns::stream::Stage> stage_;
  std::atomic<bool> drain_{false};              // main thread: wo, worker: ro
  std::atomic<std::uint32_t> client_count_{0};  // worker: wo, main thread: ro
  bool draining_ = false;
};

}  // namespace brink::edge
