#include "dataplane/base/ip.h"

#include <arpa/inet.h>

#include <charconv>

namespace brink::base {

std::optional<IpAddress> IpAddress::parse(std::string_view text) noexcept {
  char terminated[kIpTextMax + 1];
  if (text.empty() || text.size() > kIpTextMax) return std::nullopt;
  std::memcpy(terminated, text.data(), text.size());
  terminated[text.size()] = '\0';
  if (std::memchr(terminated, '\0', text.size()) != nullptr) return std::nullopt;

  std::uint8_t wire[16];
  if (::inet_pton(AF_INET, terminated, wire) == 1) return v4_from_wire(wire);
  if (::inet_pton(AF_INET6, terminated, wire) == 1) return v6_from_wire(wire);
  return std::nullopt;
}

// A request has several of these texts: inet_ntop formats IPv4 by printf, at four times the cost.
IpText IpAddress::text() const noexcept {
  IpText out;
  if (is_v4()) {
    char* at = out.chars.data();
    for (int i = 0; i < 4; ++i) {
      if (i > 0) *at++ = '.';
      at = std::to_chars(at, at + 3, v4_wire()[i]).ptr;
    }
    out.size = static_cast<std::uint8_t>(at - out.chars.data());
    return out;
  }
  ::inet_ntop(AF_INET6, bytes_.data(), out.chars.data(), static_cast<socklen_t>(out.chars.size()));
  out.size = static_cast<std::uint8_t>(std::strlen(out.chars.data()));
  return out;
}

}  // namespace brink::base
