// RecordLoader: many new records of one zone as part of a change. They are taken in pieces of
// kPieceMax, each sorted by name: so indices grow in their own order, and what else a name has is
// asked for once a name, or not at all while the zone cannot have any of it. Each piece but the
// first comes between what the ones before it have left, so a piece is large.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <vector>

#include "ctl/api/change.h"
#include "ctl/api/sorted_records.h"
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
  // Judges what was taken, and nothing else.
  void check();
  // Judges and inserts what was taken, unless there is a fault. `before`: called before the first
  // insert, with the records, if these are all that the zone has.
  using Before = std::function<void(const std::shared_ptr<const SortedRecords>&)>;
  void flush(const Before& before = {});
  // The first record, by its line, that cannot stand beside what the zone has of its name.
  [[nodiscard]] const std::optional<base::Error>& fault() const { return fault_; }

  // Of what was flushed: new ones, and those that the zone had already, which are left alone.
  [[nodiscard]] std::uint64_t added() const { return added_; }
  [[nodiscard]] std::uint64_t known() const { return known_; }

 private:
  using Place = SortedRecords::Place;

  std::size_t judge(std::span<Place> places);
  [[nodiscard]] bool stand_together(std::span<const Place> places);
  void insert();
  void blame(std::size_t line, const model::Record& record, const model::Refusal& refusal);

  Service& service_;
  Change& change_;
  const std::size_t piece_max_;
  bool is_empty_;  // the zone, before this piece
  std::shared_ptr<SortedRecords> records_ = std::make_shared<SortedRecords>();
  std::vector<model::Record> neighbours_;    // what the name that is judged now has so far
  std::vector<model::RecordData> together_;  // of the name that is judged now
  std::optional<base::Error> fault_;
  std::size_t fault_line_ = 0;
  std::uint64_t added_ = 0, known_ = 0;
};

}  // namespace brink::ctl::api
