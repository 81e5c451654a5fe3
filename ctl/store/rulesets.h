// Rulesets of zones in the store. Changes take versions (ZoneTables), and no rollback touches them;
// those of a deleted zone stay under its id for as long as a rollback can bring it back.
//
// Belongs to the thread of its Store and borrows it. Failures of the disk or file throw
// store::Failure. Writes belong into the caller's write transaction.
#pragma once

#include <optional>
#include <vector>

#include "ctl/rules/ruleset.h"
#include "ctl/store/store.h"

namespace brink::ctl::store {

class Rulesets {
 public:
  explicit Rulesets(Store& store) : store_(store), database_(*store.database_) {}

  // In the order of their phases.
  std::vector<rules::Ruleset> list(const model::Id& zone);
  std::optional<rules::Ruleset> find(const model::Id& zone, const model::Id& id);
  std::optional<rules::Ruleset> find(const model::Id& zone, rules::Phase phase);
  // Inserts, or replaces the one with the same id.
  void put(const rules::Ruleset& ruleset);
  void remove(const model::Id& id);

 private:
  Store& store_;
  Database& database_;
};

}  // namespace brink::ctl::store
