// View: the packet path's read-only window on an image, at one generation. Trivially copyable; a
// worker takes one per burst and drops it with the burst (RCU: no pointer into the image outlives
// it). Everything in it belongs to one state of the store, whatever the writer does meanwhile.
//
// Hot. Any thread; nothing here writes. An image that did not pass verify() must never get here:
// indexes and references inside it are followed unchecked.
#pragma once

#include <immintrin.h>

#include <cstdint>
#include <span>

#include "dataplane/base/hash.h"
#include "dataplane/snapshot/denial.h"
#include "dataplane/snapshot/layout.h"
#include "dataplane/snapshot/link.h"
#include "dataplane/snapshot/name.h"
#include "dataplane/snapshot/root.h"

namespace brink::snapshot {

// How a name stands to the table.
struct Lookup {
  const Record* record = nullptr;  // the name itself; else the wildcard that covers it; else null
  // The closest encloser that belongs to a zone (RFC 4592 3.3.1, but for empty non-terminals, whose
  // zone is that of the name above); null: not ours.
  const Record* encloser = nullptr;
  bool exact = false;  // `record` is the name itself (an empty non-terminal included)
  // Wire size of the closest encloser's name, empty non-terminal or not, where the name itself is
  // not there.
  std::uint16_t closest_size = 0;
};

// Memory that will be read soon.
struct MemoryArea {
  const void* at = nullptr;
  std::size_t size_bytes = 0;
};

class View {
 public:
  View(const Root& root, std::uint32_t generation) noexcept
      : root_(root), generation_(generation) {}

  [[nodiscard]] const base::HashKey& hash_key() const noexcept { return root_.hash_key; }
  [[nodiscard]] std::uint32_t generation() const noexcept { return generation_; }
  [[nodiscard]] const Record& record(std::uint32_t index) const noexcept {
    return root_.records[index];
  }
  // What this generation sees of the record's zone. The record belongs to one.
  [[nodiscard]] const ZoneState& zone(const Record& record) const noexcept {
    const auto* state = zone_state(load_link(root_.zones[record.zone].state));
    while (!sees(state->birth)) state = zone_state(state->previous);
    return *state;
  }

  void prefetch_bucket(std::uint64_t hash) const noexcept {
    __builtin_prefetch(&root_.buckets[hash & root_.bucket_mask]);
  }
  void prefetch_record(std::uint32_t index) const noexcept {
    const auto* at = reinterpret_cast<const char*>(&root_.records[index]);
    __builtin_prefetch(at);
    __builtin_prefetch(at + 64);
  }

  // candidate: index of the first record in the home bucket whose tag fits; 0 = none there. Whether
  // it is the name, and its version the right one, is for is_hit() to say; when not, or when 0, ask
  // lookup().
  [[nodiscard]] std::uint32_t candidate(std::uint64_t hash) const noexcept {
    const Bucket& bucket = root_.buckets[hash & root_.bucket_mask];
    const unsigned matches = tag_matches(bucket, hash);
    return matches == 0 ? 0 : load_link(bucket.records[__builtin_ctz(matches)]);
  }
  // The record is this name, owns something, and is what this generation sees of it.
  [[nodiscard]] bool is_hit(const Record& record, const NameKey& key) const noexcept {
    return record.name_hash == key.hash && record.name_size == key.size && sees(record.birth) &&
           (record.flags & (kEmpty | kGone)) == 0 &&
           same_bytes(name_bytes(record), key.bytes, key.size);
  }

  // newest: index of the newest version of the name that starts at `offset` of `key` and has this
  // hash, whether it is visible or not; 0: not in the table. At most kMaxProbes buckets.
  [[nodiscard]] std::uint32_t newest(const NameKey& key, std::size_t offset,
                                     std::uint64_t hash) const noexcept;

  // version: what this generation sees of the name whose newest record is `index`; null: nothing.
  [[nodiscard]] const Record* version(std::uint32_t index) const noexcept {
    while (index != 0) {
      const Record& found = record(index);
      if (sees(found.birth)) return (found.flags & kGone) != 0 ? nullptr : &found;
      index = found.previous;
    }
    return nullptr;
  }

  // find: the record of exactly this name, or null.
  [[nodiscard]] const Record* find(const NameKey& key) const noexcept {
    return version(newest(key, 0, key.hash));
  }

  // above: the nearest record over the name at `offset` of `key` that belongs to a zone, or null.
  [[nodiscard]] const Record* above(const NameKey& key, std::size_t offset) const noexcept;
  // The same for a record's name.
  [[nodiscard]] const Record* above(const Record& record) const noexcept;

  // lookup: the name, or its closest encloser and the wildcard below that (RFC 4592). Bounded by
  // log2 of the number of labels, since every ancestor of a name in the table is in the table.
  [[nodiscard]] Lookup lookup(const NameKey& key) const noexcept;
  // The same with the hash of the name right above it, which is not the root.
  [[nodiscard]] Lookup lookup(const NameKey& key, std::uint64_t parent_hash) const noexcept;
  [[nodiscard]] std::uint64_t parent_hash(const NameKey& key) const noexcept {
    const std::size_t offset = 1U + key.bytes[0];
    return base::keyed_hash(hash_key(), key.bytes + offset, key.size - offset);
  }

  // The record's lower-case wire name, name_size bytes.
  [[nodiscard]] const std::uint8_t* name_bytes(const Record& record) const noexcept {
    if (__builtin_expect((record.flags & kLongName) == 0, 1)) return record.area;
    HeapRef ref;
    __builtin_memcpy(&ref, record.area, sizeof ref);
    return heap(ref);
  }

  // blob: the RRset of this type at this record, in its plain form, or null.
  [[nodiscard]] const BlobHeader* blob(const Record& record, std::uint16_t type) const noexcept {
    if (record.inline_type == type) return inline_blob(record);
    return record.rrsets == 0 ? nullptr : table_blob(record, type);
  }
  [[nodiscard]] const BlobHeader* inline_blob(const Record& record) const noexcept {
    return reinterpret_cast<const BlobHeader*>(record.area + record.inline_offset);
  }
  // signed_blob: the same with signatures; the plain form if there is no other.
  [[nodiscard]] const BlobHeader* signed_blob(const Record& record,
                                              std::uint16_t type) const noexcept {
    const BlobHeader* plain = record.inline_type == type ? inline_blob(record) : nullptr;
    for (const RrsetEntry& entry : rrsets(record)) {
      if (entry.type > type) break;
      if (entry.type == type) plain = table_blob(record, entry);  // the signed form is the last
    }
    return plain;
  }
  // The out-of-line RRsets, sorted by type and form; empty if there are none.
  [[nodiscard]] std::span<const RrsetEntry> rrsets(const Record& record) const noexcept {
    if (record.rrsets == 0) return {};
    const auto* table = reinterpret_cast<const RrsetTable*>(heap(record.rrsets));
    return {reinterpret_cast<const RrsetEntry*>(table + 1), table->count};
  }
  // `entry` is one of rrsets(record).
  [[nodiscard]] const BlobHeader* table_blob(const Record& record,
                                             const RrsetEntry& entry) const noexcept {
    return reinterpret_cast<const BlobHeader*>(heap(record.rrsets + entry.offset_units));
  }
  // The SOA of a zone's negative answers with signatures; the plain form if there is no other.
  [[nodiscard]] static const BlobHeader* signed_negative_blob(const ZoneState& state) noexcept {
    const std::size_t units = state.signed_units == 0 ? state.negative_units : state.signed_units;
    return reinterpret_cast<const BlobHeader*>(part_of(state, units));
  }
  // That the zone's apex is there and has no wildcard, a free-standing blob (layout.h); or null.
  [[nodiscard]] static const BlobHeader* apex_denial_blob(const ZoneState& state) noexcept {
    if (state.denial_units == 0) return nullptr;
    return reinterpret_cast<const BlobHeader*>(part_of(state, state.denial_units));
  }
  // The zone's chain of denial; null: it is not signed.
  [[nodiscard]] static const DenialChain* chain(const ZoneState& state) noexcept {
    const DenialChain* chain = trees(state);
    return chain == nullptr || chain->kind == DenialKind::kNone ? nullptr : chain;
  }
  // The zone's table; null: it has none.
  [[nodiscard]] static const Tree* table(const ZoneState& state) noexcept {
    const DenialChain* chain = trees(state);
    return chain == nullptr || chain->has_table == 0 ? nullptr : &table_behind(*chain);
  }
  // The value that the table has for the key; empty: it has none. At most kDenialHeightMax nodes.
  [[nodiscard]] std::span<const std::uint8_t> value(const Tree& table,
                                                    const DenialKey& key) const noexcept {
    bool exact;
    const DenialEntry* entry = DenialReader(root_.heap).find(table, key, exact);
    return exact ? table_value(*entry) : std::span<const std::uint8_t>();
  }
  // The chain's record at or before the key; before the first, the last. Null in a chain without
  // records only. At most kDenialHeightMax nodes.
  [[nodiscard]] DenialHit find_denial(const DenialChain& chain,
                                      const DenialKey& key) const noexcept {
    DenialHit hit;
    const DenialEntry* entry = DenialReader(root_.heap).find(chain, key, hit.exact);
    hit.entry = entry;
    return hit;
  }
  // The same for several at once, in less time: the memory that one waits for is fetched while the
  // others go on.
  void find_denials(std::span<DenialQuestion> questions) const noexcept {
    DenialReader(root_.heap).find(questions);
  }

  // `lines`: of 64 octets.
  void prefetch_rrsets(const Record& record, std::size_t lines = 2) const noexcept {
    prefetch_lines(heap(record.rrsets), lines);
  }
  // The record's zone; then, once that is there, the newest state of it, but for its blobs.
  void prefetch_zone(const Record& record) const noexcept {
    prefetch_lines(&root_.zones[record.zone], 1);
  }
  void prefetch_zone_state(const Record& record) const noexcept {
    const auto* at =
        reinterpret_cast<const char*>(zone_state(load_link(root_.zones[record.zone].state)));
    __builtin_prefetch(at);
    __builtin_prefetch(at + sizeof(ZoneState) + sizeof(DenialChain) - 1);
  }
  // What negative answers take out of a state, for prefetch(). What is most often in it is not
  // looked at.
  [[nodiscard]] static MemoryArea negative_area(const ZoneState& state,
                                                bool with_signatures) noexcept {
    constexpr std::size_t kSoaSize = 128;
    const auto* plain = part_of(state, state.negative_units);
    if (!with_signatures || state.signed_units == 0) return {plain, kSoaSize};
    const auto* first = part_of(state, state.signed_units);
    return {first, static_cast<std::size_t>(plain - first)};
  }
  // Of a hit in a chain: key, record and a signature most often end there.
  [[nodiscard]] static MemoryArea denial_area(const DenialHit& hit) noexcept {
    return {hit.entry, hit.entry == nullptr ? 0 : std::size_t{320}};
  }
  [[nodiscard]] MemoryArea rrsets_area(const Record& record, bool with_signatures) const noexcept {
    return {heap(record.rrsets), with_signatures ? std::size_t{256} : std::size_t{128}};
  }
  static void prefetch(const MemoryArea& area) noexcept {
    const auto* line = reinterpret_cast<const char*>(reinterpret_cast<std::uintptr_t>(area.at) &
                                                     ~std::uintptr_t{63});
    const auto* const end = static_cast<const char*>(area.at) + area.size_bytes;
    for (; line < end; line += 64) __builtin_prefetch(line);
  }

  // The route's bytes; empty: the name is not proxied.
  [[nodiscard]] std::span<const std::uint8_t> route(const Record& record) const noexcept {
    if (record.route == 0) return {};
    const auto* header = reinterpret_cast<const RouteHeader*>(heap(record.route));
    return {reinterpret_cast<const std::uint8_t*>(header + 1), header->size_bytes};
  }

  [[nodiscard]] const std::uint8_t* heap(HeapRef ref) const noexcept {
    return root_.heap + std::size_t{ref} * kHeapUnit;
  }

  // The chain of a state, be it of kNone; null: there is neither chain nor table.
  [[nodiscard]] static const DenialChain* trees(const ZoneState& state) noexcept {
    if (state.chain_units == 0) return nullptr;
    return reinterpret_cast<const DenialChain*>(part_of(state, state.chain_units));
  }

 private:
  static void prefetch_lines(const void* at, std::size_t lines) noexcept {
    const auto* first = static_cast<const char*>(at);
    for (std::size_t i = 0; i < lines; ++i) __builtin_prefetch(first + 64 * i);
  }
  [[nodiscard]] static const std::uint8_t* part_of(const ZoneState& state,
                                                   std::size_t units) noexcept {
    return reinterpret_cast<const std::uint8_t*>(&state) + units * kHeapUnit;
  }
  // Generations wrap; an image is renewed long before half of them have passed (writer.h).
  [[nodiscard]] bool sees(std::uint32_t birth) const noexcept {
    return static_cast<std::int32_t>(generation_ - birth) >= 0;
  }
  [[nodiscard]] const ZoneState* zone_state(HeapRef ref) const noexcept {
    return reinterpret_cast<const ZoneState*>(heap(ref));
  }
  // lookup for a name that find() has just not found, or found empty.
  [[nodiscard]] Lookup lookup_missing(const NameKey& key, std::uint64_t parent_hash) const noexcept;
  [[nodiscard]] Lookup below(const NameKey& key, const Record& closest,
                             std::size_t closest_offset) const noexcept;

  // Slots whose tag fits and that are not free, as a bit each. The writer may change them meanwhile:
  // its stores are of 2 and 4 bytes, whole, and what a tag promises is compared afterwards.
  static unsigned tag_matches(const Bucket& bucket, std::uint64_t hash) noexcept {
#if defined(__SANITIZE_THREAD__)
    unsigned matches = 0;
    for (unsigned i = 0; i < 8; ++i) {
      const std::uint16_t tag = __atomic_load_n(&bucket.tags[i], __ATOMIC_RELAXED);
      const bool fits = tag == static_cast<std::uint16_t>(hash >> 48);
      matches |= static_cast<unsigned>(fits && load_link(bucket.records[i]) != 0) << i;
    }
    return matches;
#else
    const __m128i tag = _mm_set1_epi16(static_cast<short>(hash >> 48));
    const __m128i tags = _mm_load_si128(reinterpret_cast<const __m128i*>(bucket.tags));
    const __m128i equal = _mm_packs_epi16(_mm_cmpeq_epi16(tags, tag), _mm_setzero_si128());
    const __m256i used =
        _mm256_cmpeq_epi32(_mm256_loadu_si256(reinterpret_cast<const __m256i*>(bucket.records)),
                           _mm256_setzero_si256());
    const auto free = static_cast<unsigned>(_mm256_movemask_ps(_mm256_castsi256_ps(used)));
    return static_cast<unsigned>(_mm_movemask_epi8(equal)) & ~free;
#endif
  }

  // `stored` is readable for 32 bytes past any multiple of 32 below its size: it lies in a record
  // or in the heap, whose end is padded. `key` is zero-padded.
  static bool same_bytes(const std::uint8_t* stored, const std::uint8_t* key,
                         std::size_t size) noexcept {
#if defined(__SANITIZE_THREAD__)
    return __builtin_memcmp(stored, key, size) == 0;  // what lies behind may be being written
#else
    for (std::size_t at = 0;; at += 32) {
      const __m256i a = _mm256_loadu_si256(reinterpret_cast<const __m256i*>(stored + at));
      const __m256i b = _mm256_loadu_si256(reinterpret_cast<const __m256i*>(key + at));
      const auto equal = static_cast<std::uint32_t>(_mm256_movemask_epi8(_mm256_cmpeq_epi8(a, b)));
      if (size - at <= 32) return (~equal & (0xffffffffU >> (32 - (size - at)))) == 0;
      if (equal != 0xffffffffU) return false;
    }
#endif
  }

  [[nodiscard]] const BlobHeader* table_blob(const Record& record,
                                             std::uint16_t type) const noexcept {
    for (const RrsetEntry& entry : rrsets(record)) {
      if (entry.type == type) return table_blob(record, entry);
      if (entry.type > type) break;
    }
    return nullptr;
  }

  Root root_;
  std::uint32_t generation_;
};

// The SOA of a zone's negative answers.
inline const BlobHeader& negative_blob(const ZoneState& state) noexcept {
  const auto* at = reinterpret_cast<const std::uint8_t*>(&state) + state.negative_units * kHeapUnit;
  return *reinterpret_cast<const BlobHeader*>(at);
}

// The parts of a blob behind its header.
inline const std::uint8_t* blob_body(const BlobHeader& blob) noexcept {
  return reinterpret_cast<const std::uint8_t*>(&blob + 1);
}
inline std::size_t blob_data_size(const BlobHeader& blob) noexcept {
  return std::size_t{blob.body_size} + blob.required_size + blob.optional_size;
}
inline std::span<const Fixup> blob_fixups(const BlobHeader& blob) noexcept {
  const std::size_t padded = (blob_data_size(blob) + 1) & ~std::size_t{1};
  return {reinterpret_cast<const Fixup*>(blob_body(blob) + padded), blob.fixup_count};
}
// Size of the whole blob, header included.
inline std::size_t blob_size(const BlobHeader& blob) noexcept {
  return sizeof(BlobHeader) + ((blob_data_size(blob) + 1) & ~std::size_t{1}) +
         blob.fixup_count * sizeof(Fixup) + blob.target_size;
}
// Lower-case wire name that the CNAME points at; empty for any other type.
inline std::span<const std::uint8_t> blob_target(const BlobHeader& blob) noexcept {
  const std::span<const Fixup> fixups = blob_fixups(blob);
  return {reinterpret_cast<const std::uint8_t*>(fixups.data() + fixups.size()), blob.target_size};
}

}  // namespace brink::snapshot
