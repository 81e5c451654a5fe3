#include "dataplane/snapshot/rrset_blocks.h"

#include <algorithm>
#include <cstring>

#include "dataplane/base/check.h"
#include "dataplane/snapshot/view.h"

namespace brink::snapshot {
namespace {

constexpr std::uint16_t kTypeNs = 2;
constexpr std::size_t kHashUnit = 16;

std::size_t round_up(std::size_t value, std::size_t unit) {
  return (value + unit - 1) / unit * unit;
}

RrsetTable& table_at(const Heap& heap, HeapRef block) {
  return *reinterpret_cast<RrsetTable*>(heap.at(block));
}

std::span<const RrsetEntry> entries_of(const RrsetTable& table) {
  return {reinterpret_cast<const RrsetEntry*>(&table + 1), table.count};
}

std::span<const std::uint8_t> only_blob(const Heap& heap, HeapRef block) {
  const std::uint8_t* at = heap.at(block + kOnlyBlobUnits);
  return {at, blob_size(*reinterpret_cast<const BlobHeader*>(at))};
}

// Signed forms are not: no two owners have the same signatures.
template <typename T>
bool is_servers(const T& set) {
  return set.type == kTypeNs && set.form == kPlainForm;
}

bool is_sharable(const RrsetTable& table) {
  const RrsetEntry& first = entries_of(table).front();
  return table.count == 1 && is_servers(first) && first.offset_units == kOnlyBlobUnits;
}

// A block of `sets`, with one owner. `servers`: if it is not 0, the block with the NS set.
HeapRef write_block(Heap& heap, std::span<const RrsetBlocks::Set> sets, HeapRef servers) {
  const auto elsewhere = [servers](const RrsetBlocks::Set& set) {
    return servers != 0 && is_servers(set);
  };
  std::size_t size = sizeof(RrsetTable) + sets.size() * sizeof(RrsetEntry);
  for (const auto& set : sets) size += elsewhere(set) ? 0 : round_up(set.blob.size(), kHeapUnit);
  const HeapRef ref = heap.allocate(size);
  if (ref == 0) return 0;
  std::uint8_t* const block = heap.at(ref);
  std::memset(block, 0, size);
  const RrsetTable table{static_cast<std::uint16_t>(sets.size()), 1,
                         static_cast<std::uint32_t>(size)};
  std::memcpy(block, &table, sizeof table);
  std::size_t at = sizeof(RrsetTable) + sets.size() * sizeof(RrsetEntry);
  for (std::size_t i = 0; i < sets.size(); ++i) {
    RrsetEntry entry{sets[i].type, sets[i].form, servers + kOnlyBlobUnits - ref};
    if (!elsewhere(sets[i])) {
      entry.offset_units = static_cast<std::uint32_t>(at / kHeapUnit);
      std::memcpy(block + at, sets[i].blob.data(), sets[i].blob.size());
      at += round_up(sets[i].blob.size(), kHeapUnit);
    }
    std::memcpy(block + sizeof table + i * sizeof entry, &entry, sizeof entry);
  }
  return ref;
}

}  // namespace

HeapRef RrsetBlocks::make(Heap& heap, std::span<const Set> sets, bool cut) {
  const auto servers = std::find_if(sets.begin(), sets.end(), is_servers<Set>);
  if (!cut || servers == sets.end()) return write_block(heap, sets, 0);
  const HeapRef shared = share(heap, *servers);
  if (shared == 0 || sets.size() == 1) return shared;
  const HeapRef block = write_block(heap, sets, shared);
  if (block == 0) drop(heap, shared);
  return block;
}

HeapRef RrsetBlocks::share(Heap& heap, const Set& servers) {
  const std::uint32_t hash = hash_of(servers.blob);
  HeapRef* const found = shared_.find(hash, [&](HeapRef block) {
    const auto blob = only_blob(heap, block);
    return std::equal(blob.begin(), blob.end(), servers.blob.begin(), servers.blob.end());
  });
  if (found != nullptr && table_at(heap, *found).owners < kOwnersMax) {
    ++table_at(heap, *found).owners;
    return *found;
  }
  const HeapRef block = write_block(heap, {&servers, 1}, 0);
  if (block == 0) return 0;
  if (found != nullptr) {
    *found = block;  // the other is full
  } else {
    shared_.insert(hash, block);
  }
  return block;
}

void RrsetBlocks::drop(Heap& heap, HeapRef block) {
  RrsetTable& table = table_at(heap, block);
  CHECK(table.owners != 0);
  if (--table.owners != 0) return;
  for (const RrsetEntry& entry : entries_of(table)) {
    if (is_elsewhere(table, entry)) drop(heap, block_elsewhere(block, entry));
  }
  if (is_sharable(table)) shared_.remove(hash_of(only_blob(heap, block)), block);
  heap.free(block, table.size_bytes);
}

void RrsetBlocks::adopt(const Heap& heap, HeapRef block, std::vector<bool>& seen) {
  const RrsetTable& table = table_at(heap, block);
  for (const RrsetEntry& entry : entries_of(table)) {
    if (!is_servers(entry)) continue;
    const HeapRef servers = is_elsewhere(table, entry) ? block_elsewhere(block, entry) : block;
    if (seen[servers] || !is_sharable(table_at(heap, servers))) return;
    seen[servers] = true;
    index(heap, servers);
    return;
  }
}

// Of equal blocks one that has room is found.
void RrsetBlocks::index(const Heap& heap, HeapRef block) {
  const auto ours = only_blob(heap, block);
  const std::uint32_t hash = hash_of(ours);
  HeapRef* const found = shared_.find(hash, [&](HeapRef other) {
    const auto blob = only_blob(heap, other);
    return std::equal(blob.begin(), blob.end(), ours.begin(), ours.end());
  });
  if (found == nullptr) {
    shared_.insert(hash, block);
  } else if (table_at(heap, *found).owners == kOwnersMax) {
    *found = block;
  }
}

// In two steps, since what is hashed at once must be padded with zeros.
std::uint32_t RrsetBlocks::hash_of(std::span<const std::uint8_t> blob) const {
  const std::size_t whole = blob.size() / kHashUnit * kHashUnit;
  const std::size_t rest = blob.size() - whole;
  const std::uint64_t head = base::keyed_hash(hash_key_, blob.data(), whole);
  std::uint8_t last[2 * kHashUnit] = {};
  std::memcpy(last, &head, sizeof head);
  std::memcpy(last + kHashUnit, blob.data() + whole, rest);
  return static_cast<std::uint32_t>(base::keyed_hash(hash_key_, last, kHashUnit + rest));
}

}  // namespace brink::snapshot
