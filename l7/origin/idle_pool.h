// IdlePool: kept-alive origin connections that no request uses. Bounded in all and per origin, last
// in first out per origin (the warmest connection is the least likely to be dead), oldest evicted.
//
// The pool only keeps books: the caller owns the connections and closes what the pool gives back.
// One worker, one thread. Memory is passed in; nothing is allocated.
#pragma once

#include <cstdint>
#include <span>

#include "dataplane/base/clock.h"
#include "dataplane/base/hash.h"
#include "dataplane/base/ip.h"

namespace brink::l7::origin {

inline constexpr std::uint32_t kNone = 0xffffffff;

// Connections of equal keys do for each other.
struct OriginKey {
  base::Endpoint endpoint;
  std::uint64_t security = 0;  // names all that TLS was asked for; 0: plain
  // The client's connection that it is for alone, since its first bytes speak of it; 0: for all.
  std::uint64_t client = 0;
  bool operator==(const OriginKey&) const noexcept = default;
};

class IdlePool {
 public:
  // One per connection slot of the caller: `slot` below is an index into `entries`.
  struct Entry {
    OriginKey origin;
    base::Time since{};
    base::Time until{};
    std::uint32_t bucket_next = kNone;
    std::uint32_t bucket_previous = kNone;
    std::uint32_t age_next = kNone;
    std::uint32_t age_previous = kNone;
    bool idle = false;
  };
  struct Settings {
    base::Duration idle_timeout = std::chrono::seconds(60);
    std::uint32_t max_per_origin = 64;
  };

  // `buckets` is a power of two in size. Both spans outlive the pool.
  IdlePool(std::span<Entry> entries, std::span<std::uint32_t> buckets, const base::HashKey& key,
           const Settings& settings) noexcept;

  // Keeps the connection in `slot` for `origin`, for `max_idle` or the pool's own time. Returns
  // kNone, or the slot that had to leave for it (the oldest of that origin, over max_per_origin):
  // the caller closes that connection.
  std::uint32_t put(std::uint32_t slot, const OriginKey& origin, base::Time now,
                    base::Duration max_idle = base::Duration::max()) noexcept;

  // Takes the connection to `origin` that became idle last, if it was within `max_idle`; kNone if
  // there is none.
  std::uint32_t take(const OriginKey& origin, base::Time now, base::Duration max_idle) noexcept;

  // Takes `slot` out, because its connection ended or said something unasked. No effect when it is
  // not idle.
  void remove(std::uint32_t slot) noexcept;

  // Takes out connections that were idle for too long, the oldest first, as far as `out` has room.
  // Returns how many; call again while it is full.
  std::size_t expire(base::Time now, std::span<std::uint32_t> out) noexcept;
  // Takes out the oldest connection whatever its age, to make room; kNone when there is none.
  std::uint32_t evict() noexcept;

  // Takes out one that is for `client` alone (not 0), kNone when there is none. Call until kNone
  // when the client goes.
  std::uint32_t evict_of(std::uint64_t client) noexcept;
  // Takes out the oldest connection to `endpoint`, whoever it is for, kNone when there is none.
  // O(connections).
  std::uint32_t evict_at(const base::Endpoint& endpoint) noexcept;

  [[nodiscard]] bool is_idle(std::uint32_t slot) const noexcept { return entries_[slot].idle; }
  // Since when it is idle; of one that was just taken, was.
  [[nodiscard]] base::Time idle_since(std::uint32_t slot) const noexcept {
    return entries_[slot].since;
  }
  [[nodiscard]] std::uint32_t size() const noexcept { return size_; }

 private:
  [[nodiscard]] std::uint32_t& bucket_of(const OriginKey& origin) noexcept;
  [[nodiscard]] std::uint32_t& bucket_of_client(std::uint64_t client) noexcept;

  std::span<Entry> entries_;
  std::span<std::uint32_t> buckets_;
  base::HashKey key_;
  Settings settings_;
  std::uint32_t oldest_ = kNone;
  std::uint32_t newest_ = kNone;
  std::uint32_t size_ = 0;
};

}  // namespace brink::l7::origin
