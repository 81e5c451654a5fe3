// PackedRecords: many records, each in some hundred octets instead of six hundred and several
// pieces of memory, so that a whole zone file can be put in order before any of it is stored. One
// thread.
#pragma once

#include <cstdint>
#include <deque>
#include <span>
#include <vector>

#include "ctl/model/record.h"
#include "ctl/store/record_inserter.h"
#include "ctl/store/store.h"

namespace brink::ctl::api {

class PackedRecords {
 public:
  // Takes a record as make_record returns it, without row, id and times, from `line` of a file.
  void add(model::Record record, std::size_t line);

  [[nodiscard]] std::size_t size() const { return items_.size(); }
  [[nodiscard]] std::size_t line(std::uint32_t index) const { return items_[index].line; }
  // The name's place in the tree (store::tree_key).
  [[nodiscard]] std::span<const std::uint8_t> key(std::uint32_t index) const {
    return std::span(octets_).subspan(items_[index].at, items_[index].key_size);
  }
  [[nodiscard]] model::Record record(std::uint32_t index) const;
  // What of it decides how it is served; good until the next add().
  [[nodiscard]] store::RecordView view(std::uint32_t index) const;

  // What is stored of it, but for its id and times; likewise.
  [[nodiscard]] store::NewRecord fresh(std::uint32_t index) const;

  // Has the memory fetched that key() and, once the first of these is there, record() needs.
  void prefetch_item(std::uint32_t index) const { __builtin_prefetch(&items_[index]); }
  void prefetch_octets(std::uint32_t index) const;

 private:
  // What nearly all records consist of: key, name, content and data follow one another in octets_.
  struct Item {
    std::size_t at = 0;
    std::uint32_t line = 0;
    std::uint32_t ttl = 0;
    std::uint32_t content_size = 0;
    std::uint32_t whole = 0;  // the place in whole_, from 1; 0: all of it is packed
    std::uint16_t key_size = 0;
    std::uint16_t name_size = 0;
    std::uint16_t rdata_size = 0;
    model::RecordType type = 0;
  };

  static bool is_packable(const model::Record& record);
  // Of a packed one.
  [[nodiscard]] std::string_view name(const Item& item) const;
  [[nodiscard]] std::string_view content(const Item& item) const;
  [[nodiscard]] std::span<const std::uint8_t> rdata(const Item& item) const;
  [[nodiscard]] std::string_view text(std::size_t at, std::size_t size) const {
    return {reinterpret_cast<const char*>(octets_.data()) + at, size};
  }

  std::vector<Item> items_;
  std::vector<std::uint8_t> octets_;
  std::deque<model::Record> whole_;  // those with more to them
};

}  // namespace brink::ctl::api
