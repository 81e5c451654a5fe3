// IP addresses and endpoints as values. IPv4 is held as IPv4-mapped IPv6 (RFC 4291 2.5.5.2), so
// that one 16-byte type is compared, hashed and stored everywhere.
#pragma once

#include <array>
#include <compare>
#include <cstdint>
#include <cstring>
#include <optional>
#include <string_view>

namespace brink::base {

// The longest text of an IpAddress ("ffff:...:255.255.255.255") without a terminator.
inline constexpr std::size_t kIpTextMax = 45;

// Text of an address in a fixed buffer: RFC 5952 form, dotted quad for IPv4.
struct IpText {
  std::array<char, kIpTextMax + 1> chars{};
  std::uint8_t size = 0;
  [[nodiscard]] std::string_view view() const noexcept { return {chars.data(), size}; }
};

class IpAddress {
 public:
  constexpr IpAddress() noexcept = default;

  static IpAddress v4(std::uint32_t host_order) noexcept {
    IpAddress a;
    a.bytes_[10] = a.bytes_[11] = 0xff;
    a.bytes_[12] = static_cast<std::uint8_t>(host_order >> 24);
    a.bytes_[13] = static_cast<std::uint8_t>(host_order >> 16);
    a.bytes_[14] = static_cast<std::uint8_t>(host_order >> 8);
    a.bytes_[15] = static_cast<std::uint8_t>(host_order);
    return a;
  }
  // `bytes` points at 4 bytes in network order.
  static IpAddress v4_from_wire(const std::uint8_t* bytes) noexcept {
    IpAddress a;
    a.bytes_[10] = a.bytes_[11] = 0xff;
    std::memcpy(a.bytes_.data() + 12, bytes, 4);
    return a;
  }
  // `bytes` points at 16 bytes in network order.
  static IpAddress v6_from_wire(const std::uint8_t* bytes) noexcept {
    IpAddress a;
    std::memcpy(a.bytes_.data(), bytes, 16);
    return a;
  }
  // Accepts exactly one IPv4 dotted quad or one IPv6 text form (RFC 4291 2.2), nothing around it.
  static std::optional<IpAddress> parse(std::string_view text) noexcept;

  [[nodiscard]] bool is_v4() const noexcept {
    static constexpr std::uint8_t kMapped[12] = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};
    return std::memcmp(bytes_.data(), kMapped, sizeof kMapped) == 0;
  }
  // 16 bytes, network order; bytes 12-15 are the IPv4 address when is_v4().
  [[nodiscard]] const std::array<std::uint8_t, 16>& bytes() const noexcept { return bytes_; }
  [[nodiscard]] const std::uint8_t* v4_wire() const noexcept { return bytes_.data() + 12; }
  [[nodiscard]] std::uint32_t v4_host_order() const noexcept {
    std::uint32_t v;
    std::memcpy(&v, bytes_.data() + 12, 4);
    return __builtin_bswap32(v);
  }
  [[nodiscard]] IpText text() const noexcept;

  auto operator<=>(const IpAddress&) const noexcept = default;

 private:
  std::array<std::uint8_t, 16> bytes_{};
};

// An address and a port in host order.
struct Endpoint {
  IpAddress address;
  std::uint16_t port = 0;

  auto operator<=>(const Endpoint&) const noexcept = default;
};

}  // namespace brink::base
