// ResolvedNames: the last known addresses of names outside the served zones, as far as what is
// served depends on them. They are no configuration: no roll-back touches them, and what a version
// resolved is part of changes_between. Belongs to the thread of its Store and borrows it. Failures
// of the disk or file throw store::Failure.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <vector>

#include "ctl/model/name.h"
#include "ctl/store/store.h"
#include "dataplane/base/ip.h"

namespace brink::ctl::store {

struct ResolvedName {
  model::DomainName name;
  std::vector<base::IpAddress> addresses;  // none: it leads nowhere
  std::uint32_t ttl_s = 0;                 // for answers that carry the addresses

  bool operator==(const ResolvedName&) const = default;
};

class ResolvedNames {
 public:
  explicit ResolvedNames(Store& store) : store_(store), database_(*store.database_) {}

  std::optional<ResolvedName> find(const model::DomainName& name);
  std::vector<ResolvedName> all();

  // Keeps those whose addresses differ from what is kept, a name without any being the same as one
  // that is not there, and returns how many differ. Not none: a change, which takes a version. Part
  // of the caller's transaction, or one of its own.
  std::size_t put(const std::vector<ResolvedName>& names);
  // Forgets those that no CNAME record points at: nothing that is served depends on them, so that
  // it is no change.
  void forget_unused(const std::vector<model::DomainName>& names);

 private:
  Store& store_;
  Database& database_;
};

}  // namespace brink::ctl::store
