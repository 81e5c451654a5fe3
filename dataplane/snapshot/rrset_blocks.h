// RrsetBlocks: the blocks of RRsets in an image's heap, made and given back. The NS set of a
// delegation is stored once for all that are equal: most names of a large zone lead to the servers
// of few operators. Cold; one thread. Readers of a block meanwhile are not disturbed: what they
// read of it never changes.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "dataplane/base/hash.h"
#include "dataplane/snapshot/block_index.h"
#include "dataplane/snapshot/heap.h"
#include "dataplane/snapshot/layout.h"

namespace brink::snapshot {

class RrsetBlocks {
 public:
  struct Set {
    std::uint16_t type;
    std::uint16_t form;
    std::span<const std::uint8_t> blob;
  };

  RrsetBlocks() = default;
  // `hash_key`: the image's.
  explicit RrsetBlocks(const base::HashKey& hash_key) : hash_key_(hash_key) {}

  // A block with these sets, sorted by type and form, one or more; `cut`: of a delegation. It has
  // one owner more. 0: no memory.
  HeapRef make(Heap& heap, std::span<const Set> sets, bool cut);
  // It has one owner less; without any it is freed.
  void drop(Heap& heap, HeapRef block);
  // For loading: finds the NS set of a delegation's verified block, so that later ones share it.
  // `seen`: as many bits as the heap has units, all false before the first call.
  void adopt(const Heap& heap, HeapRef block, std::vector<bool>& seen);

 private:
  HeapRef share(Heap& heap, const Set& servers);
  void index(const Heap& heap, HeapRef block);
  [[nodiscard]] std::uint32_t hash_of(std::span<const std::uint8_t> blob) const;

  base::HashKey hash_key_;
  BlockIndex shared_;  // blocks of one NS set, one of each
};

}  // namespace brink::snapshot
