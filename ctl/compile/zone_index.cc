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

ZoneIndex::ZoneIndex(store::Store& store, const model::Zone& zone)
    : ZoneIndex(store, zone,
                [&](const store::VisitRecord& visit) { store.for_each_record_view(zone, visit); }) {
}

ZoneIndex::ZoneIndex(store::Store& store, const model::Zone& zone, const store::EachRecord& records)
    : zone_(zone), lets_proxy_(model::lets_proxy(zone)) {
  records([this](const store::RecordView& record) { add(record); });
  firsts_.push_back(static_cast<std::uint32_t>(entries_.size()));
  for (const DomainName& below : store.zones_below(zone.name)) zones_below_.insert(below.text());
}

void ZoneIndex::add(const store::RecordView& record) {
  if (names_.empty() || names_.back().text() != record.name) add_name(record.name);
  entries_.push_back({data_.size(), record.ttl, static_cast<std::uint16_t>(record.rdata.size()),
                      record.type, record.proxied && lets_proxy_, record.settings});
  data_.insert(data_.end(), record.rdata.begin(), record.rdata.end());
  const DomainName& name = names_.back();
  if (record.type == model::kTypeMx || record.type == model::kTypeSrv) {
    if (const auto target = store::target_key(record.type, record.rdata)) {
      exchanges_.push_back({record.type, name, store::name_of(*target)});
    }
  }
  const bool is_delegation = record.type == model::kTypeNs && name != zone_.name;
  if (is_delegation || record.type == model::kTypeDname) make_cut();
}

// What is below a cut comes right behind it.
void ZoneIndex::add_name(std::string_view text) {
  auto name = DomainName::parse(text);
  if (!name) throw store::Failure("the store holds a name that is none: " + std::string(text));
  names_.push_back(std::move(name).value());
  firsts_.push_back(static_cast<std::uint32_t>(entries_.size()));
  is_cut_.push_back(false);
  is_occluded_.push_back(last_cut_ != kNone && names_.back().is_within(names_[last_cut_]));
}

void ZoneIndex::make_cut() {
  is_cut_.back() = true;
  if (!is_occluded_.back()) last_cut_ = static_cast<std::uint32_t>(names_.size() - 1);
}

Entry ZoneIndex::unpacked(const Packed& packed) const {
  const auto* const data = data_.data() + packed.at;
  return {packed.type, packed.ttl, packed.proxied, packed.settings, {data, data + packed.size}};
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
  if (!is_current(name)) {
    const std::uint32_t* place = find(name);
    if (place == nullptr || *place == kNone) return {};
    at = *place;
  }
  std::vector<Entry> entries;
  entries.reserve(firsts_[at + 1] - firsts_[at]);
  for (std::uint32_t i = firsts_[at]; i < firsts_[at + 1]; ++i) {
    entries.push_back(unpacked(entries_[i]));
  }
  return entries;
}

bool ZoneIndex::exists(const DomainName& name) const {
  return find(name) != nullptr;
}

bool ZoneIndex::has_own(const DomainName& name) const {
  const std::uint32_t* place = find(name);
  return place != nullptr && *place != kNone && !is_handed_down(name);
}

bool ZoneIndex::is_occluded(const DomainName& name) const {
  if (last_cut_ == kNone) return false;
  if (is_current(name)) return is_occluded_[current_];
  for (DomainName up = name; up != zone_.name;) {
    up = up.parent();
    const std::uint32_t* place = find(up);
    if (place != nullptr && *place != kNone && is_cut_[*place]) return true;
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
