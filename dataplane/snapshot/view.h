// View: the packet path's read-only window on a verified image. Trivially copyable; a worker takes
// one per burst and drops it with the burst (RCU: no pointer into the image outlives it).
//
// Hot. Any thread; nothing here writes. An image that did not pass verify() must never get here:
// indexes and references inside it are followed unchecked.
#pragma once

#include <immintrin.h>

#include <cstdint>
#include <span>

#include "dataplane/base/hash.h"
#include "dataplane/snapshot/layout.h"
#include "dataplane/snapshot/name.h"

namespace brink::snapshot {

// How a name stands to the table.
struct Lookup {
  const Record* record = nullptr;  // the name itself; else the wildcard that covers it; else null
  const Record* encloser =
      nullptr;         // closest encloser within a zone (RFC 4592 3.3.1); null: not ours
  bool exact = false;  // `record` is the name itself (an empty non-terminal included)
};

class View {
 public:
  explicit View(const std::uint8_t* image) noexcept
      : image_(image),
        buckets_(reinterpret_cast<const Bucket*>(image + header().buckets_offset)),
        records_(reinterpret_cast<const Record*>(image + header().records_offset)),
        heap_(image + header().heap_offset),
        bucket_mask_(header().bucket_count - 1) {}

  [[nodiscard]] const ImageHeader& header() const noexcept {
    return *reinterpret_cast<const ImageHeader*>(image_);
  }
  [[nodiscard]] const base::HashKey& hash_key() const noexcept { return header().hash_key; }
  [[nodiscard]] const Record& record(std::uint32_t index) const noexcept { return records_[index]; }
  [[nodiscard]] const Zone& zone(const Record& record) const noexcept {
    return reinterpret_cast<const Zone*>(image_ + header().zones_offset)[record.zone];
  }

  void prefetch_bucket(std::uint64_t hash) const noexcept {
    __builtin_prefetch(&buckets_[hash & bucket_mask_]);
  }
  void prefetch_record(std::uint32_t index) const noexcept {
    const auto* at = reinterpret_cast<const char*>(&records_[index]);
    __builtin_prefetch(at);
    __builtin_prefetch(at + 64);
  }

  // candidate: index of the first record in the home bucket whose tag fits; 0 = none there. Whether
  // it is the name is for same_name() to say; when it is not, or when 0, ask find().
  [[nodiscard]] std::uint32_t candidate(std::uint64_t hash) const noexcept {
    const Bucket& bucket = buckets_[hash & bucket_mask_];
    const unsigned matches = tag_matches(bucket, hash);
    return matches == 0 ? 0 : bucket.records[__builtin_ctz(matches)];
  }

  [[nodiscard]] bool same_name(const Record& record, const NameKey& key) const noexcept {
    return record.name_hash == key.hash && record.name_size == key.size &&
           same_bytes(name_bytes(record), key.bytes, key.size);
  }

  // find: the record of exactly this name, or null. At most kMaxProbes + 1 buckets.
  [[nodiscard]] const Record* find(const NameKey& key) const noexcept {
    return find_suffix(key, 0, key.hash);
  }

  // lookup: the name, or its closest encloser and the wildcard below that (RFC 4592). Bounded by
  // log2 of the number of labels, since every ancestor of a name in the table is in the table.
  [[nodiscard]] Lookup lookup(const NameKey& key) const noexcept;

  // The record's lower-case wire name, name_size bytes.
  [[nodiscard]] const std::uint8_t* name_bytes(const Record& record) const noexcept {
    if (__builtin_expect((record.flags & kLongName) == 0, 1)) return record.area;
    HeapRef ref;
    __builtin_memcpy(&ref, record.area, sizeof ref);
    return heap(ref);
  }

  // blob: the RRset of this type at this record, or null.
  [[nodiscard]] const BlobHeader* blob(const Record& record, std::uint16_t type) const noexcept {
    if (record.inline_type == type) return inline_blob(record);
    return record.rrsets == 0 ? nullptr : table_blob(record, type);
  }
  [[nodiscard]] const BlobHeader* blob(HeapRef ref) const noexcept {
    return reinterpret_cast<const BlobHeader*>(heap(ref));
  }
  [[nodiscard]] const BlobHeader* inline_blob(const Record& record) const noexcept {
    return reinterpret_cast<const BlobHeader*>(record.area + record.inline_offset);
  }
  // The out-of-line RRsets, sorted by type; empty if there are none.
  [[nodiscard]] std::span<const RrsetEntry> rrsets(const Record& record) const noexcept {
    if (record.rrsets == 0) return {};
    const auto* table = reinterpret_cast<const RrsetTable*>(heap(record.rrsets));
    return {reinterpret_cast<const RrsetEntry*>(table + 1), table->count};
  }
  void prefetch_rrsets(const Record& record) const noexcept {
    const std::uint8_t* at = heap(record.rrsets);
    __builtin_prefetch(at);
    __builtin_prefetch(at + 64);
  }

  // The route's bytes; empty: the name is not proxied.
  [[nodiscard]] std::span<const std::uint8_t> route(const Record& record) const noexcept {
    if (record.route == 0) return {};
    const auto* header = reinterpret_cast<const RouteHeader*>(heap(record.route));
    return {reinterpret_cast<const std::uint8_t*>(header + 1), header->size_bytes};
  }

  [[nodiscard]] const std::uint8_t* heap(HeapRef ref) const noexcept {
    return heap_ + std::size_t{ref} * kHeapUnit;
  }

 private:
  // lookup for a name that find() has just not found.
  [[nodiscard]] Lookup lookup_missing(const NameKey& key) const noexcept;

  static unsigned tag_matches(const Bucket& bucket, std::uint64_t hash) noexcept {
    const __m128i tag = _mm_set1_epi16(static_cast<short>(hash >> 48));
    const __m128i tags = _mm_load_si128(reinterpret_cast<const __m128i*>(bucket.tags));
    const __m128i equal = _mm_packs_epi16(_mm_cmpeq_epi16(tags, tag), _mm_setzero_si128());
    const __m256i used =
        _mm256_cmpeq_epi32(_mm256_loadu_si256(reinterpret_cast<const __m256i*>(bucket.records)),
                           _mm256_setzero_si256());
    const auto free = static_cast<unsigned>(_mm256_movemask_ps(_mm256_castsi256_ps(used)));
    return static_cast<unsigned>(_mm_movemask_epi8(equal)) & ~free;
  }

  // `stored` is readable for 32 bytes past any multiple of 32 below its size: it lies in a record
  // or in the heap, whose end is padded. `key` is zero-padded.
  static bool same_bytes(const std::uint8_t* stored, const std::uint8_t* key,
                         std::size_t size) noexcept {
    for (std::size_t at = 0;; at += 32) {
      const __m256i a = _mm256_loadu_si256(reinterpret_cast<const __m256i*>(stored + at));
      const __m256i b = _mm256_loadu_si256(reinterpret_cast<const __m256i*>(key + at));
      const auto equal = static_cast<std::uint32_t>(_mm256_movemask_epi8(_mm256_cmpeq_epi8(a, b)));
      if (size - at <= 32) return (~equal & (0xffffffffU >> (32 - (size - at)))) == 0;
      if (equal != 0xffffffffU) return false;
    }
  }

  // The record of the suffix of `key` that starts at byte `offset` and has this hash.
  [[nodiscard]] const Record* find_suffix(const NameKey& key, std::size_t offset,
                                          std::uint64_t hash) const noexcept {
    const std::size_t size = key.size - offset;
    std::uint64_t index = hash & bucket_mask_;
    for (std::uint32_t probe = 0; probe <= kMaxProbes; ++probe) {
      const Bucket& bucket = buckets_[index];
      for (unsigned matches = tag_matches(bucket, hash); matches != 0; matches &= matches - 1) {
        const Record& found = records_[bucket.records[__builtin_ctz(matches)]];
        if (found.name_hash == hash && found.name_size == size &&
            same_bytes(name_bytes(found), key.bytes + offset, size)) {
          return &found;
        }
      }
      if (bucket.overflow == 0) return nullptr;
      index = (index + 1) & bucket_mask_;
    }
    return nullptr;
  }

  [[nodiscard]] const BlobHeader* table_blob(const Record& record,
                                             std::uint16_t type) const noexcept {
    for (const RrsetEntry& entry : rrsets(record)) {
      if (entry.type == type) return blob(entry.blob);
      if (entry.type > type) break;
    }
    return nullptr;
  }

  const std::uint8_t* image_;
  const Bucket* buckets_;
  const Record* records_;
  const std::uint8_t* heap_;
  std::uint64_t bucket_mask_;
};

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
