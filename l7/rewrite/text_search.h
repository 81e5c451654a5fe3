// Where a text comes in another, in time linear in both. Private to this folder.
#pragma once

#include <cstring>
#include <string_view>

namespace brink::l7::rewrite {

// Texts of up to this many octets are searched plainly: the tables that memmem makes for each
// search cost more than that.
inline constexpr std::size_t kPlainSearchMax = 128;

// npos: nowhere. memmem is two-way search (Crochemore and Perrin 1991) in the C library: what a
// client sends cannot make it slow, which a plain search in a long text can be.
inline std::size_t position_of(std::string_view text, std::string_view part) noexcept {
  if (part.size() > text.size()) return std::string_view::npos;
  if (part.empty()) return 0;
  if (text.size() <= kPlainSearchMax) return text.find(part);
  const void* found = ::memmem(text.data(), text.size(), part.data(), part.size());
  if (found == nullptr) return std::string_view::npos;
  return static_cast<std::size_t>(static_cast<const char*>(found) - text.data());
}

}  // namespace brink::l7::rewrite
