#include "dns/wire/query.h"

#include <algorithm>

#include "dataplane/base/bytes.h"

namespace brink::dns::wire {
namespace {

using base::ByteReader;
using base::load_be16;
using base::load_be64;

// Steps over a name that may end in a pointer; where the pointer leads does not matter here.
void skip_name(ByteReader& reader) noexcept {
  for (std::size_t size = 0; reader.ok() && size <= kNameMax;) {
    const std::uint8_t length = reader.u8();
    if (length == 0) return;
    if (length >= 0xc0) {
      reader.skip(1);
      return;
    }
    if (length > 63) break;
    size += 1U + length;
    reader.skip(length);
  }
  reader.skip(reader.remaining() + 1);  // over-long or of an unknown label type: fail
}

// The options must tile the OPT record's data, which starts at `at` of the message; a cookie has 8
// or 16-40 octets (RFC 7873 5.2.2). What is not known is ignored (RFC 6891 6.1.2).
bool take_options(std::span<const std::uint8_t> data, std::size_t at, Query& query) noexcept {
  ByteReader reader(data);
  while (reader.ok() && reader.remaining() > 0) {
    const std::uint16_t code = reader.u16();
    const std::uint16_t size = reader.u16();
    if (code == kOptionCookie && query.cookie_size == 0) {  // the first counts (RFC 7873 5.2)
      if (size != 8 && (size < 16 || size > 40)) return false;
      query.cookie_size = static_cast<std::uint8_t>(size);
      query.cookie_at = static_cast<std::uint16_t>(at + reader.position());
    }
    query.wants_nsid |= code == kOptionNsid;
    query.wants_keepalive |= code == kOptionKeepalive;
    query.wants_padding |= code == kOptionPadding;
    reader.skip(size);
  }
  return reader.ok();
}

// One record behind the question. Fills in the EDNS fields if it is an OPT record.
bool take_record(ByteReader& reader, bool additional, Query& query, bool& bad_version) noexcept {
  const std::size_t start = reader.position();
  skip_name(reader);
  const bool root_owner = reader.position() == start + 1;
  const std::uint16_t type = reader.u16();
  const std::uint16_t klass = reader.u16();
  const std::uint32_t ttl = reader.u32();
  const auto data = reader.bytes(reader.u16());
  if (!reader.ok()) return false;
  if (type != kTypeOpt) return true;
  // RFC 6891 6.1.1: one at most, owner root, additional section only.
  const std::size_t data_at = query.question_end + reader.position() - data.size();
  if (!additional || !root_owner || query.edns || !take_options(data, data_at, query)) return false;
  query.edns = true;
  query.udp_size = std::max(klass, static_cast<std::uint16_t>(kUdpSizeMin));
  query.dnssec_ok = (ttl & 0x8000U) != 0;
  bad_version = ((ttl >> 16) & 0xff) != 0;
  return true;
}

// The shape of nearly every query: behind the question one OPT record of version 0 without options.
// `counts`: the header's four. False, and nothing is done, for any other shape.
bool take_plain_opt(std::span<const std::uint8_t> rest, std::uint64_t counts,
                    Query& query) noexcept {
  constexpr std::uint64_t kOneQuestionOneAdditional = 0x0001'0000'0000'0001;
  if (counts != kOneQuestionOneAdditional || rest.size() != kOptSize) return false;
  const std::uint8_t* opt = rest.data();
  if (opt[0] != 0 || load_be16(opt + 1) != kTypeOpt || opt[6] != 0 || load_be16(opt + 9) != 0) {
    return false;
  }
  query.edns = true;
  query.udp_size = std::max(load_be16(opt + 3), static_cast<std::uint16_t>(kUdpSizeMin));
  query.dnssec_ok = (opt[7] & 0x80) != 0;
  query.verdict = Verdict::kQuery;
  return true;
}

// A message without a question, to get a cookie: one OPT record with the client's, no more.
void take_cookie(std::span<const std::uint8_t> message, Query& query) noexcept {
  constexpr std::uint64_t kOneAdditional = 1;
  if (load_be64(message.data() + 4) != kOneAdditional) return;
  bool bad_version = false;
  ByteReader reader(message.subspan(kHeaderSize));
  if (!take_record(reader, true, query, bad_version) || reader.remaining() != 0) return;
  if (bad_version)
    query.verdict = Verdict::kBadVers;
  else if (query.cookie_size != 0)
    query.verdict = Verdict::kCookieOnly;
}

}  // namespace

void parse_query(std::span<const std::uint8_t> message, Query& query) noexcept {
  query = Query{};
  if (message.size() < kHeaderSize) return;
  const std::uint16_t flags = load_be16(message.data() + 2);
  query.verdict = Verdict::kDropResponse;
  if ((flags & kFlagQr) != 0) return;
  query.verdict = Verdict::kNotImp;
  if ((flags & kOpcodeMask) != 0) return;
  query.verdict = Verdict::kFormErr;
  const std::uint8_t* counts = message.data() + 4;
  if (load_be16(counts) == 0) return take_cookie(message, query);
  if (load_be16(counts) != 1) return;  // RFC 9619

  // The question. Its name cannot be compressed: nothing stands before it.
  std::size_t at = kHeaderSize;
  while (at < message.size() && message[at] != 0) {
    if (message[at] > 63) return;
    at += 1U + message[at];
    if (at - kHeaderSize >= kNameMax) return;
  }
  if (at + 5 > message.size()) return;
  query.name_size = static_cast<std::uint8_t>(at + 1 - kHeaderSize);
  query.type = load_be16(message.data() + at + 1);
  query.klass = load_be16(message.data() + at + 3);
  query.question_end = static_cast<std::uint16_t>(at + 5);
  query.question_parsed = true;

  if (take_plain_opt(message.subspan(query.question_end), load_be64(counts), query)) return;
  bool bad_version = false;
  ByteReader reader(message.subspan(query.question_end));
  const std::uint32_t before = load_be16(counts + 2) + std::uint32_t{load_be16(counts + 4)};
  const std::uint32_t total = before + load_be16(counts + 6);
  for (std::uint32_t i = 0; i < total; ++i) {
    if (!take_record(reader, i >= before, query, bad_version)) return;
  }
  if (reader.remaining() != 0) return;
  query.verdict = bad_version ? Verdict::kBadVers : Verdict::kQuery;
  return;
}

}  // namespace brink::dns::wire
