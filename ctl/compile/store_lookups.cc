#include "ctl/compile/store_lookups.h"

#include "ctl/store/zone_certificates.h"

namespace brink::ctl::compile {

using model::DomainName;

const model::Zone* StoreLookups::zone_at(const DomainName& apex) {
  const auto known = zones_.find(apex.text());
  if (known != zones_.end()) return known->second.get();
  auto zone = store_.zone_by_name(apex);
  auto& kept = zones_[apex.text()];
  if (zone) kept = std::make_unique<const model::Zone>(*std::move(zone));
  return kept.get();
}

const model::Zone* StoreLookups::zone_of(const DomainName& name) {
  for (DomainName apex = name; !apex.is_root(); apex = apex.parent()) {
    if (const model::Zone* zone = zone_at(apex)) return zone;
  }
  return nullptr;
}

std::vector<Entry> StoreLookups::entries(const model::Zone& zone, const DomainName& name) {
  std::vector<Entry> entries;
  for (const model::Record& record : store_.records_at(zone, name)) {
    entries.push_back(entry_of(zone, record));
  }
  return entries;
}

bool StoreLookups::exists(const model::Zone& zone, const DomainName& name) {
  return name == zone.name || store_.has_records_within(zone, name);
}

bool StoreLookups::is_occluded(const model::Zone& zone, const DomainName& name) {
  for (DomainName up = name; up != zone.name;) {
    up = up.parent();
    if (store_.has_record(zone, up, model::kTypeDname)) return true;
    if (up != zone.name && store_.has_record(zone, up, model::kTypeNs)) return true;
  }
  return false;
}

bool StoreLookups::has_certificate(const model::Zone& zone, const DomainName& name) {
  if (hosts_row_ != zone.row) {
    hosts_ = store::ZoneCertificates(store_).edge_hosts(zone.id);
    hosts_row_ = zone.row;
  }
  if (hosts_.empty()) return false;
  if (hosts_.contains(name.text())) return true;
  return !name.is_wildcard() && hosts_.contains("*." + name.parent().text());
}

Outside StoreLookups::outside(const DomainName& name) {
  auto known = store::ResolvedNames(store_).find(name);
  if (!known) return {};
  return {std::move(known->addresses), known->ttl_s};
}

}  // namespace brink::ctl::compile
