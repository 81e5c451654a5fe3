#include "ctl/compile/origins.h"

#include <algorithm>

namespace brink::ctl::compile {

using model::DomainName;

std::vector<base::IpAddress> addresses_of(const std::vector<Entry>& entries) {
  std::vector<base::IpAddress> addresses;
  for (const Entry& entry : entries) {
    if (entry.type == model::kTypeA) {
      addresses.push_back(base::IpAddress::v4_from_wire(entry.rdata.data()));
    } else if (entry.type == model::kTypeAaaa) {
      addresses.push_back(base::IpAddress::v6_from_wire(entry.rdata.data()));
    }
  }
  return addresses;
}

Chain follow(Lookups& lookups, const DomainName& target) {
  Chain chain;
  DomainName at = target;
  // A loop is a chain that never ends, so the limit catches it as well.
  for (std::size_t links = 0; links < kChainMax; ++links) {
    const model::Zone* zone = lookups.zone_of(at);
    if (zone == nullptr) {
      Outside outside = lookups.outside(at);
      chain.outside = at;
      chain.addresses = std::move(outside.addresses);
      chain.ttl_s = outside.ttl_s;
      return chain;
    }
    const std::vector<Entry> entries = lookups.answering(*zone, at);
    for (const Entry& entry : entries) chain.is_proxied = chain.is_proxied || entry.proxied;
    const auto alias = std::find_if(entries.begin(), entries.end(), [](const Entry& entry) {
      return entry.type == model::kTypeCname;
    });
    if (alias == entries.end()) {
      chain.addresses = addresses_of(entries);
      return chain;
    }
    const auto next = DomainName::from_wire(alias->rdata);
    CHECK(next.has_value());
    at = *next;
  }
  return chain;
}

}  // namespace brink::ctl::compile
