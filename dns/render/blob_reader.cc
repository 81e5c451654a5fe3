#include "dns/render/blob_reader.h"

#include <cstring>

#include "dataplane/base/bytes.h"
#include "dataplane/snapshot/layout.h"
#include "dns/zone/message.h"
#include "dns/zone/text.h"

namespace brink::dns::render {
namespace {

using snapshot::BlobHeader;
using snapshot::Fixup;

constexpr std::size_t kHeaderSize = 12;
constexpr std::uint16_t kFlags = 0x8400;  // QR, AA
constexpr std::uint16_t kPointer = 0xc000;

base::Error bad(const std::string& what) {
  return {"not a record set of an image: " + what, "", ""};
}

// A blob's parts, inside the bytes that it came in.
struct Parts {
  BlobHeader header;
  std::span<const std::uint8_t> data;    // body, required and optional part
  std::span<const std::uint8_t> fixups;  // header.fixup_count of them, not aligned
  std::span<const std::uint8_t> target;
};

base::Result<Parts> parts_of(std::span<const std::uint8_t> blob) {
  Parts parts;
  if (blob.size() < sizeof parts.header) return bad("it is cut short");
  std::memcpy(&parts.header, blob.data(), sizeof parts.header);
  const BlobHeader& header = parts.header;
  const std::size_t data_size =
      std::size_t{header.body_size} + header.required_size + header.optional_size;
  const std::size_t fixups_at = sizeof header + ((data_size + 1) & ~std::size_t{1});
  const std::size_t target_at = fixups_at + header.fixup_count * sizeof(Fixup);
  if (target_at + header.target_size != blob.size()) return bad("its sizes do not add up");
  parts.data = blob.subspan(sizeof header, data_size);
  parts.fixups = blob.subspan(fixups_at, target_at - fixups_at);
  parts.target = blob.subspan(target_at);
  return parts;
}

// The message that would answer a question for `owner` with the whole blob.
base::Result<std::vector<std::uint8_t>> message_of(const Parts& parts, const zone::Wire& owner,
                                                   const zone::Wire& apex) {
  std::vector<std::uint8_t> message(kHeaderSize);
  const std::size_t additional =
      std::size_t{parts.header.required_count} + parts.header.optional_count;
  base::store_be16(&message[2], kFlags);
  base::store_be16(&message[4], 1);
  base::store_be16(&message[6], parts.header.body_count);
  base::store_be16(&message[10], static_cast<std::uint16_t>(additional));
  message.insert(message.end(), owner.begin(), owner.end());
  for (const int octet : {0, 1, 0, 1}) message.push_back(static_cast<std::uint8_t>(octet));
  const std::size_t body_at = message.size();
  message.insert(message.end(), parts.data.begin(), parts.data.end());

  const std::size_t apex_at = kHeaderSize + owner.size() - apex.size();
  for (std::size_t at = 0; at < parts.fixups.size(); at += sizeof(Fixup)) {
    Fixup fixup;
    std::memcpy(&fixup, parts.fixups.data() + at, sizeof fixup);
    if (fixup.offset + sizeof kPointer > parts.data.size()) return bad("a pointer lies outside");
    const std::uint16_t kind = fixup.kind_and_target & snapshot::kFixupKindMask;
    if (kind != snapshot::kFixupApex && kind != snapshot::kFixupBlob) {
      return bad("a pointer is of an unknown kind");
    }
    const std::size_t to = kind == snapshot::kFixupApex
                               ? apex_at
                               : body_at + (fixup.kind_and_target & snapshot::kFixupTargetMask);
    if (to > snapshot::kFixupTargetMask) return bad("a pointer leads too far");
    base::store_be16(&message[body_at + fixup.offset], static_cast<std::uint16_t>(kPointer | to));
  }
  return message;
}

}  // namespace

base::Result<BlobContents> read_blob(std::span<const std::uint8_t> blob, const zone::Wire& owner,
                                     const zone::Wire& apex) {
  const auto parts = parts_of(blob);
  if (!parts) return parts.error();
  if (!zone::is_at_or_below(owner, apex)) return bad("its owner lies outside the zone");
  const auto message = message_of(parts.value(), owner, apex);
  if (!message) return message.error();
  auto records = zone::read_message(message.value());
  if (!records) return records.error();
  BlobContents contents;
  contents.body = std::move(records.value().answer);
  contents.optional = std::move(records.value().additional);
  const std::size_t required = parts.value().header.required_count;
  if (contents.body.size() != parts.value().header.body_count ||
      contents.optional.size() != required + parts.value().header.optional_count) {
    return bad("records are missing");
  }
  const auto first_optional = contents.optional.begin() + static_cast<std::ptrdiff_t>(required);
  contents.required.assign(std::make_move_iterator(contents.optional.begin()),
                           std::make_move_iterator(first_optional));
  contents.optional.erase(contents.optional.begin(), first_optional);
  contents.target.assign(parts.value().target.begin(), parts.value().target.end());
  return contents;
}

}  // namespace brink::dns::render
