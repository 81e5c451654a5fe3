// NameTable: the buckets that lead from a name's hash to its newest record, as the writer sees
// them. Cold, one thread; readers look in the current buckets meanwhile (view.h).
//
// It grows and shrinks while it is read: a second array is filled bit by bit (maintain), every
// change going into both, and takes the first one's place when it is complete.
#pragma once

#include <cstdint>
#include <utility>
#include <vector>

#include "dataplane/snapshot/layout.h"
#include "dataplane/snapshot/region.h"

namespace brink::snapshot {

// BucketArray: one such array.
class BucketArray {
 public:
  BucketArray() = default;
  // False: no memory. `count` is a power of two.
  bool create(std::uint32_t count, const Placement& placement, MemoryBudget& budget);

  // False: every bucket near the name's home is full.
  bool insert(std::uint64_t hash, std::uint32_t index);
  // False: the name's entry is not `old`, or not here.
  bool replace(std::uint64_t hash, std::uint32_t old, std::uint32_t index);
  bool remove(std::uint64_t hash, std::uint32_t index);

  [[nodiscard]] Bucket* data() const { return reinterpret_cast<Bucket*>(region_.data()); }
  [[nodiscard]] std::uint32_t count() const { return count_; }

 private:
  [[nodiscard]] std::uint32_t* find(std::uint64_t hash, std::uint32_t index,
                                    std::uint32_t& distance) const;

  Region region_;
  std::uint32_t count_ = 0;
};

class NameTable {
 public:
  NameTable() = default;
  NameTable(const Placement& placement, MemoryBudget& budget)
      : placement_(placement), budget_(&budget) {}

  // Starts with room for `names`. False: no memory.
  bool create(std::uint64_t names);

  // `records`: by index; for rehashing. False: no memory to grow.
  bool insert(const Record* records, std::uint32_t index);
  void replace(std::uint64_t hash, std::uint32_t old, std::uint32_t index);
  void remove(std::uint64_t hash, std::uint32_t index);

  // Goes on growing or shrinking, if that is due, by at most `buckets_max` buckets. True: there is
  // more to do at once.
  bool maintain(const Record* records, std::uint32_t buckets_max);

  [[nodiscard]] const BucketArray& current() const { return current_; }
  // For loading an image: the array itself, and how many names were put there.
  BucketArray& loading() { return current_; }
  void loaded(std::uint32_t names) { names_ = names; }
  // Counts the changes of current(); readers need a new Root after each.
  [[nodiscard]] std::uint64_t epoch() const { return epoch_; }
  // Arrays that were replaced; freed by the caller once no reader looks there.
  std::vector<BucketArray> take_retired() { return std::exchange(retired_, {}); }
  // Names in the table, those that ceased to exist but are still seen included.
  [[nodiscard]] std::uint32_t names() const { return names_; }
  [[nodiscard]] bool rehashing() const { return next_.count() != 0; }

 private:
  [[nodiscard]] std::uint32_t fitting_count() const;
  bool start(std::uint32_t count);
  bool copy(const Record* records, std::uint32_t buckets_max);
  bool grow_at_once(const Record* records);
  void finish();

  Placement placement_;
  MemoryBudget* budget_ = nullptr;
  BucketArray current_;
  BucketArray next_;            // count() is 0 unless rehashing
  std::uint32_t copied_ = 0;    // buckets of current_ that next_ has
  std::uint32_t names_ = 0;
  std::uint64_t epoch_ = 0;
  std::vector<BucketArray> retired_;
};

// The number of buckets that `names` fill by half to three quarters.
std::uint32_t bucket_count_for(std::uint64_t names);

}  // namespace brink::snapshot
