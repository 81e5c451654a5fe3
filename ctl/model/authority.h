// Authority: the SOA and NS that a zone has when it brought none of its own.
#pragma once

#include <cstdint>
#include <vector>

#include "ctl/model/name.h"
#include "ctl/model/zone.h"

namespace brink::ctl::model {

struct Authority {
  std::vector<DomainName> name_servers;  // at least one; the first is the SOA's master
  std::uint32_t ns_ttl = 86400;
  std::uint32_t soa_ttl = 3600;
  std::uint32_t refresh = 10000;
  std::uint32_t retry = 2400;
  std::uint32_t expire = 604800;
  std::uint32_t minimum = 1800;
};

// The SOA that `zone` is served with: its own or the default, always with the zone's serial.
ZoneSoa served_soa(const Zone& zone, const Authority& authority);

}  // namespace brink::ctl::model
