// Activations: what the checks of each zone's delegation came to, and when the next one is due. It
// is kept beside the zones, in no version: only a zone's status is served. A zone gets its entry
// when it is made, and keeps it as long as the history can bring the zone back.
//
// Belongs to the thread of its Store and borrows it. Failures of the disk or file throw
// store::Failure.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "ctl/model/activation.h"
#include "ctl/store/store.h"

namespace brink::ctl::store {

using model::Activation;

class Activations {
 public:
  explicit Activations(Store& store) : store_(store), database_(*store.database_) {}

  // Full zones whose next check is due at `now`, the longest waiting ones first; the first check
  // comes `first` after a zone was made. An active zone that an operator vouches for is never due.
  std::vector<Activation> due(model::Timestamp now, std::chrono::microseconds first,
                              std::size_t limit);
  std::optional<Activation> find(const model::Id& zone);
  // Of a zone that has an entry.
  void update(const Activation& activation);
  // Forgets zones that are gone for good.
  void sweep();

 private:
  Store& store_;
  Database& database_;
};

}  // namespace brink::ctl::store
