// TokenBucket: at most `rate` events a second with bursts of `burst`. One thread. Hot.
#pragma once

#include <algorithm>
#include <cstdint>

#include "dataplane/base/clock.h"

namespace brink::worker {

class TokenBucket {
 public:
  // rate_per_s 0: no limit.
  TokenBucket(std::uint32_t rate_per_s, std::uint32_t burst) noexcept
      : cost_(rate_per_s == 0 ? 0 : std::max<std::int64_t>(1, 1'000'000'000 / rate_per_s)),
        full_(cost_ * std::max<std::int64_t>(1, burst)),
        credit_(full_) {}

  [[nodiscard]] bool take(base::Time now) noexcept {
    const std::int64_t elapsed = std::max<std::int64_t>(0, (now - last_).count());
    last_ = std::max(now, last_);
    credit_ = std::min(full_, credit_ + std::min(elapsed, full_));
    if (credit_ < cost_) return false;
    credit_ -= cost_;
    return true;
  }

 private:
  std::int64_t cost_;  // nanoseconds of credit an event takes
  std::int64_t full_;
  std::int64_t credit_;
  base::Time last_{};
};

}  // namespace brink::worker
