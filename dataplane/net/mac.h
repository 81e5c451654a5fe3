// MacAddress: the six bytes of an Ethernet station (IEEE 802.3), as a value.
#pragma once

#include <array>
#include <compare>
#include <cstdint>
#include <cstring>
#include <optional>
#include <string_view>

namespace brink::net {

struct MacText {
  std::array<char, 18> chars{};
  [[nodiscard]] std::string_view view() const noexcept { return {chars.data(), 17}; }
};

class MacAddress {
 public:
  constexpr MacAddress() noexcept = default;
  static MacAddress from_wire(const std::uint8_t* bytes) noexcept {
    MacAddress mac;
    std::memcpy(mac.bytes_.data(), bytes, 6);
    return mac;
  }
  // Accepts exactly "xx:xx:xx:xx:xx:xx", any case.
  static std::optional<MacAddress> parse(std::string_view text) noexcept;

  void to_wire(std::uint8_t* out) const noexcept { std::memcpy(out, bytes_.data(), 6); }
  [[nodiscard]] bool is_group() const noexcept { return (bytes_[0] & 1) != 0; }
  [[nodiscard]] bool is_zero() const noexcept { return *this == MacAddress{}; }
  [[nodiscard]] const std::array<std::uint8_t, 6>& bytes() const noexcept { return bytes_; }
  [[nodiscard]] MacText text() const noexcept;

  auto operator<=>(const MacAddress&) const noexcept = default;

 private:
  std::array<std::uint8_t, 6> bytes_{};
};

}  // namespace brink::net
