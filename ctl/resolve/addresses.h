// The addresses of a name outside, asked for once: for who is about to connect there.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "ctl/model/name.h"
#include "ctl/resolve/address_filter.h"
#include "ctl/resolve/exchange.h"
#include "dataplane/base/ip.h"

namespace brink::ctl::resolve {

struct Addresses {
  std::vector<base::IpAddress> admitted;  // IPv4 first
  std::string reason;                     // of none
};

// Asks for A, then AAAA, through CNAME chains of kChainMax links, and calls `done` once, on the
// exchange's thread, where it is started too. `exchange` and `filter` outlive it.
void find_addresses(Exchange& exchange, const AddressFilter& filter, const model::DomainName& name,
                    std::function<void(Addresses)> done);

}  // namespace brink::ctl::resolve
