// Promises: how many of the bytes offered to peers by their windows are still to be expected. What
// a peer was offered counts in full for a while and then half as much with each period that it was
// not offered anything new: kept-alive connections would hold the whole pool in promises otherwise.
// The bytes are summed by the period they were promised in, so that time passes for all of them at
// once and costs nothing per connection.
#pragma once

#include <algorithm>
#include <array>
#include <cstdint>

#include "dataplane/base/check.h"
#include "dataplane/base/clock.h"

namespace brink::tcp {

// Part of a connection. The default value promises nothing.
struct Promise {
  std::uint32_t bytes = 0;   // as they were settled
  std::uint32_t period = 0;  // when
};

// A quantity that halves with each period. The default value is nothing.
struct Recent {
  std::uint32_t bytes = 0;
  std::uint32_t period = 0;
};

class Promises {
 public:
  // About a quarter of a second: 2^28 ns.
  [[nodiscard]] static std::uint32_t period_of(base::Time now) noexcept {
    return static_cast<std::uint32_t>(now.time_since_epoch().count() >> 28);
  }

  // `now` never goes back.
  void advance(base::Time now) noexcept {
    if (const std::uint32_t period = period_of(now); period != period_) begin(period);
  }

  // Replaces what `promise` was by `bytes`, promised now.
  void settle(Promise& promise, std::uint32_t bytes) noexcept {
    if (promise.bytes == bytes && promise.period == period_) return;
    if (const std::uint32_t age = age_of(promise); age < kPeriods) {
      promised_in_[promise.period % kPeriods] -= promise.bytes;
      total_ -= promise.bytes >> halvings(age);
    }
    promise = {bytes, period_};
    promised_in_[period_ % kPeriods] += bytes;
    total_ += bytes;
  }

  // Bytes that are promised beside `own`.
  [[nodiscard]] std::uint64_t beside(const Promise& own) const noexcept {
    const std::uint32_t age = age_of(own);
    return age < kPeriods ? total_ - (own.bytes >> halvings(age)) : total_;
  }
  [[nodiscard]] std::uint64_t total() const noexcept { return total_; }

  // What is left of `recent`; and `bytes` more of it, at most `limit` in all.
  [[nodiscard]] std::uint32_t left_of(const Recent& recent) const noexcept {
    const std::uint32_t age = period_ - recent.period;
    return age < 32 ? recent.bytes >> age : 0;
  }
  void add(Recent& recent, std::uint32_t bytes, std::uint32_t limit) const noexcept {
    recent = {std::min(left_of(recent) + bytes, limit), period_};
  }

 private:
  static constexpr std::uint32_t kPeriods = 8;  // older promises count as nothing

  // Full for one to two periods.
  static std::uint32_t halvings(std::uint32_t age) noexcept { return age > 0 ? age - 1 : 0; }
  [[nodiscard]] std::uint32_t age_of(const Promise& promise) const noexcept {
    return period_ - promise.period;
  }

  void begin(std::uint32_t period) noexcept {
    const std::uint32_t passed = std::min(period - period_, kPeriods);
    for (std::uint32_t i = 0; i < passed; ++i) promised_in_[(period - i) % kPeriods] = 0;
    period_ = period;
    // Each sum is halved as a whole: what its parts are halved to is never more, so that taking a
    // part out again leaves no less than nothing.
    total_ = 0;
    for (std::uint32_t age = 0; age < kPeriods; ++age) {
      total_ += promised_in_[(period - age) % kPeriods] >> halvings(age);
    }
  }

  std::array<std::uint64_t, kPeriods> promised_in_{};
  std::uint64_t total_ = 0;
  std::uint32_t period_ = 0;
};

}  // namespace brink::tcp
