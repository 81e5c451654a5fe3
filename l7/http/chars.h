// Character classes of HTTP as 256-entry tables: token (RFC 9110 5.6.2), field content (RFC 9110
// 5.5) and request target. Anything outside a class is a verdict for the caller, never repaired.
#pragma once

#include <array>
#include <cstdint>
#include <string_view>

namespace brink::l7::http {

inline constexpr std::uint8_t kCharToken = 1;
inline constexpr std::uint8_t kCharValue = 2;
inline constexpr std::uint8_t kCharTarget = 4;
inline constexpr std::uint8_t kCharHost = 8;

namespace detail {
constexpr std::array<std::uint8_t, 256> make_classes() {
  std::array<std::uint8_t, 256> table{};
  for (unsigned c = 0; c < 256; ++c) {
    const bool alpha = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
    const bool digit = c >= '0' && c <= '9';
    std::uint8_t bits = 0;
    if (alpha || digit) bits |= kCharToken | kCharHost;
    for (const char t : std::string_view("!#$%&'*+-.^_`|~")) {
      if (c == static_cast<unsigned char>(t)) bits |= kCharToken;
    }
    for (const char t : std::string_view("-_.")) {
      if (c == static_cast<unsigned char>(t)) bits |= kCharHost;
    }
    if (c == '\t' || (c >= 0x20 && c != 0x7f)) bits |= kCharValue;
    // Browsers send a few visible characters that RFC 3986 would have escaped; '#' would start a
    // fragment, which never belongs on the wire.
    if (c > 0x20 && c < 0x7f && c != '#') bits |= kCharTarget;
    table[c] = bits;
  }
  return table;
}
}  // namespace detail

inline constexpr std::array<std::uint8_t, 256> kCharClasses = detail::make_classes();

inline bool has_class(char c, std::uint8_t bits) noexcept {
  return (kCharClasses[static_cast<unsigned char>(c)] & bits) != 0;
}
inline bool all_of_class(std::string_view text, std::uint8_t bits) noexcept {
  for (const char c : text) {
    if (!has_class(c, bits)) return false;
  }
  return true;
}

constexpr char to_lower(char c) noexcept {
  return c >= 'A' && c <= 'Z' ? static_cast<char>(c + ('a' - 'A')) : c;
}

// Compares without regard to ASCII case.
inline bool equals_ignoring_case(std::string_view a, std::string_view b) noexcept {
  if (a.size() != b.size()) return false;
  for (std::size_t i = 0; i < a.size(); ++i) {
    if (to_lower(a[i]) != to_lower(b[i])) return false;
  }
  return true;
}

// Without optional whitespace (SP and HTAB) at both ends; RFC 9110 5.6.3.
inline std::string_view trim_ows(std::string_view text) noexcept {
  while (!text.empty() && (text.front() == ' ' || text.front() == '\t')) text.remove_prefix(1);
  while (!text.empty() && (text.back() == ' ' || text.back() == '\t')) text.remove_suffix(1);
  return text;
}

// The text from `at` on; unlike substr it has no throwing check. Precondition: at <= text.size().
inline std::string_view text_from(std::string_view text, std::size_t at) noexcept {
  text.remove_prefix(at);
  return text;
}

// Cuts the next element off a comma-separated list (RFC 9110 5.6.1), without its outer whitespace.
// Call while `list` is not empty; a comma at the very end leaves no element behind it.
inline std::string_view take_list_item(std::string_view& list) noexcept {
  const std::size_t comma = list.find(',');
  const std::string_view item = trim_ows(list.substr(0, comma));
  list = comma == std::string_view::npos ? std::string_view{} : text_from(list, comma + 1);
  return item;
}

}  // namespace brink::l7::http
