// The name of a request, in CF-Ray, the log and error pages.
#pragma once

#include <array>
#include <cstring>

#include "dataplane/base/check.h"
#include "l7/proxy/state/turn.h"

namespace brink::l7::proxy {

using Ray = std::array<char, 20>;  // 16 hexadecimal digits, '-', three letters

inline Ray make_ray(Turn& turn) noexcept {
  static constexpr char kDigits[] = "0123456789abcdef";
  CHECK(turn.config.colo.size() == 3);
  Ray ray;
  std::uint64_t value = turn.random();
  for (std::size_t i = 0; i < 16; ++i, value >>= 4) ray[i] = kDigits[value & 0xf];
  ray[16] = '-';
  std::memcpy(ray.data() + 17, turn.config.colo.data(), 3);
  return ray;
}

}  // namespace brink::l7::proxy
