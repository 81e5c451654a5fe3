// OutsideNames: the names outside the served zones that compiled names take addresses from, and
// which names these are. Kept up to date by the same differences that a snapshot transaction is
// made of.
//
// One thread, on which its calls are inside a kRead Transaction of the store. Failures of the file
// throw store::Failure.
#pragma once

#include <cstdint>
#include <map>
#include <set>
#include <vector>

#include "ctl/compile/compile.h"

namespace brink::ctl::compile {

class OutsideNames {
 public:
  // `options` outlive it.
  explicit OutsideNames(const Options& options) : options_(options) {}

  // Brings it to the store's present state. Returns the names outside that what differs from the
  // state before depends on. Costs the differences, or the number of CNAME records where the
  // history does not reach back or the differences are many.
  std::vector<model::DomainName> update(store::Store& store);

  // Sorted.
  [[nodiscard]] std::vector<model::DomainName> names() const;
  [[nodiscard]] std::uint64_t version() const { return version_; }

 private:
  std::vector<model::DomainName> rebuild(store::Store& store);
  std::vector<model::DomainName> apply(store::Store& store, const store::Changes& changes);
  [[nodiscard]] std::set<model::DomainName> owners_within(store::Store& store,
                                                          const model::Zone& zone) const;
  void set(const model::DomainName& owner, const model::DomainName* outside);

  const Options& options_;
  std::uint64_t version_ = 0;
  bool built_ = false;
  std::map<model::DomainName, model::DomainName> by_owner_;
  std::map<model::DomainName, std::uint64_t> uses_;  // owners of each name outside
};

}  // namespace brink::ctl::compile
