#include "perf/support/synthetic_zones.h"

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

Wire zone_name(std::size_t zone) {
  Wire name;
  add_label(name, "customer-zone-" + std::to_string(zone * 2654435761U % 0xffffffffU));
  add_label(name, "com");
  name += '\0';
  return name;
}

Wire soa_data(const Wire& apex) {
  Wire data = "\3ns1" + apex + "\1h" + apex;
  for (const std::uint32_t field : {1U, 10000U, 2400U, 604800U, 1800U}) {
    for (int shift = 24; shift >= 0; shift -= 8) data += static_cast<char>(field >> shift);
  }
  return data;
}

}  // namespace

std::string synthetic_name(const SyntheticOptions& options, std::size_t index) {
  Wire name;
  add_label(name, "h" + std::to_string(index));
  return name + zone_name(index / options.names_per_zone);
}

void for_each_synthetic_zone(
    const SyntheticOptions& options,
    const std::function<void(const Wire& apex, const std::vector<ResourceRecord>& records)>& take) {
  std::vector<ResourceRecord> records;
  for (std::size_t first = 0; first < options.names; first += options.names_per_zone) {
    const Wire apex = zone_name(first / options.names_per_zone);
    records.clear();
    records.push_back({apex, dns::zone::kTypeSoa, 3600, soa_data(apex)});
    records.push_back({apex, dns::zone::kTypeNs, 86400, Wire("\3ns1\7example\3net\0", 17)});
    for (std::size_t i = first; i < first + options.names_per_zone && i < options.names; ++i) {
      const Wire address = {'\300', '\0', '\2', static_cast<char>(i)};
      records.push_back({synthetic_name(options, i), dns::zone::kTypeA, 300, address});
    }
    take(apex, records);
  }
}

void add_synthetic_zones(snapshot::ChangeSink& sink, const SyntheticOptions& options) {
  for_each_synthetic_zone(options, [&](const Wire& apex, const auto& records) {
    const auto zone = dns::zone::Zone::build(apex, records);
    CHECK(zone.ok());
    const auto rendered = dns::render::render_zone(
        sink, zone.value(), [](const Wire&) { return std::vector<std::uint8_t>{}; });
    CHECK(rendered.ok());
  });
}

std::vector<std::uint8_t> synthetic_query(const SyntheticOptions& options, std::size_t index,
                                          bool edns) {
  std::vector<std::uint8_t> out = {0x12, 0x34, 1, 0, 0, 1,
                                   0,    0,    0, 0, 0, edns ? std::uint8_t{1} : std::uint8_t{0}};
  const std::string name = synthetic_name(options, index);
  out.insert(out.end(), name.begin(), name.end());
  out.insert(out.end(), {0, 1, 0, 1});
  if (edns) out.insert(out.end(), {0, 0, 41, 0x04, 0xd0, 0, 0, 0, 0, 0, 0});
  return out;
}

}  // namespace brink::perf
