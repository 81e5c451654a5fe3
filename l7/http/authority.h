// Authority: the host a request is for, normalised so that one spelling exists: lower case, no
// trailing dot, port apart. Grammar of RFC 3986 3.2.2 narrowed to what can be a DNS name or an
// address: userinfo, percent escapes, empty labels and odd numeric forms are refused.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string_view>

#include "dataplane/base/ip.h"

namespace brink::l7::http {

inline constexpr std::size_t kHostNameMax = 253;
inline constexpr std::size_t kHostLabelMax = 63;

enum class HostKind : std::uint8_t { absent, name, address };

struct Authority {
  HostKind kind = HostKind::absent;
  std::uint8_t size = 0;
  std::uint16_t port = 0;   // 0: none given
  base::IpAddress address;  // when kind == address
  std::array<char, kHostNameMax + 2> chars{};

  // The normalised host without its port; an IPv6 address stands in brackets.
  [[nodiscard]] std::string_view host() const noexcept { return {chars.data(), size}; }
};

// Parses `text` = host [":" port]. False when it is not exactly that; `out` is then unspecified.
bool parse_authority(std::string_view text, Authority& out) noexcept;

// Same host, and same port once `default_port` stands in for a missing one.
bool same_authority(const Authority& a, const Authority& b, std::uint16_t default_port) noexcept;

}  // namespace brink::l7::http
