#include "ctl/compile/zone_compiler.h"

#include <algorithm>

#include "dns/render/render.h"
#include "dns/zone/zone.h"

namespace brink::ctl::compile {
namespace {

using model::DomainName;

dns::zone::Wire to_wire(std::span<const std::uint8_t> octets) {
  return {reinterpret_cast<const char*>(octets.data()), octets.size()};
}

bool is_address(const Entry& entry) {
  return entry.type == model::kTypeA || entry.type == model::kTypeAaaa;
}

}  // namespace

base::Result<void> ZoneCompiler::add_to(snapshot::ChangeSink& sink) {
  add_authority();
  for (const Owner& owner : index_.owners()) add_owner(owner);
  auto zone = dns::zone::Zone::build(to_wire(index_.zone().name.wire()), records_);
  if (!zone) return zone.error();
  return dns::render::render_zone(sink, zone.value(), [&](const dns::zone::Wire& owner) {
    const auto route = routes_.find(owner);
    return route == routes_.end() ? std::vector<std::uint8_t>()
                                  : options_.render_route(route->second);
  });
}

// SOA always, NS when the zone has none of its own.
void ZoneCompiler::add_authority() {
  const model::Zone& zone = index_.zone();
  const model::ZoneSoa soa = model::served_soa(zone, options_.authority);
  add_record(zone.name, model::kTypeSoa, soa.ttl, soa.rdata);

  const Owner* apex = index_.find(zone.name);
  if (apex != nullptr) {
    const auto entries = index_.entries(*apex);
    const auto is_ns = [](const Entry& entry) { return entry.type == model::kTypeNs; };
    if (std::any_of(entries.begin(), entries.end(), is_ns)) return;
  }
  for (const DomainName& server : options_.authority.name_servers) {
    add_record(zone.name, model::kTypeNs, options_.authority.ns_ttl, server.wire());
  }
}

void ZoneCompiler::add_owner(const Owner& owner) {
  const auto entries = index_.entries(owner);
  if (owner.shadowed) return add_as_stored(owner, true);
  // One proxied address makes every address of the name an origin.
  const auto is_proxied = [](const Entry& entry) { return entry.proxied; };
  if (std::any_of(entries.begin(), entries.end(), is_proxied)) return add_proxied(owner);
  const auto alias = std::find_if(entries.begin(), entries.end(), [](const Entry& entry) {
    return entry.type == model::kTypeCname;
  });
  if (alias != entries.end()) return add_alias(owner, *alias);
  add_as_stored(owner, true);
}

void ZoneCompiler::add_proxied(const Owner& owner) {
  const auto entries = index_.entries(owner);
  bool v4 = true, v6 = true;
  std::vector<base::IpAddress> origins = addresses_of(entries);
  for (const Entry& entry : entries) {
    if (entry.proxied && entry.settings.ipv4_only) v6 = false;
    if (entry.proxied && entry.settings.ipv6_only) v4 = false;
    if (entry.type == model::kTypeCname) {
      origins = origins_.follow(*DomainName::from_wire(entry.rdata)).addresses;
    }
  }
  if (!v4 && !v6) v4 = v6 = true;  // two records that contradict each other
  add_edge_addresses(owner, v4, v6);
  add_as_stored(owner, false);
  add_route(owner, std::move(origins));
}

// A DNS-only CNAME. Alone below the apex it is answered as it is; at the apex, beside other
// records, or on demand it is flattened to the addresses behind it. If it leads to a proxied name,
// clients arrive at the edge under this name too, which therefore has a route.
void ZoneCompiler::add_alias(const Owner& owner, const Entry& alias) {
  Chain chain = origins_.follow(*DomainName::from_wire(alias.rdata));
  const bool flatten =
      owner.name == index_.zone().name || owner.count > 1 || alias.settings.flatten_cname;
  if (!flatten) {
    add_as_stored(owner, true);
  } else {
    if (chain.is_proxied) {
      add_edge_addresses(owner, true, true);
    } else {
      add_addresses(owner, chain.addresses, served_ttl(alias.ttl), true, true);
    }
    add_as_stored(owner, false);
  }
  if (chain.is_proxied) add_route(owner, std::move(chain.addresses));
}

void ZoneCompiler::add_edge_addresses(const Owner& owner, bool v4, bool v6) {
  add_addresses(owner, options_.edge_addresses, options_.proxied_ttl, v4, v6);
}

void ZoneCompiler::add_addresses(const Owner& owner, std::span<const base::IpAddress> addresses,
                                 std::uint32_t ttl, bool v4, bool v6) {
  for (const base::IpAddress& address : addresses) {
    if (address.is_v4() && v4) {
      add_record(owner.name, model::kTypeA, ttl, std::span(address.v4_wire(), 4));
    } else if (!address.is_v4() && v6) {
      add_record(owner.name, model::kTypeAaaa, ttl, address.bytes());
    }
  }
}

void ZoneCompiler::add_as_stored(const Owner& owner, bool with_addresses) {
  for (const Entry& entry : index_.entries(owner)) {
    if (!with_addresses && (is_address(entry) || entry.type == model::kTypeCname)) continue;
    add_record(owner.name, entry.type, served_ttl(entry.ttl), entry.rdata);
  }
}

void ZoneCompiler::add_route(const Owner& owner, std::vector<base::IpAddress> origins) {
  routes_[to_wire(owner.name.wire())] = {index_.zone().name.text(), std::move(origins)};
}

void ZoneCompiler::add_record(const DomainName& owner, model::RecordType type, std::uint32_t ttl,
                              std::span<const std::uint8_t> rdata) {
  records_.push_back({to_wire(owner.wire()), type, ttl, to_wire(rdata)});
}

std::uint32_t ZoneCompiler::served_ttl(std::uint32_t ttl) const {
  return ttl == model::kTtlAutomatic ? options_.auto_ttl : ttl;
}

}  // namespace brink::ctl::compile
