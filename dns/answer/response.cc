#include "dns/answer/response.h"

#include <cstring>

#include "dataplane/base/bytes.h"

namespace brink::dns::answer {
namespace {

using base::load_be16;
using base::store_be16;

constexpr std::uint16_t kPointer = 0xc000;
constexpr std::size_t kPointerReach = 0x3fff;  // RFC 1035 4.1.4
constexpr std::size_t kRecordFixed = 12;       // owner pointer, type, class, TTL, data length

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

// Writes the compression pointers of the blob's octets [from, to), which stand in the message.
void Response::patch(const snapshot::BlobHeader& blob, std::size_t body_at, std::size_t from,
                     std::size_t to, std::uint16_t apex) noexcept {
  for (const snapshot::Fixup& fixup : snapshot::blob_fixups(blob)) {
    if (fixup.offset < from) continue;
    if (fixup.offset >= to) break;
    const std::uint16_t kind = fixup.kind_and_target & snapshot::kFixupKindMask;
    const std::size_t target = kind == snapshot::kFixupApex
                                   ? apex
                                   : body_at + (fixup.kind_and_target & snapshot::kFixupTargetMask);
    store_be16(message_ + body_at + fixup.offset, static_cast<std::uint16_t>(kPointer | target));
  }
}

bool Response::put_body(const snapshot::BlobHeader& blob, Section section, std::uint16_t owner,
                        std::uint16_t apex, std::size_t& body_at) noexcept {
  if (size_ + blob.body_size > limit_) return false;
  if (!is_in_reach(blob, size_, 0, blob.body_size)) return false;
  body_at = size_;
  append(snapshot::blob_body(blob), blob.body_size);
  if (owner != wire::kHeaderSize) {
    std::size_t at = body_at;
    for (std::uint16_t i = 0; i < blob.body_count; ++i) {
      store_be16(message_ + at, static_cast<std::uint16_t>(kPointer | owner));
      at += kRecordFixed + load_be16(message_ + at + kRecordFixed - 2);
    }
  }
  if (blob.fixup_count != 0) patch(blob, body_at, 0, blob.body_size, apex);
  std::uint16_t& count = section == Section::kAnswer ? answers_ : authorities_;
  count = static_cast<std::uint16_t>(count + blob.body_count);
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
    append(snapshot::blob_body(blob) + at, part.size);
    patch(blob, body_at, at, at + part.size, apex);
    additionals_ = static_cast<std::uint16_t>(additionals_ + part.count);
    at += part.size;
  }
  return true;
}

bool Response::put_chaos_text(std::string_view text) noexcept {
  const std::size_t size = kRecordFixed + 1 + text.size();
  if (text.size() > 255 || size_ + size > limit_) return false;
  std::uint8_t* at = message_ + size_;
  store_be16(at, static_cast<std::uint16_t>(kPointer | wire::kHeaderSize));
  store_be16(at + 2, wire::kTypeTxt);
  store_be16(at + 4, wire::kClassChaos);
  std::memset(at + 6, 0, 4);  // TTL
  store_be16(at + 10, static_cast<std::uint16_t>(1 + text.size()));
  at[kRecordFixed] = static_cast<std::uint8_t>(text.size());
  std::memcpy(at + kRecordFixed + 1, text.data(), text.size());
  size_ += size;
  ++answers_;
  return true;
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
  if (query_.edns) {
    // RFC 6891 6.1.2: root, OPT, payload size, extended RCODE, version 0, DO as asked, options.
    std::uint8_t* opt = message_ + size_;
    opt[0] = 0;
    store_be16(opt + 1, wire::kTypeOpt);
    store_be16(opt + 3, udp_size_);
    opt[5] = static_cast<std::uint8_t>(rcode >> 4);
    opt[6] = 0;
    store_be16(opt + 7, query_.dnssec_ok ? 0x8000 : 0);
    store_be16(opt + 9, options_.size());
    if (options_.size() != 0) {
      std::memcpy(opt + wire::kOptSize, options_.data(), options_.size());
    }
    size_ += wire::kOptSize + options_.size();
    ++additionals_;
  }
  store_be16(message_ + 4, query_.question_parsed ? 1 : 0);
  store_be16(message_ + 6, answers_);
  store_be16(message_ + 8, authorities_);
  store_be16(message_ + 10, additionals_);
  return static_cast<std::uint16_t>(size_);
}

}  // namespace brink::dns::answer
