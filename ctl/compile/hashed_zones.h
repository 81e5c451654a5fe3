// HashedZones: what was hashed for chains of NSEC3, kept from one compilation of a store to the
// next, so that a change of a zone hashes the names that it touches instead of all of them. A large
// zone gets in when a change of it has hashed all; those that changed longest ago go when there are
// too many names. All zones here are of one state of the store. One thread. Private to this folder
// but for whoever keeps one.
#pragma once

#include <cstdint>
#include <map>
#include <optional>

#include "ctl/compile/nsec3_names.h"
#include "ctl/model/zone.h"

namespace brink::ctl::compile {

class HashedZones {
 public:
  struct Limits {
    std::size_t names_max = 4'000'000;   // of all zones together; some 600 MB
    std::size_t zone_names_min = 1'000;  // fewer are hashed in no time
  };

  HashedZones() : HashedZones(Limits()) {}
  explicit HashedZones(const Limits& limits) : limits_(limits) {}

  // A compilation begins that will tell of all names that differ from the state after `from`;
  // empty: of none. What is older is forgotten, and so is what a compilation has left that failed.
  void begin(std::optional<std::uint64_t> from);
  // It has told of all up to `to`.
  void end(std::uint64_t to);
  // Nothing that is here differs between the states after these two.
  void pass(std::uint64_t from, std::uint64_t to);

  // The names of a zone, for whoever tells of all that changed of them; good until the zone goes or
  // end(). Null: they are not here, or were hashed in another way.
  Nsec3Names* find(const model::Zone& zone);
  // A zone as it is now, in the place of what is here of it.
  void put(const model::Zone& zone, Nsec3Names names);
  // The zone is gone, or is another one.
  void drop(const model::DomainName& apex) { zones_.erase(apex); }

  void count(std::uint64_t hashed) { hashed_ += hashed; }
  // Names that were hashed since the start, as often as they were.
  [[nodiscard]] std::uint64_t hashed() const { return hashed_; }

 private:
  struct Zone {
    std::int64_t row;
    bool opt_out;
    std::uint64_t used;  // when it was asked for last
    Nsec3Names names;
  };

  const Limits limits_;
  std::map<model::DomainName, Zone> zones_;  // by apex
  std::optional<std::uint64_t> state_;       // the version that they are of; empty: not of one
  std::uint64_t uses_ = 0;
  std::uint64_t hashed_ = 0;
};

}  // namespace brink::ctl::compile
