// Reason phrases, for what the edge answers itself and for responses that came without one.
#pragma once

#include <cstdint>
#include <string_view>

namespace brink::l7::http {

// "Unknown" for a status that is not in the table.
std::string_view reason_of(std::uint16_t status) noexcept;

// 1xx, 204 and 304 never carry content (RFC 9110 6.4.1).
constexpr bool forbids_content(std::uint16_t status) noexcept {
  return status < 200 || status == 204 || status == 304;
}

}  // namespace brink::l7::http
