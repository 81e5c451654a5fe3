#include "dns/answer/response.h"

#include <algorithm>
#include <cstring>

#include "dataplane/base/bytes.h"

namespace brink::dns::answer {
namespace {

using base::load_be16;
using base::store_be16;

constexpr std::uint16_t kPointer = 0xc000;
constexpr std::size_t kPointerReach = 0x3fff;  // RFC 1035 4.1.4
constexpr std::size_t kRecordFixed = 12;       // owner pointer, type, class, TTL, data length
constexpr std::size_t kOptionHead = 4;         // code and size of an EDNS option

// Whether every pointer of the blob's octets [from, to) can reach its target when the blob's body
// stands at `body_at`. What is rendered does up to a point that only long chains get past.
bool is_in_reach(const snapshot::BlobHeader& blob, std::size_t body_at, std::size_t from,
                 std::size_t to) noexcept {
  if (body_at + snapshot::kFixupTargetMax <= kPointerReach) return true;
  for (const snapshot::Fixup& fixup : snapshot::blob_fixups(blob)) {
    if (fixup.offset < from || fixup.offset >= to) continue;
    const std::size_t target = fixup.kind_and_target & snapshot::kFixupTargetMask;
    const bool own = (fixup.kind_and_target & snapshot::kFixupKindMask) != snapshot::kFixupApex;
    if (own && body_at + target > kPointerReach) return false;
  }
  return true;
}

}  // namespace

// Short blobs are the rule: a few vectors beat a call. Nothing is read past the blob: its record's
// neighbour is a cache line that nobody fetched ahead, and touching it would double the cost of a
// hit.
void Response::append(const std::uint8_t* source, std::size_t size) noexcept {
  std::uint8_t* to = message_ + size_;
  size_ += size;
  if (size < 16 || size > 64) {
    std::memcpy(to, source, size);
    return;
  }
  const auto copy = [to, source](std::size_t at) {
    _mm_storeu_si128(reinterpret_cast<__m128i*>(to + at),
                     _mm_loadu_si128(reinterpret_cast<const __m128i*>(source + at)));
  };
  copy(0);
  if (size > 32) copy(16);
  if (size > 48) copy(32);
  copy(size - 16);
}

// Writes the compression pointers of the blob's octets [from, to), which stand at `part_at` of the
// message.
void Response::patch(const snapshot::BlobHeader& blob, std::size_t body_at, std::size_t part_at,
                     std::size_t from, std::size_t to, std::uint16_t apex) noexcept {
  for (const snapshot::Fixup& fixup : snapshot::blob_fixups(blob)) {
    if (fixup.offset < from) continue;
    if (fixup.offset >= to) break;
    const std::uint16_t kind = fixup.kind_and_target & snapshot::kFixupKindMask;
    const std::size_t target = kind == snapshot::kFixupApex
                                   ? apex
                                   : body_at + (fixup.kind_and_target & snapshot::kFixupTargetMask);
    store_be16(message_ + part_at + fixup.offset - from,
               static_cast<std::uint16_t>(kPointer | target));
  }
}

bool Response::put_body(const snapshot::BlobHeader& blob, Section section, std::uint16_t owner,
                        std::uint16_t apex, std::size_t& body_at) noexcept {
  if (size_ + blob.body_size > limit_) return false;
  if (owner > kPointerReach || apex > kPointerReach) return false;
  if (!is_in_reach(blob, size_, 0, blob.body_size)) return false;
  body_at = size_;
  append(snapshot::blob_body(blob), blob.body_size);
  if (owner != wire::kHeaderSize) {
    // Sizes out of the blob: to read what was just written takes longer.
    const std::uint8_t* const body = snapshot::blob_body(blob);
    std::size_t at = 0;
    for (std::uint16_t i = 0; i < blob.body_count; ++i) {
      store_be16(message_ + body_at + at, static_cast<std::uint16_t>(kPointer | owner));
      at += kRecordFixed + load_be16(body + at + kRecordFixed - 2);
    }
  }
  if (blob.fixup_count != 0) patch(blob, body_at, body_at, 0, blob.body_size, apex);
  count(section, blob.body_count);
  return true;
}

bool Response::put_free(const snapshot::BlobHeader& blob, Section section,
                        std::uint16_t apex) noexcept {
  if (size_ + blob.body_size > limit_ || !is_in_reach(blob, size_, 0, blob.body_size)) return false;
  const std::size_t at = size_;
  append(snapshot::blob_body(blob), blob.body_size);
  patch(blob, at, at, 0, blob.body_size, apex);
  count(section, blob.body_count);
  return true;
}

bool Response::put_signatures(const snapshot::BlobHeader& blob, Section section,
                              std::uint16_t owner) noexcept {
  const std::uint8_t* record = snapshot::blob_body(blob);
  for (std::uint16_t i = 0; i < blob.body_count; ++i) {
    const std::size_t size = kRecordFixed + load_be16(record + kRecordFixed - 2);
    if (load_be16(record + 2) == wire::kTypeRrsig) {  // without names to compress (RFC 4034 3.1.7)
      if (size_ + size > limit_) return false;
      store_be16(message_ + size_, static_cast<std::uint16_t>(kPointer | owner));
      std::memcpy(message_ + size_ + 2, record + 2, size - 2);
      size_ += size;
      count(section, 1);
    }
    record += size;
  }
  return true;
}

bool Response::put_unsigned_free(const snapshot::BlobHeader& blob, Section section,
                                 std::uint16_t apex) noexcept {
  const std::uint8_t* body = snapshot::blob_body(blob);
  std::size_t end = 0;
  std::uint16_t records = 0;
  while (records < blob.body_count) {
    std::size_t at = end;
    while (body[at] != 0 && body[at] < 0xc0) at += 1U + body[at];
    at += body[at] == 0 ? 1 : 2;
    if (load_be16(body + at) == wire::kTypeRrsig) break;
    end = at + kRecordFixed - 2 + load_be16(body + at + kRecordFixed - 4);
    ++records;
  }
  if (size_ + end > limit_ || !is_in_reach(blob, size_, 0, end)) return false;
  const std::size_t at = size_;
  append(body, end);
  patch(blob, at, at, 0, end, apex);
  count(section, records);
  return true;
}

bool Response::put_made(const Made& record, std::size_t& data_at) noexcept {
  if (size_ + kRecordFixed + record.data.size() > limit_ || record.owner > kPointerReach) {
    return false;
  }
  std::uint8_t* at = message_ + size_;
  store_be16(at, static_cast<std::uint16_t>(kPointer | record.owner));
  store_be16(at + 2, record.type);
  store_be16(at + 4, record.klass);
  base::store_be32(at + 6, record.ttl);
  store_be16(at + 10, static_cast<std::uint16_t>(record.data.size()));
  std::memcpy(at + kRecordFixed, record.data.data(), record.data.size());
  data_at = size_ + kRecordFixed;
  size_ += kRecordFixed + record.data.size();
  count(Section::kAnswer, 1);
  return true;
}

bool Response::append_additional(const snapshot::BlobHeader& blob, std::size_t body_at,
                                 std::uint16_t apex) noexcept {
  std::size_t at = blob.body_size;
  const struct {
    std::size_t size;
    std::uint8_t count;
    bool required;
  } parts[] = {{blob.required_size, blob.required_count, true},
               {blob.optional_size, blob.optional_count, false}};
  for (const auto& part : parts) {
    if (part.count == 0) continue;
    if (size_ + part.size > limit_ || !is_in_reach(blob, body_at, at, at + part.size)) {
      return !part.required;
    }
    const std::size_t part_at = size_;
    append(snapshot::blob_body(blob) + at, part.size);
    patch(blob, body_at, part_at, at, at + part.size, apex);
    additionals_ = static_cast<std::uint16_t>(additionals_ + part.count);
    at += part.size;
  }
  return true;
}

// RFC 7830 3, RFC 8467 4.1: an option of zeros, the last of `opt`.
void Response::pad(std::uint8_t* opt) noexcept {
  const std::size_t least = size_ + kOptionHead;
  const std::size_t wanted = (least + padding_block_ - 1) / padding_block_ * padding_block_;
  if (least > whole_limit_) return;
  const std::size_t zeros = std::min(wanted, whole_limit_) - least;
  store_be16(message_ + size_, wire::kOptionPadding);
  store_be16(message_ + size_ + 2, static_cast<std::uint16_t>(zeros));
  std::memset(message_ + least, 0, zeros);
  store_be16(opt + 9, static_cast<std::uint16_t>(options_.size() + kOptionHead + zeros));
  size_ = least + zeros;
}

// RFC 6891 6.1.2: root, OPT, payload size, extended RCODE, version 0, DO as asked, options.
void Response::put_opt(std::uint16_t rcode) noexcept {
  std::uint8_t* opt = message_ + size_;
  opt[0] = 0;
  store_be16(opt + 1, wire::kTypeOpt);
  store_be16(opt + 3, udp_size_);
  opt[5] = static_cast<std::uint8_t>(rcode >> 4);
  opt[6] = 0;
  store_be16(opt + 7, query_.dnssec_ok ? 0x8000 : 0);
  store_be16(opt + 9, options_.size());
  if (options_.size() != 0) std::memcpy(opt + wire::kOptSize, options_.data(), options_.size());
  size_ += wire::kOptSize + options_.size();
  ++additionals_;
  if (padding_block_ != 0) pad(opt);
}

std::uint16_t Response::finish() noexcept {
  const std::uint16_t asked = load_be16(message_ + 2);
  std::uint16_t flags = wire::kFlagQr;
  flags |= asked & (wire::kOpcodeMask | wire::kFlagRd | wire::kFlagCd);
  if (authoritative_) flags |= wire::kFlagAa;
  if (truncated_) flags |= wire::kFlagTc;
  const auto rcode = static_cast<std::uint16_t>(rcode_);
  flags |= rcode & 0xf;
  store_be16(message_ + 2, flags);
  if (query_.edns) put_opt(rcode);
  store_be16(message_ + 4, query_.question_parsed ? 1 : 0);
  store_be16(message_ + 6, answers_);
  store_be16(message_ + 8, authorities_);
  store_be16(message_ + 10, additionals_);
  return static_cast<std::uint16_t>(size_);
}

}  // namespace brink::dns::answer
