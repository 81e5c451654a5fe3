#include "dns/zone/ttl_text.h"

#include <cctype>
#include <charconv>

namespace brink::dns::zone {
namespace {

constexpr std::uint64_t kTtlMax = 0x7fffffff;

std::uint64_t seconds_of(char unit) {
  switch (std::tolower(static_cast<unsigned char>(unit))) {
    case 's':
      return 1;
    case 'm':
      return 60;
    case 'h':
      return 3600;
    case 'd':
      return 86400;
    case 'w':
      return 7 * 86400;
    default:
      return 0;
  }
}

}  // namespace

std::optional<std::uint32_t> ttl_from_text(std::string_view text) {
  std::uint64_t sum = 0;
  bool has_units = false;
  while (!text.empty()) {
    std::uint64_t number = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
    if (error != std::errc() || number > kTtlMax) return std::nullopt;
    text.remove_prefix(static_cast<std::size_t>(end - text.data()));
    if (text.empty() && has_units) return std::nullopt;
    if (text.empty()) return static_cast<std::uint32_t>(number);
    const std::uint64_t unit = seconds_of(text.front());
    if (unit == 0) return std::nullopt;
    text.remove_prefix(1);
    has_units = true;
    sum += number * unit;
    if (sum > kTtlMax) return std::nullopt;
  }
  if (!has_units) return std::nullopt;
  return static_cast<std::uint32_t>(sum);
}

}  // namespace brink::dns::zone
