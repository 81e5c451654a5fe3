// Network: an address prefix, as in "192.0.2.0/24" (RFC 4632 3.1, RFC 4291 2.3).
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "dataplane/base/ip.h"

namespace brink::ctl::identity {

struct Network {
  base::IpAddress address;
  unsigned prefix = 0;  // bits of the family's own address: 0-32 or 0-128

  // An address alone is a network of one. Bits behind the prefix are cleared.
  static std::optional<Network> parse(std::string_view text);
  [[nodiscard]] std::string text() const;
  // Families do not contain each other.
  [[nodiscard]] bool contains(const base::IpAddress& other) const;

  bool operator==(const Network&) const = default;
};

// `address` with all but the first `prefix` bits of its family cleared.
base::IpAddress masked(const base::IpAddress& address, unsigned prefix);

}  // namespace brink::ctl::identity
