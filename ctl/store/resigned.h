// ResignedNames: names of signed zones whose signatures are made anew since their time ends. They
// are no configuration: a version that has them changes nothing else, and no rollback touches them.
// Here is also the walk over all names of signed zones, which finds them.
//
// Belongs to the thread of its Store and borrows it. Failures of the disk or file throw
// store::Failure.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "ctl/store/history.h"
#include "ctl/store/store.h"

namespace brink::ctl::store {

class ResignedNames {
 public:
  explicit ResignedNames(Store& store) : store_(store), database_(*store.database_) {}

  // Makes these names part of the caller's write transaction, as a change; and the zone's apex,
  // since the zone gets the serial that follows at `now` (in `zone` as well). The serial is no
  // configuration either: the history has no entry of it. A name that a zone does not have does no
  // harm.
  void put(model::Zone& zone, const std::vector<model::DomainName>& names, model::Timestamp now);

  // The first zone, in the order of the tree, that comes behind `after` (empty: of all) and has, or
  // had, something to do with DNSSEC. Costs the same whatever the number of other zones.
  std::optional<model::Zone> next_zone(const std::optional<model::DomainName>& after);
  // Names with records in the zone that come behind `after` in the order of the tree; the first
  // `limit` of them.
  std::vector<model::DomainName> names_behind(const model::Zone& zone,
                                              const model::DomainName& after, std::size_t limit);

 private:
  Store& store_;
  Database& database_;
};

}  // namespace brink::ctl::store
