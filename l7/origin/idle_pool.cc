#include "l7/origin/idle_pool.h"

#include <algorithm>
#include <cstring>

#include "dataplane/base/check.h"

namespace brink::l7::origin {

IdlePool::IdlePool(std::span<Entry> entries, std::span<std::uint32_t> buckets,
                   const base::HashKey& key, const Settings& settings) noexcept
    : entries_(entries), buckets_(buckets), key_(key), settings_(settings) {
  CHECK(!buckets.empty() && (buckets.size() & (buckets.size() - 1)) == 0);
  CHECK(settings.max_per_origin > 0);
  std::fill(buckets_.begin(), buckets_.end(), kNone);
  std::fill(entries_.begin(), entries_.end(), Entry{});
}

std::uint32_t& IdlePool::bucket_of(const OriginKey& origin) noexcept {
  alignas(16) std::uint8_t bytes[32] = {};
  std::memcpy(bytes, origin.endpoint.address.bytes().data(), 16);
  std::memcpy(bytes + 16, &origin.security, sizeof origin.security);
  std::memcpy(bytes + 24, &origin.endpoint.port, sizeof origin.endpoint.port);
  return buckets_[base::keyed_hash(key_, bytes, 26) & (buckets_.size() - 1)];
}

std::uint32_t IdlePool::put(std::uint32_t slot, const OriginKey& origin, base::Time now) noexcept {
  Entry& entry = entries_[slot];
  CHECK(!entry.idle);
  std::uint32_t& bucket = bucket_of(origin);
  entry = {origin, now, bucket, kNone, kNone, newest_, true};
  if (bucket != kNone) entries_[bucket].bucket_previous = slot;
  bucket = slot;
  if (newest_ != kNone) entries_[newest_].age_next = slot;
  newest_ = slot;
  if (oldest_ == kNone) oldest_ = slot;
  ++size_;

  // A bucket's chain is ordered by age, so the last one of this origin is its oldest.
  std::uint32_t count = 0;
  std::uint32_t last = kNone;
  for (std::uint32_t i = bucket; i != kNone; i = entries_[i].bucket_next) {
    if (entries_[i].origin != origin) continue;
    ++count;
    last = i;
  }
  if (count <= settings_.max_per_origin) return kNone;
  remove(last);
  return last;
}

std::uint32_t IdlePool::take(const OriginKey& origin, base::Time now,
                             base::Duration max_idle) noexcept {
  for (std::uint32_t i = bucket_of(origin); i != kNone; i = entries_[i].bucket_next) {
    if (entries_[i].origin != origin) continue;
    if (now - entries_[i].since > std::min(max_idle, settings_.idle_timeout)) return kNone;
    remove(i);
    return i;
  }
  return kNone;
}

void IdlePool::remove(std::uint32_t slot) noexcept {
  Entry& entry = entries_[slot];
  if (!entry.idle) return;
  entry.idle = false;
  --size_;
  if (entry.bucket_previous != kNone) {
    entries_[entry.bucket_previous].bucket_next = entry.bucket_next;
  } else {
    bucket_of(entry.origin) = entry.bucket_next;
  }
  if (entry.bucket_next != kNone)
    entries_[entry.bucket_next].bucket_previous = entry.bucket_previous;
  if (entry.age_previous != kNone) {
    entries_[entry.age_previous].age_next = entry.age_next;
  } else {
    oldest_ = entry.age_next;
  }
  if (entry.age_next != kNone) {
    entries_[entry.age_next].age_previous = entry.age_previous;
  } else {
    newest_ = entry.age_previous;
  }
}

std::uint32_t IdlePool::expire(base::Time now) noexcept {
  if (oldest_ == kNone || now - entries_[oldest_].since <= settings_.idle_timeout) return kNone;
  return evict();
}

std::uint32_t IdlePool::evict() noexcept {
  const std::uint32_t slot = oldest_;
  if (slot != kNone) remove(slot);
  return slot;
}

}  // namespace brink::l7::origin
