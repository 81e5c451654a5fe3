// run: a worker's thread from start to stop: turns, quiescent reports, cycle counts, idle sleeps.
// TscClock: the thread's clock, read once a turn.
#pragma once

#include <atomic>
#include <cstdint>

#include "dataplane/base/clock.h"
#include "dataplane/ipc/stats_segment.h"
#include "dataplane/worker/idle.h"
#include "dataplane/worker/worker.h"

struct rte_rcu_qsbr;

namespace brink::worker {

// Turns TSC ticks into base::Time; every thread of a process agrees.
class TscClock {
 public:
  explicit TscClock(std::uint64_t tsc_hz) noexcept
      : multiplier_((static_cast<unsigned __int128>(1'000'000'000) << 32) / tsc_hz) {}
  [[nodiscard]] base::Time at(std::uint64_t ticks) const noexcept {
    const unsigned __int128 nanoseconds = (ticks * multiplier_) >> 32;
    return base::Time(base::Duration(static_cast<std::int64_t>(nanoseconds)));
  }

 private:
  unsigned __int128 multiplier_;
};

struct RunConfig {
  Worker* worker = nullptr;
  ipc::WorkerStats* stats = nullptr;
  ipc::TurnLatency* latency = nullptr;  // the worker's and its stages'
  rte_rcu_qsbr* rcu = nullptr;  // this worker is thread `stats->worker` of it
  const std::atomic<bool>* stop = nullptr;
  IdleMode idle = IdleMode::kAdaptive;
  base::Duration sleep_max = std::chrono::microseconds(500);
  std::uint64_t tsc_hz = 0;
};

// Runs turns on the calling lcore until *stop. Signals stay with the main thread.
void run(const RunConfig& config) noexcept;

}  // namespace brink::worker
