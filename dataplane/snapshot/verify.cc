#include "dataplane/snapshot/verify.h"

#include <algorithm>
#include <cstring>
#include <string>

#include "dataplane/base/bytes.h"
#include "dataplane/snapshot/checksum.h"
#include "dataplane/snapshot/layout.h"
#include "dataplane/snapshot/view.h"

namespace brink::snapshot {
namespace {

constexpr std::uint16_t kAllFlags = 0xff;

base::Error bad(const std::string& what, const std::string& where) {
  return {what, "image " + where, "publish a fresh image"};
}

// An image whose header, section bounds and checksum have been checked.
class Verifier {
 public:
  explicit Verifier(std::span<const std::uint8_t> image)
      : image_(image), header_(*reinterpret_cast<const ImageHeader*>(image.data())) {}

  base::Result<void> run();

 private:
  base::Result<void> check_sections() const;
  base::Result<void> check_checksum() const;
  base::Result<void> check_buckets();
  base::Result<void> check_zones() const;
  base::Result<void> check_record(std::uint32_t index) const;
  base::Result<void> check_name(std::uint32_t index) const;
  base::Result<void> check_links(std::uint32_t index) const;
  base::Result<void> check_rrsets(std::uint32_t index) const;
  base::Result<void> check_blob(std::span<const std::uint8_t> room) const;
  [[nodiscard]] bool section(std::uint64_t offset, std::uint64_t count, std::uint64_t size,
                             std::uint64_t& end) const;

  [[nodiscard]] const Record& record(std::uint32_t index) const {
    return reinterpret_cast<const Record*>(image_.data() + header_.records_offset)[index];
  }
  [[nodiscard]] const Zone& zone(std::uint32_t index) const {
    return reinterpret_cast<const Zone*>(image_.data() + header_.zones_offset)[index];
  }
  // What is in the heap from `ref` on; empty if it is no valid reference.
  [[nodiscard]] std::span<const std::uint8_t> heap(HeapRef ref) const {
    const std::uint64_t at = std::uint64_t{ref} * kHeapUnit;
    if (ref == 0 || at >= header_.heap_size_bytes) return {};
    return image_.subspan(header_.heap_offset + at, header_.heap_size_bytes - at);
  }

  std::span<const std::uint8_t> image_;
  const ImageHeader& header_;
};

base::Result<void> Verifier::run() {
  if (auto r = check_sections(); !r) return r;
  if (auto r = check_checksum(); !r) return r;
  if (auto r = check_zones(); !r) return r;
  // Names before buckets: find() below follows records.
  for (std::uint32_t i = 1; i < header_.record_count; ++i) {
    if (auto r = check_record(i); !r) return r;
  }
  if (auto r = check_buckets(); !r) return r;
  for (std::uint32_t i = 1; i < header_.record_count; ++i) {
    if (auto r = check_links(i); !r) return r;
  }
  return {};
}

bool Verifier::section(std::uint64_t offset, std::uint64_t count, std::uint64_t size,
                       std::uint64_t& end) const {
  if (offset % kSectionAlignment != 0 || offset < end || offset > image_.size()) return false;
  if (count > (image_.size() - offset) / size) return false;
  end = offset + count * size;
  return true;
}

base::Result<void> Verifier::check_sections() const {
  std::uint64_t end = kHeaderSize;
  if (header_.bucket_count == 0 || (header_.bucket_count & (header_.bucket_count - 1)) != 0) {
    return bad("the bucket count is not a power of two", "header");
  }
  if (header_.record_count == 0 || header_.zone_count == 0) {
    return bad("record 0 or zone 0 is missing", "header");
  }
  if (!section(header_.buckets_offset, header_.bucket_count, sizeof(Bucket), end)) {
    return bad("out of bounds or misaligned", "buckets");
  }
  if (!section(header_.records_offset, header_.record_count, sizeof(Record), end)) {
    return bad("out of bounds or misaligned", "records");
  }
  if (!section(header_.zones_offset, header_.zone_count, sizeof(Zone), end)) {
    return bad("out of bounds or misaligned", "zones");
  }
  if (!section(header_.heap_offset, header_.heap_size_bytes, 1, end)) {
    return bad("out of bounds or misaligned", "heap");
  }
  if (end != image_.size()) return bad("bytes after the heap", "header");
  return {};
}

base::Result<void> Verifier::check_checksum() const {
  // The checksum was taken with its own field zero: feed the header from a copy.
  std::uint8_t head[kHeaderSize];
  std::memcpy(head, image_.data(), sizeof head);
  std::memset(head + offsetof(ImageHeader, crc32c), 0, sizeof header_.crc32c);
  if (crc32c(head, image_.subspan(kHeaderSize)) != header_.crc32c) {
    return bad("the checksum does not fit", "header");
  }
  return {};
}

base::Result<void> Verifier::check_zones() const {
  for (std::uint32_t i = 1; i < header_.zone_count; ++i) {
    const std::string where = "zone " + std::to_string(i);
    const std::uint32_t apex = zone(i).apex;
    if (apex == 0 || apex >= header_.record_count || (record(apex).flags & kApex) == 0 ||
        record(apex).zone != i) {
      return bad("its apex is not an apex", where);
    }
    if (auto r = check_blob(heap(zone(i).negative)); !r) return bad(r.error().what, where);
    const auto* blob = reinterpret_cast<const BlobHeader*>(heap(zone(i).negative).data());
    if (blob->body_count != 1) return bad("its negative answer is not one SOA", where);
  }
  return {};
}

base::Result<void> Verifier::check_buckets() {
  const auto* buckets = reinterpret_cast<const Bucket*>(image_.data() + header_.buckets_offset);
  std::uint64_t used = 0;
  for (std::uint32_t i = 0; i < header_.bucket_count; ++i) {
    for (const std::uint32_t index : buckets[i].records) {
      if (index >= header_.record_count) return bad("record index out of range", "buckets");
      used += index != 0 ? 1U : 0U;
    }
  }
  if (used != header_.record_count - 1U) return bad("not every record is in one bucket", "buckets");
  return {};
}

base::Result<void> Verifier::check_record(std::uint32_t index) const {
  const Record& r = record(index);
  const std::string where = "record " + std::to_string(index);
  if ((r.flags & ~kAllFlags) != 0) return bad("unknown flags", where);
  if (r.zone >= header_.zone_count || r.parent >= header_.record_count ||
      r.wildcard >= header_.record_count) {
    return bad("an index is out of range", where);
  }
  if ((r.zone == 0) != ((r.flags & kStructural) != 0)) {
    return bad("a structural name has a zone, or another has none", where);
  }
  if (auto result = check_name(index); !result) return result;
  if (auto result = check_rrsets(index); !result) return result;
  if (r.route != 0) {
    const auto room = heap(r.route);
    const auto* route = reinterpret_cast<const RouteHeader*>(room.data());
    if (room.size() < sizeof(RouteHeader) ||
        route->size_bytes > room.size() - sizeof(RouteHeader)) {
      return bad("its route is out of bounds", where);
    }
  }
  return {};
}

base::Result<void> Verifier::check_name(std::uint32_t index) const {
  const Record& r = record(index);
  const std::string where = "record " + std::to_string(index);
  std::span<const std::uint8_t> room(r.area, kInlineNameMax);
  if ((r.flags & kLongName) != 0) {
    HeapRef ref;
    std::memcpy(&ref, r.area, sizeof ref);
    room = heap(ref);
    // View compares whole vectors: the heap must go on behind the name.
    if (room.size() < std::size_t{r.name_size} + 64) return bad("its name is out of bounds", where);
  }
  if (r.name_size == 0 || r.name_size > room.size() ||
      wire_name_size(room.first(r.name_size)) != r.name_size) {
    return bad("its name is malformed", where);
  }
  NameKey key;
  set_key(key, header_.hash_key, room.data(), r.name_size, r.name_size);
  if (std::memcmp(key.bytes, room.data(), r.name_size) != 0) {
    return bad("its name is not lower-case", where);
  }
  if (key.hash != r.name_hash) return bad("its name does not hash to its hash", where);
  const std::size_t apex_size = r.zone == 0 ? 0 : record(zone(r.zone).apex).name_size;
  if (r.apex_size != apex_size || r.apex_size > r.name_size) {
    return bad("its apex size is wrong", where);
  }
  return {};
}

base::Result<void> Verifier::check_links(std::uint32_t index) const {
  const View view(image_.data());
  const Record& r = record(index);
  const std::string where = "record " + std::to_string(index);
  NameKey key;
  set_key(key, header_.hash_key, view.name_bytes(r), r.name_size, r.name_size);
  if (view.find(key) != &r) return bad("its name is not found", where);
  const std::size_t first = 1U + key.bytes[0];
  if (r.name_size == 1) {
    if (r.parent != 0) return bad("the root has a parent", where);
  } else {
    const Record& parent = record(r.parent);
    if (r.parent == 0 || parent.name_size != r.name_size - first ||
        std::memcmp(view.name_bytes(parent), key.bytes + first, parent.name_size) != 0) {
      return bad("its parent is not its parent", where);
    }
  }
  if ((r.flags & kParentSide) != 0) {
    std::uint32_t above = r.parent;
    for (std::size_t step = 0; above != 0 && record(above).zone == 0 && step < kNameMax; ++step) {
      above = record(above).parent;
    }
    if (record(above).zone == 0)
      return bad("it takes a DS set from a parent zone that is not there", where);
  }
  if (r.wildcard != 0) {
    const Record& wildcard = record(r.wildcard);
    if (wildcard.parent != index || (wildcard.flags & kWildcard) == 0) {
      return bad("its wildcard is not its child", where);
    }
  }
  return {};
}

base::Result<void> Verifier::check_rrsets(std::uint32_t index) const {
  const Record& r = record(index);
  const std::string where = "record " + std::to_string(index);
  if (r.inline_type != 0) {
    if (r.inline_offset % 2 != 0 || r.inline_offset >= kRecordAreaSize) {
      return bad("its inline RRset is out of bounds", where);
    }
    const std::span<const std::uint8_t> room(r.area + r.inline_offset,
                                             kRecordAreaSize - r.inline_offset);
    if (auto result = check_blob(room); !result) return bad(result.error().what, where);
  }
  if (r.rrsets == 0) return {};
  const auto room = heap(r.rrsets);
  const auto* table = reinterpret_cast<const RrsetTable*>(room.data());
  if (room.size() < sizeof(RrsetTable) ||
      table->count > (room.size() - sizeof(RrsetTable)) / sizeof(RrsetEntry)) {
    return bad("its RRset table is out of bounds", where);
  }
  const std::span<const RrsetEntry> entries(reinterpret_cast<const RrsetEntry*>(table + 1),
                                            table->count);
  for (std::size_t i = 0; i < entries.size(); ++i) {
    if (i > 0 && entries[i - 1].type >= entries[i].type) {
      return bad("its RRset table is not sorted", where);
    }
    if (auto result = check_blob(heap(entries[i].blob)); !result) {
      return bad(result.error().what, where);
    }
  }
  return {};
}

base::Result<void> Verifier::check_blob(std::span<const std::uint8_t> room) const {
  if (room.size() < sizeof(BlobHeader)) return bad("a blob is out of bounds", "");
  const auto& blob = *reinterpret_cast<const BlobHeader*>(room.data());
  const std::size_t data = blob_data_size(blob);
  if (blob_size(blob) > room.size()) return bad("a blob is out of bounds", "");
  if (blob.body_count == 0) return bad("a blob is empty", "");

  // Records must tile the three parts exactly. Owners are pointers, so a record is
  // 2 + 10 bytes and its data.
  const std::uint8_t* bytes = blob_body(blob);
  const std::size_t ends[] = {blob.body_size, std::size_t{blob.body_size} + blob.required_size,
                              data};
  const std::size_t counts[] = {blob.body_count, blob.required_count, blob.optional_count};
  std::size_t at = 0;
  for (std::size_t part = 0; part < 3; ++part) {
    for (std::size_t i = 0; i < counts[part]; ++i) {
      if (ends[part] - at < 12) return bad("a blob's records do not fit", "");
      if (base::load_be16(bytes + at) != (part == 0 ? 0xc00c : 0xc000)) {
        return bad("a blob's record has no owner pointer", "");
      }
      const std::size_t size = 12U + base::load_be16(bytes + at + 10);
      if (size > ends[part] - at) return bad("a blob's records do not fit", "");
      at += size;
    }
    if (at != ends[part]) return bad("a blob's records do not fill it", "");
  }
  std::size_t last = 0;
  for (const Fixup& fixup : blob_fixups(blob)) {
    const std::uint16_t kind = fixup.kind_and_target & kFixupKindMask;
    const std::uint16_t target = fixup.kind_and_target & kFixupTargetMask;
    if (fixup.offset + 2U > data || fixup.offset < last)
      return bad("a fix-up is out of bounds", "");
    if (kind == kFixupBlob ? (target >= fixup.offset || target > kFixupTargetMax)
                           : (kind != kFixupApex || target != 0)) {
      return bad("a fix-up points ahead or nowhere", "");
    }
    last = fixup.offset + 2U;
  }
  const auto target = blob_target(blob);
  if (!target.empty() && wire_name_size(target) != target.size()) {
    return bad("an alias target is malformed", "");
  }
  return {};
}

}  // namespace

base::Result<void> verify(std::span<const std::uint8_t> image) {
  if (reinterpret_cast<std::uintptr_t>(image.data()) % kSectionAlignment != 0) {
    return bad("it is not aligned in memory", "");
  }
  if (image.size() < kHeaderSize) return bad("it is shorter than its header", "");
  const auto& header = *reinterpret_cast<const ImageHeader*>(image.data());
  if (header.magic != kImageMagic) return bad("it is not an image (magic)", "header");
  if (header.layout_version != kLayoutVersion) {
    return base::Error{"layout version " + std::to_string(header.layout_version) +
                           ", this program reads " + std::to_string(kLayoutVersion),
                       "image header", "use programs of the same release"};
  }
  if (header.total_size_bytes != image.size()) {
    return bad("it has " + std::to_string(image.size()) + " bytes, its header says " +
                   std::to_string(header.total_size_bytes),
               "header");
  }
  return Verifier(image).run();
}

}  // namespace brink::snapshot
