// What a CNAME leads to, through all zones that are served here.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <vector>

#include "ctl/compile/lookups.h"
#include "dataplane/base/ip.h"

namespace brink::ctl::compile {

// A chain of more CNAMEs than this leads nowhere.
inline constexpr std::size_t kChainMax = 18;

// The addresses in A and AAAA entries, in order.
std::vector<base::IpAddress> addresses_of(const std::vector<Entry>& entries);

struct Chain {
  std::vector<base::IpAddress> addresses;  // stored ones, whether or not their names are proxied
  bool is_proxied = false;                 // some name on the way is
  // Where the chain leaves the zones served here. The addresses are what this name leads to.
  std::optional<model::DomainName> outside;
  std::uint32_t ttl_s = 0;  // of addresses from outside
};

// A loop or a chain that is too long gives no addresses. At most kChainMax names are looked at.
Chain follow(Lookups& lookups, const model::DomainName& target);

}  // namespace brink::ctl::compile
