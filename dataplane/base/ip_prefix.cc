#include "dataplane/base/ip_prefix.h"

#include <algorithm>
#include <charconv>

namespace brink::base {
namespace {

constexpr unsigned kMappingBits = 96;

}  // namespace

std::optional<IpPrefix> IpPrefix::parse(std::string_view text) {
  const std::size_t slash = text.find('/');
  const auto address = IpAddress::parse(text.substr(0, slash));
  if (!address) return std::nullopt;
  const unsigned bits = address->is_v4() ? 32 : 128;
  unsigned length = bits;
  if (slash != std::string_view::npos) {
    std::string_view number = text;
    number.remove_prefix(slash + 1);
    const char* end = number.data() + number.size();
    const auto [rest, error] = std::from_chars(number.data(), end, length);
    if (error != std::errc() || rest != end || length > bits) return std::nullopt;
  }
  if (address->is_v4()) length += kMappingBits;
  const IpPrefix prefix{*address, static_cast<std::uint8_t>(length)};
  for (unsigned bit = length; bit < 128; ++bit) {
    if ((address->bytes()[bit / 8] & (0x80U >> (bit % 8))) != 0) return std::nullopt;
  }
  return prefix;
}

bool IpPrefix::contains(const IpAddress& candidate) const noexcept {
  const unsigned whole = length / 8U, rest = length % 8U;
  const auto& ours = address.bytes();
  const auto& theirs = candidate.bytes();
  if (!std::equal(ours.begin(), ours.begin() + whole, theirs.begin())) return false;
  return rest == 0 || (ours[whole] ^ theirs[whole]) >> (8 - rest) == 0;
}

}  // namespace brink::base
