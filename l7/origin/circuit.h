// Circuit: whether new connections to one origin address are worth a try. After so many failures in
// a row it opens: nobody tries, and who asks is told at once what the last one met. After a while
// it lets one attempt through, a probe, and then one at a time; a success closes it, a failure
// keeps it open for twice as long.
//
// What counts is TCP alone. TLS and HTTP fail for reasons of one zone, which must not take an
// address away from the others that it serves. A value; one worker, one thread.
#pragma once

#include <algorithm>
#include <cstdint>

#include "dataplane/base/clock.h"

namespace brink::l7::origin {

struct CircuitSettings {
  std::uint32_t failures = 5;  // in a row; 0: it never opens
  base::Duration open_first = std::chrono::seconds(1);
  base::Duration open_max = std::chrono::seconds(10);
  // A probe that is not heard of for so long is followed by another.
  base::Duration probe_wait = std::chrono::seconds(3);
};

class Circuit {
 public:
  // Whether to try now; then it is tried.
  bool admit(const CircuitSettings& settings, base::Time now) noexcept {
    if (!is_tripped(settings)) return true;
    if (now < wait_until_) return false;
    wait_until_ = now + settings.probe_wait;
    return true;
  }

  // `reason` is the caller's own number for what happened. True: it has opened by this.
  bool report_failure(const CircuitSettings& settings, std::uint8_t reason,
                      base::Time now) noexcept {
    const bool was_tripped = is_tripped(settings);
    reason_ = reason;
    failures_ = std::min(failures_ + 1, kCountMax);
    if (!is_tripped(settings)) return false;
    open_for_ = was_tripped ? std::min(open_for_ * 2, settings.open_max)
                            : std::min(settings.open_first, settings.open_max);
    wait_until_ = now + open_for_;
    return !was_tripped;
  }
  void report_success() noexcept { failures_ = 0; }

  // Of the last failure.
  [[nodiscard]] std::uint8_t reason() const noexcept { return reason_; }
  [[nodiscard]] bool is_tripped(const CircuitSettings& settings) const noexcept {
    return settings.failures != 0 && failures_ >= settings.failures;
  }

 private:
  static constexpr std::uint32_t kCountMax = 1U << 16;

  std::uint32_t failures_ = 0;
  std::uint8_t reason_ = 0;
  base::Duration open_for_{};
  base::Time wait_until_{};
};

}  // namespace brink::l7::origin
