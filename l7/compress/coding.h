// Coding: the content codings that the edge knows (RFC 9110 8.4.1).
#pragma once

#include <cstdint>
#include <string_view>

namespace brink::l7::compress {

enum class Coding : std::uint8_t { identity, gzip, br, zstd };
inline constexpr std::size_t kCodingCount = 4;

// As in Content-Encoding; empty for identity, which is never written there.
constexpr std::string_view name_of(Coding coding) noexcept {
  switch (coding) {
    case Coding::identity:
      return {};
    case Coding::gzip:
      return "gzip";
    case Coding::br:
      return "br";
    case Coding::zstd:
      return "zstd";
  }
  return {};
}

// Sets `out`; false for a name that is none of ours. Any case; "x-gzip" is gzip (RFC 9110 8.4.1.3).
bool read_coding(std::string_view name, Coding& out) noexcept;

}  // namespace brink::l7::compress
