// Secrets of this run, from the kernel. Cold.
#pragma once

#include <sys/random.h>

#include "dataplane/base/result.h"

namespace brink::edge {

// Fills `out`, which is bytes and nothing else.
template <typename T>
base::Result<void> draw_random(T& out) {
  if (::getrandom(&out, sizeof out, 0) == static_cast<ssize_t>(sizeof out)) return {};
  return base::Error{"no random bytes", "getrandom", "the kernel must seed its generator first"};
}

}  // namespace brink::edge
