// RttEstimator: round-trip time and retransmission timeout (RFC 6298), in nanoseconds, and the
// exponential backoff of the timer.
#pragma once

#include <algorithm>

#include "dataplane/base/clock.h"

namespace brink::tcp {

class RttEstimator {
 public:
  void reset(base::Duration initial) noexcept {
    *this = RttEstimator{};
    rto_ = initial;
  }

  void sample(base::Duration rtt, base::Duration rto_min, base::Duration rto_max) noexcept {
    rtt = std::max(rtt, base::Duration(1));
    if (srtt_.count() == 0) {  // 2.2
      srtt_ = rtt;
      variation_ = rtt / 2;
    } else {  // 2.3
      const base::Duration error = srtt_ > rtt ? srtt_ - rtt : rtt - srtt_;
      variation_ = (variation_ * 3 + error) / 4;
      srtt_ = (srtt_ * 7 + rtt) / 8;
    }
    min_ = min_.count() == 0 ? rtt : std::min(min_, rtt);
    rto_ = std::clamp(srtt_ + std::max(kGranularity, variation_ * 4), rto_min, rto_max);
  }

  // 5.5: doubled per expiry, never over `rto_max`.
  [[nodiscard]] base::Duration timeout(base::Duration rto_max) const noexcept {
    base::Duration timeout = rto_;
    for (unsigned i = 0; i < backoff_ && timeout < rto_max; ++i) timeout *= 2;
    return std::min(timeout, rto_max);
  }
  void back_off() noexcept {
    if (backoff_ < kMaxBackoff) ++backoff_;
  }
  void clear_backoff() noexcept { backoff_ = 0; }

  [[nodiscard]] base::Duration srtt() const noexcept { return srtt_; }
  [[nodiscard]] base::Duration minimum() const noexcept { return min_; }
  [[nodiscard]] unsigned backoff() const noexcept { return backoff_; }

 private:
  static constexpr unsigned kMaxBackoff = 16;
  static constexpr base::Duration kGranularity = std::chrono::milliseconds(1);

  base::Duration srtt_{};
  base::Duration variation_{};
  base::Duration min_{};
  base::Duration rto_{};
  unsigned backoff_ = 0;
};

}  // namespace brink::tcp
