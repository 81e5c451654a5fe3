#include "dataplane/base/ip.h"

#include <arpa/inet.h>

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

IpText IpAddress::text() const noexcept {
  IpText out;
  const bool v4 = is_v4();
  ::inet_ntop(v4 ? AF_INET : AF_INET6, v4 ? v4_wire() : bytes_.data(), out.chars.data(),
              static_cast<socklen_t>(out.chars.size()));
  out.size = static_cast<std::uint8_t>(std::strlen(out.chars.data()));
  return out;
}

}  // namespace brink::base
