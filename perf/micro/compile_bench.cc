// What compiling one changed record costs, by the size of the store: its zone's apex and the name
// are rendered, and everything that could depend on them is looked for.
#include <stdlib.h>

#include <filesystem>
#include <map>
#include <memory>
#include <random>
#include <string>

#include "ctl/compile/compile.h"
#include "ctl/compile/hashed_zones.h"
#include "ctl/dnssec/zone_signer.h"
#include "perf/support/micro.h"

namespace brink::ctl::compile {
namespace {

struct Shape {
  std::size_t records;
  std::size_t zones;
  auto operator<=>(const Shape&) const = default;
};

// Takes everything and keeps nothing.
class NullSink : public snapshot::ChangeSink {
 public:
  base::Result<void> put_zone(Name, const snapshot::ZoneContents&) override {
    return {};
  }
  base::Result<void> use_zone(Name) override { return {}; }
  base::Result<void> drop_zone(Name) override { return {}; }
  base::Result<void> put_name(Name, const snapshot::NameContents&) override { return {}; }
  base::Result<void> drop_name(Name) override { return {}; }
  base::Result<void> put_denial(Name, std::span<const std::uint8_t>) override { return {}; }
  base::Result<void> drop_denial(Name) override { return {}; }
  base::Result<void> put_value(Key, std::span<const std::uint8_t>) override { return {}; }
  base::Result<void> drop_value(Key) override { return {}; }
  base::Result<void> clear_values(Key) override { return {}; }
};

model::Id id_of(std::size_t number) {
  model::Id id;
  for (unsigned i = 0; i < 8; ++i) id.bytes[i] = static_cast<std::uint8_t>(number >> (8 * i));
  return id;
}

std::string zone_name(std::size_t zone) {
  return "customer-" + std::to_string(zone * 2654435761U % 0xffffffffU) + ".example";
}

std::string host_name(const Shape& shape, std::size_t record) {
  return "h" + std::to_string(record) + "." + zone_name(record % shape.zones);
}

model::DomainName name(const std::string& text) {
  return model::DomainName::parse(text).value();
}

void fill(store::Store& store, const Shape& shape) {
  store::Transaction change(store, store::Transaction::Kind::kWrite);
  std::vector<model::Zone> zones(shape.zones);
  for (std::size_t i = 0; i < shape.zones; ++i) {
    zones[i].id = id_of(shape.records + i);
    zones[i].name = name(zone_name(i));
    zones[i].status = model::ZoneStatus::kActive;
    store.insert_zone(zones[i]);
  }
  for (std::size_t i = 0; i < shape.records; ++i) {
    model::Record record;
    record.id = id_of(i);
    record.name = name(host_name(shape, i));
    record.type = model::kTypeA;
    record.rdata = {203, 0, 113, 1};
    record.content = "203.0.113.1";
    store.insert_record(zones[i % shape.zones], record);
  }
  change.commit();
}

// A store in a file, as the daemon has it; gone at the end.
class FilledStore {
 public:
  explicit FilledStore(const Shape& shape) {
    char pattern[] = "/tmp/brink_bench_XXXXXX";
    folder_ = ::mkdtemp(pattern);
    store_ =
        std::move(store::Store::open(folder_ + "/brink.db", store::Access::kReadWrite)).value();
    fill(*store_, shape);
  }
  ~FilledStore() {
    store_.reset();
    std::filesystem::remove_all(folder_);
  }
  store::Store& store() { return *store_; }

 private:
  std::string folder_;
  std::unique_ptr<store::Store> store_;
};

store::Store& store_of(const Shape& shape) {
  static std::map<Shape, std::unique_ptr<FilledStore>> stores;
  auto& filled = stores[shape];
  if (!filled) filled = std::make_unique<FilledStore>(shape);
  return filled->store();
}

// Its one zone signed with NSEC3.
store::Store& signed_store_of(const Shape& shape) {
  static std::map<Shape, std::unique_ptr<FilledStore>> stores;
  auto& filled = stores[shape];
  if (filled) return filled->store();
  filled = std::make_unique<FilledStore>(shape);
  auto zone = filled->store().zone_by_name(name(zone_name(0)));
  zone->dnssec.status = model::DnssecStatus::kActive;
  zone->dnssec.denial = model::ZoneDenial::kNsec3;
  filled->store().update_zone(*zone);
  return filled->store();
}

Options bench_options() {
  Options options;
  options.authority.name_servers = {name("ns1.example"), name("ns2.example")};
  return options;
}

// Another record every time.
perf::Batch one_change(const Shape& shape) {
  return [&store = store_of(shape), shape, options = bench_options(),
          random = std::mt19937_64(1)]() mutable {
    const std::size_t record = random() % shape.records;
    const model::DomainName zone = name(zone_name(record % shape.zones));
    store::Changes changes;
    changes.zones = {{zone, store::ZoneAction::kChanged, false}};
    changes.names = {{zone, name(host_name(shape, record)), true, true, false}};
    const store::Transaction view(store, store::Transaction::Kind::kRead);
    NullSink sink;
    const auto counts = compile_changes(store, changes, options, sink);
    CHECK(counts.ok() && counts.value().names_put == 2);
    return 1;
  };
}

// A signature that costs nothing, so that what is measured is the chain.
class BenchSigners : public dnssec::Signers {
 public:
  base::Result<std::shared_ptr<const dnssec::ZoneSigner>> of(const model::Zone&) override {
    return signer_;
  }

 private:
  class Signer : public dnssec::ZoneSigner {
   public:
    [[nodiscard]] base::Result<std::vector<dns::zone::Wire>> sign(const dns::zone::Wire&,
                                                                  const dns::zone::Rrset& rrset,
                                                                  const dns::zone::Wire&,
                                                                  model::Timestamp) const override {
      return std::vector{
          std::string{static_cast<char>(rrset.type >> 8), static_cast<char>(rrset.type)} +
          std::string(80, 's')};
    }
    [[nodiscard]] const std::vector<dns::zone::Rrset>& apex_rrsets() const override {
      return none_;
    }

   private:
    std::vector<dns::zone::Rrset> none_;
  };
  std::shared_ptr<const dnssec::ZoneSigner> signer_ = std::make_shared<Signer>();
};

// Another record of one zone with a chain of NSEC3 every time, with what was hashed before, or
// anew.
perf::Batch one_change_of_chain(const Shape& shape, bool is_kept) {
  struct State {
    BenchSigners signers;
    HashedZones hashed;
    Options options = bench_options();
    std::mt19937_64 random{1};
  };
  auto state = std::make_shared<State>();
  state->options.signers = &state->signers;
  if (is_kept) state->options.hashed = &state->hashed;
  store::Store& store = signed_store_of(shape);
  return [&store, shape, state]() mutable {
    const model::DomainName zone = name(zone_name(0));
    store::Changes changes;
    changes.from = store.version();
    changes.zones = {{zone, store::ZoneAction::kChanged, false}};
    changes.names = {
        {zone, name(host_name(shape, state->random() % shape.records)), true, true, false}};
    const store::Transaction view(store, store::Transaction::Kind::kRead);
    NullSink sink;
    CHECK(compile_changes(store, changes, state->options, sink).ok());
    return 1;
  };
}

// A record of a whole store.
perf::Batch everything(const Shape& shape) {
  return [&store = store_of(shape), shape, options = bench_options()] {
    const store::Transaction view(store, store::Transaction::Kind::kRead);
    NullSink sink;
    CHECK(compile_all(store, options, sink).ok());
    return shape.records;
  };
}

constexpr Shape kSmall{1'000, 100}, kLarge{1'000'000, 100'000}, kOneLargeZone{1'000'000, 1},
    kOneSignedZone{100'000, 1};

const int kRegistered[] = {
    perf::add_micro("compile/one_change/1k", [] { return one_change(kSmall); }),
    perf::add_micro("compile/one_change/1M", [] { return one_change(kLarge); }),
    perf::add_micro("compile/one_change_of_one_zone/1M", [] { return one_change(kOneLargeZone); }),
    perf::add_micro("compile/one_change_of_nsec3/100k",
                    [] { return one_change_of_chain(kOneSignedZone, true); }),
    perf::add_micro("compile/one_change_of_nsec3_anew/100k",
                    [] { return one_change_of_chain(kOneSignedZone, false); }),
    perf::add_micro("compile/everything/1k", [] { return everything(kSmall); }),
    perf::add_micro("compile/everything/1M", [] { return everything(kLarge); }),
    perf::add_micro("compile/everything_in_one_zone/1M", [] { return everything(kOneLargeZone); }),
};

}  // namespace
}  // namespace brink::ctl::compile
