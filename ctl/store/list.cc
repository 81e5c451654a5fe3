// Store: filtered, ordered, paged lists. The SQL is put together from fixed fragments; every value
// of a request is bound, never written into it.
#include <algorithm>

#include "ctl/store/row.h"
#include "ctl/store/store.h"

namespace brink::ctl::store {
namespace {

// A WHERE clause under construction, with the values to bind in order.
class Conditions {
 public:
  explicit Conditions(bool any) : any_(any) {}

  // `fragment` holds one "?" a value.
  void add(const std::string& fragment) {
    if (!optional_.empty()) optional_ += any_ ? " OR " : " AND ";
    optional_ += "(" + fragment + ")";
  }
  // Holds whatever the other conditions are.
  void require(const std::string& fragment) { required_ += " AND (" + fragment + ")"; }

  void value(std::string text) { values_.push_back({std::move(text), false, 0}); }
  void value(std::int64_t number) { values_.push_back({{}, true, number}); }
  void blob(const model::Rdata& data) {
    values_.push_back({std::string(data.begin(), data.end()), false, 0, true});
  }

  [[nodiscard]] std::string where() const {
    return " WHERE " + (optional_.empty() ? std::string("1") : "(" + optional_ + ")") + required_;
  }
  // Binds from parameter 1 on and returns the next free one.
  int bind(Statement& statement) const {
    int parameter = 1;
    for (const Value& value : values_) {
      if (value.is_number) {
        statement.bind(parameter++, value.number);
      } else if (value.is_blob) {
        statement.bind(
            parameter++,
            std::span(reinterpret_cast<const std::uint8_t*>(value.text.data()), value.text.size()));
      } else {
        statement.bind(parameter++, std::string_view(value.text));
      }
    }
    return parameter;
  }

 private:
  struct Value {
    std::string text;
    bool is_number = false;
    std::int64_t number = 0;
    bool is_blob = false;
  };
  bool any_;
  std::string optional_;
  std::string required_;
  std::vector<Value> values_;
};

std::string lower(std::string text) {
  std::transform(text.begin(), text.end(), text.begin(), [](char c) {
    return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
  });
  return text;
}

void add_text(Conditions& conditions, const std::string& column, TextMatch match,
              const std::string& value) {
  switch (match) {
    case TextMatch::kExact:
      conditions.add(column + " = ?");
      conditions.value(value);
      break;
    case TextMatch::kContains:
      conditions.add("instr(lower(" + column + "), ?) > 0");
      conditions.value(lower(value));
      break;
    case TextMatch::kStartsWith:
      conditions.add("instr(lower(" + column + "), ?) = 1");
      conditions.value(lower(value));
      break;
    case TextMatch::kEndsWith:
      // substr counts negative positions from the end, in characters like length().
      conditions.add("substr(lower(" + column + "), -length(?)) = ?");
      conditions.value(lower(value));
      conditions.value(lower(value));
      break;
    case TextMatch::kNot:
      conditions.add(column + " <> ?");
      conditions.value(value);
      break;
    case TextMatch::kAbsent:
      conditions.add(column + " = ''");
      break;
    case TextMatch::kPresent:
      conditions.add(column + " <> ''");
      break;
  }
}

void add_content(Conditions& conditions, const RecordQuery::TextFilter& filter) {
  if (filter.match != TextMatch::kExact) {
    return add_text(conditions, "content", filter.match, filter.value);
  }
  // TXT may have been written quoted and be looked for bare, or the other way round.
  const auto text = model::rdata_of(model::kTypeTxt, filter.value, std::nullopt, {});
  conditions.add(text ? "content = ? OR (type = 16 AND rdata = ?)" : "content = ?");
  conditions.value(filter.value);
  if (text) conditions.blob(text.value());
}

// Tags stand one a line. `test` tells of `tag`, in lower case with a colon behind its name, whether
// it is wanted.
std::string has_tag(const std::string& test) {
  return "EXISTS (WITH RECURSIVE split (tag, rest) AS (SELECT '', lower(tags) || char(10) "
         "UNION ALL SELECT substr(rest, 1, instr(rest, char(10)) - 1), "
         "substr(rest, instr(rest, char(10)) + 1) FROM split WHERE rest <> '') "
         "SELECT 1 FROM split WHERE tag <> '' AND (" +
         test + "))";
}

// The SQL of one tag filter; `values` are what to bind.
std::string tag_fragment(const RecordQuery::TagFilter& filter, std::vector<std::string>& values) {
  const std::string text = lower(filter.text);
  const std::size_t colon = std::min(text.find(':'), text.size());
  const std::string name = text.substr(0, colon);
  const std::string value = text.substr(std::min(colon + 1, text.size()));
  // The value of the tag is what follows its name and a colon.
  const std::string named = "(tag = ? OR instr(tag, ? || ':') = 1)";
  const std::string tag_value = "substr(tag, length(?) + 2)";
  switch (filter.match) {
    case TextMatch::kPresent:
      values = {name, name};
      return has_tag(named);
    case TextMatch::kAbsent:
      values = {name, name};
      return "NOT " + has_tag(named);
    case TextMatch::kExact:
    case TextMatch::kNot:
      values = {text};
      return (filter.match == TextMatch::kNot ? "NOT " : "") + has_tag("tag = ?");
    case TextMatch::kContains:
      values = {name, name, name, value};
      return has_tag(named + " AND instr(" + tag_value + ", ?) > 0");
    case TextMatch::kStartsWith:
      values = {name, name, name, value};
      return has_tag(named + " AND instr(" + tag_value + ", ?) = 1");
    case TextMatch::kEndsWith:
      values = {name, name, name, value, value};
      return has_tag(named + " AND substr(" + tag_value + ", -length(?)) = ?");
  }
  return "0";
}

void add_tags(Conditions& conditions, const RecordQuery& query) {
  std::string fragment;
  for (const auto& filter : query.tags) {
    std::vector<std::string> values;
    fragment += fragment.empty() ? "" : query.tags_any ? " OR " : " AND ";
    fragment += "(" + tag_fragment(filter, values) + ")";
    for (std::string& value : values) conditions.value(std::move(value));
  }
  if (!fragment.empty()) conditions.add(fragment);
}

// Records that a delegation or DNAME at `cut` hides: all below it, and what else stands at a
// delegation. Glue among them.
void add_shadowed_by(Conditions& conditions, const model::DomainName& cut) {
  const TreeKey first = tree_key(cut);
  conditions.add(
      "EXISTS (SELECT 1 FROM records c WHERE c.zone = records.zone AND c.name_key = ? AND "
      "c.type IN (2, 39)) AND name_key >= ? AND name_key < ? AND "
      "(name_key <> ? OR type NOT IN (2, 39, 43))");
  conditions.blob(first);
  conditions.blob(first);
  conditions.blob(end_of_subtree(first));
  conditions.blob(first);
}

// Delegations and DNAMEs above `name`, that hide it.
void add_shadowing(Conditions& conditions, model::DomainName name, const model::DomainName& apex) {
  std::string list;
  for (; name.is_within(apex) && name != apex; name = name.parent()) {
    list += list.empty() ? "?" : ", ?";
    conditions.blob(tree_key(name));
  }
  conditions.add(list.empty() ? "0" : "type IN (2, 39) AND name_key IN (" + list + ")");
}

// An exact name is looked up by its key, which the zone's index has.
void add_name(Conditions& conditions, const RecordQuery::TextFilter& filter) {
  const auto name = model::DomainName::parse(filter.value);
  if (filter.match != TextMatch::kExact || !name) {
    return add_text(conditions, "name", filter.match, lower(filter.value));
  }
  conditions.add("name_key = ?");
  conditions.blob(tree_key(name.value()));
}

Conditions record_conditions(const RecordQuery& query, const model::Zone& zone) {
  Conditions conditions(query.match_any);
  for (const auto& filter : query.texts) {
    switch (filter.field) {
      case RecordQuery::Field::kName:
        add_name(conditions, filter);
        break;
      case RecordQuery::Field::kContent:
        add_content(conditions, filter);
        break;
      case RecordQuery::Field::kComment:
        add_text(conditions, "comment", filter.match, filter.value);
        break;
    }
  }
  if (query.type) {
    conditions.add("type = ?");
    conditions.value(static_cast<std::int64_t>(*query.type));
  }
  if (query.proxied) {
    conditions.add("proxied = ?");
    conditions.value(static_cast<std::int64_t>(*query.proxied));
  }
  add_tags(conditions, query);
  if (query.shadowed_by) add_shadowed_by(conditions, *query.shadowed_by);
  if (query.shadowing) add_shadowing(conditions, *query.shadowing, zone.name);
  if (query.search) {
    conditions.require("instr(name, ?) > 0 OR instr(lower(content), ?) > 0");
    conditions.value(lower(*query.search));
    conditions.value(lower(*query.search));
  }
  return conditions;
}

// `from_end`: the same order, backwards.
std::string order_by(RecordQuery::Order order, bool descending, bool from_end) {
  const char* direction = descending != from_end ? " DESC" : "";
  const auto with = [&](const char* column) {
    return std::string(" ORDER BY ") + column + direction + ", row" + (from_end ? " DESC" : "");
  };
  switch (order) {
    case RecordQuery::Order::kCreated:
      return std::string(" ORDER BY row") + direction;
    case RecordQuery::Order::kType:
      return with("type");
    case RecordQuery::Order::kName:
      return with("name_key");
    case RecordQuery::Order::kContent:
      return with("content");
    case RecordQuery::Order::kTtl:
      return with("ttl");
    case RecordQuery::Order::kProxied:
      return with("proxied");
  }
  return {};
}

// Where a page begins and ends, counted from the nearer end of `total` items: the index is walked
// from there, and rows that are skipped cost nearly as much as others.
struct Window {
  Window(const Paging& paging, std::uint64_t total) {
    const std::uint64_t page_index = paging.page == 0 ? 0 : paging.page - 1;
    if (paging.per_page == 0 || page_index > total / paging.per_page) return;
    const std::uint64_t first = page_index * paging.per_page;
    size = std::min(paging.per_page, total - first);
    from_end = first > total / 2;
    skip = from_end ? total - first - size : first;
  }
  std::uint64_t skip = 0, size = 0;
  bool from_end = false;
};

}  // namespace

void Store::fill_zone_directory() {
  if (directory_) return;
  auto directory = std::make_unique<ZoneDirectory>();
  auto select =
      database_->cached("SELECT row, name, status, type, account FROM zones ORDER BY row");
  while (select->step()) directory->add(directory_entry(*select));
  directory->finish();
  directory_ = std::move(directory);
}

Page<model::Zone> Store::list_zones(const ZoneQuery& query) {
  // Of another's changes it would not know.
  if (access_ == Access::kReadOnly) directory_.reset();
  fill_zone_directory();
  std::vector<std::int64_t> rows;
  if (query.ids) {
    auto select = database_->cached("SELECT row FROM zones WHERE id = ?1");
    for (const model::Id& id : *query.ids) {
      select->bind(1, id.bytes);
      if (select->step()) rows.push_back(select->integer(0));
      select->reset();
    }
  }
  ZoneQuery wanted = query;
  if (wanted.name) wanted.name->value = lower(wanted.name->value);
  const auto found = directory_->find(wanted, query.ids ? &rows : nullptr);
  Page<model::Zone> page;
  page.total = found.total;
  static const std::string sql =
      "SELECT " + std::string(kZoneColumns) + " FROM zones WHERE row = ?1";
  auto select = database_->cached(sql.c_str());
  for (const std::int64_t row : found.items) {
    select->bind(1, row);
    if (!select->step()) {
      directory_.reset();
      throw Failure("zones were deleted by another program");
    }
    page.items.push_back(read_zone(*select));
    select->reset();
  }
  return page;
}

// Runs the list twice: its length, then the rows of the page, which an index alone may give, and
// what they hold.
Page<model::Record> Store::list_records(const model::Zone& zone, const RecordQuery& query) {
  Conditions conditions = record_conditions(query, zone);
  // The row is our own number, not a value of the request; bound values must keep their order.
  conditions.require("zone = " + std::to_string(zone.row));
  const std::string from = " FROM records" + conditions.where();
  Page<model::Record> page;
  auto total = database_->prepare("SELECT count(*)" + from);
  conditions.bind(*total);
  if (total->step()) page.total = static_cast<std::uint64_t>(total->integer(0));

  const Window window(query.paging, page.total);
  if (window.size == 0) return page;
  auto rows = database_->prepare(
      "SELECT row" + from + order_by(query.order, query.descending, window.from_end) + " LIMIT " +
      std::to_string(window.size) + " OFFSET " + std::to_string(window.skip));
  conditions.bind(*rows);
  static const std::string sql =
      "SELECT " + std::string(kRecordColumns) + " FROM records WHERE row = ?1";
  auto select = database_->cached(sql.c_str());
  while (rows->step()) {
    select->bind(1, rows->integer(0));
    CHECK(select->step());
    page.items.push_back(read_record(*select));
    select->reset();
  }
  if (window.from_end) std::reverse(page.items.begin(), page.items.end());
  return page;
}

}  // namespace brink::ctl::store
