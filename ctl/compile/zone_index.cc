#include "ctl/compile/zone_index.h"

#include <algorithm>

namespace brink::ctl::compile {

using model::DomainName;

void ZoneIndex::add(const model::Record& record) {
  if (owners_.empty() || owners_.back().name != record.name) {
    owners_.push_back({record.name, static_cast<std::uint32_t>(entries_.size()), 0, false});
  }
  ++owners_.back().count;
  entries_.push_back({record.type, record.ttl, model::effective_proxy(zone_, record),
                      record.settings, record.rdata});
}

bool ZoneIndex::owns(const Owner& owner, model::RecordType type) const {
  const auto all = entries(owner);
  return std::any_of(all.begin(), all.end(), [&](const Entry& e) { return e.type == type; });
}

void ZoneIndex::finish() {
  names_.reserve(owners_.size() + 1);
  names_.emplace(zone_.name.text(), kNoRecords);
  for (std::uint32_t i = 0; i < owners_.size(); ++i) {
    const Owner& owner = owners_[i];
    names_[owner.name.text()] = i;
    for (DomainName up = owner.name; up != zone_.name; up = up.parent()) {
      // Once an ancestor is there, so are all of its own.
      if (up != owner.name && !names_.emplace(up.text(), kNoRecords).second) break;
    }
    const bool is_delegation = owner.name != zone_.name && owns(owner, model::kTypeNs);
    if (is_delegation || owns(owner, model::kTypeDname)) {
      cuts_.emplace(owner.name.text(), is_delegation);
    }
  }
  if (cuts_.empty()) return;
  for (Owner& owner : owners_) owner.shadowed = has_cut_above(owner.name);
}

bool ZoneIndex::has_cut_above(const DomainName& name) const {
  if (cuts_.empty()) return false;
  for (DomainName up = name;; up = up.parent()) {
    const auto cut = cuts_.find(up.text());
    if (cut != cuts_.end() && (cut->second || up != name)) return true;
    if (up == zone_.name) return false;
  }
}

const Owner* ZoneIndex::find(const DomainName& name) const {
  if (has_cut_above(name)) return nullptr;
  const auto exact = names_.find(name.text());
  if (exact != names_.end()) {
    return exact->second == kNoRecords ? nullptr : &owners_[exact->second];
  }
  DomainName encloser = name.parent();
  while (!names_.contains(encloser.text())) encloser = encloser.parent();
  const auto wildcard = names_.find("*." + encloser.text());
  if (wildcard == names_.end() || wildcard->second == kNoRecords) return nullptr;
  return &owners_[wildcard->second];
}

}  // namespace brink::ctl::compile
