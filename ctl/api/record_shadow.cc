#include "ctl/api/record_shadow.h"

#include <algorithm>

namespace brink::ctl::api {

using model::DomainName;
using model::Record;

Shadows::Cut Shadows::cut_at(const DomainName& name) {
  const auto [known, fresh] = cuts_.try_emplace(name);
  if (!fresh) return known->second;
  Cut& cut = known->second;
  cut.is_delegation = name != zone_.name && store_.has_record(zone_, name, model::kTypeNs);
  cut.is_cut = cut.is_delegation || store_.has_record(zone_, name, model::kTypeDname);
  return cut;
}

bool Shadows::refers_to(const DomainName& cut, const DomainName& host) {
  const auto records = store_.records_at(zone_, cut);
  const auto wire = host.wire();
  return std::any_of(records.begin(), records.end(), [&](const Record& record) {
    return record.type == model::kTypeNs && model::is_same_data(record.type, record.rdata, wire);
  });
}

Json Shadows::meta(const Record& record) {
  std::vector<DomainName> above;  // from the record's name upwards
  const bool is_own_cut = record.type == model::kTypeNs || record.type == model::kTypeDname ||
                          record.type == model::kTypeDs;
  for (DomainName name = record.name;; name = name.parent()) {
    // A DNAME leaves its own name alone (RFC 6672 2.3).
    const Cut cut = cut_at(name);
    const bool hides = name == record.name ? cut.is_delegation && !is_own_cut : cut.is_cut;
    if (hides) above.push_back(name);
    if (name == zone_.name) break;
  }
  Json meta = Json::object();
  if (!above.empty()) {
    Json names = Json::array();
    for (auto name = above.rbegin(); name != above.rend(); ++name) names.push_back(name->text());
    meta["shadowed_by"] = std::move(names);
    const DomainName& top = above.back();
    const bool is_address = record.type == model::kTypeA || record.type == model::kTypeAaaa;
    if (is_address && cut_at(top).is_delegation) {
      const bool is_glue = refers_to(top, record.name);
      meta["is_glue"] = is_glue;
      meta["dead_glue"] = !is_glue;
    }
  }
  const bool is_cut_record = record.type == model::kTypeDname ||
                             (record.type == model::kTypeNs && record.name != zone_.name);
  if (is_cut_record) {
    const auto at_cut = store_.records_at(zone_, record.name);
    // At a delegation its NS and DS are answered, at a DNAME everything.
    const auto answered = std::count_if(at_cut.begin(), at_cut.end(), [&](const Record& other) {
      return !cut_at(record.name).is_delegation || other.type == model::kTypeNs ||
             other.type == model::kTypeDs || other.type == model::kTypeDname;
    });
    const auto own = static_cast<std::uint64_t>(answered);
    meta["shadowed_records_count"] =
        store_.count_within(zone_, record.name, kShadowCountMax + own) - own;
  }
  return meta;
}

}  // namespace brink::ctl::api
