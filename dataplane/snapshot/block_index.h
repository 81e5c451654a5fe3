// BlockIndex: blocks of the heap by the hash of what they hold. Open addressing, eight bytes a
// slot, at most seven eighths of them used. Cold; one thread.
#pragma once

#include <cstdint>
#include <vector>

#include "dataplane/snapshot/layout.h"

namespace brink::snapshot {

class BlockIndex {
 public:
  // The slot of a block with this hash that `is_it`(HeapRef) says yes to; null: there is none. What
  // it holds may be replaced by a block with the same hash; valid until the next insert or remove.
  template <typename IsIt>
  HeapRef* find(std::uint32_t hash, const IsIt& is_it) {
    if (slots_.empty()) return nullptr;
    for (std::size_t at = hash & mask();; at = (at + 1) & mask()) {
      Slot& slot = slots_[at];
      if (slot.block == 0) return nullptr;
      if (slot.hash == hash && is_it(slot.block)) return &slot.block;
    }
  }
  // The block is not there yet.
  void insert(std::uint32_t hash, HeapRef block);
  // Nothing, if it is not there.
  void remove(std::uint32_t hash, HeapRef block);

  [[nodiscard]] std::size_t size() const { return used_; }

 private:
  struct Slot {
    std::uint32_t hash;
    HeapRef block;  // 0: free
  };
  [[nodiscard]] std::size_t mask() const { return slots_.size() - 1; }
  void place(Slot fresh);
  void resize(std::size_t count);

  std::vector<Slot> slots_;  // a power of two, or none
  std::size_t used_ = 0;
};

}  // namespace brink::snapshot
