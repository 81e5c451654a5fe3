// Turn: what surrounds a worker's stage, and the turn that it is in. Everything in the stage works
// by it; nothing of what goes on is in here. One thread.
#pragma once

#include <cstdint>
#include <span>

#include "dataplane/base/clock.h"
#include "dataplane/ipc/counters.h"
#include "dataplane/snapshot/view.h"
#include "dataplane/transport/transport.h"
#include "l7/country/database.h"
#include "l7/proxy/state/stage_config.h"

namespace brink::l7::proxy {

struct Turn {
  StageConfig config;
  transport::Transport& transport;
  ipc::WorkerCounters& counters;
  std::span<char> scratch;  // for a head or frames on their way out, free between calls
  std::uint64_t random_state;

  // During Stage::run() only.
  const snapshot::View* view = nullptr;
  const country::Database* countries = nullptr;

  base::Time now{};
  bool draining = false;  // the worker goes away: no connection is kept

  [[nodiscard]] std::int64_t unix_ns() const noexcept {
    return (now.time_since_epoch() + config.wall_offset).count();
  }
  [[nodiscard]] std::int64_t unix_s() const noexcept {
    return (now.time_since_epoch() + config.wall_offset) / std::chrono::seconds(1);
  }
  // splitmix64: for spreading load and naming requests, not for secrets.
  std::uint64_t random() noexcept {
    std::uint64_t z = (random_state += 0x9e3779b97f4a7c15ULL);
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9ULL;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebULL;
    return z ^ (z >> 31);
  }
};

}  // namespace brink::l7::proxy
