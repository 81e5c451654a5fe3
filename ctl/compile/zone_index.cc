#include "ctl/compile/zone_index.h"

namespace brink::ctl::compile {

using model::DomainName;

ZoneIndex::ZoneIndex(store::Store& store, const model::Zone& zone) : zone_(zone) {
  ranges_.emplace(zone.name.text(), Range{});
  store.for_each_record(zone, [&](const model::Record& record) {
    if (names_.empty() || names_.back() != record.name) {
      names_.push_back(record.name);
      ranges_[record.name.text()].first = static_cast<std::uint32_t>(entries_.size());
      add_ancestors(record.name);
    }
    ++ranges_[record.name.text()].count;
    entries_.push_back(entry_of(zone, record));
    const bool is_delegation = record.type == model::kTypeNs && record.name != zone.name;
    if (is_delegation || record.type == model::kTypeDname) cuts_.insert(record.name.text());
  });
  for (const DomainName& below : store.zones_below(zone.name)) zones_below_.insert(below.text());
}

// Once an ancestor is there, so are all of its own.
void ZoneIndex::add_ancestors(const DomainName& name) {
  for (DomainName up = name; up != zone_.name;) {
    up = up.parent();
    if (!ranges_.emplace(up.text(), Range{}).second) return;
  }
}

std::vector<Entry> ZoneIndex::entries(const DomainName& name) const {
  const auto range = ranges_.find(name.text());
  if (range == ranges_.end()) return {};
  const auto first = entries_.begin() + range->second.first;
  return {first, first + range->second.count};
}

bool ZoneIndex::exists(const DomainName& name) const {
  return ranges_.contains(name.text());
}

bool ZoneIndex::is_occluded(const DomainName& name) const {
  if (cuts_.empty()) return false;
  for (DomainName up = name; up != zone_.name;) {
    up = up.parent();
    if (cuts_.contains(up.text())) return true;
  }
  return false;
}

bool ZoneIndex::is_handed_down(const DomainName& name) const {
  if (zones_below_.empty()) return false;
  for (DomainName up = name; up != zone_.name; up = up.parent()) {
    if (zones_below_.contains(up.text())) return true;
  }
  return false;
}

const model::Zone* IndexedLookups::zone_of(const DomainName& name) {
  const bool is_ours =
      index_ != nullptr && name.is_within(index_->zone().name) && !index_->is_handed_down(name);
  return is_ours ? &index_->zone() : others_.zone_of(name);
}

std::vector<Entry> IndexedLookups::entries(const model::Zone& zone, const DomainName& name) {
  return is_indexed(zone) ? index_->entries(name) : others_.entries(zone, name);
}

bool IndexedLookups::exists(const model::Zone& zone, const DomainName& name) {
  return is_indexed(zone) ? index_->exists(name) : others_.exists(zone, name);
}

bool IndexedLookups::is_occluded(const model::Zone& zone, const DomainName& name) {
  return is_indexed(zone) ? index_->is_occluded(name) : others_.is_occluded(zone, name);
}

}  // namespace brink::ctl::compile
