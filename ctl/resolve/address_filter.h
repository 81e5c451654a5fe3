// AddressFilter: which addresses a name outside may lead to. A record must not be able to point the
// edge at its own inside (DNS rebinding), so what is not public is refused unless it lies in a
// prefix that the operator allows. Immutable: any thread.
#pragma once

#include <vector>

#include "dataplane/base/ip_prefix.h"

namespace brink::ctl::resolve {

using Prefix = base::IpPrefix;

// Unicast that is routed between networks: not loopback, private, link-local, shared (RFC 6598),
// documentation, multicast, reserved, and no IPv6 form that embeds an IPv4 address (RFC 6890 and
// the registries behind it).
bool is_public(const base::IpAddress& address);

class AddressFilter {
 public:
  AddressFilter() = default;
  // `own`: the edge's addresses, refused even within an allowed prefix, since it would call itself.
  AddressFilter(std::vector<Prefix> allowed, std::vector<base::IpAddress> own);

  [[nodiscard]] bool admits(const base::IpAddress& address) const;

 private:
  std::vector<Prefix> allowed_;
  std::vector<base::IpAddress> own_;  // sorted
};

}  // namespace brink::ctl::resolve
