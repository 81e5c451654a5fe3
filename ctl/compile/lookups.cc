#include "ctl/compile/lookups.h"

#include <algorithm>

namespace brink::ctl::compile {

using model::DomainName;

Entry entry_of(const model::Zone& zone, const model::Record& record) {
  return {record.type, record.ttl, model::effective_proxy(zone, record), record.settings,
          record.rdata};
}

bool has_type(const std::vector<Entry>& entries, model::RecordType type) {
  return std::any_of(entries.begin(), entries.end(),
                     [type](const Entry& entry) { return entry.type == type; });
}

std::vector<Entry> Lookups::answering(const model::Zone& zone, const DomainName& name) {
  if (is_occluded(zone, name)) return {};
  std::vector<Entry> own = entries(zone, name);
  if (name != zone.name && has_type(own, model::kTypeNs)) return {};
  if (!own.empty() || exists(zone, name)) return own;
  DomainName encloser = name.parent();
  while (!exists(zone, encloser)) encloser = encloser.parent();
  const auto wildcard = DomainName::parse("*." + encloser.text());
  CHECK(wildcard.ok());
  return entries(zone, wildcard.value());
}

}  // namespace brink::ctl::compile
