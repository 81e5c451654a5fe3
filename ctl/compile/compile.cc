#include "ctl/compile/compile.h"

#include <set>

#include "ctl/compile/affected.h"
#include "ctl/compile/chain_compiler.h"
#include "ctl/compile/given_chain.h"
#include "ctl/compile/name_compiler.h"
#include "ctl/compile/table_compiler.h"
#include "ctl/compile/zone_index.h"

namespace brink::ctl::compile {
namespace {

using model::DomainName;

// Puts compiled zones and names into a sink, and counts them.
class Output {
 public:
  Output(store::Store& store, Lookups& lookups, const Options& options, snapshot::ChangeSink& sink)
      : compiler_(lookups, options),
        chains_(compiler_, lookups, options),
        tables_(store, options),
        lookups_(lookups),
        options_(options),
        sink_(sink) {}

  // With its apex.
  base::Result<void> put_zone(const model::Zone& zone);
  // Puts or drops the name, whichever zone owns it.
  base::Result<void> set_name(const DomainName& name);
  base::Result<void> put_name(const model::Zone& zone, const DomainName& name,
                              const Contents& contents);
  base::Result<void> drop_zone(const DomainName& apex);
  base::Result<void> set_name(const model::Zone& zone, const DomainName& name);
  // Puts what is direct for the zone's exchanges, all of it.
  base::Result<void> put_directs(const model::Zone& zone);
  // Puts or drops what may be direct for these targets; `zones` knows them by their apex. What
  // stands at the apex of a dropped zone comes later.
  base::Result<void> set_directs(const NameCompiler::Targets& targets,
                                 const Affected::Names& dropped_zones, store::Store& store,
                                 StoreLookups& zones);
  // What the zone above has where a zone was dropped.
  base::Result<void> set_former_apex(const DomainName& name);
  // Of a signed zone all records of its chain.
  base::Result<void> put_chain(const model::Zone& zone);
  // All values of the zone's table; `is_fresh`: it has none.
  base::Result<void> put_table(const model::Zone& zone, bool is_fresh);
  base::Result<void> put_settings(const model::Zone& zone);
  base::Result<void> put_table_part(const model::Zone& zone, const store::TableChange& change);
  // Those that names have touched.
  base::Result<void> put_touched_chains();

  NameCompiler& compiler() { return compiler_; }
  ChainCompiler& chains() { return chains_; }
  [[nodiscard]] const Counts& counts() const { return counts_; }

 private:
  base::Result<void> put_direct(const model::Zone& zone, const DirectName& direct);
  [[nodiscard]] snapshot::Denial denial_of(const model::Zone& zone) const;
  base::Result<void> use(const model::Zone& zone);

  NameCompiler compiler_;
  ChainCompiler chains_;
  TableCompiler tables_;
  Lookups& lookups_;
  const Options& options_;
  snapshot::ChangeSink& sink_;
  Counts counts_;
  std::int64_t current_row_ = 0;  // the sink's current zone
};

snapshot::Denial Output::denial_of(const model::Zone& zone) const {
  if (options_.signers == nullptr || !zone.dnssec.is_signed()) return {};
  if (zone.dnssec.denial == model::ZoneDenial::kNsec) return {snapshot::DenialKind::kNsec};
  return {snapshot::DenialKind::kNsec3, model::kNsec3Iterations, {}};
}

base::Result<void> Output::use(const model::Zone& zone) {
  if (current_row_ == zone.row) return {};
  current_row_ = zone.row;
  return sink_.use_zone(zone.name.wire());
}

base::Result<void> Output::put_zone(const model::Zone& zone) {
  const auto negative = compiler_.compile_negative(zone);
  if (!negative) return negative.error();
  const auto& [blob, signed_blob] = negative.value();
  std::optional<GivenChain> given;
  if (zone.dnssec.presigned) given.emplace(compiler_, lookups_, zone);
  const snapshot::ZoneContents contents{zone.serial, blob, signed_blob,
                                        given ? given->denial() : denial_of(zone)};
  if (auto put = sink_.put_zone(zone.name.wire(), contents); !put) return put;
  ++counts_.zones_put;
  current_row_ = zone.row;
  const auto apex = compiler_.compile(zone, zone.name);
  if (!apex) return apex.error();
  return put_name(zone, zone.name, *apex.value());
}

base::Result<void> Output::put_name(const model::Zone& zone, const DomainName& name,
                                    const Contents& contents) {
  if (auto used = use(zone); !used) return used;
  ++counts_.names_put;
  counts_.routes += contents.route.empty() ? 0 : 1;
  return sink_.put_name(name.wire(),
                        {contents.rrsets, contents.route, contents.cut, contents.parent_side});
}

base::Result<void> Output::set_name(const DomainName& name) {
  if (const model::Zone* zone = lookups_.zone_of(name)) return set_name(*zone, name);
  ++counts_.names_dropped;
  return sink_.drop_name(name.wire());
}

base::Result<void> Output::set_name(const model::Zone& zone, const DomainName& name) {
  if (const auto* direct = compiler_.directs().find(zone, name)) return put_direct(zone, *direct);
  const auto contents = compiler_.compile(zone, name);
  if (!contents) return contents.error();
  if (contents.value()) return put_name(zone, name, *contents.value());
  ++counts_.names_dropped;
  return sink_.drop_name(name.wire());
}

base::Result<void> Output::put_direct(const model::Zone& zone, const DirectName& direct) {
  const auto contents = compiler_.compile(zone, direct);
  if (!contents) return contents.error();
  return put_name(zone, direct.name, contents.value());
}

base::Result<void> Output::put_directs(const model::Zone& zone) {
  for (const auto& [key, direct] : compiler_.directs().of(zone)) {
    if (auto put = put_direct(zone, direct); !put) return put;
  }
  return {};
}

base::Result<void> Output::set_directs(const NameCompiler::Targets& targets,
                                       const Affected::Names& dropped_zones, store::Store& store,
                                       StoreLookups& zones) {
  for (const auto& [apex, target] : targets) {
    const model::Zone* zone = zones.zone_at(apex);
    for (const DomainName& name : compiler_.directs().candidates(apex, target)) {
      if (zone != nullptr) chains_.touch(*zone, name);
      if (dropped_zones.contains(DirectNames::key_of(name))) continue;
      if (auto set = set_name(name); !set) return set;
      if (zone == nullptr) continue;
      // Whoever points there without being led there has its addresses beside the answer, too.
      for (const auto& pointer : store.pointers_to(zone->row, name, store::Reach::kName)) {
        if (dropped_zones.contains(DirectNames::key_of(pointer.owner))) continue;
        if (auto set = set_name(pointer.owner); !set) return set;
      }
    }
  }
  return {};
}

base::Result<void> Output::put_chain(const model::Zone& zone) {
  const snapshot::DenialKind kind = denial_of(zone).kind;
  if (options_.hashed != nullptr && kind != snapshot::DenialKind::kNsec3) {
    options_.hashed->drop(zone.name);
  }
  if (!zone.dnssec.presigned && kind == snapshot::DenialKind::kNone) return {};
  if (auto used = use(zone); !used) return used;
  return chains_.put_all(zone, sink_);
}

base::Result<void> Output::put_table(const model::Zone& zone, bool is_fresh) {
  if (is_fresh && !tables_.has_any(zone)) return {};
  if (auto used = use(zone); !used) return used;
  return tables_.put_all(zone, is_fresh, sink_);
}

base::Result<void> Output::put_settings(const model::Zone& zone) {
  if (auto used = use(zone); !used) return used;
  return tables_.put_settings(zone, sink_);
}

base::Result<void> Output::put_table_part(const model::Zone& zone,
                                          const store::TableChange& change) {
  if (auto used = use(zone); !used) return used;
  return tables_.put(zone, change, sink_);
}

base::Result<void> Output::put_touched_chains() {
  for (const ChainCompiler::Touched& touched : chains_.take_touched()) {
    if (auto used = use(*touched.zone); !used) return used;
    if (auto put = chains_.put(touched, sink_); !put) return put;
  }
  return {};
}

base::Result<void> Output::drop_zone(const DomainName& apex) {
  if (options_.hashed != nullptr) options_.hashed->drop(apex);
  ++counts_.zones_dropped;
  current_row_ = 0;
  return sink_.drop_zone(apex.wire());
}

base::Result<void> Output::set_former_apex(const DomainName& name) {
  const model::Zone* zone = lookups_.zone_of(name);
  if (zone == nullptr) return {};
  if (const auto* direct = compiler_.directs().find(*zone, name)) return put_direct(*zone, *direct);
  const auto contents = compiler_.compile(*zone, name);
  if (!contents) return contents.error();
  return contents.value() ? put_name(*zone, name, *contents.value()) : base::Result<void>();
}

// All names of the zone but its apex, from its index, which the lookups use.
base::Result<void> put_names_of(ZoneIndex& index, Output& output) {
  const model::Zone& zone = index.zone();
  for (std::size_t i = 0; i < index.names().size(); ++i) {
    const DomainName& name = index.names()[i];
    index.turn_to(i);
    if (name == zone.name || index.is_occluded(name) || index.is_handed_down(name)) continue;
    const auto contents = output.compiler().compile(zone, name);
    if (!contents) return contents.error();
    if (!contents.value()) continue;
    if (auto put = output.put_name(zone, name, *contents.value()); !put) return put;
  }
  output.compiler().take_targets();
  return output.put_directs(zone);
}

base::Result<void> put_whole(store::Store& store, const model::Zone& zone, IndexedLookups& lookups,
                             Output& output) {
  ZoneIndex index(store, zone);
  lookups.use(index);
  if (auto put = put_names_of(index, output); !put) return put;
  if (auto put = output.put_chain(zone); !put) return put;
  return output.put_table(zone, true);
}

// Puts or drops all names of a zone, and takes them from `others`, to which those go that a zone
// below owns. Apexes of zones that are dropped come later.
base::Result<void> set_names_of(store::Store& store, const model::Zone& zone,
                                const Affected::Names& dropped_zones, IndexedLookups& lookups,
                                Output& output, Affected::Names& others) {
  ZoneIndex index(store, zone);
  lookups.use(index);
  const std::string first = Affected::key_of(zone.name);
  for (auto other = others.lower_bound(first);
       other != others.end() && other->second.is_within(zone.name);) {
    const bool is_ours = other->second != zone.name && !dropped_zones.contains(other->first) &&
                         index.has_own(other->second);
    // The zone above may have had it in its chain.
    if (is_ours) output.chains().touch(other->second);
    other = is_ours ? others.erase(other) : std::next(other);
  }
  for (std::size_t i = 0; i < index.names().size(); ++i) {
    const DomainName& name = index.names()[i];
    index.turn_to(i);
    if (name == zone.name) continue;
    if (index.is_occluded(name)) output.chains().touch(zone, name);
    if (index.is_handed_down(name)) {
      others.emplace(Affected::key_of(name), name);
      continue;
    }
    if (!dropped_zones.empty() && dropped_zones.contains(Affected::key_of(name))) continue;
    if (auto set = output.set_name(zone, name); !set) return set;
  }
  auto put = output.put_chain(zone);
  lookups.use_none();
  return put;
}

// What zones have beside their names: all of it where a zone is another one.
base::Result<void> put_tables(const store::Changes& changes, StoreLookups& lookups,
                              Output& output) {
  std::set<DomainName> whole;
  for (const store::ZoneChange& change : changes.zones) {
    const model::Zone* zone = lookups.zone_at(change.name);
    if (zone == nullptr) continue;
    const bool is_fresh = change.action == store::ZoneAction::kCreated;
    if (is_fresh || change.whole) {
      whole.insert(change.name);
      if (auto put = output.put_table(*zone, is_fresh); !put) return put;
    } else if (auto put = output.put_settings(*zone); !put) {
      return put;
    }
  }
  for (const store::TableChange& change : changes.tables) {
    const model::Zone* zone = lookups.zone_at(change.zone);
    if (zone == nullptr || whole.contains(change.zone)) continue;
    if (auto put = output.put_table_part(*zone, change); !put) return put;
  }
  return {};
}

}  // namespace

base::Result<Counts> compile_all(store::Store& store, const Options& options,
                                 snapshot::ChangeSink& sink) {
  std::vector<model::Zone> zones;
  store.for_each_zone([&](const model::Zone& zone) { zones.push_back(zone); });
  if (options.hashed != nullptr) options.hashed->begin(std::nullopt);
  StoreLookups others(store);
  IndexedLookups lookups(others);
  Output output(store, lookups, options, sink);
  for (const model::Zone& zone : zones) {
    if (auto put = output.put_zone(zone); !put) return put.error();
    output.compiler().take_targets();  // what is direct is put with the zone's names
  }
  for (const model::Zone& zone : zones) {
    if (auto put = put_whole(store, zone, lookups, output); !put) return put.error();
  }
  if (options.hashed != nullptr) options.hashed->end(store.version());
  return output.counts();
}

bool stands_alone(store::Store& store, const model::Zone& zone) {
  if (zone.dnssec.presigned || zone.dnssec.is_signed()) return false;
  return StoreLookups(store).zone_of(zone.name.parent()) == nullptr &&
         store.zones_below(zone.name).empty() &&
         store.aliases_to(zone.name, store::Reach::kSubtree).empty();
}

base::Result<Counts> compile_import(store::Store& store, const model::Zone& zone,
                                    const store::EachRecord& records, const Options& options,
                                    snapshot::ChangeSink& sink) {
  StoreLookups others(store);
  IndexedLookups lookups(others);
  ZoneIndex index(store, zone, records);
  lookups.use(index);
  Output output(store, lookups, options, sink);
  if (auto put = output.put_zone(zone); !put) return put.error();
  if (auto put = put_names_of(index, output); !put) return put.error();
  return output.counts();
}

base::Result<Counts> compile_changes(store::Store& store, const store::Changes& changes,
                                     const Options& options, snapshot::ChangeSink& sink) {
  if (options.hashed != nullptr) options.hashed->begin(changes.from);
  StoreLookups stored(store);
  IndexedLookups lookups(stored);
  Affected affected(store, stored);
  affected.collect(changes);
  Output output(store, lookups, options, sink);
  const auto& dropped = affected.dropped_zones();
  for (const auto& [key, apex] : affected.zones()) {
    if (auto put = output.put_zone(*stored.zone_at(apex)); !put) return put.error();
  }
  Affected::Names names = affected.names();
  for (const auto& [key, apex] : affected.whole_zones()) {
    auto set = set_names_of(store, *stored.zone_at(apex), dropped, lookups, output, names);
    if (!set) return set.error();
  }
  for (const auto& [key, name] : names) {
    output.chains().touch(name);
    if (affected.zones().contains(key) || dropped.contains(key)) continue;
    if (auto set = output.set_name(name); !set) return set.error();
  }
  for (const store::NameChange& change : changes.names) {
    const model::Zone* zone = stored.zone_at(change.zone);
    if (zone != nullptr) output.chains().touch(*zone, change.name);
  }
  NameCompiler::Targets targets = output.compiler().take_targets();
  targets.insert(affected.targets().begin(), affected.targets().end());
  if (auto set = output.set_directs(targets, dropped, store, stored); !set) return set.error();
  if (auto put = output.put_touched_chains(); !put) return put.error();
  if (auto put = put_tables(changes, stored, output); !put) return put.error();
  // The deepest first.
  for (auto zone = dropped.rbegin(); zone != dropped.rend(); ++zone) {
    if (auto drop = output.drop_zone(zone->second); !drop) return drop.error();
  }
  for (const auto& [key, apex] : dropped) {
    if (auto set = output.set_former_apex(apex); !set) return set.error();
  }
  if (options.hashed != nullptr) options.hashed->end(store.version());
  return output.counts();
}

}  // namespace brink::ctl::compile
