// ZoneDirectory: of every zone what lists filter and order by, in memory. A list of zones costs one
// pass over it, whatever is asked for and however deep the page is; SQL would have to scan the wide
// rows of the table for most filters, and to skip rows one by one for a page. About 70 octets a
// zone.
//
// Names lie one after the other, so that what a name contains is looked for in all of them at once.
//
// It is a copy: Store keeps it in step with what it commits. One thread.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "ctl/model/id.h"
#include "ctl/model/zone.h"
#include "ctl/store/query.h"

namespace brink::ctl::store {

class ZoneDirectory {
 public:
  // What it keeps of a zone.
  struct Zone {
    std::int64_t row = 0;
    std::string_view name;  // as text, copied
    model::ZoneStatus status = model::ZoneStatus::kInitializing;
    model::ZoneType type = model::ZoneType::kFull;
    model::Id account;
  };

  // Fills an empty directory: add() in the order of rows, then finish().
  void add(const Zone& zone);
  void finish();

  // Takes the zone's present state; the name of a row that is known does not change.
  void put(const Zone& zone);
  void erase(std::int64_t row);  // unless it is not there

  [[nodiscard]] std::size_t size() const { return by_row_.size(); }

  // Rows of the page that `query` asks for, in its order. `rows`: among these zones only, in place
  // of query.ids, which is not looked at.
  [[nodiscard]] Page<std::int64_t> find(const ZoneQuery& query,
                                        const std::vector<std::int64_t>* rows) const;

 private:
  using Slot = std::uint32_t;
  struct Entry {
    std::int64_t row = 0;
    std::uint32_t name_at = 0;  // in names_
    std::uint16_t name_size = 0;
    model::ZoneStatus status = model::ZoneStatus::kInitializing;
    model::ZoneType type = model::ZoneType::kFull;
    std::uint32_t account = 0;  // in accounts_
  };

  // Where a name begins. When the slot's entry has its name elsewhere, nobody has this one any
  // more.
  struct NamePlace {
    std::uint32_t at = 0;
    Slot slot = 0;
  };

  [[nodiscard]] std::string_view name_of(const Entry& entry) const {
    return std::string_view(names_).substr(entry.name_at, entry.name_size);
  }
  Entry make_entry(const Zone& zone, Slot slot);
  std::uint32_t account_number(const model::Id& account);
  // Where the row is, or would be, in by_row_.
  [[nodiscard]] std::vector<Slot>::const_iterator find_row(std::int64_t row) const;
  [[nodiscard]] std::vector<Slot>::const_iterator find_name(std::string_view name) const;
  // Slots of zones that match, whatever their order; their number.
  std::uint64_t match(const ZoneQuery& query, const std::vector<std::int64_t>* rows,
                      std::vector<bool>& matches) const;
  // Calls `visit` with the slots of zones whose names contain `text`, which is not empty.
  template <typename Visit>
  void for_each_containing(std::string_view text, const Visit& visit) const;
  // Gives the names new places without those that no zone has any more.
  void compact_names();

  std::vector<Entry> entries_;  // by slot; those in free_ are of no zone
  std::vector<Slot> free_;
  std::vector<Slot> by_row_, by_name_;           // in these orders
  std::string names_;                            // one after the other
  std::vector<NamePlace> places_;                // of names_, in its order
  std::size_t unused_names_ = 0;                 // octets of them
  std::map<model::Id, std::uint32_t> accounts_;  // numbers of them
};

}  // namespace brink::ctl::store
