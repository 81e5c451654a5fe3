// Id: the 128-bit random identity of a zone or record, 32 lower-case hex digits in text.
#pragma once

#include <array>
#include <compare>
#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <string_view>

namespace brink::ctl::model {

// Fills a span with random bytes. Injected, so that tests repeat.
using Entropy = std::function<void(std::span<std::uint8_t>)>;

// Entropy of the kernel. Aborts when the kernel has none to give.
Entropy system_entropy();

struct Id {
  std::array<std::uint8_t, 16> bytes{};

  static Id random(const Entropy& entropy);
  // Exactly 32 hex digits, either case.
  static std::optional<Id> parse(std::string_view hex);
  [[nodiscard]] std::string hex() const;

  auto operator<=>(const Id&) const = default;
};

}  // namespace brink::ctl::model
