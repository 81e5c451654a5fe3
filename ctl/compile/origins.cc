#include "ctl/compile/origins.h"

#include <algorithm>

namespace brink::ctl::compile {

using model::DomainName;

std::vector<base::IpAddress> addresses_of(std::span<const Entry> entries) {
  std::vector<base::IpAddress> addresses;
  for (const Entry& entry : entries) {
    if (entry.type == model::kTypeA) {
      addresses.push_back(base::IpAddress::v4_from_wire(entry.rdata.data()));
    } else if (entry.type == model::kTypeAaaa) {
      addresses.push_back(base::IpAddress::v6_from_wire(entry.rdata.data()));
    }
  }
  return addresses;
}

Chain OriginFinder::follow(const DomainName& target) {
  Chain chain;
  DomainName at = target;
  // A loop is a chain that never ends, so the limit catches it as well.
  for (std::size_t links = 0; links < kChainMax; ++links) {
    const ZoneIndex* zone = zone_of(at);
    const Owner* owner = zone == nullptr ? nullptr : zone->find(at);
    if (owner == nullptr) return chain;
    const auto entries = zone->entries(*owner);
    const auto has = [&](auto predicate) {
      return std::find_if(entries.begin(), entries.end(), predicate);
    };
    if (has([](const Entry& e) { return e.proxied; }) != entries.end()) chain.is_proxied = true;
    const auto alias = has([](const Entry& e) { return e.type == model::kTypeCname; });
    if (alias == entries.end()) {
      chain.addresses = addresses_of(entries);
      return chain;
    }
    const auto next = DomainName::from_wire(alias->rdata);
    CHECK(next.has_value());
    at = *next;
  }
  return chain;
}

const ZoneIndex* OriginFinder::zone_of(const DomainName& name) {
  for (DomainName apex = name; !apex.is_root(); apex = apex.parent()) {
    if (current_ != nullptr && current_->zone().name == apex) return current_;
    if (const auto zone = source_.zone_by_name(apex)) return load(*zone);
  }
  return nullptr;
}

const ZoneIndex* OriginFinder::load(const model::Zone& zone) {
  const auto found = std::find_if(kept_.begin(), kept_.end(), [&](const auto& index) {
    return index->zone().name == zone.name;
  });
  if (found != kept_.end()) {
    kept_.splice(kept_.begin(), kept_, found);
    return kept_.front().get();
  }
  auto index = std::make_unique<ZoneIndex>(zone);
  source_.for_each_record(zone, [&](const model::Record& record) { index->add(record); });
  index->finish();
  if (kept_.size() == kKeptZones) kept_.pop_back();
  kept_.push_front(std::move(index));
  return kept_.front().get();
}

}  // namespace brink::ctl::compile
