// RetryBudget: how many second attempts one origin may get. They are a share of the requests that
// it got lately, with a floor for origins of few requests, so that retries help against a lost
// machine and do not double the load of one that has too much.
//
// Counts of a window and of the one before, weighted by how much of that is still within one
// window's length. A value; one worker, one thread.
#pragma once

#include <cstdint>

#include "dataplane/base/clock.h"

namespace brink::l7::origin {

struct RetrySettings {
  std::uint32_t percent = 20;  // of the window's requests
  std::uint32_t floor = 10;    // retries of a window that are always granted
  base::Duration window = std::chrono::seconds(10);
};

class RetryBudget {
 public:
  // A request that is no retry.
  void note_request(const RetrySettings& settings, base::Time now) noexcept;
  // Takes one retry out of the budget; false: it is spent.
  bool take(const RetrySettings& settings, base::Time now) noexcept;

 private:
  struct Counts {
    std::uint32_t requests = 0;
    std::uint32_t retries = 0;
  };
  void turn(const RetrySettings& settings, base::Time now) noexcept;

  base::Time since_{};  // when the window began
  Counts now_;
  Counts before_;
};

}  // namespace brink::l7::origin
