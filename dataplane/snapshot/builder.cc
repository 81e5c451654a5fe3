#include "dataplane/snapshot/builder.h"

#include <algorithm>
#include <cstring>

#include "dataplane/snapshot/checksum.h"
#include "dataplane/snapshot/view.h"

namespace brink::snapshot {
namespace {

constexpr std::uint16_t kTypeNs = 2;
constexpr std::uint16_t kTypeCname = 5;
constexpr std::uint16_t kTypeDs = 43;
constexpr std::size_t kHeapTail = 64;  // vector compares may read past the last long name

std::size_t round_up(std::size_t value, std::size_t unit) {
  return (value + unit - 1) / unit * unit;
}

std::string printable(std::span<const std::uint8_t> name) {
  std::string text;
  std::size_t at = 0;
  while (at < name.size() && name[at] != 0) {
    const std::size_t length = std::min<std::size_t>(name[at], name.size() - at - 1);
    text.append(reinterpret_cast<const char*>(name.data()) + at + 1, length);
    text += '.';
    at += 1 + length;
  }
  return text.empty() ? "." : text;
}

bool inside(const NameKey& name, const std::string& apex) {
  if (name.size < apex.size()) return false;
  // The suffix must start at a label: walk there.
  std::size_t at = 0;
  while (name.size - at > apex.size()) at += 1U + name.bytes[at];
  return name.size - at == apex.size() &&
         std::memcmp(name.bytes + at, apex.data(), apex.size()) == 0;
}

// The commonest questions first: what is inlined costs a hit no further cache line.
int inline_rank(std::uint16_t type) {
  switch (type) {
    case kTypeCname:
      return 0;
    case 1:
      return 1;  // A
    case kTypeNs:
      return 2;
    case 28:
      return 3;  // AAAA
    default:
      return 4;
  }
}

}  // namespace

Builder::Builder(const base::HashKey& hash_key)
    : hash_key_(hash_key), records_(1), zones_(1), heap_(kHeapUnit), index_(1024), filled_(1) {}

base::Result<std::uint32_t> Builder::add_zone(std::span<const std::uint8_t> apex,
                                              std::uint32_t serial,
                                              std::span<const std::uint8_t> negative) {
  CHECK(!finished_);
  if (wire_name_size(apex) != apex.size() || apex.empty()) {
    return base::Error{"malformed zone name", printable(apex), ""};
  }
  NameKey key;
  set_key(key, hash_key_, apex.data(), apex.size(), apex.size());
  std::uint32_t index = find(key);
  if (index != 0 && (records_[index].flags & kApex) != 0) {
    return base::Error{"the zone is there twice", printable(apex), "remove one of them"};
  }
  if (index == 0) index = add_record(key);
  Record& record = records_[index];
  const bool was_cut = (record.flags & kCut) != 0;
  std::vector<Rrset> parents_ds;
  if (was_cut) parents_ds = take_ds(record);
  drop_contents(record);
  filled_[index] = false;
  record.flags |= kApex;
  if (was_cut) record.flags |= kParentSide;
  store_rrsets(record, parents_ds);
  record.zone = static_cast<std::uint32_t>(zones_.size());
  record.apex_size = static_cast<std::uint8_t>(apex.size());

  ZoneInfo info;
  info.apex.assign(reinterpret_cast<const char*>(key.bytes), key.size);
  info.zone.apex = index;
  info.zone.serial = serial;
  info.zone.negative = store(negative);
  zones_.push_back(std::move(info));
  return static_cast<std::uint32_t>(zones_.size() - 1);
}

base::Result<void> Builder::add_name(std::uint32_t zone, std::span<const std::uint8_t> name,
                                     std::span<const Rrset> rrsets,
                                     std::span<const std::uint8_t> route, bool cut) {
  CHECK(!finished_ && zone > 0 && zone < zones_.size());
  if (wire_name_size(name) != name.size() || name.empty()) {
    return base::Error{"malformed name", printable(name), ""};
  }
  NameKey key;
  set_key(key, hash_key_, name.data(), name.size(), name.size());
  const std::string& apex = zones_[zone].apex;
  if (!inside(key, apex)) {
    return base::Error{"the name is outside its zone", printable(name), ""};
  }
  std::uint32_t index = find(key);
  if (index == 0) {
    index = add_record(key);
  } else if (filled_[index] && records_[index].zone == zone) {
    return base::Error{"the name is there twice", printable(name), ""};
  }
  Record& record = records_[index];

  // Another zone has the name: the deeper apex owns it, the parent side only lends the DS set.
  const bool foreign = record.zone != 0 && record.zone != zone;
  if (foreign && record.apex_size > apex.size()) {
    if (!cut || (record.flags & kApex) == 0) return {};
    record.flags |= kParentSide;
    const auto ds = std::find_if(rrsets.begin(), rrsets.end(),
                                 [](const Rrset& set) { return set.type == kTypeDs; });
    if (ds != rrsets.end()) store_rrsets(record, {&*ds, 1});
    return {};
  }
  if (foreign) drop_contents(record);

  filled_[index] = true;
  record.zone = zone;
  record.apex_size = static_cast<std::uint8_t>(apex.size());
  if (cut) record.flags |= kCut;
  if (key.size > 2 && key.bytes[0] == 1 && key.bytes[1] == '*') record.flags |= kWildcard;
  for (const Rrset& set : rrsets) {
    if (set.type == kTypeCname) record.flags |= kAlias;
  }
  store_rrsets(record, rrsets);
  if (!route.empty()) {
    std::vector<std::uint8_t> framed(sizeof(RouteHeader) + route.size());
    const RouteHeader header{static_cast<std::uint32_t>(route.size()), 0};
    std::memcpy(framed.data(), &header, sizeof header);
    std::memcpy(framed.data() + sizeof header, route.data(), route.size());
    records_[index].route = store(framed);
  }
  return {};
}

void Builder::drop_contents(Record& record) {
  record.flags &= kLongName;
  record.inline_type = record.inline_offset = 0;
  record.rrsets = record.route = 0;
}

// A copy of the DS set of a delegation, if it has one.
std::vector<Rrset> Builder::take_ds(const Record& record) const {
  const std::uint8_t* at = nullptr;
  if (record.inline_type == kTypeDs) at = record.area + record.inline_offset;
  if (record.rrsets != 0) {
    const std::uint8_t* table_at = heap_.data() + std::size_t{record.rrsets} * kHeapUnit;
    const auto* table = reinterpret_cast<const RrsetTable*>(table_at);
    const auto* entries = reinterpret_cast<const RrsetEntry*>(table + 1);
    for (std::uint32_t i = 0; i < table->count; ++i) {
      if (entries[i].type == kTypeDs) at = heap_.data() + std::size_t{entries[i].blob} * kHeapUnit;
    }
  }
  if (at == nullptr) return {};
  const std::size_t size = blob_size(*reinterpret_cast<const BlobHeader*>(at));
  return {Rrset{kTypeDs, {at, at + size}}};
}

// Adds to what the record has: an apex may already hold its parent's DS set.
void Builder::store_rrsets(Record& record, std::span<const Rrset> rrsets) {
  if (rrsets.empty()) return;
  std::vector<const Rrset*> sorted;
  for (const Rrset& set : rrsets) sorted.push_back(&set);
  std::vector<RrsetEntry> entries;
  if (record.rrsets != 0) {
    RrsetTable table;
    const std::uint8_t* at = heap_.data() + std::size_t{record.rrsets} * kHeapUnit;
    std::memcpy(&table, at, sizeof table);
    entries.resize(table.count);
    std::memcpy(entries.data(), at + sizeof table, table.count * sizeof(RrsetEntry));
  }

  if (record.inline_type == 0) {
    const std::size_t name_room =
        (record.flags & kLongName) != 0 ? kHeapUnit : round_up(record.name_size, kHeapUnit);
    const auto best = std::min_element(
        sorted.begin(), sorted.end(),
        [](const Rrset* a, const Rrset* b) { return inline_rank(a->type) < inline_rank(b->type); });
    if ((*best)->blob.size() <= kRecordAreaSize - name_room) {
      std::memcpy(record.area + name_room, (*best)->blob.data(), (*best)->blob.size());
      record.inline_type = (*best)->type;
      record.inline_offset = static_cast<std::uint16_t>(name_room);
      sorted.erase(best);
    }
  }
  if (sorted.empty()) return;
  // The table first, its blobs right behind: one run of cache lines.
  const std::size_t table_size =
      sizeof(RrsetTable) + (entries.size() + sorted.size()) * sizeof(RrsetEntry);
  const std::size_t table_at = heap_.size();
  heap_.resize(table_at + table_size);
  for (const Rrset* set : sorted) entries.push_back({set->type, 0, store(set->blob)});
  std::sort(entries.begin(), entries.end(),
            [](const RrsetEntry& a, const RrsetEntry& b) { return a.type < b.type; });
  const RrsetTable table{static_cast<std::uint32_t>(entries.size()), 0};
  std::memcpy(heap_.data() + table_at, &table, sizeof table);
  std::memcpy(heap_.data() + table_at + sizeof table, entries.data(),
              entries.size() * sizeof(RrsetEntry));
  record.rrsets = static_cast<HeapRef>(table_at / kHeapUnit);
}

HeapRef Builder::store(std::span<const std::uint8_t> bytes) {
  const std::size_t at = heap_.size();
  heap_.resize(at + round_up(bytes.size(), kHeapUnit));
  if (!bytes.empty()) std::memcpy(heap_.data() + at, bytes.data(), bytes.size());
  CHECK(heap_.size() / kHeapUnit < 0xffffffffU);
  return static_cast<HeapRef>(at / kHeapUnit);
}

const std::uint8_t* Builder::name_of(const Record& record) const {
  if ((record.flags & kLongName) == 0) return record.area;
  HeapRef ref;
  std::memcpy(&ref, record.area, sizeof ref);
  return heap_.data() + std::size_t{ref} * kHeapUnit;
}

void Builder::key_of(std::uint32_t index, NameKey& key) const {
  const Record& record = records_[index];
  set_key(key, hash_key_, name_of(record), record.name_size, record.name_size);
}

std::uint32_t Builder::find(const NameKey& key) const {
  const std::size_t mask = index_.size() - 1;
  for (std::size_t at = key.hash & mask; index_[at] != 0; at = (at + 1) & mask) {
    const Record& record = records_[index_[at]];
    if (record.name_hash == key.hash && record.name_size == key.size &&
        std::memcmp(name_of(record), key.bytes, key.size) == 0) {
      return index_[at];
    }
  }
  return 0;
}

std::uint32_t Builder::add_record(const NameKey& key) {
  if (records_.size() * 2 > index_.size()) grow_index();
  const auto index = static_cast<std::uint32_t>(records_.size());
  Record record{};
  record.name_hash = key.hash;
  record.name_size = static_cast<std::uint8_t>(key.size);
  if (key.size <= kInlineNameMax) {
    std::memcpy(record.area, key.bytes, key.size);
  } else {
    record.flags |= kLongName;
    const HeapRef ref = store({key.bytes, key.size});
    std::memcpy(record.area, &ref, sizeof ref);
  }
  records_.push_back(record);
  filled_.push_back(false);
  const std::size_t mask = index_.size() - 1;
  std::size_t at = key.hash & mask;
  while (index_[at] != 0) at = (at + 1) & mask;
  index_[at] = index;
  return index;
}

void Builder::grow_index() {
  std::vector<std::uint32_t> larger(index_.size() * 2);
  const std::size_t mask = larger.size() - 1;
  for (const std::uint32_t index : index_) {
    if (index == 0) continue;
    std::size_t at = records_[index].name_hash & mask;
    while (larger[at] != 0) at = (at + 1) & mask;
    larger[at] = index;
  }
  index_ = std::move(larger);
}

// Makes the missing parents of one record, up to the root or to one that is there.
void Builder::add_ancestors(std::uint32_t index) {
  NameKey name;
  key_of(index, name);
  std::uint32_t child = index;
  std::size_t offset = 0;
  while (name.bytes[offset] != 0) {
    offset += 1U + name.bytes[offset];
    NameKey parent;
    set_key(parent, hash_key_, name.bytes + offset, name.size - offset, name.size - offset);
    std::uint32_t found = find(parent);
    const bool there = found != 0;
    if (!there) {
      found = add_record(parent);
      const Record& below = records_[child];
      Record& record = records_[found];
      if (below.zone != 0 && (below.flags & kApex) == 0) {
        record.zone = below.zone;
        record.apex_size = below.apex_size;
        record.flags |= kEmptyNonTerminal;
      } else {
        record.flags |= kStructural;
      }
    }
    records_[child].parent = found;
    if (there) return;
    child = found;
  }
}

void Builder::link(std::uint32_t index) {
  const Record& record = records_[index];
  if ((record.flags & kWildcard) != 0) records_[record.parent].wildcard = index;
  if (record.zone != 0) ++zones_[record.zone].zone.name_count;
}

std::size_t Builder::finish() {
  CHECK(!finished_);
  finished_ = true;
  const auto given = static_cast<std::uint32_t>(records_.size());
  for (std::uint32_t i = 1; i < given; ++i) add_ancestors(i);
  for (std::uint32_t i = 1; i < records_.size(); ++i) link(i);
  index_ = {};
  heap_.resize(round_up(heap_.size() + kHeapTail, kSectionAlignment));

  std::size_t bucket_count = 1;
  while (bucket_count * 8 * 3 / 4 < records_.size()) bucket_count *= 2;
  buckets_.assign(bucket_count, Bucket{});
  while (!fill_buckets()) buckets_.assign(buckets_.size() * 2, Bucket{});
  return kHeaderSize + round_up(buckets_.size() * sizeof(Bucket), kSectionAlignment) +
         records_.size() * sizeof(Record) +
         round_up(zones_.size() * sizeof(Zone), kSectionAlignment) + heap_.size();
}

// False: some name would sit too far from its home bucket.
bool Builder::fill_buckets() {
  const std::size_t mask = buckets_.size() - 1;
  for (std::uint32_t i = 1; i < records_.size(); ++i) {
    const std::uint64_t hash = records_[i].name_hash;
    std::size_t at = hash & mask;
    for (std::uint32_t probe = 0;; ++probe) {
      Bucket& bucket = buckets_[at];
      const auto slot = std::find(std::begin(bucket.records), std::end(bucket.records), 0U);
      if (slot != std::end(bucket.records)) {
        bucket.tags[slot - std::begin(bucket.records)] = static_cast<std::uint16_t>(hash >> 48);
        *slot = i;
        break;
      }
      if (probe + 1 >= kMaxProbes) return false;
      bucket.overflow = 1;
      at = (at + 1) & mask;
    }
  }
  return true;
}

void Builder::write(std::span<std::uint8_t> out, std::uint64_t snapshot_version,
                    std::uint64_t created_unix_ns) {
  CHECK(finished_);
  ImageHeader header{};
  header.magic = kImageMagic;
  header.layout_version = kLayoutVersion;
  header.total_size_bytes = out.size();
  header.snapshot_version = snapshot_version;
  header.hash_key = hash_key_;
  header.bucket_count = static_cast<std::uint32_t>(buckets_.size());
  header.record_count = static_cast<std::uint32_t>(records_.size());
  header.zone_count = static_cast<std::uint32_t>(zones_.size());
  header.heap_size_bytes = heap_.size();
  header.created_unix_ns = created_unix_ns;
  header.buckets_offset = kHeaderSize;
  header.records_offset =
      header.buckets_offset + round_up(buckets_.size() * sizeof(Bucket), kSectionAlignment);
  header.zones_offset = header.records_offset + records_.size() * sizeof(Record);
  header.heap_offset =
      header.zones_offset + round_up(zones_.size() * sizeof(Zone), kSectionAlignment);
  CHECK(header.heap_offset + heap_.size() == out.size());

  std::memcpy(out.data() + header.buckets_offset, buckets_.data(),
              buckets_.size() * sizeof(Bucket));
  std::memcpy(out.data() + header.records_offset, records_.data(),
              records_.size() * sizeof(Record));
  for (std::size_t i = 0; i < zones_.size(); ++i) {
    header.name_count += zones_[i].zone.name_count;
    std::memcpy(out.data() + header.zones_offset + i * sizeof(Zone), &zones_[i].zone, sizeof(Zone));
  }
  std::memcpy(out.data() + header.heap_offset, heap_.data(), heap_.size());
  std::memcpy(out.data(), &header, sizeof header);
  header.crc32c = crc32c(out);
  std::memcpy(out.data(), &header, sizeof header);
}

}  // namespace brink::snapshot
