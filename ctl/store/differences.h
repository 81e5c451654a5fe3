// Differences: what differs between two places in the log of records and zones, by name where it can
// be told so. Belongs to the thread of its database. Failures of the disk or file throw
// store::Failure.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <utility>

#include "ctl/store/history.h"
#include "ctl/store/log.h"
#include "ctl/store/sqlite.h"

namespace brink::ctl::store {

// Collects the answer of History::changes_between.
class Differences {
 public:
  Differences(Database& database, std::uint64_t most) : database_(database), most_(most) {}

  void add_zones(std::int64_t from_seq, std::int64_t to_seq);
  // False: there are more than `most`.
  [[nodiscard]] bool add_records(std::int64_t from_seq, std::int64_t to_seq);
  Changes take();

 private:
  void find_imports(std::int64_t from_seq);
  [[nodiscard]] bool has_runs(std::int64_t from_seq);
  void make_whole(std::int64_t zone_row);
  [[nodiscard]] bool is_too_much() const { return names_.size() + changes_.unlisted > most_; }
  NameChange& name_change(std::int64_t zone_row, const model::DomainName& name);
  void note(std::int64_t zone_row, const model::DomainName& name, model::RecordType type);
  void note_target(std::int64_t zone_row, const model::DomainName& name, model::RecordType type,
                   std::span<const std::uint8_t> rdata);
  [[nodiscard]] bool has_untouched(std::int64_t zone_row, const model::DomainName& name);
  std::optional<model::DomainName> zone_name(std::int64_t row);

  Database& database_;
  const std::uint64_t most_;
  Changes changes_;
  std::string imports_ = "[]";  // rows of zones whose new records are not listed, as JSON
  std::map<std::pair<std::int64_t, model::DomainName>, NameChange> names_;
  std::set<RecordKey> touched_;
};

}  // namespace brink::ctl::store
