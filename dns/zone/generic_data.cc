#include "dns/zone/generic_data.h"

#include <charconv>
#include <cstddef>

#include "dns/zone/fields.h"

namespace brink::dns::zone {
namespace {

constexpr std::string_view kMark = "\\#";
constexpr char kDigits[] = "0123456789abcdef";

}  // namespace

bool is_generic_form(std::string_view fields) {
  return next_field(fields) == kMark;
}

const char* read_generic(std::string_view fields, Wire& rdata) {
  next_field(fields);
  const std::string_view length = next_field(fields);
  std::size_t stated = 0;
  const auto read = std::from_chars(length.data(), length.data() + length.size(), stated);
  if (read.ec != std::errc() || read.ptr != length.data() + length.size()) {
    return "behind '\\#' is how many octets follow";
  }
  std::string digits;
  for (auto part = next_field(fields); !part.empty(); part = next_field(fields)) digits += part;
  if (digits.size() % 2 != 0 || digits.size() / 2 != stated) return "it is not as long as it states";
  rdata.clear();
  for (std::size_t at = 0; at < digits.size(); at += 2) {
    std::uint8_t octet = 0;
    const char* const end = digits.data() + at + 2;
    const auto pair = std::from_chars(digits.data() + at, end, octet, 16);
    if (pair.ec != std::errc() || pair.ptr != end) return "its octets are not hexadecimal";
    rdata += static_cast<char>(octet);
  }
  return nullptr;
}

std::string generic_text(const Wire& rdata) {
  std::string text = std::string(kMark) + " " + std::to_string(rdata.size());
  if (!rdata.empty()) text += ' ';
  for (const char c : rdata) {
    const auto octet = static_cast<std::uint8_t>(c);
    text += {kDigits[octet >> 4], kDigits[octet & 15]};
  }
  return text;
}

}  // namespace brink::dns::zone
