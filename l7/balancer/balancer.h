// Choosing an origin address for one request, and remembering which ones failed lately.
//
// Passive health is one table per worker, keyed by endpoint, of fixed size: a failure marks an
// endpoint as suspect for a while, a success clears it. A suspect origin is the last resort, never
// forbidden: with everything suspect the edge keeps trying, or nobody would notice a recovery.
#pragma once

#include <array>
#include <cstdint>
#include <span>

#include "dataplane/base/clock.h"
#include "dataplane/base/hash.h"
#include "dataplane/base/ip.h"

namespace brink::l7::balancer {

inline constexpr std::size_t kHealthSets = 128;
inline constexpr std::size_t kHealthWays = 4;

class PassiveHealth {
 public:
  PassiveHealth(const base::HashKey& key, base::Duration suspect_time) noexcept
      : key_(key), suspect_time_(suspect_time) {}

  void report_failure(const base::Endpoint& origin, base::Time now) noexcept;
  void report_success(const base::Endpoint& origin) noexcept;
  [[nodiscard]] bool is_suspect(const base::Endpoint& origin, base::Time now) const noexcept;

 private:
  struct Entry {
    base::Endpoint origin;
    base::Time until{};  // suspect before this time
  };
  using Set = std::array<Entry, kHealthWays>;

  [[nodiscard]] std::size_t set_of(const base::Endpoint& origin) const noexcept;

  base::HashKey key_;
  base::Duration suspect_time_;
  std::array<Set, kHealthSets> sets_{};
};

inline constexpr std::size_t kNoOrigin = SIZE_MAX;

// The index of the origin to try next: the first one not in `tried` (bit i: origin i) that is not
// suspect, from a start that `random` chooses; else the first one not tried; else kNoOrigin.
// At most 32 origins.
std::size_t choose_origin(std::span<const base::Endpoint> origins, std::uint32_t tried,
                          std::uint64_t random, const PassiveHealth& health,
                          base::Time now) noexcept;

}  // namespace brink::l7::balancer
