// RecordInserter: many new records of one zone, which leave one entry in the history's log,
// whatever their number. Within a write transaction, in which nobody else changes the store until
// finish(). One that is destroyed before has left a transaction that cannot be committed.
//
// In a store without any records the index of targets, whose order is another one, is made at the
// end from what is there, in a third of the time.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "ctl/model/record.h"
#include "ctl/model/zone.h"
#include "ctl/store/key.h"
#include "ctl/store/store.h"

namespace brink::ctl::store {

// All that is stored of a record. It refers to what somebody else keeps until the next one is asked
// for.
struct NewRecord {
  NewRecord() = default;
  // `name_key`: tree_key of its name.
  NewRecord(const model::Record& record, std::span<const std::uint8_t> name_key);

  model::Id id;
  std::string_view name;  // canonical text
  std::span<const std::uint8_t> name_key;
  model::RecordType type = 0;
  std::string_view content;
  std::optional<std::uint16_t> priority;
  std::span<const std::uint8_t> rdata;
  std::uint32_t ttl = 0;
  bool proxied = false;
  std::string_view comment;
  std::span<const std::string> tags;
  model::RecordSettings settings;
  model::Timestamp created_on, modified_on;
  std::optional<model::Timestamp> comment_modified_on, tags_modified_on;
};
// Gives one record after the other, then null. Does not throw, and leaves the store alone.
using NextRecord = std::function<const NewRecord*()>;

class RecordInserter {
 public:
  RecordInserter(Store& store, const model::Zone& zone);
  ~RecordInserter();
  RecordInserter(const RecordInserter&) = delete;
  RecordInserter& operator=(const RecordInserter&) = delete;

  // All that `next` gives, under consecutive rows. Fastest in the order in which records are
  // compiled. One whose identity is taken throws, as any failure does: then none of them is there.
  void insert(const NextRecord& next);
  void finish();

 private:
  void put_off_targets();
  void log(std::int64_t first_row, std::int64_t count);

  Store& store_;
  const model::Zone& zone_;
  std::string index_of_targets_;  // how to make it; empty: it is there
};

}  // namespace brink::ctl::store
