// ZoneTables: which versions changed what the edge has of a zone beside its names: certificates, who
// is asked for one, what origins are shown, rules. It is no configuration of the zone's past: no
// rollback touches it, and what a version changed of it is part of changes_between.
//
// Belongs to the thread of its Store and borrows it. Failures of the disk or file throw
// store::Failure. Writes belong into the caller's write transaction.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "ctl/model/id.h"
#include "ctl/store/history.h"
#include "ctl/store/store.h"

namespace brink::ctl::store {

class ZoneTables {
 public:
  explicit ZoneTables(Store& store) : store_(store), database_(*store.database_) {}

  // Makes this part of the caller's change, which takes a version. A zone that is not there does no
  // harm.
  void note(const model::Id& zone, TablePart part, std::span<const std::uint8_t> key = {});
  // The same for every zone with names that ask for a certificate of the authority.
  void note_authority(const model::Id& authority, TablePart part,
                      std::span<const std::uint8_t> key = {});
  // The same where it is the managed one of an account.
  void note_managed(const model::Id& account, TablePart part,
                    std::span<const std::uint8_t> key = {});

  // Zones that have something besides names, or had; in order.
  std::vector<model::Id> zones();

 private:
  Store& store_;
  Database& database_;
};

}  // namespace brink::ctl::store
