#include "perf/support/synthetic_zones.h"

#include <cstdlib>
#include <initializer_list>

#include "dns/render/render.h"
#include "dns/zone/zone.h"

namespace brink::perf {
namespace {

using dns::zone::ResourceRecord;
using dns::zone::Wire;

void add_label(Wire& name, const std::string& label) {
  name += static_cast<char>(label.size());
  name += label;
}

constexpr std::size_t kOperators = 20'000;

Wire name_of(std::initializer_list<std::string> labels) {
  Wire name;
  for (const std::string& label : labels) add_label(name, label);
  return name + '\0';
}

// Spread over the hash space and the alphabet, as names of customers are.
std::string scrambled(std::size_t number) {
  return std::to_string(number * 2654435761U % 0xffffffffU);
}

Wire zone_name(std::size_t zone) {
  return name_of({"customer-zone-" + scrambled(zone), "com"});
}

Wire small_zone_name(std::size_t zone) {
  return name_of({"domain-" + scrambled(zone), "com"});
}

Wire name_server(const std::string& host, std::size_t number) {
  return name_of({host, "dns-" + std::to_string(number % kOperators), "net"});
}

Wire soa_data(const Wire& primary) {
  Wire data = primary + name_of({"hostmaster", "example", "net"});
  for (const std::uint32_t field : {1U, 10000U, 2400U, 604800U, 1800U}) {
    for (int shift = 24; shift >= 0; shift -= 8) data += static_cast<char>(field >> shift);
  }
  return data;
}

Wire address(std::size_t number) {
  return {'\300', '\0', '\2', static_cast<char>(number)};
}

// Collects the records of one zone after the other.
class ZoneMaker {
 public:
  explicit ZoneMaker(const TakeZone& take) : take_(take) {}

  void start(const Wire& apex, const std::vector<Wire>& servers) {
    apex_ = apex;
    records_.clear();
    add("", dns::zone::kTypeSoa, 3600, soa_data(servers.front()));
    for (const Wire& server : servers) add("", dns::zone::kTypeNs, 86400, server);
  }
  void add(const std::string& host, std::uint16_t type, std::uint32_t ttl, const Wire& data) {
    Wire owner;
    if (!host.empty()) add_label(owner, host);
    records_.push_back({owner + apex_, type, ttl, data});
  }
  void finish() { take_(apex_, records_); }

 private:
  const TakeZone& take_;
  Wire apex_;
  std::vector<ResourceRecord> records_;
};

void make_hosts(const SyntheticOptions& options, ZoneMaker& maker) {
  for (std::size_t first = 0; first < options.names; first += options.names_per_zone) {
    maker.start(zone_name(first / options.names_per_zone), {name_of({"ns1", "example", "net"})});
    for (std::size_t i = first; i < first + options.names_per_zone && i < options.names; ++i) {
      maker.add("h" + std::to_string(i), dns::zone::kTypeA, 300, address(i));
    }
    maker.finish();
  }
}

void make_delegations(const SyntheticOptions& options, ZoneMaker& maker) {
  maker.start(name_of({"com"}), {name_server("a", 0), name_server("b", 0)});
  for (std::size_t i = 0; i < options.names; ++i) {
    const std::string name = "domain-" + scrambled(i);
    for (const char* host : {"ns1", "ns2"}) {
      maker.add(name, dns::zone::kTypeNs, 86400, name_server(host, i));
    }
  }
  maker.finish();
}

void make_small_zones(const SyntheticOptions& options, ZoneMaker& maker) {
  for (std::size_t i = 0; i < options.names; ++i) {
    const Wire apex = small_zone_name(i);
    maker.start(apex, {name_server("ns1", 0), name_server("ns2", 0)});
    maker.add("", dns::zone::kTypeA, 300, address(i));
    Wire exchange = {'\0', '\12'};
    add_label(exchange, "mail");
    maker.add("", dns::zone::kTypeMx, 300, exchange + apex);
    maker.add("www", dns::zone::kTypeA, 300, address(i));
    maker.add("mail", dns::zone::kTypeA, 300, address(i + 1));
    maker.finish();
  }
}

void make_mixed_zones(const SyntheticOptions& options, ZoneMaker& maker) {
  const auto label = [](const char* text) {
    Wire wire;
    add_label(wire, text);
    return wire;
  };
  const Wire ipv6 = {'\x20', '\x01', '\x0d', '\xb8', '\0', '\0', '\0', '\0',
                     '\0',   '\0',   '\0',   '\0',   '\0', '\0', '\0', '\x01'};
  for (std::size_t i = 0; i < options.names; ++i) {
    const Wire apex = small_zone_name(i);
    maker.start(apex, {name_of({"ns1", "example", "net"})});
    maker.add("", dns::zone::kTypeA, 300, address(i));
    maker.add("", dns::zone::kTypeAaaa, 300, ipv6);
    maker.add("", dns::zone::kTypeMx, 300, Wire{'\0', '\12'} + label("mail") + apex);
    maker.add("", dns::zone::kTypeTxt, 300, label("v=spf1 mx -all"));
    maker.add("www", dns::zone::kTypeCname, 300, apex);
    maker.add("ftp", dns::zone::kTypeCname, 300, label("www") + apex);
    maker.add("mail", dns::zone::kTypeA, 300, address(i + 1));
    maker.add("mail", dns::zone::kTypeAaaa, 300, ipv6);
    maker.add("api", dns::zone::kTypeA, 300, address(i + 2));
    maker.add("_dmarc", dns::zone::kTypeTxt, 300, label("v=DMARC1; p=reject"));
    maker.finish();
  }
}

}  // namespace

void set_shape(SyntheticOptions& options, const std::string& text) {
  if (text == "delegations") {
    options.shape = Shape::kDelegations;
  } else if (text == "small-zones") {
    options.shape = Shape::kSmallZones;
  } else if (text == "mixed-zones") {
    options.shape = Shape::kMixedZones;
  } else {
    options.names_per_zone = std::strtoull(text.c_str(), nullptr, 10);
  }
}

std::string synthetic_name(const SyntheticOptions& options, std::size_t index) {
  Wire name;
  switch (options.shape) {
    case Shape::kHosts:
      add_label(name, "h" + std::to_string(index));
      return name + zone_name(index / options.names_per_zone);
    case Shape::kDelegations:
    case Shape::kSmallZones:
    case Shape::kMixedZones:
      add_label(name, "www");
      return name + small_zone_name(index);
  }
  return name;
}

void for_each_synthetic_zone(const SyntheticOptions& options, const TakeZone& take) {
  ZoneMaker maker(take);
  switch (options.shape) {
    case Shape::kHosts:
      return make_hosts(options, maker);
    case Shape::kDelegations:
      return make_delegations(options, maker);
    case Shape::kSmallZones:
      return make_small_zones(options, maker);
    case Shape::kMixedZones:
      return make_mixed_zones(options, maker);
  }
}

void add_synthetic_zones(snapshot::ChangeSink& sink, const SyntheticOptions& options) {
  for_each_synthetic_zone(options, [&](const Wire& apex, auto records) {
    add_synthetic_signatures(apex, options.chain, records);
    const auto zone = dns::zone::Zone::build(apex, records);
    CHECK(zone.ok());
    const auto rendered = dns::render::render_zone(
        sink, zone.value(), [](const Wire&) { return std::vector<std::uint8_t>{}; });
    CHECK(rendered.ok());
  });
}

namespace {

std::vector<std::uint8_t> address_query(const Wire& name, bool edns, bool dnssec_ok) {
  Wire out = {'\x12', '\x34', 1, 0, 0, 1, 0, 0, 0, 0, 0, static_cast<char>(edns)};
  out += name + Wire{0, 1, 0, 1};
  if (edns) out += Wire{0, 0, 41, 4, '\xd0', 0, 0, static_cast<char>(dnssec_ok ? 0x80 : 0), 0, 0, 0};
  return {out.begin(), out.end()};
}

}  // namespace

std::vector<std::uint8_t> synthetic_query(const SyntheticOptions& options, std::size_t index,
                                          bool edns) {
  return address_query(synthetic_name(options, index), edns, false);
}

std::vector<std::uint8_t> synthetic_signed_query(const SyntheticOptions& options, std::size_t index,
                                                 bool missing) {
  Wire name = synthetic_name(options, index);
  if (missing) {
    Wire beside;
    add_label(beside, "h" + scrambled(index) + "-");
    name = beside + name.substr(1U + static_cast<unsigned char>(name[0]));
  }
  return address_query(name, true, true);
}

}  // namespace brink::perf
