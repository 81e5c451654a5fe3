#include "dataplane/net/mac.h"

namespace brink::net {
namespace {

int hex_digit(char c) noexcept {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

}  // namespace

std::optional<MacAddress> MacAddress::parse(std::string_view text) noexcept {
  if (text.size() != 17) return std::nullopt;
  MacAddress mac;
  for (std::size_t i = 0; i < 6; ++i) {
    const int high = hex_digit(text[i * 3]);
    const int low = hex_digit(text[i * 3 + 1]);
    if (high < 0 || low < 0 || (i < 5 && text[i * 3 + 2] != ':')) return std::nullopt;
    mac.bytes_[i] = static_cast<std::uint8_t>(high * 16 + low);
  }
  return mac;
}

MacText MacAddress::text() const noexcept {
  static constexpr char kDigits[] = "0123456789abcdef";
  MacText out;
  for (std::size_t i = 0; i < 6; ++i) {
    out.chars[i * 3] = kDigits[bytes_[i] >> 4];
    out.chars[i * 3 + 1] = kDigits[bytes_[i] & 15];
    out.chars[i * 3 + 2] = i < 5 ? ':' : '\0';
  }
  return out;
}

}  // namespace brink::net
