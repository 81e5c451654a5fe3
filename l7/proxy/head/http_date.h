// The wall clock as HTTP writes it (RFC 9110 5.6.7). No clock is read here.
#pragma once

#include <array>
#include <cstdint>
#include <string_view>

namespace brink::l7::proxy {

struct HttpDate {
  std::array<char, 29> chars;
  [[nodiscard]] std::string_view view() const noexcept { return {chars.data(), chars.size()}; }
};

// IMF-fixdate of a Unix time between the years 1970 and 9999.
HttpDate http_date(std::int64_t unix_seconds) noexcept;

}  // namespace brink::l7::proxy
