// Writes synthetic zones straight into a record store: what imports through the API leave, without
// their hours. Of mixed zones every tenth is pending. The name servers and SOA of the zones are
// brink-control's own.
// Usage: fill_store FILE NAMES [NAMES_PER_ZONE | delegations | small-zones | mixed-zones]
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <optional>

#include "ctl/store/checkpointer.h"
#include "ctl/store/store.h"
#include "dataplane/base/bytes.h"
#include "perf/support/synthetic_zones.h"

namespace {

using namespace brink;
using ctl::model::DomainName;
using ctl::model::ZoneStatus;
using ctl::store::Transaction;

// Of one transaction: what it changes stays in the page cache, and the write-ahead log is small.
constexpr std::size_t kRecordsAtOnce = 200'000;
constexpr std::size_t kPendingEvery = 10;

// Ascending, so that the index of ids grows at its end.
ctl::model::Id next_id() {
  static std::uint64_t number = 0;
  ctl::model::Id id;
  base::store_be64(id.bytes.data(), ++number);
  return id;
}

std::span<const std::uint8_t> octets(const dns::zone::Wire& wire) {
  return {reinterpret_cast<const std::uint8_t*>(wire.data()), wire.size()};
}

void insert_zone(ctl::store::Store& store, ZoneStatus status, const dns::zone::Wire& apex,
                 const std::vector<dns::zone::ResourceRecord>& records) {
  ctl::model::Zone zone;
  zone.id = next_id();
  zone.name = DomainName::from_wire(octets(apex)).value();
  zone.status = status;
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
  const auto checkpointer = ctl::store::Checkpointer::start(
      store, argv[1], [](const auto& failure) { std::fprintf(stderr, "%s\n", failure.c_str()); });
  if (!checkpointer) {
    std::fprintf(stderr, "fill_store: %s\n", checkpointer.error().message().c_str());
    return 1;
  }
  std::optional<Transaction> transaction;
  std::size_t written = 0, zones = 0;
  const bool mixed = options.shape == perf::Shape::kMixedZones;
  perf::for_each_synthetic_zone(options, [&](const auto& apex, const auto& records) {
    if (written == 0) transaction.emplace(store, Transaction::Kind::kWrite);
    const bool pending = mixed && ++zones % kPendingEvery == 0;
    insert_zone(store, pending ? ZoneStatus::kPending : ZoneStatus::kActive, apex, records);
    written += records.size();
    if (written < kRecordsAtOnce) return;
    transaction->commit();
    transaction.reset();
    written = 0;
  });
  if (transaction) transaction->commit();
  return 0;
}
