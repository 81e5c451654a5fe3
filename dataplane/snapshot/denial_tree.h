// DenialTree: the trees of an image's heap, chains of denial and tables, changed beside their
// readers. Cold; one thread.
//
// A node that readers may see is never changed: a change makes new ones of it and of all above it,
// up to the tree's root, once in a transaction. What the transaction made it changes in place. So
// a change costs as many small blocks as the tree is high, and a transaction at most each node
// once.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "dataplane/snapshot/denial.h"
#include "dataplane/snapshot/heap.h"
#include "dataplane/snapshot/layout.h"

namespace brink::snapshot {

class DenialTree {
 public:
  struct Block {
    HeapRef ref;
    std::uint32_t size_bytes;
  };
  enum class Outcome : std::uint8_t { kDone, kNoMemory, kTooHigh };

  // Changes are those of the transaction that becomes `generation`. Each block that it makes goes
  // to `made`, each that the tree does without from now on to `replaced`; some to both. After a
  // failure the tree is of no use, and what was made is to be freed.
  DenialTree(Heap& heap, std::uint32_t generation, std::vector<Block>& made,
             std::vector<Block>& replaced)
      : heap_(heap), generation_(generation), made_(made), replaced_(replaced) {}

  // Sets the entry with this key: of a chain to a free-standing Blob, of a table to a value.
  Outcome put(Tree& tree, const DenialKey& key, std::span<const std::uint8_t> content);
  // Takes the entry with this key away; nothing if there is none.
  Outcome drop(Tree& tree, const DenialKey& key);
  // Fills an empty tree with what `from` has, which `first` reads: full nodes, and no block that
  // is replaced. For heaps without readers.
  Outcome copy(Tree& tree, const DenialReader& first, const Tree& from);

  // Frees the node at `ref` and all below it. Of a tree that readers have no more.
  static void free(Heap& heap, HeapRef ref);
  // Makes all nodes of a tree those of `generation`.
  static void adopt(const Heap& heap, HeapRef root, std::uint32_t generation);

 private:
  struct Slot {
    std::uint64_t head;
    HeapRef entry;
    HeapRef child;
  };
  // A node being changed: room for one slot more than fits.
  struct Draft {
    std::uint32_t level = 0;
    std::uint32_t count = 0;
    std::size_t prefix_size = 0;
    std::uint8_t prefix[kDenialKeyMax];
    Slot slots[kDenialFanout + 1];
  };
  struct Step {
    HeapRef node;
    std::uint32_t at;  // the slot that was followed
  };
  // What became of a node: it is another one, or two, or none.
  struct Change {
    HeapRef node = 0;
    HeapRef right = 0;
  };

  [[nodiscard]] const DenialNode& node(HeapRef ref) const;
  [[nodiscard]] std::span<const std::uint8_t> key(HeapRef entry) const;
  [[nodiscard]] Slot slot_of(HeapRef child) const;

  HeapRef allocate(std::size_t size);
  void replace(HeapRef ref, std::size_t size);
  HeapRef make_entry(const DenialKey& key, std::span<const std::uint8_t> content);
  void replace_entry(HeapRef ref);

  void read(HeapRef ref, Draft& draft) const;
  HeapRef write(const Draft& draft, HeapRef old);
  void set(Draft& draft, std::uint32_t at, Slot slot) const;
  void insert(Draft& draft, std::uint32_t at, Slot slot) const;
  static void erase(Draft& draft, std::uint32_t at);
  void fit_prefix(Draft& draft, HeapRef entry) const;
  void choose_prefix(Draft& draft) const;

  bool store(Draft& draft, HeapRef old, bool at_end, Change& change);
  bool store_above(Tree& tree, std::span<Step> path, Change change, bool at_end);
  bool grow(Tree& tree, Change change);
  bool drop_above(Tree& tree, std::span<Step> path, HeapRef node);
  bool merge(Draft& parent, std::uint32_t at);
  void shrink(Tree& tree);

  Heap& heap_;
  const std::uint32_t generation_;
  std::vector<Block>& made_;
  std::vector<Block>& replaced_;
};

}  // namespace brink::snapshot
