#include <algorithm>

#include "dns/dnssec/signature.h"
#include "dns/zone/text.h"

namespace brink::dns::dnssec {
namespace {

// Where names stand in the data of a type: behind `fixed` octets and `strings` character-strings
// (RFC 1035 3.3), `names` of them side by side.
struct NamesAt {
  std::uint16_t type;
  std::uint8_t fixed, strings, names;
};

// The types of RFC 4034 6.2 item 3 without HINFO, which has no names, and without NSEC
// (RFC 6840 5.1). A6 (38) has its own rule.
constexpr NamesAt kNamesAt[] = {
    {2, 0, 0, 1},                                // NS
    {3, 0, 0, 1},   {4, 0, 0, 1},                // MD, MF
    {5, 0, 0, 1},                                // CNAME
    {6, 0, 0, 2},                                // SOA
    {7, 0, 0, 1},   {8, 0, 0, 1}, {9, 0, 0, 1},  // MB, MG, MR
    {12, 0, 0, 1},                               // PTR
    {14, 0, 0, 2},                               // MINFO
    {15, 2, 0, 1},                               // MX
    {17, 0, 0, 2},                               // RP
    {18, 2, 0, 1},                               // AFSDB
    {21, 2, 0, 1},                               // RT
    {24, 18, 0, 1},                              // SIG
    {26, 2, 0, 2},                               // PX
    {30, 0, 0, 1},                               // NXT
    {33, 6, 0, 1},                               // SRV
    {35, 4, 3, 1},                               // NAPTR
    {36, 2, 0, 1},                               // KX
    {39, 0, 0, 1},                               // DNAME
    {46, 18, 0, 1},                              // RRSIG
};
constexpr std::uint16_t kTypeA6 = 38;

std::size_t octet_at(const Wire& rdata, std::size_t at) {
  return static_cast<std::uint8_t>(rdata[at]);
}

// Lowers the name at `at` and returns the offset behind it; npos: there is none.
std::size_t lower_name_at(Wire& rdata, std::size_t at) {
  while (at < rdata.size()) {
    const std::size_t length = octet_at(rdata, at);
    if (length == 0) return at + 1;
    if (length > 63 || at + 1 + length >= rdata.size()) break;
    for (std::size_t i = at + 1; i <= at + length; ++i) {
      if (rdata[i] >= 'A' && rdata[i] <= 'Z') rdata[i] = static_cast<char>(rdata[i] - 'A' + 'a');
    }
    at += 1 + length;
  }
  return Wire::npos;
}

// Offset of the first name; npos: the data is too short.
std::size_t first_name(const NamesAt& where, const Wire& rdata) {
  std::size_t at = where.fixed;
  for (int i = 0; i < where.strings; ++i) {
    if (at >= rdata.size()) return Wire::npos;
    at += 1 + octet_at(rdata, at);
  }
  return at;
}

// RFC 2874 3.1: prefix length, the rest of the address, and a name unless the prefix is empty.
std::optional<NamesAt> names_of_a6(const Wire& rdata) {
  if (rdata.empty() || octet_at(rdata, 0) == 0 || octet_at(rdata, 0) > 128) return std::nullopt;
  const std::size_t suffix = (128 - octet_at(rdata, 0) + 7) / 8;
  return NamesAt{kTypeA6, static_cast<std::uint8_t>(1 + suffix), 0, 1};
}

std::optional<NamesAt> names_of(std::uint16_t type, const Wire& rdata) {
  if (type == kTypeA6) return names_of_a6(rdata);
  const auto* found = std::lower_bound(
      std::begin(kNamesAt), std::end(kNamesAt), type,
      [](const NamesAt& entry, std::uint16_t wanted) { return entry.type < wanted; });
  if (found == std::end(kNamesAt) || found->type != type) return std::nullopt;
  return *found;
}

}  // namespace

Wire canonical_rdata(std::uint16_t type, const Wire& rdata) {
  const auto where = names_of(type, rdata);
  if (!where.has_value()) return rdata;
  Wire lowered = rdata;
  std::size_t at = first_name(*where, rdata);
  for (int i = 0; i < where->names; ++i) {
    at = at >= lowered.size() ? Wire::npos : lower_name_at(lowered, at);
    if (at == Wire::npos) return rdata;
  }
  return lowered;
}

}  // namespace brink::dns::dnssec
