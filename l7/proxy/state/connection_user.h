// The user value of a connection: what it is above the index of its slot.
#pragma once

#include <cstdint>

namespace brink::l7::proxy {

inline constexpr unsigned kUserKindShift = 32;
inline constexpr std::uint64_t kForgotten = 0;  // the whole value: reset by us, of no interest
inline constexpr std::uint64_t kClientKind = 1;
inline constexpr std::uint64_t kOriginKind = 2;

}  // namespace brink::l7::proxy
