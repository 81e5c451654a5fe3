#include "ctl/compile/affected.h"

#include <algorithm>

#include "ctl/compile/origins.h"

namespace brink::ctl::compile {

using model::DomainName;
using store::Reach;

void Affected::collect(const store::Changes& changes) {
  for (const store::ZoneChange& change : changes.zones) take_zone(change);
  for (const store::NameChange& change : changes.names) {
    const model::Zone* zone = lookups_.zone_at(change.zone);
    if (zone != nullptr && !change.existed) new_names_.emplace(zone->row, change.name);
  }
  for (const store::NameChange& change : changes.names) {
    add(change.name);
    for (const DomainName& target : change.former_targets) targets_.emplace(change.zone, target);
    const model::Zone* zone = lookups_.zone_at(change.zone);
    if (zone != nullptr && !wholly_.contains(change.zone)) take_name(*zone, change);
  }
  for (const store::ResignedName& resigned : changes.resigned) take_resigned(resigned);
  for (const store::TableChange& change : changes.tables) {
    if (change.part == store::TablePart::kCoverage) take_coverage(change);
  }
  for (const DomainName& name : changes.resolved) add_scope({Kind::kName, name, 0});
  spread();
}

void Affected::take_zone(const store::ZoneChange& change) {
  const model::Zone* zone = lookups_.zone_at(change.name);
  add_to(zone != nullptr ? zones_ : dropped_zones_, change.name);
  add(change.name);
  const bool changes_hands = change.action != store::ZoneAction::kChanged || zone == nullptr;
  if (!changes_hands && !change.whole) return;
  wholly_.insert(change.name);
  if (zone != nullptr) add_to(whole_zones_, change.name);
  add_scope({Kind::kSubtree, change.name, 0});
  if (changes_hands) take_ownership_below(change.name);
}

// Names of the zone above that this one hides, or has hidden. Among them, or among this zone's own,
// are the apexes of zones below that either of the two delegates.
void Affected::take_ownership_below(const DomainName& apex) {
  const model::Zone* above = lookups_.zone_of(apex.parent());
  if (above == nullptr) return;
  add_all_within(*above, apex);
  for (const store::Exchange& exchange : lookups_.exchanges(*above)) {
    if (exchange.owner.is_within(apex)) targets_.emplace(above->name, exchange.target);
  }
  if (DirectNames::is_place(above->name, apex)) add_exchanges(*above);
  add_scope({Kind::kSubtree, apex, above->row});
}

void Affected::add_exchanges(const model::Zone& zone) {
  for (const store::Exchange& exchange : lookups_.exchanges(zone)) add(exchange.owner);
}

void Affected::take_name(const model::Zone& zone, const store::NameChange& change) {
  if (DirectNames::is_place(zone.name, change.name)) add_exchanges(zone);
  if (change.addresses) add_scope({Kind::kName, change.name, zone.row});
  if (change.name.is_wildcard()) add_scope({Kind::kWildcard, change.name.parent(), zone.row});
  if (change.cut) {
    add_all_within(zone, change.name);
    add_scope({Kind::kSubtree, change.name, zone.row});
  }
  if (change.name != zone.name) take_existence(zone, change);
}

// Other names carry its addresses and their signatures.
void Affected::take_resigned(const store::ResignedName& resigned) {
  const model::Zone* zone = lookups_.zone_at(resigned.zone);
  if (zone == nullptr || wholly_.contains(resigned.zone)) return;
  add(resigned.name);
  if (resigned.name == resigned.zone) {
    add_to(zones_, resigned.name);
    add_exchanges(*zone);  // direct names are signed when the apex is
  }
  for (const store::Pointer& pointer :
       store_.pointers_to(zone->row, resigned.name, Reach::kName)) {
    add(pointer.owner);
  }
}

// The host itself, or the names that its wildcard covers: those of one label more.
void Affected::take_coverage(const store::TableChange& change) {
  const model::Zone* zone = lookups_.zone_at(change.zone);
  const auto host =
      DomainName::parse({reinterpret_cast<const char*>(change.key.data()), change.key.size()});
  if (zone == nullptr || wholly_.contains(change.zone) || !host ||
      !host.value().is_within(zone->name)) {
    return;
  }
  add_if_proxied(*zone, host.value());
  if (!host.value().is_wildcard()) return;
  const DomainName above = host.value().parent();
  store_.for_each_name(*zone, above, [&](const DomainName& each) {
    if (each != above && each.parent() == above) add_if_proxied(*zone, each);
    return true;
  });
}

// Or an alias that may be.
void Affected::add_if_proxied(const model::Zone& zone, const DomainName& name) {
  const auto entries = lookups_.entries(zone, name);
  const auto may_be = [](const Entry& entry) {
    return entry.proxied || entry.type == model::kTypeCname;
  };
  if (std::ranges::any_of(entries, may_be)) add(name);
}

// The topmost name that has come into being, or ceased to be, with this one. Below it wildcards
// begin or cease to cover.
void Affected::take_existence(const model::Zone& zone, const store::NameChange& change) {
  const bool there = !lookups_.entries(zone, change.name).empty();
  if (there == change.existed) return;
  const auto came_or_went = [&](const DomainName& name) {
    return there ? all_new_within(zone, name) : !store_.has_records_within(zone, name);
  };
  if (!came_or_went(change.name)) return;
  DomainName top = change.name;
  while (top.parent() != zone.name && came_or_went(top.parent())) top = top.parent();
  add_scope({Kind::kSubtree, top, zone.row});
}

bool Affected::all_new_within(const model::Zone& zone, const DomainName& name) {
  const auto [known, fresh] = all_new_.try_emplace({zone.row, name}, true);
  bool& all_new = known->second;
  if (!fresh) return all_new;
  store_.for_each_name(zone, name, [&](const DomainName& each) {
    all_new = new_names_.contains({zone.row, each});
    return all_new;
  });
  return all_new;
}

std::string Affected::key_of(const DomainName& name) {
  return DirectNames::key_of(name);
}

void Affected::add_to(Names& names, const DomainName& name) {
  names.emplace(key_of(name), name);
}

void Affected::add_all_within(const model::Zone& zone, const DomainName& name) {
  store_.for_each_name(zone, name, [this](const DomainName& each) {
    add(each);
    return true;
  });
}

void Affected::add_scope(Scope scope) {
  if (seen_.insert(scope).second) next_.push_back(std::move(scope));
}

// One link of a chain a round. The last round is for what points at the last aliases otherwise.
void Affected::spread() {
  for (std::size_t round = 0; round <= kChainMax && !next_.empty(); ++round) {
    const std::vector<Scope> scopes = std::move(next_);
    next_.clear();
    for (const Scope& scope : scopes) visit(scope);
  }
}

// By a wildcard of the zone, if there is one above.
bool Affected::is_covered(const DomainName& name, std::int64_t zone_row) {
  const model::Zone* zone = lookups_.zone_of(name);
  return zone != nullptr && zone->row == zone_row && !lookups_.exists(*zone, name);
}

void Affected::visit(const Scope& scope) {
  const Reach reach = scope.kind == Kind::kName ? Reach::kName : Reach::kSubtree;
  for (const store::Pointer& alias : store_.aliases_to(scope.name, reach)) {
    if (scope.kind == Kind::kWildcard && !is_covered(alias.target, scope.zone_row)) continue;
    take_alias(alias);
  }
  if (scope.zone_row == 0) return;
  for (const store::Pointer& pointer : store_.pointers_to(scope.zone_row, scope.name, reach)) {
    if (scope.kind == Kind::kWildcard && !is_covered(pointer.target, scope.zone_row)) continue;
    add(pointer.owner);
  }
}

void Affected::take_alias(const store::Pointer& alias) {
  add(alias.owner);
  add_scope({Kind::kName, alias.owner, alias.zone});
  if (alias.owner.is_wildcard()) add_scope({Kind::kWildcard, alias.owner.parent(), alias.zone});
}

}  // namespace brink::ctl::compile
