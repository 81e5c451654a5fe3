// IdlePolicy: how long a worker without work may sleep. Polling first, then sleeps that grow from
// next to nothing to a bound, so that an idle edge leaves the core to others; the first packet
// brings polling back. One thread. Hot.
#pragma once

#include <algorithm>
#include <cstdint>

#include "dataplane/base/clock.h"

namespace brink::worker {

enum class IdleMode : std::uint8_t { kPoll, kAdaptive };

inline constexpr std::uint32_t kSpinTurns = 256;  // empty turns before the first sleep
inline constexpr base::Duration kSleepStep = std::chrono::microseconds(2);

class IdlePolicy {
 public:
  IdlePolicy(IdleMode mode, base::Duration sleep_max) noexcept
      : mode_(mode), sleep_max_(sleep_max) {}

  // After a turn; zero: go on at once. Never sleeps past `deadline`.
  [[nodiscard]] base::Duration after_turn(bool worked, base::Time now,
                                          base::Time deadline) noexcept {
    if (worked || mode_ == IdleMode::kPoll) {
      empty_turns_ = 0;
      sleep_ = {};
      return {};
    }
    if (empty_turns_ < kSpinTurns) {
      ++empty_turns_;
      return {};
    }
    sleep_ = std::min(sleep_ + kSleepStep, sleep_max_);
    return std::clamp(deadline - now, base::Duration{0}, sleep_);
  }

 private:
  IdleMode mode_;
  base::Duration sleep_max_;
  std::uint32_t empty_turns_ = 0;
  base::Duration sleep_{};
};

}  // namespace brink::worker
