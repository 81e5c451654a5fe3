// Numbers of names and endpoints under a key: for tables that keep the number instead of the thing.
// Hot; any thread.
#pragma once

#include <algorithm>
#include <cstdint>
#include <cstring>
#include <span>

#include "dataplane/base/hash.h"
#include "dataplane/base/ip.h"

namespace brink::l7::proxy {

// The number of `octets`, whatever stands behind them, and of what was numbered before.
inline std::uint64_t number_of(const base::HashKey& key, std::span<const std::uint8_t> octets,
                               std::uint64_t before = 0) noexcept {
  constexpr std::size_t kRoom = 504;
  alignas(16) std::uint8_t block[sizeof before + kRoom];
  do {
    const std::size_t size = std::min(octets.size(), kRoom);
    std::memset(block, 0, sizeof block);
    std::memcpy(block, &before, sizeof before);
    if (size > 0) std::memcpy(block + sizeof before, octets.data(), size);
    before = base::keyed_hash(key, block, sizeof before + size);
    octets = octets.subspan(size);
  } while (!octets.empty());
  return before;
}

inline std::uint64_t number_of(const base::HashKey& key, const base::Endpoint& endpoint) noexcept {
  return number_of(key, endpoint.address.bytes(), endpoint.port);
}

}  // namespace brink::l7::proxy
