// ZoneIndex: one zone's records in memory, found by name the way an answer finds them
// (RFC 1034 4.3.2, RFC 4592): exact names, empty non-terminals, wildcards, and what lies below a
// cut.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <unordered_map>
#include <vector>

#include "ctl/model/record.h"
#include "ctl/model/zone.h"

namespace brink::ctl::compile {

// What compilation needs of a record.
struct Entry {
  model::RecordType type = 0;
  std::uint32_t ttl = model::kTtlAutomatic;
  bool proxied = false;  // in force, the zone's state included
  model::RecordSettings settings;
  model::Rdata rdata;
};

struct Owner {
  model::DomainName name;
  std::uint32_t first = 0;  // into the entries
  std::uint32_t count = 0;
  // Below a delegation or DNAME, or a delegation itself: not answered with authority, not proxied.
  bool shadowed = false;
};

class ZoneIndex {
 public:
  explicit ZoneIndex(model::Zone zone) : zone_(std::move(zone)) {}

  // All records of a name must come one after another.
  void add(const model::Record& record);
  // After the last add and before any lookup.
  void finish();

  [[nodiscard]] const model::Zone& zone() const { return zone_; }
  [[nodiscard]] const std::vector<Owner>& owners() const { return owners_; }
  [[nodiscard]] std::span<const Entry> entries(const Owner& owner) const {
    return std::span(entries_).subspan(owner.first, owner.count);
  }
  // The owner whose records answer for `name`, which lies in the zone: itself, or the wildcard of
  // its closest encloser. Null: no data, or not this zone's to answer.
  [[nodiscard]] const Owner* find(const model::DomainName& name) const;

 private:
  static constexpr std::uint32_t kNoRecords = ~0U;  // an empty non-terminal

  [[nodiscard]] bool has_cut_above(const model::DomainName& name) const;
  [[nodiscard]] bool owns(const Owner& owner, model::RecordType type) const;

  model::Zone zone_;
  std::vector<Entry> entries_;
  std::vector<Owner> owners_;
  std::unordered_map<std::string, std::uint32_t> names_;  // every existing name -> owner or none
  std::unordered_map<std::string, bool> cuts_;            // name -> is the cut itself shadowed (NS)
};

}  // namespace brink::ctl::compile
