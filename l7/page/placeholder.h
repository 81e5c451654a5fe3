// Placeholders in a text. Private to this folder. Hot.
#pragma once

#include <cstdint>
#include <string_view>

namespace brink::l7::page {

enum class Value : std::uint8_t {
  kNone,
  kCode,
  kStatus,
  kTitle,
  kMessage,
  kRay,
  kAddress,
  kHost,
  kTime
};

inline constexpr std::string_view kBegin = "{{";
inline constexpr std::string_view kEnd = "}}";

// kNone: no placeholder is called so.
Value value_of(std::string_view name) noexcept;

}  // namespace brink::l7::page
