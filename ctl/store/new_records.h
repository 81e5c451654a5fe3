// NewRecords: records that are to be stored, as a table of SQL that whoever brings them gives row
// by row. One statement then inserts all of them, in half the time of one for each: what a
// statement prepares for is prepared once, and its places in the indexes stay where the row before
// has left them. Private to this folder; names SQLite beside sqlite.h.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "ctl/store/record_inserter.h"
#include "ctl/store/row.h"
#include "ctl/store/sqlite.h"

namespace brink::ctl::store {

class NewRecords {
 public:
  // The table `new_records` is there as long as this: columns as those of `records` that a
  // NewRecord has. It is read once, from the first row on. `apex`: of the zone of all of them.
  // `database` and `next` outlive this.
  NewRecords(Database& database, const NextRecord& next, const model::DomainName& apex);
  ~NewRecords();
  NewRecords(const NewRecords&) = delete;
  NewRecords& operator=(const NewRecords&) = delete;

  [[nodiscard]] std::int64_t given() const { return given_; }

 private:
  struct Module;

  Database& database_;
  const NextRecord& next_;
  const NewTargets targets_;
  const NewRecord* current_ = nullptr;  // null: that was all
  std::int64_t given_ = 0;
  std::string tags_;  // of the current one, as they are kept
  std::optional<TreeKey> target_;
};

}  // namespace brink::ctl::store
