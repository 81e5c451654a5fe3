#include "ctl/compile/zone_index.h"

#include <algorithm>

namespace brink::ctl::compile {

using model::DomainName;

namespace {

// The text of the name right above.
std::string_view above(std::string_view name) {
  return name.substr(std::min(name.size(), model::first_label_size(name) + 1));
}

}  // namespace

ZoneIndex::ZoneIndex(store::Store& store, const model::Zone& zone) : zone_(zone) {
  const bool lets_proxy = model::lets_proxy(zone);
  store.for_each_record_view(zone, [&](const store::RecordView& record) {
    if (names_.empty() || names_.back().text() != record.name) add_name(record.name);
    entries_.push_back({record.type,
                        record.ttl,
                        record.proxied && lets_proxy,
                        record.settings,
                        {record.rdata.begin(), record.rdata.end()}});
    const DomainName& name = names_.back();
    if (record.type == model::kTypeMx || record.type == model::kTypeSrv) {
      if (const auto target = store::target_key(record.type, record.rdata)) {
        exchanges_.push_back({record.type, name, store::name_of(*target)});
      }
    }
    const bool is_delegation = record.type == model::kTypeNs && name != zone.name;
    if (is_delegation || record.type == model::kTypeDname) cuts_.insert(name.text());
  });
  firsts_.push_back(static_cast<std::uint32_t>(entries_.size()));
  for (const DomainName& below : store.zones_below(zone.name)) zones_below_.insert(below.text());
}

void ZoneIndex::add_name(std::string_view text) {
  auto name = DomainName::parse(text);
  if (!name) throw store::Failure("the store holds a name that is none: " + std::string(text));
  names_.push_back(std::move(name).value());
  firsts_.push_back(static_cast<std::uint32_t>(entries_.size()));
}

const std::uint32_t* ZoneIndex::find(const DomainName& name) const {
  if (places_.empty()) make_places();
  const auto place = places_.find(name.text());
  return place == places_.end() ? nullptr : &place->second;
}

// Once an ancestor is there, so are all of its own.
void ZoneIndex::make_places() const {
  places_.reserve(names_.size() + 1);
  places_.emplace(zone_.name.text(), kNone);
  for (std::uint32_t i = 0; i < names_.size(); ++i) {
    std::string_view up = names_[i].text();
    places_[up] = i;
    while (up != zone_.name.text()) {
      up = above(up);
      if (!places_.emplace(up, kNone).second) break;
    }
  }
}

std::vector<Entry> ZoneIndex::entries(const DomainName& name) const {
  std::uint32_t at = current_;
  if (at == kNone || names_[at] != name) {
    const std::uint32_t* place = find(name);
    if (place == nullptr || *place == kNone) return {};
    at = *place;
  }
  return {entries_.begin() + firsts_[at], entries_.begin() + firsts_[at + 1]};
}

bool ZoneIndex::exists(const DomainName& name) const {
  return find(name) != nullptr;
}

bool ZoneIndex::has_own(const DomainName& name) const {
  const std::uint32_t* place = find(name);
  return place != nullptr && *place != kNone && !is_handed_down(name);
}

bool ZoneIndex::is_occluded(const DomainName& name) const {
  if (cuts_.empty()) return false;
  for (std::string_view up = name.text(); up != zone_.name.text();) {
    up = above(up);
    if (cuts_.contains(up)) return true;
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

// Of the first name whose key is not below `key`.
std::size_t ZoneIndex::place_of(const store::TreeKey& key) const {
  const auto at = std::lower_bound(
      names_.begin(), names_.end(), key,
      [](const DomainName& name, const store::TreeKey& k) { return store::tree_key(name) < k; });
  return static_cast<std::size_t>(at - names_.begin());
}

std::optional<DomainName> ZoneIndex::first_from(const store::TreeKey& key) const {
  const std::size_t place = place_of(key);
  return place == names_.size() ? std::nullopt : std::optional(names_[place]);
}

std::optional<DomainName> ZoneIndex::last_before(const store::TreeKey& key) const {
  const std::size_t place = place_of(key);
  return place == 0 ? std::nullopt : std::optional(names_[place - 1]);
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

std::optional<DomainName> IndexedLookups::first_from(const model::Zone& zone,
                                                     const store::TreeKey& key) {
  return is_indexed(zone) ? index_->first_from(key) : others_.first_from(zone, key);
}

std::optional<DomainName> IndexedLookups::last_before(const model::Zone& zone,
                                                      const store::TreeKey& key) {
  return is_indexed(zone) ? index_->last_before(key) : others_.last_before(zone, key);
}

}  // namespace brink::ctl::compile
