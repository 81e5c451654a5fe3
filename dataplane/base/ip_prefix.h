// IpPrefix: a network, as a list of those that are allowed or exempt has it. Thread-safe.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include "dataplane/base/ip.h"

namespace brink::base {

struct IpPrefix {
  IpAddress address;
  std::uint8_t length = 0;  // bits of the 128; an IPv4 prefix counts its 96 bits of mapping

  // "203.0.113.0/24", "2001:db8::/32", or a single address. Empty: no prefix, or bits set behind
  // it.
  static std::optional<IpPrefix> parse(std::string_view text);
  [[nodiscard]] bool contains(const IpAddress& candidate) const noexcept;

  bool operator==(const IpPrefix&) const = default;
};

}  // namespace brink::base
