// The 4-byte links of the layout: the one writer stores them while readers follow them. A reader
// that sees a link sees everything written before it.
#pragma once

#include <cstdint>

namespace brink::snapshot {

inline std::uint32_t load_link(const std::uint32_t& link) noexcept {
  return __atomic_load_n(&link, __ATOMIC_ACQUIRE);
}
inline void store_link(std::uint32_t& link, std::uint32_t value) noexcept {
  __atomic_store_n(&link, value, __ATOMIC_RELEASE);
}

}  // namespace brink::snapshot
