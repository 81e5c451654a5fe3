// Chains of denial, as readers see them: which NSEC or NSEC3 record of a zone is at or before a
// name in the canonical order of RFC 4034 6.1. Hot; any thread; nothing here allocates.
//
// A DenialKey is a name below its apex, as octets that sort in that order: its labels from the apex
// outwards, in lower case, each ended by 00. Octets 00 and 01 within a label, which no ordinary
// name has, are written 01 01 and 01 02. The key of the apex is empty.
//
// No two keys differ by zeros at their ends alone, so they may be compared as if zeros followed
// them: the eight octets at some place are one integer, and only where integers are equal the keys
// themselves are looked at.
#pragma once

#include <immintrin.h>

#include <cstdint>
#include <cstring>
#include <span>

#include "dataplane/base/bytes.h"
#include "dataplane/snapshot/layout.h"

namespace brink::snapshot {

struct alignas(32) DenialKey {
  std::uint8_t bytes[kDenialKeyMax + 64];  // at least 16 zeros follow the key
  std::uint16_t size;
};

// Writes a label with its octets 00 and 01 escaped; returns how many octets that makes.
std::size_t escape_denial_label(std::uint8_t* out, const std::uint8_t* label,
                                std::size_t size) noexcept;

// Appends a label of `size` octets in lower case; the name it makes is no longer than a name may
// be.
inline void append_denial_label(DenialKey& key, const std::uint8_t* label,
                                std::size_t size) noexcept {
  constexpr std::uint64_t kOnes = 0x0101010101010101;
  std::uint8_t* const out = key.bytes + key.size;
  std::uint64_t escapes = 0;  // not 0: there are octets 00 or 01
  std::size_t at = 0;
  for (; at + 8 <= size; at += 8) {
    std::uint64_t word;
    std::memcpy(&word, label + at, sizeof word);
    std::memcpy(out + at, &word, sizeof word);
    escapes |= (word - 2 * kOnes) & ~word & (kOnes << 7);
  }
  for (; at < size; ++at) {
    out[at] = label[at];
    escapes |= static_cast<std::uint64_t>(label[at] <= 1);
  }
  if (escapes != 0) [[unlikely]]
    at = escape_denial_label(out, label, size);
  std::memset(out + at, 0, 1 + 16);
  key.size = static_cast<std::uint16_t>(key.size + at + 1);
}

// Makes `key` that of the lower-case wire name of `name_size` octets, which lies at or below the
// apex that its last `apex_size` octets are.
void set_denial_key(DenialKey& key, const std::uint8_t* lower_wire_name, std::size_t name_size,
                    std::size_t apex_size) noexcept;

// Makes `key` one of a table: these octets, kTableKeyMax at most.
inline void set_table_key(DenialKey& key, std::span<const std::uint8_t> octets) noexcept {
  std::memcpy(key.bytes, octets.data(), octets.size());
  std::memset(key.bytes + octets.size(), 0, 16);
  key.size = static_cast<std::uint16_t>(octets.size());
}

inline std::span<const std::uint8_t> denial_salt(const DenialChain& chain) noexcept {
  return {reinterpret_cast<const std::uint8_t*>(&chain + 1), chain.salt_size};
}

// The table's tree of a chain that says that there is one.
inline const Tree& table_behind(const DenialChain& chain) noexcept {
  return *reinterpret_cast<const Tree*>(reinterpret_cast<const std::uint8_t*>(&chain + 1) +
                                        ((chain.salt_size + 7U) & ~7U));
}
// Of the chain with its salt and, if there is one, the table's tree.
inline std::size_t denial_chain_size(const DenialChain& chain) noexcept {
  if (chain.has_table == 0) return sizeof chain + chain.salt_size;
  return sizeof chain + ((chain.salt_size + 7U) & ~7U) + sizeof(Tree);
}

// The parts of a node.
inline const std::uint8_t* denial_prefix(const DenialNode& node) noexcept {
  return reinterpret_cast<const std::uint8_t*>(&node + 1);
}
inline std::size_t denial_room(std::size_t prefix_size) noexcept {
  return (prefix_size + 7) & ~std::size_t{7};
}
inline std::uint32_t denial_width(std::uint32_t slots) noexcept {
  return (slots + 3) & ~3U;
}
inline const std::uint64_t* denial_heads(const DenialNode& node) noexcept {
  return reinterpret_cast<const std::uint64_t*>(denial_prefix(node) +
                                                denial_room(node.prefix_size));
}
inline const HeapRef* denial_entries(const DenialNode& node) noexcept {
  return reinterpret_cast<const HeapRef*>(denial_heads(node) + denial_width(node.count));
}
inline const HeapRef* denial_children(const DenialNode& node) noexcept {
  return denial_entries(node) + denial_width(node.count);
}
inline std::size_t denial_node_size(std::size_t prefix_size, std::uint32_t count,
                                    std::uint32_t level) noexcept {
  const std::size_t slot = sizeof(std::uint64_t) + sizeof(HeapRef) * (level == 0 ? 1 : 2);
  return sizeof(DenialNode) + denial_room(prefix_size) + denial_width(count) * slot;
}

// The parts of an entry.
inline std::span<const std::uint8_t> denial_key(const DenialEntry& entry) noexcept {
  return {reinterpret_cast<const std::uint8_t*>(&entry + 1), entry.key_size};
}
inline std::size_t denial_blob_offset(std::size_t key_size) noexcept {
  return (sizeof(DenialEntry) + key_size + 7) & ~std::size_t{7};
}
inline const BlobHeader& denial_blob(const DenialEntry& entry) noexcept {
  return *reinterpret_cast<const BlobHeader*>(reinterpret_cast<const std::uint8_t*>(&entry) +
                                              denial_blob_offset(entry.key_size));
}

inline std::size_t denial_entry_size(const DenialEntry& entry) noexcept {
  return entry.size_units * kHeapUnit;
}

// What a look-up in a chain finds. The entry need not be in the caches.
struct DenialHit {
  const DenialEntry* entry = nullptr;  // null: the chain has no records
  bool exact = false;                  // it is the record of the name itself

  [[nodiscard]] const BlobHeader* blob() const noexcept {
    return entry == nullptr ? nullptr : &denial_blob(*entry);
  }
};
// Of a table.
inline std::span<const std::uint8_t> table_value(const DenialEntry& entry) noexcept {
  const std::size_t at = denial_blob_offset(entry.key_size);
  return {reinterpret_cast<const std::uint8_t*>(&entry) + at, denial_entry_size(entry) - at};
}

// The octets of a key from `at` on as one integer, as heads are; `at` may lie behind the key.
inline std::uint64_t denial_head(std::span<const std::uint8_t> key, std::size_t at) noexcept {
  std::uint8_t octets[8] = {};
  if (at < key.size()) {
    const std::size_t left = key.size() - at;
    std::memcpy(octets, key.data() + at, left < 8 ? left : 8);
  }
  return base::load_be64(octets);
}

// One of several look-ups that are made at once. The chain and key outlive it.
struct DenialQuestion {
  const DenialChain* chain;
  const DenialKey* key;
  DenialHit hit = {};
};

// DenialReader: look-ups in the chains and tables of one heap.
class DenialReader {
 public:
  explicit DenialReader(const std::uint8_t* heap) noexcept : heap_(heap) {}

  // The entry with the greatest key at or before `key`, or, where all come behind it, the last: the
  // order is a circle (RFC 4034 4.1.1, RFC 5155 3.1.7). Null if the chain has none. At most height
  // nodes, and an entry.
  [[nodiscard]] const DenialEntry* find(const Tree& chain, const DenialKey& key,
                                        bool& exact) const noexcept;
  // The same for several at once: while memory for one is fetched the others go on.
  void find(std::span<DenialQuestion> questions) const noexcept;

  // The slot of the greatest key at or before `key`, -1 if there is none. `equal`: it is that key.
  [[nodiscard]] int slot(const DenialNode& node, const DenialKey& key, bool& equal) const noexcept;

  [[nodiscard]] const DenialNode& node(HeapRef ref) const noexcept {
    return *reinterpret_cast<const DenialNode*>(heap_ + std::size_t{ref} * kHeapUnit);
  }
  [[nodiscard]] const DenialEntry& entry(HeapRef ref) const noexcept {
    return *reinterpret_cast<const DenialEntry*>(heap_ + std::size_t{ref} * kHeapUnit);
  }

 private:
  static constexpr std::size_t kAtOnce = 96;
  // Where a key lies among the heads of a node.
  struct Range {
    int before;   // so many are less
    int through;  // so many are less or equal: their keys decide
  };
  struct Place {
    const DenialNode* node;
    Range range;
  };

  [[nodiscard]] static Range range(const DenialNode& node, const DenialKey& key) noexcept;
  [[nodiscard]] int settle(const DenialNode& node, const DenialKey& key, Range range,
                           bool& equal) const noexcept;
  void find_some(std::span<DenialQuestion> questions) const noexcept;
  [[nodiscard]] HeapRef last(const Tree& chain) const noexcept;
  void prefetch_node(HeapRef ref) const noexcept;
  void prefetch_key(HeapRef ref) const noexcept;

  const std::uint8_t* heap_;
};

}  // namespace brink::snapshot
