// Writes synthetic zones straight into a record store, in one transaction: what an import through
// the API leaves, without its hours. The name servers and SOA of the zones are brink-control's own.
// Usage: fill_store FILE NAMES [NAMES_PER_ZONE | delegations | small-zones]
#include <cstdio>
#include <cstdlib>
#include <cstring>

#include "ctl/store/store.h"
#include "perf/support/synthetic_zones.h"

namespace {

using namespace brink;
using ctl::model::DomainName;

ctl::model::Id next_id() {
  static std::uint64_t number = 0;
  ctl::model::Id id;
  ++number;
  std::memcpy(id.bytes.data(), &number, sizeof number);
  return id;
}

std::span<const std::uint8_t> octets(const dns::zone::Wire& wire) {
  return {reinterpret_cast<const std::uint8_t*>(wire.data()), wire.size()};
}

void insert_zone(ctl::store::Store& store, const dns::zone::Wire& apex,
                 const std::vector<dns::zone::ResourceRecord>& records) {
  ctl::model::Zone zone;
  zone.id = next_id();
  zone.name = DomainName::from_wire(octets(apex)).value();
  zone.status = ctl::model::ZoneStatus::kActive;
  zone.serial = 1;
  store.insert_zone(zone);
  for (const auto& from : records) {
    const bool own = from.type == dns::zone::kTypeSoa || from.type == dns::zone::kTypeNs;
    if (own && from.owner == apex) continue;
    ctl::model::Record record;
    record.id = next_id();
    record.name = DomainName::from_wire(octets(from.owner)).value();
    record.type = from.type;
    const auto data = octets(from.rdata);
    record.rdata.assign(data.begin(), data.end());
    auto content = ctl::model::content_of(record.type, record.rdata);
    record.content = std::move(content.text);
    record.priority = content.priority;
    record.ttl = from.ttl;
    store.insert_record(zone, record);
  }
}

}  // namespace

int main(int argc, char** argv) {
  perf::SyntheticOptions options;
  if (argc > 2) options.names = std::strtoull(argv[2], nullptr, 10);
  if (argc > 3) perf::set_shape(options, argv[3]);
  if (argc < 3 || options.names == 0 || options.names_per_zone == 0) {
    std::fprintf(stderr, "usage: fill_store FILE NAMES [NAMES_PER_ZONE | SHAPE]\n");
    return 2;
  }
  auto opened = ctl::store::Store::open(argv[1], ctl::store::Access::kReadWrite);
  if (!opened) {
    std::fprintf(stderr, "fill_store: %s\n", opened.error().message().c_str());
    return 1;
  }
  ctl::store::Store& store = *opened.value();
  ctl::store::Transaction transaction(store, ctl::store::Transaction::Kind::kWrite);
  perf::for_each_synthetic_zone(
      options, [&](const auto& apex, const auto& records) { insert_zone(store, apex, records); });
  transaction.commit();
  return 0;
}
