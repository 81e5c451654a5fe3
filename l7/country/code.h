// Code: a country as two letters.
#pragma once

#include <array>
#include <string_view>

namespace brink::l7::country {

// Two capital letters or digits: ISO 3166-1 alpha-2, or one of the two below.
struct Code {
  std::array<char, 2> letters{'X', 'X'};

  [[nodiscard]] std::string_view view() const noexcept { return {letters.data(), letters.size()}; }
  bool operator==(const Code&) const = default;
};
inline constexpr Code kUnknown{};
inline constexpr Code kTor{{'T', '1'}};

}  // namespace brink::l7::country
