#include "dataplane/snapshot/name_table.h"

#include <algorithm>
#include <utility>

#include "dataplane/base/check.h"
#include "dataplane/snapshot/link.h"

namespace brink::snapshot {
namespace {

constexpr std::uint32_t kSlots = 8;
constexpr std::uint32_t kSmallest = 16;
constexpr std::uint32_t kLargest = std::uint32_t{1} << 30;

std::uint16_t tag_of(std::uint64_t hash) {
  return static_cast<std::uint16_t>(hash >> 48);
}

}  // namespace

std::uint32_t bucket_count_for(std::uint64_t names) {
  std::uint64_t count = kSmallest;
  while (count * kSlots * 3 / 4 < names) count *= 2;
  CHECK(count <= kLargest);
  return static_cast<std::uint32_t>(count);
}

bool BucketArray::create(std::uint32_t count, const Placement& placement, MemoryBudget& budget) {
  const std::size_t size = std::size_t{count} * sizeof(Bucket);
  auto region = Region::reserve(size, placement, budget);
  if (!region || !region.value().grow(size)) return false;
  region_ = std::move(region).value();
  count_ = count;
  return true;
}

bool BucketArray::insert(std::uint64_t hash, std::uint32_t index) {
  const std::uint32_t mask = count_ - 1;
  const auto home = static_cast<std::uint32_t>(hash) & mask;
  for (std::uint32_t distance = 0; distance < kMaxProbes; ++distance) {
    Bucket& bucket = data()[(home + distance) & mask];
    auto* const slot = std::find(std::begin(bucket.records), std::end(bucket.records), 0U);
    if (slot == std::end(bucket.records)) continue;
    // A search must know that it has to go on before there is something to be found.
    for (std::uint32_t i = 0; i < distance; ++i) {
      std::uint32_t& overflow = data()[(home + i) & mask].overflow;
      store_link(overflow, overflow + 1);
    }
    __atomic_store_n(&bucket.tags[slot - std::begin(bucket.records)], tag_of(hash),
                     __ATOMIC_RELAXED);
    store_link(*slot, index);
    return true;
  }
  return false;
}

std::uint32_t* BucketArray::find(std::uint64_t hash, std::uint32_t index,
                                 std::uint32_t& distance) const {
  const std::uint32_t mask = count_ - 1;
  const auto home = static_cast<std::uint32_t>(hash) & mask;
  for (distance = 0; distance < kMaxProbes; ++distance) {
    Bucket& bucket = data()[(home + distance) & mask];
    auto* const slot = std::find(std::begin(bucket.records), std::end(bucket.records), index);
    if (slot != std::end(bucket.records)) return slot;
    if (bucket.overflow == 0) return nullptr;
  }
  return nullptr;
}

bool BucketArray::replace(std::uint64_t hash, std::uint32_t old, std::uint32_t index) {
  std::uint32_t distance;
  std::uint32_t* const slot = find(hash, old, distance);
  if (slot == nullptr) return false;
  store_link(*slot, index);
  return true;
}

bool BucketArray::remove(std::uint64_t hash, std::uint32_t index) {
  std::uint32_t distance;
  std::uint32_t* const slot = find(hash, index, distance);
  if (slot == nullptr) return false;
  store_link(*slot, 0);
  const std::uint32_t mask = count_ - 1;
  const auto home = static_cast<std::uint32_t>(hash) & mask;
  for (std::uint32_t i = 0; i < distance; ++i) {
    std::uint32_t& overflow = data()[(home + i) & mask].overflow;
    store_link(overflow, overflow - 1);
  }
  return true;
}

bool NameTable::create(std::uint64_t names) {
  return current_.create(bucket_count_for(names), placement_, *budget_);
}

bool NameTable::insert(const Record* records, std::uint32_t index) {
  const std::uint64_t hash = records[index].name_hash;
  // What is being filled must not lack the name; if it has no room, it was chosen too small.
  if (rehashing() && !next_.insert(hash, index) && !grow_at_once(records)) return false;
  if (!current_.insert(hash, index)) {
    if (!grow_at_once(records)) {
      if (rehashing()) next_.remove(hash, index);
      return false;
    }
    if (!current_.insert(hash, index)) return false;
  }
  ++names_;
  return true;
}

void NameTable::replace(std::uint64_t hash, std::uint32_t old, std::uint32_t index) {
  CHECK(current_.replace(hash, old, index));
  if (rehashing()) next_.replace(hash, old, index);  // false: not copied yet
}

void NameTable::remove(std::uint64_t hash, std::uint32_t index) {
  CHECK(current_.remove(hash, index));
  if (rehashing()) next_.remove(hash, index);
  --names_;
}

// Grows above three quarters; shrinks below a sixteenth, so that it does not swing.
std::uint32_t NameTable::fitting_count() const {
  const std::uint64_t slots = std::uint64_t{current_.count()} * kSlots;
  const bool crowded = names_ > slots * 3 / 4;
  const bool sparse = names_ < slots / 16 && current_.count() > kSmallest;
  return crowded || sparse ? bucket_count_for(names_ + names_ / 2) : current_.count();
}

bool NameTable::start(std::uint32_t count) {
  BucketArray fresh;
  if (!fresh.create(count, placement_, *budget_)) return false;
  next_ = std::move(fresh);
  copied_ = 0;
  return true;
}

bool NameTable::copy(const Record* records, std::uint32_t buckets_max) {
  const std::uint32_t end = std::min(current_.count() - copied_, buckets_max) + copied_;
  for (; copied_ < end; ++copied_) {
    for (const std::uint32_t index : current_.data()[copied_].records) {
      if (index == 0) continue;
      const std::uint64_t hash = records[index].name_hash;
      // Names that were added meanwhile are there already.
      if (!next_.replace(hash, index, index) && !next_.insert(hash, index)) return false;
    }
  }
  return true;
}

void NameTable::finish() {
  retired_.push_back(std::move(current_));
  current_ = std::move(next_);
  next_ = BucketArray();
  ++epoch_;
}

// The rare case: no room near some name's home before the next array is complete.
bool NameTable::grow_at_once(const Record* records) {
  std::uint32_t count = std::max(current_.count(), next_.count());
  for (;;) {
    if (count >= kLargest) return false;
    count *= 2;
    if (!start(count)) {
      next_ = BucketArray();
      return false;
    }
    if (copy(records, current_.count())) break;
  }
  finish();
  return true;
}

bool NameTable::maintain(const Record* records, std::uint32_t buckets_max) {
  if (!rehashing()) {
    const std::uint32_t count = fitting_count();
    if (count == current_.count() || !start(count)) return false;
  }
  if (!copy(records, buckets_max)) {
    // Unlucky hashes in a small array: try again with a larger one.
    const std::uint32_t count = next_.count() * 2;
    next_ = BucketArray();
    return count <= kLargest && start(count);
  }
  if (copied_ < current_.count()) return true;
  finish();
  return fitting_count() != current_.count();  // names came or went meanwhile
}

}  // namespace brink::snapshot
