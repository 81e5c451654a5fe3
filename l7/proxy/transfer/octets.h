// Text as octets and octets as text, in place.
#pragma once

#include <cstdint>
#include <span>
#include <string_view>

namespace brink::l7::proxy {

inline std::string_view as_text(std::span<const std::uint8_t> octets) noexcept {
  return {reinterpret_cast<const char*>(octets.data()), octets.size()};
}
inline std::span<const std::uint8_t> as_octets(std::string_view text) noexcept {
  return {reinterpret_cast<const std::uint8_t*>(text.data()), text.size()};
}
inline std::span<const std::uint8_t> as_octets(std::span<const char> text) noexcept {
  return {reinterpret_cast<const std::uint8_t*>(text.data()), text.size()};
}
inline std::span<std::uint8_t> as_octets(std::span<char> text) noexcept {
  return {reinterpret_cast<std::uint8_t*>(text.data()), text.size()};
}

}  // namespace brink::l7::proxy
