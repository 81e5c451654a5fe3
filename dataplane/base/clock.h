// Time as the protocol cores see it: an argument, never a call. Only composition roots read a
// clock.
#pragma once

#include <chrono>
#include <cstdint>

namespace brink::base {

using Duration = std::chrono::nanoseconds;

// MonotonicClock tags our time points so that they never mix with std::chrono's own clocks.
// It has no now(): the worker loop turns TSC ticks into a Time once per burst, tests invent it.
struct MonotonicClock {
  using rep = Duration::rep;
  using period = Duration::period;
  using duration = Duration;
  using time_point = std::chrono::time_point<MonotonicClock, Duration>;
  static constexpr bool is_steady = true;
};

using Time = MonotonicClock::time_point;

}  // namespace brink::base
