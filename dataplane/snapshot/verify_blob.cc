// What may be a blob.
#include <algorithm>
#include <string>

#include "dataplane/base/bytes.h"
#include "dataplane/snapshot/verify.h"
#include "dataplane/snapshot/view.h"

namespace brink::snapshot {
namespace {

constexpr std::size_t kPointerSize = 2;
constexpr std::uint16_t kUnwrittenPointer = 0xc000;
constexpr std::size_t kRecordHead = 10;  // type, class, TTL and size of the data

base::Error bad(const std::string& what) {
  return {what, "image ", "publish a fresh image"};
}

base::Result<void> check_room(std::span<const std::uint8_t> room) {
  if (room.size() < sizeof(BlobHeader)) return bad("a blob is out of bounds");
  const auto& blob = *reinterpret_cast<const BlobHeader*>(room.data());
  if (blob_size(blob) > room.size()) return bad("a blob is out of bounds");
  if (blob.body_count == 0) return bad("a blob is empty");
  return {};
}

base::Result<void> check_fixups(const BlobHeader& blob) {
  std::size_t last = 0;
  for (const Fixup& fixup : blob_fixups(blob)) {
    const std::uint16_t kind = fixup.kind_and_target & kFixupKindMask;
    const std::uint16_t target = fixup.kind_and_target & kFixupTargetMask;
    if (fixup.offset + kPointerSize > blob_data_size(blob) || fixup.offset < last) {
      return bad("a fix-up is out of bounds");
    }
    if (kind == kFixupBlob ? (target >= fixup.offset || target > kFixupTargetMax)
                           : (kind != kFixupApex || target != 0)) {
      return bad("a fix-up points ahead or nowhere");
    }
    last = fixup.offset + kPointerSize;
  }
  return {};
}

// The size of the labels that `room` starts with, up to a pointer that is not written yet; or
// kNameMax: they are malformed.
std::size_t labels_size(std::span<const std::uint8_t> room) {
  std::size_t at = 0;
  while (at + kPointerSize <= room.size() && at < kNameMax - 1) {
    if (room[at] > kLabelMax) {
      return base::load_be16(room.data() + at) == kUnwrittenPointer ? at : kNameMax;
    }
    if (room[at] == 0) return kNameMax;
    at += 1U + room[at];
  }
  return kNameMax;
}

std::uint8_t lower(std::uint8_t octet) {
  return octet >= 'A' && octet <= 'Z' ? static_cast<std::uint8_t>(octet | 0x20) : octet;
}

}  // namespace

base::Result<void> verify_blob(std::span<const std::uint8_t> room) {
  if (auto checked = check_room(room); !checked) return checked;
  const auto& blob = *reinterpret_cast<const BlobHeader*>(room.data());
  // Records must tile the three parts exactly. Owners are pointers, so a record is
  // 2 + 10 bytes and its data.
  const std::uint8_t* bytes = blob_body(blob);
  const std::size_t ends[] = {blob.body_size, std::size_t{blob.body_size} + blob.required_size,
                              blob_data_size(blob)};
  const std::size_t counts[] = {blob.body_count, blob.required_count, blob.optional_count};
  std::size_t at = 0;
  for (std::size_t part = 0; part < 3; ++part) {
    for (std::size_t i = 0; i < counts[part]; ++i) {
      if (ends[part] - at < 12) return bad("a blob's records do not fit");
      if (base::load_be16(bytes + at) != (part == 0 ? 0xc00c : kUnwrittenPointer)) {
        return bad("a blob's record has no owner pointer");
      }
      const std::size_t size = 12U + base::load_be16(bytes + at + 10);
      if (size > ends[part] - at) return bad("a blob's records do not fit");
      at += size;
    }
    if (at != ends[part]) return bad("a blob's records do not fill it");
  }
  if (auto checked = check_fixups(blob); !checked) return checked;
  const auto target = blob_target(blob);
  if (!target.empty() && wire_name_size(target) != target.size()) {
    return bad("an alias target is malformed");
  }
  return {};
}

base::Result<void> verify_free_blob(std::span<const std::uint8_t> room) {
  if (auto checked = check_room(room); !checked) return checked;
  const auto& blob = *reinterpret_cast<const BlobHeader*>(room.data());
  if (blob.required_size != 0 || blob.optional_size != 0 || blob.required_count != 0 ||
      blob.optional_count != 0 || blob.target_size != 0) {
    return bad("a free-standing blob has more than a body");
  }
  if (auto checked = check_fixups(blob); !checked) return checked;
  std::span<const Fixup> fixups = blob_fixups(blob);
  const std::span<const std::uint8_t> body(blob_body(blob), blob.body_size);
  std::size_t at = 0;
  for (std::size_t i = 0; i < blob.body_count; ++i) {
    const std::size_t labels = labels_size(body.subspan(at));
    if (labels == kNameMax) return bad("a free-standing blob's owner is malformed");
    // The pointer's fix-up, then those within the data: there are no others.
    const std::size_t pointer = at + labels;
    if (fixups.empty() || fixups.front().offset != pointer) {
      return bad("a free-standing blob's owner leads nowhere");
    }
    const std::uint16_t kind = fixups.front().kind_and_target & kFixupKindMask;
    const std::uint16_t target = fixups.front().kind_and_target & kFixupTargetMask;
    if (kind != kFixupApex && (i == 0 || target >= at)) {
      return bad("a free-standing blob's owner leads to itself");
    }
    fixups = fixups.subspan(1);
    const std::size_t head = pointer + kPointerSize;
    if (body.size() - head < kRecordHead) return bad("a blob's records do not fit");
    const std::size_t data = head + kRecordHead;
    const std::size_t size = base::load_be16(body.data() + data - 2);
    if (size > body.size() - data) return bad("a blob's records do not fit");
    at = data + size;
    for (; !fixups.empty() && fixups.front().offset < at; fixups = fixups.subspan(1)) {
      if (fixups.front().offset < data || fixups.front().offset + kPointerSize > at) {
        return bad("a fix-up is out of bounds");
      }
    }
  }
  if (at != body.size()) return bad("a blob's records do not fill it");
  return {};
}

bool is_owner(std::span<const std::uint8_t> key, const BlobHeader& blob) {
  const std::uint8_t* const body = blob_body(blob);
  std::uint8_t name[kNameMax + 1];
  std::size_t size = 0;
  while (body[size] <= kLabelMax) {
    name[size] = body[size];
    for (std::size_t i = 1; i <= body[size]; ++i) name[size + i] = lower(body[size + i]);
    size += 1U + body[size];
  }
  DenialKey owner;
  set_denial_key(owner, name, size, 0);
  return std::equal(key.begin(), key.end(), owner.bytes, owner.bytes + owner.size);
}

}  // namespace brink::snapshot
