// What a list of zones or records may be filtered, ordered and paged by.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "ctl/model/record.h"
#include "ctl/model/zone.h"

namespace brink::ctl::store {

enum class TextMatch : std::uint8_t {
  kExact,
  kContains,
  kStartsWith,
  kEndsWith,
  kNot,
  kAbsent,
  kPresent
};

// page counts from 1. A page past the end is empty.
struct Paging {
  std::uint64_t page = 1;
  std::uint64_t per_page = 100;
};

struct ZoneQuery {
  struct NameFilter {
    TextMatch match = TextMatch::kExact;
    std::string value;  // lower-case, without the final dot
  };
  enum class Order : std::uint8_t { kCreated, kName, kStatus };

  std::optional<NameFilter> name;
  std::optional<model::ZoneStatus> status;
  std::vector<model::ZoneType> types;  // empty = all
  // Whatever the filters are: zones of this account only, and of these only.
  std::optional<model::Id> account;
  std::optional<std::vector<model::Id>> ids;
  bool match_any = false;
  Order order = Order::kCreated;
  bool descending = false;
  Paging paging;
};

struct RecordQuery {
  enum class Field : std::uint8_t { kName, kContent, kComment };
  struct TextFilter {
    Field field = Field::kName;
    TextMatch match = TextMatch::kExact;
    std::string value;
  };
  // By name alone (kPresent, kAbsent), or by `name:value`, where the parts match the value.
  struct TagFilter {
    TextMatch match = TextMatch::kPresent;
    std::string text;
  };
  enum class Order : std::uint8_t { kCreated, kType, kName, kContent, kTtl, kProxied };

  std::vector<TextFilter> texts;
  std::optional<model::RecordType> type;
  std::optional<bool> proxied;
  std::optional<std::string> search;  // in name or content, besides the other filters
  std::vector<TagFilter> tags;
  bool tags_any = false;  // one of them is enough
  // Hidden by a delegation or DNAME at this name; those that hide this name.
  std::optional<model::DomainName> shadowed_by, shadowing;
  bool match_any = false;
  Order order = Order::kCreated;
  bool descending = false;
  Paging paging;
};

template <typename T>
struct Page {
  std::vector<T> items;
  std::uint64_t total = 0;  // without paging
};

}  // namespace brink::ctl::store
