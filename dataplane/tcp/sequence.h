// Sequence: a TCP sequence number, compared modulo 2^32 (RFC 9293 3.4). The order is meaningful
// only between numbers less than 2^31 apart, which every window guarantees.
#pragma once

#include <cstdint>

namespace brink::tcp {

class Sequence {
 public:
  constexpr Sequence() noexcept = default;
  constexpr explicit Sequence(std::uint32_t value) noexcept : value_(value) {}

  [[nodiscard]] constexpr std::uint32_t value() const noexcept { return value_; }

  constexpr Sequence operator+(std::uint32_t n) const noexcept { return Sequence(value_ + n); }
  constexpr Sequence operator-(std::uint32_t n) const noexcept { return Sequence(value_ - n); }
  constexpr Sequence& operator+=(std::uint32_t n) noexcept {
    value_ += n;
    return *this;
  }
  // Bytes from `other` up to this one; precondition: other <= *this.
  constexpr std::uint32_t operator-(Sequence other) const noexcept { return value_ - other.value_; }

  constexpr bool operator==(const Sequence&) const noexcept = default;
  constexpr bool operator<(Sequence other) const noexcept { return distance(other) < 0; }
  constexpr bool operator<=(Sequence other) const noexcept { return distance(other) <= 0; }
  constexpr bool operator>(Sequence other) const noexcept { return distance(other) > 0; }
  constexpr bool operator>=(Sequence other) const noexcept { return distance(other) >= 0; }

 private:
  [[nodiscard]] constexpr std::int32_t distance(Sequence other) const noexcept {
    return static_cast<std::int32_t>(value_ - other.value_);
  }
  std::uint32_t value_ = 0;
};

constexpr Sequence later(Sequence a, Sequence b) noexcept {
  return a < b ? b : a;
}
constexpr Sequence earlier(Sequence a, Sequence b) noexcept {
  return a < b ? a : b;
}

// Timestamps (RFC 7323) follow the same order.
constexpr bool timestamp_before(std::uint32_t a, std::uint32_t b) noexcept {
  return Sequence(a) < Sequence(b);
}

}  // namespace brink::tcp
