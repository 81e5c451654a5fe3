#include "ctl/compile/outside_names.h"

#include "ctl/compile/affected.h"
#include "ctl/compile/name_compiler.h"

namespace brink::ctl::compile {
namespace {

using model::DomainName;

// From here on it is cheaper to look at all CNAME records. Of zones that changed as a whole only
// theirs are looked at.
constexpr std::uint64_t kManyEntries = 20'000;
constexpr std::uint64_t kManyUnlisted = 2'000'000;

}  // namespace

std::vector<DomainName> OutsideNames::update(store::Store& store) {
  const std::uint64_t present = store.version();
  std::optional<store::Changes> changes;
  store::History history(store);
  if (built_) {
    changes = history.changes_between(version_, present, kManyEntries + kManyUnlisted);
    if (changes && changes->names.size() > kManyEntries) changes.reset();
  }
  auto touched = changes ? apply(store, *changes) : rebuild(store);
  version_ = present;
  built_ = true;
  return touched;
}

// Only a name with a CNAME record of its own can depend on one outside.
std::vector<DomainName> OutsideNames::rebuild(store::Store& store) {
  std::set<DomainName> owners;
  store.for_each_alias([&](const store::Pointer& alias) { owners.insert(alias.owner); });
  by_owner_.clear();
  uses_.clear();
  StoreLookups lookups(store);
  NameCompiler compiler(lookups, options_);
  for (const DomainName& owner : owners) {
    const model::Zone* zone = lookups.zone_of(owner);
    if (zone == nullptr) continue;
    const auto outside = compiler.outside(*zone, owner);
    set(owner, outside ? &*outside : nullptr);
  }
  return names();
}

std::vector<DomainName> OutsideNames::apply(store::Store& store, const store::Changes& changes) {
  StoreLookups lookups(store);
  NameCompiler compiler(lookups, options_);
  Affected affected(store, lookups);
  affected.collect(changes);
  std::set<DomainName> touched;
  const auto look_at = [&](const DomainName& name) {
    const model::Zone* zone = lookups.zone_of(name);
    const auto outside = zone == nullptr ? std::nullopt : compiler.outside(*zone, name);
    set(name, outside ? &*outside : nullptr);
    if (outside) touched.insert(*outside);
  };
  for (const auto& [key, apex] : affected.whole_zones()) {
    for (const DomainName& owner : owners_within(store, *lookups.zone_at(apex))) look_at(owner);
  }
  for (const auto* names : {&affected.names(), &affected.zones(), &affected.dropped_zones()}) {
    for (const auto& [key, name] : *names) look_at(name);
  }
  return {touched.begin(), touched.end()};
}

// Names of the zone that have, or had, a CNAME record.
std::set<DomainName> OutsideNames::owners_within(store::Store& store,
                                                 const model::Zone& zone) const {
  std::set<DomainName> owners;
  store.for_each_alias_of(zone, [&](const DomainName& owner) { owners.insert(owner); });
  for (const auto& [owner, outside] : by_owner_) {
    if (owner.is_within(zone.name)) owners.insert(owner);
  }
  return owners;
}

void OutsideNames::set(const DomainName& owner, const DomainName* outside) {
  const auto known = by_owner_.find(owner);
  if (known != by_owner_.end()) {
    if (outside != nullptr && known->second == *outside) return;
    const auto use = uses_.find(known->second);
    if (--use->second == 0) uses_.erase(use);
    by_owner_.erase(known);
  }
  if (outside == nullptr) return;
  by_owner_.emplace(owner, *outside);
  ++uses_[*outside];
}

std::vector<DomainName> OutsideNames::names() const {
  std::vector<DomainName> names;
  for (const auto& [name, uses] : uses_) names.push_back(name);
  return names;
}

}  // namespace brink::ctl::compile
