#include "dataplane/snapshot/denial_tree.h"

#include <algorithm>
#include <cstring>

#include "dataplane/base/check.h"

namespace brink::snapshot {
namespace {

// Of two neighbours: with so many slots together or fewer they become one.
constexpr std::uint32_t kMergedMax = kDenialFanout / 2;

std::size_t size_of(const DenialNode& node) {
  return denial_node_size(node.prefix_size, node.count, node.level);
}

std::size_t common_size(std::span<const std::uint8_t> left, std::span<const std::uint8_t> right) {
  const auto end = std::mismatch(left.begin(), left.end(), right.begin(), right.end()).first;
  return static_cast<std::size_t>(end - left.begin());
}

template <typename Visit>
bool visit_entries(const DenialReader& reader, HeapRef ref, const Visit& visit) {
  const DenialNode& node = reader.node(ref);
  for (std::uint32_t i = 0; i < node.count; ++i) {
    const bool good = node.level == 0 ? visit(reader.entry(denial_entries(node)[i]))
                                      : visit_entries(reader, denial_children(node)[i], visit);
    if (!good) return false;
  }
  return true;
}

}  // namespace

const DenialNode& DenialTree::node(HeapRef ref) const {
  return DenialReader(heap_.at(0)).node(ref);
}

std::span<const std::uint8_t> DenialTree::key(HeapRef entry) const {
  return denial_key(DenialReader(heap_.at(0)).entry(entry));
}

DenialTree::Slot DenialTree::slot_of(HeapRef child) const {
  return {0, denial_entries(node(child))[0], child};
}

HeapRef DenialTree::allocate(std::size_t size) {
  const HeapRef ref = heap_.allocate(size);
  if (ref != 0) made_.push_back({ref, static_cast<std::uint32_t>(size)});
  return ref;
}

void DenialTree::replace(HeapRef ref, std::size_t size) {
  replaced_.push_back({ref, static_cast<std::uint32_t>(size)});
}

void DenialTree::replace_entry(HeapRef ref) {
  replace(ref, denial_entry_size(DenialReader(heap_.at(0)).entry(ref)));
}

HeapRef DenialTree::make_entry(const DenialKey& key, std::span<const std::uint8_t> content) {
  const std::size_t content_at = denial_blob_offset(key.size);
  const std::size_t units = (content_at + content.size() + kHeapUnit - 1) / kHeapUnit;
  CHECK(units <= 0xffff);
  const HeapRef ref = allocate(units * kHeapUnit);
  if (ref == 0) return 0;
  const DenialEntry entry{key.size, static_cast<std::uint16_t>(units)};
  std::uint8_t* const at = heap_.at(ref);
  std::memset(at + (units - 1) * kHeapUnit, 0, kHeapUnit);
  std::memcpy(at, &entry, sizeof entry);
  std::memcpy(at + sizeof entry, key.bytes, content_at - sizeof entry);  // zeros follow the key
  std::memcpy(at + content_at, content.data(), content.size());
  return ref;
}

void DenialTree::read(HeapRef ref, Draft& draft) const {
  const DenialNode& from = node(ref);
  draft.level = from.level;
  draft.count = from.count;
  draft.prefix_size = from.prefix_size;
  std::memcpy(draft.prefix, denial_prefix(from), from.prefix_size);
  for (std::uint32_t i = 0; i < from.count; ++i) {
    draft.slots[i] = {denial_heads(from)[i], denial_entries(from)[i],
                      from.level == 0 ? 0 : denial_children(from)[i]};
  }
}

// In the place of `old` (0: of none), if that is the transaction's own and as large; 0: no memory.
HeapRef DenialTree::write(const Draft& draft, HeapRef old) {
  const std::size_t size = denial_node_size(draft.prefix_size, draft.count, draft.level);
  HeapRef ref = old;
  if (old == 0 || node(old).birth != generation_ || size_of(node(old)) != size) {
    ref = allocate(size);
    if (ref == 0) return 0;
    if (old != 0) replace(old, size_of(node(old)));
  }
  std::uint8_t* const at = heap_.at(ref);
  std::memset(at, 0, size);
  const DenialNode header{generation_, static_cast<std::uint16_t>(draft.prefix_size),
                          static_cast<std::uint8_t>(draft.count),
                          static_cast<std::uint8_t>(draft.level)};
  std::memcpy(at, &header, sizeof header);
  std::memcpy(at + sizeof header, draft.prefix, draft.prefix_size);
  auto* heads =
      reinterpret_cast<std::uint64_t*>(at + sizeof header + denial_room(draft.prefix_size));
  auto* entries = reinterpret_cast<HeapRef*>(heads + denial_width(draft.count));
  HeapRef* children = entries + denial_width(draft.count);
  for (std::uint32_t i = 0; i < draft.count; ++i) {
    heads[i] = draft.slots[i].head;
    entries[i] = draft.slots[i].entry;
    if (draft.level > 0) children[i] = draft.slots[i].child;
  }
  return ref;
}

void DenialTree::set(Draft& draft, std::uint32_t at, Slot slot) const {
  if (slot.entry == draft.slots[at].entry) {
    draft.slots[at].child = slot.child;
    return;
  }
  fit_prefix(draft, slot.entry);
  draft.slots[at] = {denial_head(key(slot.entry), draft.prefix_size), slot.entry, slot.child};
}

void DenialTree::insert(Draft& draft, std::uint32_t at, Slot slot) const {
  fit_prefix(draft, slot.entry);
  std::copy_backward(draft.slots + at, draft.slots + draft.count, draft.slots + draft.count + 1);
  draft.slots[at] = {denial_head(key(slot.entry), draft.prefix_size), slot.entry, slot.child};
  ++draft.count;
}

void DenialTree::erase(Draft& draft, std::uint32_t at) {
  std::copy(draft.slots + at + 1, draft.slots + draft.count, draft.slots + at);
  --draft.count;
}

// Shortens the prefix to what the key of `entry` has of it, too.
void DenialTree::fit_prefix(Draft& draft, HeapRef entry) const {
  const std::size_t common = common_size({draft.prefix, draft.prefix_size}, key(entry));
  if (common == draft.prefix_size) return;
  draft.prefix_size = common;
  for (Slot& slot : std::span(draft.slots).first(draft.count)) {
    slot.head = denial_head(key(slot.entry), common);
  }
}

// Makes the prefix as long as it can be. Where there is one key it is none: another will come.
void DenialTree::choose_prefix(Draft& draft) const {
  const auto first = key(draft.slots[0].entry);
  const auto last = key(draft.slots[draft.count - 1].entry);
  draft.prefix_size = draft.count == 1 ? 0 : common_size(first, last);
  std::memcpy(draft.prefix, first.data(), draft.prefix_size);
  for (Slot& slot : std::span(draft.slots).first(draft.count)) {
    slot.head = denial_head(key(slot.entry), draft.prefix_size);
  }
}

DenialTree::Outcome DenialTree::put(Tree& tree, const DenialKey& key,
                                    std::span<const std::uint8_t> content) {
  CHECK(tree.height <= kDenialHeightMax);
  const HeapRef entry = make_entry(key, content);
  if (entry == 0) return Outcome::kNoMemory;
  if (tree.root == 0) {
    Draft leaf;
    insert(leaf, 0, {0, entry, 0});
    tree.root = write(leaf, 0);
    tree.height = 1;
    tree.count = 1;
    return tree.root != 0 ? Outcome::kDone : Outcome::kNoMemory;
  }
  const DenialReader reader(heap_.at(0));
  Step path[kDenialHeightMax];
  std::uint32_t depth = 0;
  bool exact = false, at_end = true;
  int found;
  for (HeapRef ref = tree.root;; ref = denial_children(node(ref))[path[depth - 1].at]) {
    found = reader.slot(node(ref), key, exact);
    at_end = at_end && found == node(ref).count - 1;
    path[depth++] = {ref, static_cast<std::uint32_t>(std::max(found, 0))};
    if (node(ref).level == 0) break;
  }
  const Step& last = path[depth - 1];
  Draft leaf;
  read(last.node, leaf);
  if (exact) {
    replace_entry(leaf.slots[last.at].entry);
    set(leaf, last.at, {0, entry, 0});
  } else {
    insert(leaf, static_cast<std::uint32_t>(found + 1), {0, entry, 0});
    ++tree.count;
  }
  Change change;
  if (!store(leaf, last.node, at_end, change) ||
      !store_above(tree, {path, depth - 1}, change, at_end)) {
    return Outcome::kNoMemory;
  }
  return tree.height <= kDenialHeightMax ? Outcome::kDone : Outcome::kTooHigh;
}

// Writes a node in the place of `old`, as two if it is too large. Where records are put in order
// (`at_end`) the left one stays full.
bool DenialTree::store(Draft& draft, HeapRef old, bool at_end, Change& change) {
  change = {};
  if (draft.count > kDenialFanout) {
    const std::uint32_t stay = at_end ? kDenialFanout : (kDenialFanout + 1) / 2;
    Draft right;
    right.level = draft.level;
    right.count = draft.count - stay;
    std::copy(draft.slots + stay, draft.slots + draft.count, right.slots);
    choose_prefix(right);
    change.right = write(right, 0);
    if (change.right == 0) return false;
    draft.count = stay;
    choose_prefix(draft);
  } else if (denial_width(draft.count) != denial_width(node(old).count)) {
    choose_prefix(draft);
  }
  change.node = write(draft, old);
  return change.node != 0;
}

// Tells the nodes above, the lowest last in `path`, what became of the one below them.
bool DenialTree::store_above(Tree& tree, std::span<Step> path, Change change, bool at_end) {
  for (; !path.empty(); path = path.first(path.size() - 1)) {
    const Step& step = path.back();
    const DenialNode& parent = node(step.node);
    const Slot slot = slot_of(change.node);
    // Then the parent is the transaction's own, too, and all above it.
    if (change.right == 0 && denial_children(parent)[step.at] == slot.child &&
        denial_entries(parent)[step.at] == slot.entry) {
      return true;
    }
    Draft draft;
    read(step.node, draft);
    set(draft, step.at, slot);
    if (change.right != 0) insert(draft, step.at + 1, slot_of(change.right));
    if (!store(draft, step.node, at_end, change)) return false;
  }
  tree.root = change.node;
  return change.right == 0 || grow(tree, change);
}

bool DenialTree::grow(Tree& tree, Change change) {
  Draft root;
  root.level = tree.height;
  insert(root, 0, slot_of(change.node));
  insert(root, 1, slot_of(change.right));
  choose_prefix(root);
  tree.root = write(root, 0);
  ++tree.height;
  return tree.root != 0;
}

DenialTree::Outcome DenialTree::drop(Tree& tree, const DenialKey& key) {
  if (tree.root == 0) return Outcome::kDone;
  CHECK(tree.height <= kDenialHeightMax);
  const DenialReader reader(heap_.at(0));
  Step path[kDenialHeightMax];
  std::uint32_t depth = 0;
  bool exact = false;
  for (HeapRef ref = tree.root;; ref = denial_children(node(ref))[path[depth - 1].at]) {
    const int found = reader.slot(node(ref), key, exact);
    if (found < 0) return Outcome::kDone;
    path[depth++] = {ref, static_cast<std::uint32_t>(found)};
    if (node(ref).level == 0) break;
  }
  if (!exact) return Outcome::kDone;
  const Step& last = path[depth - 1];
  Draft leaf;
  read(last.node, leaf);
  replace_entry(leaf.slots[last.at].entry);
  erase(leaf, last.at);
  --tree.count;
  HeapRef ref = 0;
  if (leaf.count == 0) {
    replace(last.node, size_of(node(last.node)));
  } else if (ref = write(leaf, last.node); ref == 0) {
    return Outcome::kNoMemory;
  }
  return drop_above(tree, {path, depth - 1}, ref) ? Outcome::kDone : Outcome::kNoMemory;
}

// Tells the nodes above, the lowest last in `path`, that the one below them is `below` now, and
// smaller; 0: it is no more.
bool DenialTree::drop_above(Tree& tree, std::span<Step> path, HeapRef below) {
  for (; !path.empty(); path = path.first(path.size() - 1)) {
    const Step& step = path.back();
    Draft draft;
    read(step.node, draft);
    if (below == 0) {
      erase(draft, step.at);
    } else {
      set(draft, step.at, slot_of(below));
      if (!merge(draft, step.at)) return false;
    }
    if (draft.count == 0) {
      replace(step.node, size_of(node(step.node)));
      below = 0;
    } else if (below = write(draft, step.node); below == 0) {
      return false;
    }
  }
  tree.root = below;
  if (below == 0) tree.height = 0;
  shrink(tree);
  return true;
}

// Makes one of the child at `at` and a neighbour where both are small.
bool DenialTree::merge(Draft& parent, std::uint32_t at) {
  for (const std::uint32_t left : {at, at - 1}) {
    const std::uint32_t right = left + 1;
    if (left >= parent.count || right >= parent.count) continue;
    const HeapRef left_ref = parent.slots[left].child, right_ref = parent.slots[right].child;
    if (std::uint32_t{node(left_ref).count} + node(right_ref).count > kMergedMax) continue;
    Draft merged, other;
    read(left_ref, merged);
    read(right_ref, other);
    std::copy(other.slots, other.slots + other.count, merged.slots + merged.count);
    merged.count += other.count;
    choose_prefix(merged);
    const HeapRef fresh = write(merged, left_ref);
    if (fresh == 0) return false;
    replace(right_ref, size_of(node(right_ref)));
    set(parent, left, slot_of(fresh));
    erase(parent, right);
    return true;
  }
  return true;
}

// A root with one child is not needed.
void DenialTree::shrink(Tree& tree) {
  while (tree.root != 0 && node(tree.root).level > 0 && node(tree.root).count == 1) {
    const HeapRef old = tree.root;
    tree.root = denial_children(node(old))[0];
    replace(old, size_of(node(old)));
    --tree.height;
  }
}

DenialTree::Outcome DenialTree::copy(Tree& tree, const DenialReader& first,
                                     const Tree& from) {
  tree.count = from.count;
  tree.root = 0;
  tree.height = 0;
  if (from.root == 0) return Outcome::kDone;
  std::vector<Slot> slots;
  slots.reserve(from.count);
  const bool copied = visit_entries(first, from.root, [&](const DenialEntry& entry) {
    const std::size_t size = denial_entry_size(entry);
    const HeapRef ref = heap_.allocate(size);
    if (ref != 0) std::memcpy(heap_.at(ref), &entry, size);
    slots.push_back({0, ref, 0});
    return ref != 0;
  });
  if (!copied) return Outcome::kNoMemory;
  do {
    std::vector<Slot> above;
    for (std::size_t at = 0; at < slots.size(); at += kDenialFanout) {
      Draft draft;
      draft.level = tree.height;
      draft.count =
          static_cast<std::uint32_t>(std::min<std::size_t>(kDenialFanout, slots.size() - at));
      std::copy_n(slots.begin() + static_cast<std::ptrdiff_t>(at), draft.count, draft.slots);
      choose_prefix(draft);
      tree.root = write(draft, 0);
      if (tree.root == 0) return Outcome::kNoMemory;
      above.push_back(slot_of(tree.root));
    }
    ++tree.height;
    slots = std::move(above);
  } while (slots.size() > 1);
  return Outcome::kDone;
}

void DenialTree::free(Heap& heap, HeapRef ref) {
  const DenialReader reader(heap.at(0));
  const DenialNode& node = reader.node(ref);
  for (std::uint32_t i = 0; i < node.count; ++i) {
    if (node.level > 0) {
      free(heap, denial_children(node)[i]);
    } else {
      const HeapRef entry = denial_entries(node)[i];
      heap.free(entry, denial_entry_size(reader.entry(entry)));
    }
  }
  heap.free(ref, size_of(node));
}

void DenialTree::adopt(const Heap& heap, HeapRef ref, std::uint32_t generation) {
  auto& node = *reinterpret_cast<DenialNode*>(heap.at(ref));
  node.birth = generation;
  for (std::uint32_t i = 0; node.level > 0 && i < node.count; ++i) {
    adopt(heap, denial_children(node)[i], generation);
  }
}

}  // namespace brink::snapshot
