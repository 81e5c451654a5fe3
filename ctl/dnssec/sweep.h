// Sweep: finds the names of signed zones whose signatures' slot has ended (dns/dnssec/schedule.h),
// and puts them into a version, so that they are compiled and signed anew, under a new serial. It
// walks all signed zones in their order, a bounded piece at a time; where it is, is kept in the
// store, so that a restart goes on from there.
//
// What is signed meanwhile, by whatever change, is signed by its present slot. So a walk looks for
// slots that ended since the walk before it began, and no name is missed.
//
// Belongs to the thread of its Store. Failures of the disk or file throw store::Failure.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>

#include "ctl/dnssec/policy.h"
#include "ctl/store/store.h"

namespace brink::ctl::dnssec {

class Sweep {
 public:
  struct Options {
    dns::dnssec::SignaturePolicy policy;
    std::chrono::seconds interval{3600};  // from the beginning of a walk to that of the next
    std::size_t names_max = 2000;         // looked at, zones without any counted too, a piece
  };

  Sweep(store::Store& store, const Options& options) : store_(store), options_(options) {}

  // Does the next piece, if it is time to, in a transaction of its own. Returns the version that
  // the names found are in; empty: none were.
  std::optional<std::uint64_t> advance(model::Timestamp now);

 private:
  struct Position;

  Position read();
  void write(const Position& position);
  bool begin(Position& position, model::Timestamp now) const;
  void walk(Position& position, model::Timestamp now);
  std::size_t walk_names(model::Zone& zone, Position& position, model::Timestamp now,
                         std::size_t most);

  store::Store& store_;
  const Options options_;
};

}  // namespace brink::ctl::dnssec
