#include "dataplane/snapshot/verify.h"

#include <algorithm>
#include <array>
#include <cstring>
#include <string>
#include <unordered_map>
#include <vector>

#include "dataplane/base/bytes.h"
#include "dataplane/snapshot/heap.h"
#include "dataplane/snapshot/layout.h"
#include "dataplane/snapshot/verify_chain.h"
#include "dataplane/snapshot/view.h"
#include "dataplane/snapshot/zone_state.h"

namespace brink::snapshot {
namespace {

constexpr std::uint16_t kFlagsInFile =
    kApex | kCut | kEmpty | kAlias | kWildcard | kLongName | kParentSide | kRedirect;

base::Error bad(const std::string& what, const std::string& where) {
  return {what, "image " + where, "publish a fresh image"};
}

base::Error bad_record(const std::string& what, std::uint32_t index) {
  return bad(what, "record " + std::to_string(index));
}

bool section(std::uint64_t offset, std::uint64_t count, std::uint64_t element, std::uint64_t size,
             std::uint64_t& end) {
  // Sections leave no room between them that no checksum covers.
  const std::uint64_t start = (end + kSectionAlignment - 1) / kSectionAlignment * kSectionAlignment;
  if (offset != start || offset > size) return false;
  if (count > (size - offset) / element) return false;
  end = offset + count * element;
  return true;
}

// Such a slot is in no bucket, and none of its links is followed.
bool is_free(const Record& record) {
  return record.name_size == 0;
}

class Verifier {
 public:
  explicit Verifier(const Sections& image)
      : image_(image),
        view_(root_of(image), 0),
        apexes_(image.zones.size()),
        names_in_zone_(image.zones.size()),
        children_(image.records.size()),
        seen_(image.records.size()),
        heap_units_(image.heap.size() / kHeapUnit),
        taken_(heap_units_ / 64 + 1) {}

  base::Result<void> run();

 private:
  static constexpr std::uint32_t kBatch = 16;
  static constexpr std::uint32_t kBucketsAhead = 4;
  struct Looked {
    NameKey key;
    std::uint64_t parent_hash;
  };

  base::Result<void> check_record(std::uint32_t index);
  base::Result<void> check_name(std::uint32_t index);
  base::Result<void> check_contents(std::uint32_t index);
  base::Result<void> check_rrsets(std::uint32_t index);
  base::Result<void> check_block(HeapRef ref, std::uint32_t index);
  base::Result<void> check_elsewhere(HeapRef from, const RrsetEntry& entry, std::uint32_t index);
  base::Result<void> check_owners() const;
  base::Result<void> check_zones();
  base::Result<void> check_state(std::uint32_t zone);
  [[nodiscard]] bool has_apex_denial(std::uint32_t zone, const ZoneState& state) const;
  bool take(HeapRef ref, std::size_t bytes);
  base::Result<void> check_buckets();
  void prefetch_records_of(std::uint32_t bucket) const;
  base::Result<void> check_place(std::uint32_t bucket, std::uint32_t slot,
                                 std::vector<std::uint32_t>& overflow);
  base::Result<void> check_links(std::uint32_t first, std::uint32_t count);
  base::Result<void> check_link(std::uint32_t index, const Looked& looked);
  base::Result<void> check_counts() const;
  [[nodiscard]] bool is_child(std::uint32_t child, std::uint32_t parent) const;

  [[nodiscard]] const Record& record(std::uint32_t index) const { return image_.records[index]; }
  // What is in the heap from `ref` on; empty if it is no valid reference.
  [[nodiscard]] std::span<const std::uint8_t> heap(HeapRef ref) const {
    const std::uint64_t at = std::uint64_t{ref} * kHeapUnit;
    if (ref == 0 || at >= image_.heap.size()) return {};
    return image_.heap.subspan(at);
  }

  const Sections& image_;
  const View view_;
  std::vector<std::uint32_t> apexes_;         // by zone: record index of the apex
  std::vector<std::uint32_t> names_in_zone_;  // by zone
  std::vector<std::uint32_t> children_;       // by record
  std::vector<bool> seen_;                    // by record: in some bucket
  const std::size_t heap_units_;
  std::vector<std::uint64_t> taken_;  // a bit for each unit of the heap
  // By block, where it says that it has more than one: how many were met.
  std::unordered_map<HeapRef, std::uint32_t> owners_;
  std::array<Looked, kBatch> batch_;
};

base::Result<void> Verifier::run() {
  const auto count = static_cast<std::uint32_t>(image_.records.size());
  // Whatever a look-up follows is checked before the first look-up.
  for (std::uint32_t i = 1; i < count; ++i) {
    if (auto r = check_record(i); !r) return r;
  }
  if (auto r = check_owners(); !r) return r;
  if (auto r = check_zones(); !r) return r;
  if (auto r = check_buckets(); !r) return r;
  for (std::uint32_t i = 1; i < count; i += kBatch) {
    if (auto r = check_links(i, std::min(kBatch, count - i)); !r) return r;
  }
  return check_counts();
}

base::Result<void> Verifier::check_record(std::uint32_t index) {
  const Record& r = record(index);
  if (is_free(r)) return {};
  if ((r.flags & ~kFlagsInFile) != 0) return bad_record("unknown flags", index);
  if (r.previous != 0) return bad_record("it has an older version", index);
  if (r.zone >= image_.zones.size() || r.wildcard >= image_.records.size()) {
    return bad_record("an index is out of range", index);
  }
  const bool empty = (r.flags & kEmpty) != 0;
  if (empty != (r.zone == 0)) {
    return bad_record("an empty name has a zone, or another has none", index);
  }
  if (empty && ((r.flags & ~(kEmpty | kLongName | kWildcard)) != 0 || r.inline_type != 0 ||
                r.rrsets != 0 || r.route != 0 || r.apex_size != 0)) {
    return bad_record("an empty name owns something", index);
  }
  if (auto result = check_name(index); !result) return result;
  if (auto result = check_contents(index); !result) return result;
  if (r.zone == 0) return {};
  ++names_in_zone_[r.zone];
  if ((r.flags & kApex) == 0) return {};
  if (apexes_[r.zone] != 0) return bad_record("its zone has another apex", index);
  if (r.apex_size != r.name_size) return bad_record("its apex size is wrong", index);
  apexes_[r.zone] = index;
  return {};
}

// Of all that has memory in the heap each has its own; false: some of it is another's, too.
bool Verifier::take(HeapRef ref, std::size_t bytes) {
  const std::size_t end = ref + Heap::block_bytes(bytes) / kHeapUnit;
  if (end > heap_units_) return false;
  for (std::size_t unit = ref; unit < end;) {
    const std::size_t count = std::min(64 - unit % 64, end - unit);
    const std::uint64_t bits = (~std::uint64_t{0} >> (64 - count)) << unit % 64;
    std::uint64_t& word = taken_[unit / 64];
    if ((word & bits) != 0) return false;
    word |= bits;
    unit += count;
  }
  return true;
}

base::Result<void> Verifier::check_name(std::uint32_t index) {
  const Record& r = record(index);
  std::span<const std::uint8_t> room(r.area, kInlineNameMax);
  if ((r.flags & kLongName) != 0) {
    HeapRef ref;
    std::memcpy(&ref, r.area, sizeof ref);
    room = heap(ref);
  }
  if (r.name_size == 0 || r.name_size > room.size() ||
      wire_name_size(room.first(r.name_size)) != r.name_size) {
    return bad_record("its name is malformed", index);
  }
  if ((r.flags & kLongName) != 0) {
    HeapRef ref;
    std::memcpy(&ref, r.area, sizeof ref);
    if (!take(ref, r.name_size)) return bad_record("its name shares memory", index);
  }
  NameKey key;
  set_key(key, image_.header->hash_key, room.data(), r.name_size, r.name_size);
  if (std::memcmp(key.bytes, room.data(), r.name_size) != 0) {
    return bad_record("its name is not lower-case", index);
  }
  if (key.hash != r.name_hash) return bad_record("its name does not hash to its hash", index);
  if (((r.flags & kWildcard) != 0) != is_wildcard(key)) {
    return bad_record("it is a wildcard in name or in flags alone", index);
  }
  return {};
}

base::Result<void> Verifier::check_contents(std::uint32_t index) {
  const Record& r = record(index);
  if (auto result = check_rrsets(index); !result) return result;
  if (r.route == 0) return {};
  const auto room = heap(r.route);
  const auto* route = reinterpret_cast<const RouteHeader*>(room.data());
  if (room.size() < sizeof(RouteHeader) || route->size_bytes > room.size() - sizeof(RouteHeader)) {
    return bad_record("its route is out of bounds", index);
  }
  if (!take(r.route, sizeof(RouteHeader) + route->size_bytes)) {
    return bad_record("its route shares memory", index);
  }
  return {};
}

base::Result<void> Verifier::check_rrsets(std::uint32_t index) {
  const Record& r = record(index);
  if (r.inline_type != 0) {
    if (r.inline_offset % 2 != 0 || r.inline_offset >= kRecordAreaSize) {
      return bad_record("its inline RRset is out of bounds", index);
    }
    const std::span<const std::uint8_t> room(r.area + r.inline_offset,
                                             kRecordAreaSize - r.inline_offset);
    if (auto result = verify_blob(room); !result) return bad_record(result.error().what, index);
  }
  if (r.rrsets == 0) return {};
  return check_block(r.rrsets, index);
}

base::Result<void> Verifier::check_block(HeapRef ref, std::uint32_t index) {
  const auto room = heap(ref);
  const auto* table = reinterpret_cast<const RrsetTable*>(room.data());
  if (room.size() < sizeof(RrsetTable) || table->size_bytes > room.size() ||
      table->size_bytes < sizeof(RrsetTable) ||
      table->count > (table->size_bytes - sizeof(RrsetTable)) / sizeof(RrsetEntry)) {
    return bad_record("its RRset table is out of bounds", index);
  }
  if (table->count == 0 || table->owners == 0) {
    return bad_record("its RRset table has no entries or no owner", index);
  }
  // Many owners, one block: it has been checked with the first of them.
  if (table->owners > 1 && ++owners_[ref] > 1) return {};
  if (!take(ref, table->size_bytes)) return bad_record("its RRset table shares memory", index);
  const std::span<const RrsetEntry> entries(reinterpret_cast<const RrsetEntry*>(table + 1),
                                            table->count);
  const auto order = [](const RrsetEntry& entry) { return std::pair(entry.type, entry.form); };
  for (std::size_t i = 0; i < entries.size(); ++i) {
    if (i > 0 && order(entries[i - 1]) >= order(entries[i])) {
      return bad_record("its RRset table is not sorted", index);
    }
    if (entries[i].form > kSignedForm) return bad_record("an RRset has an unknown form", index);
    const bool beside_plain = record(index).inline_type == entries[i].type ||
                              (i > 0 && entries[i - 1].type == entries[i].type);
    if (entries[i].form == kSignedForm && (!beside_plain || table->owners > 1)) {
      return bad_record("an RRset has no plain form", index);
    }
    if (is_elsewhere(*table, entries[i])) {
      if (auto result = check_elsewhere(ref, entries[i], index); !result) return result;
      continue;
    }
    const std::size_t offset = entries[i].offset_units * kHeapUnit;
    const auto blob = room.subspan(offset, table->size_bytes - offset);
    if (auto result = verify_blob(blob); !result) return bad_record(result.error().what, index);
  }
  return {};
}

// An entry of the block at `from` that leads to another block: that has this RRset alone, and leads
// no further.
base::Result<void> Verifier::check_elsewhere(HeapRef from, const RrsetEntry& entry,
                                             std::uint32_t index) {
  const HeapRef ref = block_elsewhere(from, entry);
  const auto room = heap(ref);
  if (room.size() < sizeof(RrsetTable) + sizeof(RrsetEntry)) {
    return bad_record("an RRset is out of bounds", index);
  }
  const auto* table = reinterpret_cast<const RrsetTable*>(room.data());
  const auto* only = reinterpret_cast<const RrsetEntry*>(table + 1);
  if (table->count != 1 || only->type != entry.type || only->form != entry.form ||
      only->offset_units != kOnlyBlobUnits || is_elsewhere(*table, *only)) {
    return bad_record("an RRset is out of bounds", index);
  }
  return check_block(ref, index);
}

base::Result<void> Verifier::check_owners() const {
  for (const auto& [ref, met] : owners_) {
    if (reinterpret_cast<const RrsetTable*>(heap(ref).data())->owners != met) {
      return bad("an RRset table has other owners than it says",
                 "heap block " + std::to_string(ref));
    }
  }
  return {};
}

base::Result<void> Verifier::check_zones() {
  for (std::uint32_t i = 1; i < image_.zones.size(); ++i) {
    if (image_.zones[i].state == 0 && apexes_[i] == 0 && names_in_zone_[i] == 0) continue;
    const auto fault = [i](const std::string& what) {
      return bad(what, "zone " + std::to_string(i));
    };
    if (apexes_[i] == 0) return fault("it has no apex");
    if (image_.zones[i].name_count != names_in_zone_[i]) {
      return fault("its number of names is wrong");
    }
    if (auto r = check_state(i); !r) return fault(r.error().what);
  }
  return {};
}

base::Result<void> Verifier::check_state(std::uint32_t zone) {
  const HeapRef ref = image_.zones[zone].state;
  const auto room = heap(ref);
  if (room.size() < sizeof(ZoneState)) return bad("its state is out of bounds", "");
  const auto& state = *reinterpret_cast<const ZoneState*>(room.data());
  if (state.previous != 0) return bad("it has an older state", "");
  std::size_t end = sizeof state;
  // The parts of a state follow one another.
  const auto next_part = [&](std::size_t units) {
    end = (end + kHeapUnit - 1) / kHeapUnit * kHeapUnit;
    return units * kHeapUnit == end && end <= room.size();
  };
  if (state.chain_units != 0) {
    if (!next_part(state.chain_units)) return bad("its state is out of bounds", "");
    const ChainPlace place{image_.heap, room.subspan(end), record(apexes_[zone]).name_size};
    if (auto r =
            verify_chain(place, [this](HeapRef at, std::size_t size) { return take(at, size); });
        !r) {
      return r;
    }
    end += denial_chain_size(*View::trees(state));
  }
  const auto check_blob = [&](std::size_t units, const auto& verify_form) -> base::Result<void> {
    if (!next_part(units)) return bad("its state is out of bounds", "");
    if (auto r = verify_form(room.subspan(end)); !r) return r;
    end += blob_size(*reinterpret_cast<const BlobHeader*>(room.data() + end));
    return {};
  };
  if (state.signed_units != 0) {
    if (auto r = check_blob(state.signed_units, verify_blob); !r) return r;
  }
  if (state.denial_units != 0) {
    if (auto r = check_blob(state.denial_units, verify_free_blob); !r) return r;
  }
  if (auto r = check_blob(state.negative_units, verify_blob); !r) return r;
  if (negative_blob(state).body_count != 1) return bad("its negative answer is not one SOA", "");
  if (!has_apex_denial(zone, state))
    return bad("it has another proof of its apex than its chain", "");
  if (!take(ref, state_size(state))) return bad("its state shares memory", "");
  return {};
}

// As the chain, which is verified, demands.
bool Verifier::has_apex_denial(std::uint32_t zone, const ZoneState& state) const {
  std::vector<std::uint8_t> wanted;
  if (const DenialChain* chain = View::chain(state); chain != nullptr) {
    const Record& apex = record(apexes_[zone]);
    ApexPlaces places;
    find_apex_places(*chain, {view_.name_bytes(apex), apex.name_size}, places);
    wanted = apex_denial_of(DenialReader(image_.heap.data()), *chain, places);
  }
  return std::ranges::equal(contents_of(state).apex_denial, wanted);
}

base::Result<void> Verifier::check_buckets() {
  std::vector<std::uint32_t> overflow(image_.buckets.size());
  for (std::uint32_t i = 0; i < image_.buckets.size(); ++i) {
    prefetch_records_of(i + kBucketsAhead);
    for (std::uint32_t slot = 0; slot < 8; ++slot) {
      if (auto r = check_place(i, slot, overflow); !r) return r;
    }
  }
  for (std::uint32_t i = 0; i < image_.buckets.size(); ++i) {
    if (overflow[i] != image_.buckets[i].overflow) {
      return bad("its overflow is wrong", "bucket " + std::to_string(i));
    }
  }
  for (std::uint32_t i = 1; i < image_.records.size(); ++i) {
    if (seen_[i] == is_free(record(i))) return bad_record("it is in no bucket", i);
  }
  return {};
}

void Verifier::prefetch_records_of(std::uint32_t bucket) const {
  if (bucket >= image_.buckets.size()) return;
  for (const std::uint32_t index : image_.buckets[bucket].records) {
    if (index < image_.records.size()) __builtin_prefetch(&record(index));
  }
}

base::Result<void> Verifier::check_place(std::uint32_t bucket, std::uint32_t slot,
                                         std::vector<std::uint32_t>& overflow) {
  const std::uint32_t index = image_.buckets[bucket].records[slot];
  if (index == 0) return {};
  const auto misplaced = [bucket](const char* what) {
    return bad(what, "bucket " + std::to_string(bucket));
  };
  if (index >= image_.records.size()) return misplaced("record index out of range");
  if (is_free(record(index))) return misplaced("it leads to a free slot");
  if (seen_[index]) return misplaced("a record is in two buckets");
  seen_[index] = true;
  const std::uint64_t hash = record(index).name_hash;
  const auto mask = static_cast<std::uint32_t>(image_.buckets.size()) - 1;
  const auto home = static_cast<std::uint32_t>(hash) & mask;
  const std::uint32_t distance = (bucket - home) & mask;
  if (distance >= kMaxProbes || image_.buckets[bucket].tags[slot] != hash >> 48) {
    return misplaced("a record is in the wrong place");
  }
  for (std::uint32_t i = 0; i < distance; ++i) ++overflow[(home + i) & mask];
  return {};
}

// In batches, so that the memory of many look-ups is fetched at once.
base::Result<void> Verifier::check_links(std::uint32_t first, std::uint32_t count) {
  for (std::uint32_t i = 0; i < count; ++i) {
    const Record& r = record(first + i);
    if (is_free(r)) continue;
    NameKey& key = batch_[i].key;
    set_key(key, view_.hash_key(), view_.name_bytes(r), r.name_size, r.name_size);
    view_.prefetch_bucket(key.hash);
    if (r.name_size == 1) continue;
    const std::size_t offset = 1U + key.bytes[0];
    batch_[i].parent_hash =
        base::keyed_hash(view_.hash_key(), key.bytes + offset, r.name_size - offset);
    view_.prefetch_bucket(batch_[i].parent_hash);
  }
  for (std::uint32_t i = 0; i < count; ++i) {
    if (is_free(record(first + i))) continue;
    view_.prefetch_record(view_.candidate(batch_[i].key.hash));
    if (record(first + i).name_size > 1) {
      view_.prefetch_record(view_.candidate(batch_[i].parent_hash));
    }
  }
  for (std::uint32_t i = 0; i < count; ++i) {
    if (is_free(record(first + i))) continue;
    if (auto r = check_link(first + i, batch_[i]); !r) return r;
  }
  return {};
}

base::Result<void> Verifier::check_link(std::uint32_t index, const Looked& looked) {
  const Record& r = record(index);
  const NameKey& key = looked.key;
  if (view_.newest(key, 0, key.hash) != index) return bad_record("its name is not found", index);
  if (r.zone != 0) {
    const Record& apex = record(apexes_[r.zone]);
    std::size_t offset = 0;
    while (r.name_size - offset > apex.name_size) offset += 1U + key.bytes[offset];
    if (r.apex_size != apex.name_size || r.name_size - offset != apex.name_size ||
        std::memcmp(key.bytes + offset, view_.name_bytes(apex), apex.name_size) != 0) {
      return bad_record("it is outside its zone", index);
    }
  }
  if (r.wildcard != 0 && (record(r.wildcard).flags & kWildcard) == 0) {
    return bad_record("its wildcard is none", index);
  }
  if (r.name_size == 1) return {};
  const std::uint32_t parent = view_.newest(key, 1U + key.bytes[0], looked.parent_hash);
  if (parent == 0) return bad_record("its parent is not there", index);
  ++children_[parent];
  if ((r.flags & kWildcard) != 0 && record(parent).wildcard != index) {
    return bad_record("its parent does not know the wildcard", index);
  }
  return {};
}

bool Verifier::is_child(std::uint32_t child, std::uint32_t parent) const {
  const std::uint8_t* name = view_.name_bytes(record(child));
  const std::size_t offset = 1U + name[0];
  return record(child).name_size == offset + record(parent).name_size &&
         std::memcmp(name + offset, view_.name_bytes(record(parent)), record(parent).name_size) == 0;
}

base::Result<void> Verifier::check_counts() const {
  std::uint64_t names = 0;
  for (const std::uint32_t count : names_in_zone_) names += count;
  if (names != image_.header->name_count) return bad("the number of names is wrong", "header");
  for (std::uint32_t i = 1; i < image_.records.size(); ++i) {
    const Record& r = record(i);
    if (is_free(r)) continue;
    if (r.children != children_[i]) return bad_record("its number of children is wrong", i);
    if ((r.flags & kEmpty) != 0 && r.children == 0) {
      return bad_record("an empty name has nothing below it", i);
    }
    if (r.wildcard != 0 && !is_child(r.wildcard, i)) {
      return bad_record("its wildcard is not its child", i);
    }
  }
  return {};
}

}  // namespace

base::Result<void> verify_header(const ImageHeader& header, std::uint64_t size_bytes) {
  if (header.magic != kImageMagic) return bad("it is not an image (magic)", "header");
  if (header.layout_version != kLayoutVersion) {
    return base::Error{"layout version " + std::to_string(header.layout_version) +
                           ", this program reads " + std::to_string(kLayoutVersion),
                       "image header", "use programs of the same release"};
  }
  if (header.total_size_bytes != size_bytes) {
    return bad("it has " + std::to_string(size_bytes) + " bytes, its header says " +
                   std::to_string(header.total_size_bytes),
               "header");
  }
  if (header.bucket_count < 2 || (header.bucket_count & (header.bucket_count - 1)) != 0) {
    return bad("the bucket count is not a power of two, 2 or more", "header");
  }
  if (header.record_count == 0 || header.zone_count == 0 || header.heap_size_bytes < kHeapUnit + kHeapTail) {
    return bad("record 0, zone 0 or the heap's tail is missing", "header");
  }
  std::uint64_t end = kHeaderSize;
  if (!section(header.buckets_offset, header.bucket_count, sizeof(Bucket), size_bytes, end)) {
    return bad("out of bounds or out of place", "buckets");
  }
  if (!section(header.records_offset, header.record_count, sizeof(Record), size_bytes, end)) {
    return bad("out of bounds or out of place", "records");
  }
  if (!section(header.zones_offset, header.zone_count, sizeof(Zone), size_bytes, end)) {
    return bad("out of bounds or out of place", "zones");
  }
  if (!section(header.heap_offset, header.heap_size_bytes, 1, size_bytes, end)) {
    return bad("out of bounds or out of place", "heap");
  }
  if (end != size_bytes || size_bytes % kSectionAlignment != 0) {
    return bad("the heap does not end where the image does, or not at a boundary", "header");
  }
  return {};
}

Sections sections_of(std::span<const std::uint8_t> image) {
  const auto* header = reinterpret_cast<const ImageHeader*>(image.data());
  const std::uint8_t* const at = image.data();
  return {header,
          {reinterpret_cast<const Bucket*>(at + header->buckets_offset), header->bucket_count},
          {reinterpret_cast<const Record*>(at + header->records_offset), header->record_count},
          {reinterpret_cast<const Zone*>(at + header->zones_offset), header->zone_count},
          {at + header->heap_offset, header->heap_size_bytes - kHeapTail}};
}

Root root_of(const Sections& sections) {
  Root root;
  root.buckets = sections.buckets.data();
  root.bucket_mask = sections.buckets.size() - 1;
  root.records = sections.records.data();
  root.zones = sections.zones.data();
  root.heap = sections.heap.data();
  root.hash_key = sections.header->hash_key;
  return root;
}

base::Result<void> verify(const Sections& sections) {
  return Verifier(sections).run();
}

}  // namespace brink::snapshot
