#include "dataplane/snapshot/block_index.h"

#include <utility>

namespace brink::snapshot {
namespace {

constexpr std::size_t kSmallest = 16;

}  // namespace

void BlockIndex::place(Slot fresh) {
  std::size_t at = fresh.hash & mask();
  while (slots_[at].block != 0) at = (at + 1) & mask();
  slots_[at] = fresh;
}

void BlockIndex::resize(std::size_t count) {
  const std::vector<Slot> old = std::exchange(slots_, std::vector<Slot>(count));
  for (const Slot& slot : old) {
    if (slot.block != 0) place(slot);
  }
}

void BlockIndex::insert(std::uint32_t hash, HeapRef block) {
  if (slots_.empty() || used_ + 1 > slots_.size() / 8 * 7) {
    resize(slots_.empty() ? kSmallest : 2 * slots_.size());
  }
  place({hash, block});
  ++used_;
}

// What stands behind the freed slot moves up, unless that would put it before its home.
void BlockIndex::remove(std::uint32_t hash, HeapRef block) {
  const HeapRef* found = find(hash, [block](HeapRef other) { return other == block; });
  if (found == nullptr) return;
  std::size_t hole = hash & mask();
  while (&slots_[hole].block != found) hole = (hole + 1) & mask();
  for (std::size_t at = (hole + 1) & mask(); slots_[at].block != 0; at = (at + 1) & mask()) {
    const std::size_t from_home = (at - slots_[at].hash) & mask();
    if (from_home < ((at - hole) & mask())) continue;
    slots_[hole] = slots_[at];
    hole = at;
  }
  slots_[hole] = {};
  --used_;
  if (slots_.size() > kSmallest && used_ < slots_.size() / 8) resize(slots_.size() / 2);
}

}  // namespace brink::snapshot
