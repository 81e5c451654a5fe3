// SortedRecords: the records of a zone file in the order of names, each in some hundred octets
// (PackedRecords). Filled and put in order by one thread; from then on any number may read.
#pragma once

#include <array>
#include <cstdint>
#include <functional>
#include <span>
#include <vector>

#include "ctl/api/packed_records.h"
#include "ctl/store/record_inserter.h"
#include "ctl/store/store.h"

namespace brink::ctl::api {

class SortedRecords {
 public:
  // Where a record stands in the order of names.
  struct Place {
    std::array<std::uint64_t, 3> lead;  // the first octets of its key behind those that all have
    std::uint32_t index;                // of the record
    std::uint32_t size;                 // of its key behind those that all have
  };
  using Places = std::span<const Place>;

  // Takes a record of the zone as make_record returns it, from `line` of a file.
  void add(model::Record record, std::size_t line);
  [[nodiscard]] std::size_t taken() const { return records_.size(); }

  // By name; those of one name stay in the order of the file.
  void sort();
  // Keeps of each name those that `judge` lets stay, which it may move to the front of its span; it
  // returns how many.
  using Judge = std::function<std::size_t(std::span<Place>)>;
  void keep(const Judge& judge);
  [[nodiscard]] std::size_t kept() const { return places_.size(); }
  // Calls `visit` with the places of one name after the other.
  void for_each_name(const std::function<void(Places)>& visit) const;
  // What is stored of the one at `at`, from 0 to kept(), but for its id and times: by name, those
  // of one name in the order of the file. Fastest one after the other.
  [[nodiscard]] store::NewRecord fresh(std::size_t at) const;
  // What compilation takes: those of one name by type and data.
  void for_each_view(const store::VisitRecord& visit) const;

  [[nodiscard]] model::Record record(const Place& place) const {
    return records_.record(place.index);
  }
  [[nodiscard]] store::RecordView view(const Place& place) const {
    return records_.view(place.index);
  }
  [[nodiscard]] std::size_t line(const Place& place) const { return records_.line(place.index); }

 private:
  static constexpr std::size_t kLeadSize = sizeof Place::lead;
  // No key is another one and zeros: equal leads of equal sizes are then equal keys.
  static bool is_lead_all(const Place& place) { return place.size <= kLeadSize; }

  [[nodiscard]] bool is_same_name(const Place& a, const Place& b) const;
  [[nodiscard]] std::size_t end_of_name(std::size_t first) const;
  void prefetch(std::size_t at) const;

  PackedRecords records_;
  std::size_t common_size_ = 0;  // octets that all keys start with
  std::vector<Place> places_;    // once they are sorted
};

}  // namespace brink::ctl::api
