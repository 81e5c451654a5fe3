#include "ctl/model/authority.h"

namespace brink::ctl::model {
namespace {

void append_u32(Rdata& rdata, std::uint32_t value) {
  for (const int shift : {24, 16, 8, 0}) rdata.push_back(static_cast<std::uint8_t>(value >> shift));
}

// The mailbox is hostmaster of the zone (RFC 2142 7).
Rdata default_soa(const DomainName& zone, const Authority& authority) {
  CHECK(!authority.name_servers.empty());
  Rdata rdata = authority.name_servers.front().wire();
  static constexpr std::uint8_t kHostmaster[] = "\x0ahostmaster";
  rdata.insert(rdata.end(), kHostmaster, kHostmaster + sizeof kHostmaster - 1);
  const auto apex = zone.wire();
  rdata.insert(rdata.end(), apex.begin(), apex.end());
  append_u32(rdata, 0);  // the serial is written over it
  append_u32(rdata, authority.refresh);
  append_u32(rdata, authority.retry);
  append_u32(rdata, authority.expire);
  append_u32(rdata, authority.minimum);
  return rdata;
}

}  // namespace

ZoneSoa served_soa(const Zone& zone, const Authority& authority) {
  ZoneSoa soa =
      zone.soa ? *zone.soa : ZoneSoa{authority.soa_ttl, default_soa(zone.name, authority)};
  set_soa_serial(soa.rdata, zone.serial);
  return soa;
}

}  // namespace brink::ctl::model
