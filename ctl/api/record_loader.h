// RecordLoader: many new records of one zone as part of a change. They are taken in pieces of
// kPieceMax, each sorted by name: so indices grow in their own order, and what else a name has is
// asked for once a name, or not at all while the zone cannot have any of it. Each piece but the
// first comes between what the ones before it have left, so a piece is large.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "ctl/api/change.h"
#include "ctl/api/packed_records.h"
#include "ctl/store/store.h"
#include "dataplane/base/result.h"

namespace brink::ctl::api {

class RecordLoader {
 public:
  static constexpr std::size_t kPieceMax = 4'000'000;  // records; some 600 MB of memory

  RecordLoader(Service& service, Change& change, std::size_t piece_max = kPieceMax);

  // Takes a record of the zone as make_record returns it, from `line` of a file. False: one that
  // was taken before cannot stand beside the others, see fault().
  bool add(model::Record record, std::size_t line);
  // Inserts what was taken, unless there is a fault.
  void flush();
  // The first record, by its line, that cannot stand beside what the zone has of its name.
  [[nodiscard]] const std::optional<base::Error>& fault() const { return fault_; }

  // Of what was flushed: new ones, and those that the zone had already, which are left alone.
  [[nodiscard]] std::uint64_t added() const { return added_; }
  [[nodiscard]] std::uint64_t known() const { return known_; }

 private:
  // Where a record stands in the order of names.
  struct Place {
    std::uint64_t lead[2];  // the first octets of its key behind those that all have
    std::uint32_t index;    // of the record
    std::uint32_t size;     // of its key behind those that all have
  };
  using Places = std::vector<Place>;
  static constexpr std::size_t kLeadSize = 16;
  // No key is another one and zeros: equal leads of equal sizes are then equal keys.
  static bool is_lead_all(const Place& place) { return place.size <= kLeadSize; }

  [[nodiscard]] Places sorted() const;
  [[nodiscard]] bool is_same_name(const Place& a, const Place& b) const;
  void prefetch(const Places& places, std::size_t at) const;
  void load_name(std::span<const Place> places);
  void blame(std::size_t line, const model::Record& record, const model::Refusal& refusal);

  Service& service_;
  Change& change_;
  const std::size_t piece_max_;
  bool is_empty_;  // the zone, before this piece
  PackedRecords records_;
  std::size_t common_size_ = 0;  // octets that all keys start with
  std::optional<model::IdSeries> ids_;
  std::optional<store::RecordInserter> inserter_;  // during a flush
  std::vector<model::Record> neighbours_;          // what the name that is loaded now has so far
  std::optional<base::Error> fault_;
  std::size_t fault_line_ = 0;
  std::uint64_t added_ = 0, known_ = 0;
};

}  // namespace brink::ctl::api
