#include "l7/balancer/balancer.h"

#include <cstring>

#include "dataplane/base/check.h"

namespace brink::l7::balancer {

std::size_t PassiveHealth::set_of(const base::Endpoint& origin) const noexcept {
  alignas(16) std::uint8_t bytes[32] = {};
  std::memcpy(bytes, origin.address.bytes().data(), 16);
  std::memcpy(bytes + 16, &origin.port, sizeof origin.port);
  return base::keyed_hash(key_, bytes, 18) % kHealthSets;
}

void PassiveHealth::report_failure(const base::Endpoint& origin, base::Time now) noexcept {
  Set& set = sets_[set_of(origin)];
  Entry* victim = set.data();
  for (Entry& entry : set) {
    if (entry.origin == origin) {
      victim = &entry;
      break;
    }
    if (entry.until < victim->until) victim = &entry;
  }
  *victim = {origin, now + suspect_time_};
}

void PassiveHealth::report_success(const base::Endpoint& origin) noexcept {
  for (Entry& entry : sets_[set_of(origin)]) {
    if (entry.origin == origin) entry = {};
  }
}

bool PassiveHealth::is_suspect(const base::Endpoint& origin, base::Time now) const noexcept {
  for (const Entry& entry : sets_[set_of(origin)]) {
    if (entry.origin == origin) return now < entry.until;
  }
  return false;
}

std::size_t choose_origin(std::span<const base::Endpoint> origins, std::uint32_t tried,
                          std::uint64_t random, const PassiveHealth& health,
                          base::Time now) noexcept {
  CHECK(origins.size() <= 32);
  std::size_t fallback = kNoOrigin;
  for (std::size_t step = 0; step < origins.size(); ++step) {
    const std::size_t i = (random % origins.size() + step) % origins.size();
    if ((tried >> i & 1) != 0) continue;
    if (!health.is_suspect(origins[i], now)) return i;
    if (fallback == kNoOrigin) fallback = i;
  }
  return fallback;
}

}  // namespace brink::l7::balancer
