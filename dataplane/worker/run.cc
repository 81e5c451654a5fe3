#include "dataplane/worker/run.h"

#include <rte_cycles.h>
#include <rte_pause.h>
#include <rte_rcu_qsbr.h>
#include <sys/prctl.h>

#include <csignal>
#include <ctime>

namespace brink::worker {
namespace {

using ipc::WorkerStats;

void add(std::uint64_t& word, std::uint64_t amount) noexcept {
  std::atomic_ref<std::uint64_t> shared(word);
  shared.store(shared.load(std::memory_order_relaxed) + amount, std::memory_order_relaxed);
}

// Without it a sleep of two microseconds takes fifty.
void set_thread_up() noexcept {
  ::prctl(PR_SET_TIMERSLACK, 1UL, 0UL, 0UL, 0UL);
  sigset_t all;
  sigfillset(&all);
  pthread_sigmask(SIG_BLOCK, &all, nullptr);
}

void sleep_for(base::Duration duration) noexcept {
  const timespec time{duration.count() / 1'000'000'000, duration.count() % 1'000'000'000};
  ::nanosleep(&time, nullptr);
}

}  // namespace

void run(const RunConfig& config) noexcept {
  set_thread_up();
  const TscClock clock(config.tsc_hz);
  IdlePolicy idle(config.idle, config.sleep_max);
  WorkerStats& stats = *config.stats;
  const unsigned thread = stats.worker;
  rte_rcu_qsbr_thread_online(config.rcu, thread);

  std::uint64_t began = rte_rdtsc();
  while (!config.stop->load(std::memory_order_relaxed)) {
    const base::Time now = clock.at(began);
    const bool worked = config.worker->turn(now);
    rte_rcu_qsbr_quiescent(config.rcu, thread);  // nothing of the image is held between turns
    if (!config.latency->empty()) config.latency->close(clock.at(rte_rdtsc()));
    const base::Duration sleep = idle.after_turn(worked, now, config.worker->next_deadline());
    if (sleep.count() > 0) {
      add(stats.sleeps, 1);
      sleep_for(sleep);
    } else if (!worked) {
      rte_pause();
    }
    const std::uint64_t ended = rte_rdtsc();
    add(worked ? stats.busy_cycles : stats.idle_cycles, ended - began);
    add(stats.iterations, 1);
    std::atomic_ref<std::uint64_t>(stats.heartbeat_tsc).store(ended, std::memory_order_relaxed);
    began = ended;
  }
  config.worker->stop();
  rte_rcu_qsbr_thread_offline(config.rcu, thread);
}

}  // namespace brink::worker
