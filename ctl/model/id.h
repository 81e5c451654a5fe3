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

// Many ids at once, each greater than the one before: random but for the last four octets, which
// count. Whoever indexes by id has them side by side.
class IdSeries {
 public:
  explicit IdSeries(const Entropy& entropy) : next_(Id::random(entropy)) {}
  // At most 2^31 times.
  Id next();

 private:
  Id next_;
  std::uint32_t count_ = 0;
};

}  // namespace brink::ctl::model
