#include "ctl/model/authority.h"

#include "dataplane/base/bytes.h"

namespace brink::ctl::model {
namespace {

void append_u32(Rdata& rdata, std::uint32_t value) {
  for (const int shift : {24, 16, 8, 0}) rdata.push_back(static_cast<std::uint8_t>(value >> shift));
}

void append_name(Rdata& rdata, const DomainName& name) {
  const auto wire = name.wire();
  rdata.insert(rdata.end(), wire.begin(), wire.end());
}

// The octets of the name at the front of `wire`.
std::size_t name_size(std::span<const std::uint8_t> wire) {
  std::size_t at = 0;
  while (at < wire.size() && wire[at] != 0) at += 1 + wire[at];
  return std::min(at + 1, wire.size());
}

}  // namespace

const std::vector<DomainName>& Authority::servers_of(const Zone& zone) const {
  if (!zone.dns.vanity_servers.empty()) return zone.dns.vanity_servers;
  const std::size_t set = zone.dns.name_server_set % set_count();
  return set == 0 ? name_servers : more_name_servers[set - 1];
}

// The mailbox is hostmaster of the zone (RFC 2142 7).
SoaFields default_soa_fields(const Zone& zone, const Authority& authority) {
  CHECK(!authority.servers_of(zone).empty());
  Rdata mailbox;
  static constexpr std::uint8_t kHostmaster[] = "\x0ahostmaster";
  mailbox.insert(mailbox.end(), kHostmaster, kHostmaster + sizeof kHostmaster - 1);
  append_name(mailbox, zone.name);
  // A zone whose name leaves no room for a mailbox is its own.
  return {authority.servers_of(zone).front(),
          DomainName::from_wire(mailbox).value_or(zone.name),
          authority.refresh,
          authority.retry,
          authority.expire,
          authority.minimum,
          authority.soa_ttl};
}

ZoneSoa soa_of(const SoaFields& fields) {
  ZoneSoa soa{fields.ttl, {}};
  append_name(soa.rdata, fields.master);
  append_name(soa.rdata, fields.mailbox);
  append_u32(soa.rdata, 0);  // the serial is written over it
  append_u32(soa.rdata, fields.refresh);
  append_u32(soa.rdata, fields.retry);
  append_u32(soa.rdata, fields.expire);
  append_u32(soa.rdata, fields.minimum);
  return soa;
}

SoaFields fields_of(const ZoneSoa& soa) {
  const std::span<const std::uint8_t> rdata = soa.rdata;
  const std::size_t master_size = name_size(rdata);
  const auto mailbox = rdata.subspan(master_size);
  CHECK(rdata.size() > kSoaFixedSize);
  const std::uint8_t* fixed = rdata.data() + rdata.size() - kSoaFixedSize;
  const auto name = [](std::span<const std::uint8_t> wire) {
    return DomainName::from_wire(wire).value_or(DomainName());
  };
  return {name(rdata.first(master_size)),
          name(mailbox.first(name_size(mailbox))),
          base::load_be32(fixed + 4),
          base::load_be32(fixed + 8),
          base::load_be32(fixed + 12),
          base::load_be32(fixed + 16),
          soa.ttl};
}

ZoneSoa served_soa(const Zone& zone, const Authority& authority) {
  ZoneSoa soa = zone.soa ? *zone.soa : soa_of(default_soa_fields(zone, authority));
  if (!zone.soa || !zone.dnssec.presigned) set_soa_serial(soa.rdata, zone.serial);
  return soa;
}

}  // namespace brink::ctl::model
