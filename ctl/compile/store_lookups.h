// StoreLookups: answers each question by point queries of a store, inside a transaction that the
// caller keeps open. A zone once found is remembered.
#pragma once

#include <memory>
#include <set>
#include <string>
#include <unordered_map>

#include "ctl/compile/lookups.h"
#include "ctl/store/resolved.h"
#include "ctl/store/store.h"

namespace brink::ctl::compile {

class StoreLookups : public Lookups {
 public:
  explicit StoreLookups(store::Store& store) : store_(store) {}

  const model::Zone* zone_of(const model::DomainName& name) override;
  std::vector<Entry> entries(const model::Zone& zone, const model::DomainName& name) override;
  bool exists(const model::Zone& zone, const model::DomainName& name) override;
  bool is_occluded(const model::Zone& zone, const model::DomainName& name) override;

  std::optional<model::DomainName> first_from(const model::Zone& zone,
                                              const store::TreeKey& key) override {
    return store_.first_name_from(zone, key);
  }
  std::optional<model::DomainName> last_before(const model::Zone& zone,
                                               const store::TreeKey& key) override {
    return store_.last_name_before(zone, key);
  }

  std::vector<store::Exchange> exchanges(const model::Zone& zone) override {
    return store_.exchanges_of(zone);
  }
  bool has_certificate(const model::Zone& zone, const model::DomainName& name) override;
  Outside outside(const model::DomainName& name) override;

  // The zone of exactly this name.
  const model::Zone* zone_at(const model::DomainName& apex);

 private:
  store::Store& store_;
  std::unordered_map<std::string, std::unique_ptr<const model::Zone>> zones_;  // null: no zone
  std::int64_t hosts_row_ = 0;  // the zone that was asked of last
  std::set<std::string> hosts_;
};

}  // namespace brink::ctl::compile
