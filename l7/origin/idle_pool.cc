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

// What is for one client alone lies together, wherever it leads.
std::uint32_t& IdlePool::bucket_of(const OriginKey& origin) noexcept {
  if (origin.client != 0) return bucket_of_client(origin.client);
  alignas(16) std::uint8_t bytes[32] = {};
  std::memcpy(bytes, origin.endpoint.address.bytes().data(), 16);
  std::memcpy(bytes + 16, &origin.security, sizeof origin.security);
  std::memcpy(bytes + 24, &origin.endpoint.port, sizeof origin.endpoint.port);
  return buckets_[base::keyed_hash(key_, bytes, 26) & (buckets_.size() - 1)];
}

std::uint32_t& IdlePool::bucket_of_client(std::uint64_t client) noexcept {
  alignas(16) std::uint8_t bytes[16] = {};
  std::memcpy(bytes, &client, sizeof client);
  return buckets_[base::keyed_hash(key_, bytes, sizeof client) & (buckets_.size() - 1)];
}

std::uint32_t IdlePool::put(std::uint32_t slot, const OriginKey& origin, base::Time now,
                            base::Duration max_idle) noexcept {
  Entry& entry = entries_[slot];
  CHECK(!entry.idle);
  std::uint32_t& bucket = bucket_of(origin);
  const base::Time until = now + std::min(max_idle, settings_.idle_timeout);
  entry = {origin, now, until, bucket, kNone, kNone, newest_, true};
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
    if (now - entries_[i].since > max_idle) return kNone;  // those behind are older
    if (now > entries_[i].until) continue;
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

std::size_t IdlePool::expire(base::Time now, std::span<std::uint32_t> out) noexcept {
  std::size_t count = 0;
  for (std::uint32_t i = oldest_; i != kNone && count < out.size();) {
    const std::uint32_t next = entries_[i].age_next;
    if (now > entries_[i].until) {
      remove(i);
      out[count++] = i;
    }
    i = next;
  }
  return count;
}

std::uint32_t IdlePool::evict_at(const base::Endpoint& endpoint) noexcept {
  std::uint32_t i = oldest_;
  while (i != kNone && entries_[i].origin.endpoint != endpoint) i = entries_[i].age_next;
  if (i != kNone) remove(i);
  return i;
}

std::uint32_t IdlePool::evict_of(std::uint64_t client) noexcept {
  CHECK(client != 0);
  std::uint32_t i = bucket_of_client(client);
  while (i != kNone && entries_[i].origin.client != client) i = entries_[i].bucket_next;
  if (i != kNone) remove(i);
  return i;
}

std::uint32_t IdlePool::evict() noexcept {
  const std::uint32_t slot = oldest_;
  if (slot != kNone) remove(slot);
  return slot;
}

}  // namespace brink::l7::origin
