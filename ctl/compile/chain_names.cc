#include "ctl/compile/chain_names.h"

#include <iterator>

namespace brink::ctl::compile {

using model::DomainName;

// The topmost name at or above this one that makes it no part of the zone: a delegation or DNAME
// above it, or the apex of a served zone that this one does not delegate.
std::optional<DomainName> ChainNames::hidden_by(const DomainName& name) const {
  const model::Zone* owner = lookups_.zone_of(name);
  const bool handed_down = owner == nullptr || owner->row != zone_.row;
  if (!handed_down && !lookups_.is_occluded(zone_, name)) return std::nullopt;
  std::optional<DomainName> topmost;
  for (DomainName at = name; at != zone_.name; at = at.parent()) {
    const auto entries = lookups_.entries(zone_, at);
    const bool is_cut = has_type(entries, model::kTypeNs);
    const bool is_apex = lookups_.zone_of(at)->name == at;
    const bool hides = at == name ? is_apex && !is_cut
                                  : is_apex || is_cut || has_type(entries, model::kTypeDname);
    if (hides) topmost = at;
  }
  // A DNAME at the apex hides all.
  if (has_type(lookups_.entries(zone_, zone_.name), model::kTypeDname)) return zone_.name;
  return topmost;
}

bool ChainNames::contains(const DomainName& name) const {
  if (name == zone_.name || directs_.contains(DirectNames::key_of(name))) return true;
  return !lookups_.entries(zone_, name).empty() && !hidden_by(name);
}

DomainName ChainNames::next(const DomainName& name) const {
  const auto stored = next_stored(name);
  const auto direct = directs_.upper_bound(DirectNames::key_of(name));
  if (direct != directs_.end() && (!stored || direct->first < DirectNames::key_of(*stored))) {
    return direct->second.name;
  }
  return stored ? *stored : zone_.name;
}

DomainName ChainNames::previous(const DomainName& name) const {
  DomainName stored = previous_stored(name);
  const auto behind = directs_.lower_bound(DirectNames::key_of(name));
  if (behind != directs_.begin() && std::prev(behind)->first > DirectNames::key_of(stored)) {
    return std::prev(behind)->second.name;
  }
  return stored;
}

std::optional<DomainName> ChainNames::next_stored(const DomainName& name) const {
  store::TreeKey key = store::tree_key(name);
  key.push_back(0);
  while (const auto found = lookups_.first_from(zone_, key)) {
    const auto hider = hidden_by(*found);
    if (!hider) return *found;
    if (*hider == zone_.name) break;
    key = store::end_of_subtree(store::tree_key(*hider));
  }
  return std::nullopt;
}

DomainName ChainNames::previous_stored(const DomainName& name) const {
  store::TreeKey key = store::tree_key(name);
  while (const auto found = lookups_.last_before(zone_, key)) {
    const auto hider = hidden_by(*found);
    if (!hider) return *found;
    if (*hider == zone_.name) break;
    if (contains(*hider)) return *hider;
    key = store::tree_key(*hider);
  }
  return zone_.name;
}

}  // namespace brink::ctl::compile
