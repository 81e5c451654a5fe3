// ZoneIndex: one zone's records in memory. IndexedLookups: the zone that is compiled from its
// index, all others from the store.
#pragma once

#include <cstdint>
#include <string>
#include <unordered_map>
#include <unordered_set>
#include <vector>

#include "ctl/compile/store_lookups.h"

namespace brink::ctl::compile {

class ZoneIndex {
 public:
  // Reads all records of `zone`.
  ZoneIndex(store::Store& store, const model::Zone& zone);

  [[nodiscard]] const model::Zone& zone() const { return zone_; }
  // Every name with records, what is above before what is below.
  [[nodiscard]] const std::vector<model::DomainName>& names() const { return names_; }
  [[nodiscard]] std::vector<Entry> entries(const model::DomainName& name) const;
  [[nodiscard]] bool exists(const model::DomainName& name) const;
  [[nodiscard]] bool is_occluded(const model::DomainName& name) const;
  // Whether a zone below this one owns a name.
  [[nodiscard]] bool is_handed_down(const model::DomainName& name) const;

 private:
  struct Range {
    std::uint32_t first = 0, count = 0;  // none: an empty non-terminal
  };

  void add_ancestors(const model::DomainName& name);

  const model::Zone& zone_;
  std::vector<Entry> entries_;
  std::vector<model::DomainName> names_;
  std::unordered_map<std::string, Range> ranges_;  // of every name that exists
  std::unordered_set<std::string> cuts_;           // with a DNAME, or delegated
  std::unordered_set<std::string> zones_below_;
};

class IndexedLookups : public Lookups {
 public:
  explicit IndexedLookups(StoreLookups& others) : others_(others) {}

  // It must outlive the lookups that follow.
  void use(const ZoneIndex& index) { index_ = &index; }
  void use_none() { index_ = nullptr; }

  const model::Zone* zone_of(const model::DomainName& name) override;
  std::vector<Entry> entries(const model::Zone& zone, const model::DomainName& name) override;
  bool exists(const model::Zone& zone, const model::DomainName& name) override;
  bool is_occluded(const model::Zone& zone, const model::DomainName& name) override;
  Outside outside(const model::DomainName& name) override { return others_.outside(name); }

 private:
  [[nodiscard]] bool is_indexed(const model::Zone& zone) const {
    return index_ != nullptr && index_->zone().row == zone.row;
  }

  StoreLookups& others_;
  const ZoneIndex* index_ = nullptr;
};

}  // namespace brink::ctl::compile
