// SourcePorts: the local port of the next origin connection, out of the range that belongs to this
// worker alone, so that an origin's packets find their worker again by arithmetic.
//
// RFC 6056 3.3.4 in spirit: where the search starts depends on the remote endpoint and a secret,
// and moves on with every use, so ports are neither guessable nor reused soon. A pair that is still
// taken (TIME_WAIT included) is told by the TCP stack, which knows; the caller then asks again.
#pragma once

#include <array>
#include <cstdint>
#include <cstring>

#include "dataplane/base/check.h"
#include "dataplane/base/hash.h"
#include "dataplane/base/ip.h"

namespace brink::l7::origin {

// How many ports one connection attempt may ask for before it counts as exhausted.
inline constexpr int kPortAttemptsMax = 32;

class SourcePorts {
 public:
  // The range is [first, first + count); count > 0.
  SourcePorts(std::uint16_t first, std::uint16_t count, const base::HashKey& key) noexcept
      : key_(key), first_(first), count_(count) {
    CHECK(count > 0 && std::uint32_t{first} + count <= 65536);
  }

  std::uint16_t next(const base::IpAddress& local, const base::Endpoint& remote) noexcept {
    alignas(16) std::uint8_t bytes[48] = {};
    std::memcpy(bytes, local.bytes().data(), 16);
    std::memcpy(bytes + 16, remote.address.bytes().data(), 16);
    std::memcpy(bytes + 32, &remote.port, sizeof remote.port);
    const std::uint64_t hash = base::keyed_hash(key_, bytes, 34);
    std::uint16_t& used = used_[hash % used_.size()];
    const std::uint64_t offset = ((hash >> 16) % count_ + used) % count_;
    used = static_cast<std::uint16_t>((used + 1U) % count_);
    return static_cast<std::uint16_t>(first_ + offset);
  }

 private:
  base::HashKey key_;
  std::uint16_t first_;
  std::uint16_t count_;
  std::array<std::uint16_t, 256> used_{};  // by hash of the remote endpoint
};

}  // namespace brink::l7::origin
