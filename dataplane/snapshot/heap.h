// Heap: blocks of 8-byte units in a region, handed out by size class and reused. The lists of free
// blocks run through the blocks themselves. Cold, one thread; a block that readers may still see is
// freed after their grace period, by the caller.
#pragma once

#include <cstddef>
#include <cstdint>

#include "dataplane/snapshot/layout.h"
#include "dataplane/snapshot/region.h"

namespace brink::snapshot {

// Vector compares may read this far past the last name: the region always goes on that long.
inline constexpr std::size_t kHeapTail = 64;

class Heap {
 public:
  Heap() = default;
  // `used_bytes`: what the region already holds, unit 0 (never handed out) included.
  Heap(Region region, std::size_t used_bytes)
      : region_(std::move(region)), used_units_((used_bytes + kHeapUnit - 1) / kHeapUnit) {}

  // What a block of `bytes` really takes.
  static std::size_t block_bytes(std::size_t bytes);
  // A block of at least `bytes`, contents undefined; 0: no memory.
  HeapRef allocate(std::size_t bytes);
  // `bytes` as at allocate().
  void free(HeapRef ref, std::size_t bytes);

  [[nodiscard]] std::uint8_t* at(HeapRef ref) const {
    return region_.data() + std::size_t{ref} * kHeapUnit;
  }
  // From the region's start to the end of the last block ever handed out.
  [[nodiscard]] std::size_t used_bytes() const { return used_units_ * kHeapUnit; }
  // Of these, in free blocks.
  [[nodiscard]] std::size_t free_bytes() const { return free_units_ * kHeapUnit; }

 private:
  static constexpr std::size_t kClasses = 64 + 8 * 26;

  Region region_;
  std::size_t used_units_ = 1;
  std::size_t free_units_ = 0;
  HeapRef free_[kClasses] = {};
};

}  // namespace brink::snapshot
