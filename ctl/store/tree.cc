// Store: questions about the tree of names.
#include "ctl/store/row.h"
#include "ctl/store/store.h"

namespace brink::ctl::store {
namespace {

// What lies in [first, end). A name alone is the range up to its first descendant.
struct KeyRange {
  KeyRange(const model::DomainName& name, Reach reach) : first(tree_key(name)) {
    if (reach == Reach::kSubtree) {
      end = end_of_subtree(first);
    } else {
      end = first;
      end.push_back(0);
    }
  }
  TreeKey first, end;
};

Pointer read_pointer(const Statement& row) {
  return {row.integer(0), name_of(row.blob(1)), name_of(row.blob(2))};
}

}  // namespace

std::vector<model::DomainName> Store::zones_below(const model::DomainName& name) {
  const KeyRange range(name, Reach::kSubtree);
  auto select =
      database_->cached("SELECT name_key FROM zones WHERE name_key > ?1 AND name_key < ?2");
  select->bind(1, range.first).bind(2, range.end);
  std::vector<model::DomainName> names;
  while (select->step()) names.push_back(name_of(select->blob(0)));
  return names;
}

bool Store::has_records_within(const model::Zone& zone, const model::DomainName& name) {
  const KeyRange range(name, Reach::kSubtree);
  auto select = database_->cached(
      "SELECT 1 FROM records WHERE zone = ?1 AND name_key >= ?2 AND name_key < ?3 LIMIT 1");
  select->bind(1, zone.row).bind(2, range.first).bind(3, range.end);
  return select->step();
}

std::uint64_t Store::count_within(const model::Zone& zone, const model::DomainName& name,
                                  std::uint64_t most) {
  const KeyRange range(name, Reach::kSubtree);
  auto select = database_->cached(
      "SELECT count(*) FROM (SELECT 1 FROM records WHERE zone = ?1 AND name_key >= ?2 AND "
      "name_key < ?3 LIMIT ?4)");
  select->bind(1, zone.row).bind(2, range.first).bind(3, range.end);
  select->bind(4, static_cast<std::int64_t>(most));
  return select->step() ? static_cast<std::uint64_t>(select->integer(0)) : 0;
}

bool Store::has_record(const model::Zone& zone, const model::DomainName& name,
                       model::RecordType type) {
  const TreeKey key = tree_key(name);
  auto select = database_->cached(
      "SELECT 1 FROM records WHERE zone = ?1 AND name_key = ?2 AND type = ?3 LIMIT 1");
  select->bind(1, zone.row).bind(2, key).bind(3, static_cast<std::int64_t>(type));
  return select->step();
}

void Store::for_each_name(const model::Zone& zone, const model::DomainName& name,
                          const std::function<bool(const model::DomainName&)>& visit) {
  const KeyRange range(name, Reach::kSubtree);
  auto select = database_->cached(
      "SELECT DISTINCT name_key FROM records WHERE zone = ?1 AND name_key >= ?2 AND name_key < ?3 "
      "ORDER BY name_key");
  select->bind(1, zone.row).bind(2, range.first).bind(3, range.end);
  while (select->step() && visit(name_of(select->blob(0)))) {
  }
}

std::optional<model::DomainName> Store::first_name_from(const model::Zone& zone,
                                                        const TreeKey& key) {
  auto select = database_->cached(
      "SELECT name_key FROM records WHERE zone = ?1 AND name_key >= ?2 ORDER BY name_key LIMIT 1");
  select->bind(1, zone.row).bind(2, key);
  if (!select->step()) return std::nullopt;
  return name_of(select->blob(0));
}

std::optional<model::DomainName> Store::last_name_before(const model::Zone& zone,
                                                         const TreeKey& key) {
  auto select = database_->cached(
      "SELECT name_key FROM records WHERE zone = ?1 AND name_key < ?2 ORDER BY name_key DESC "
      "LIMIT 1");
  select->bind(1, zone.row).bind(2, key);
  if (!select->step()) return std::nullopt;
  return name_of(select->blob(0));
}

void Store::for_each_alias(const std::function<void(const Pointer&)>& visit) {
  auto select = database_->prepare(
      "SELECT zone, name_key, target_key FROM records WHERE type = 5 AND target_key IS NOT NULL");
  while (select->step()) visit(read_pointer(*select));
}

void Store::for_each_alias_of(const model::Zone& zone,
                              const std::function<void(const model::DomainName&)>& visit) {
  auto select = database_->cached(
      "SELECT name_key FROM records INDEXED BY records_identity WHERE zone = ?1 AND type = 5");
  select->bind(1, zone.row);
  while (select->step()) visit(name_of(select->blob(0)));
}

std::vector<Pointer> Store::aliases_to(const model::DomainName& name, Reach reach) {
  const KeyRange range(name, reach);
  auto select = database_->cached(
      "SELECT zone, name_key, target_key FROM records WHERE type = 5 AND target_key >= ?1 AND "
      "target_key < ?2");
  select->bind(1, range.first).bind(2, range.end);
  std::vector<Pointer> pointers;
  while (select->step()) pointers.push_back(read_pointer(*select));
  return pointers;
}

std::vector<Pointer> Store::pointers_to(std::int64_t zone_row, const model::DomainName& name,
                                        Reach reach) {
  const KeyRange range(name, reach);
  auto select = database_->cached(
      "SELECT zone, name_key, target_key FROM records WHERE zone = ?1 AND target_key >= ?2 AND "
      "target_key < ?3 AND type <> 5");
  select->bind(1, zone_row).bind(2, range.first).bind(3, range.end);
  std::vector<Pointer> pointers;
  while (select->step()) pointers.push_back(read_pointer(*select));
  return pointers;
}

std::vector<Exchange> Store::exchanges_of(const model::Zone& zone) {
  auto select = database_->cached(
      "SELECT type, name_key, target_key FROM records INDEXED BY records_targets WHERE zone = ?1 "
      "AND target_key IS NOT NULL AND type <> 5 AND type IN (15, 33)");
  select->bind(1, zone.row);
  std::vector<Exchange> exchanges;
  while (select->step()) {
    exchanges.push_back({static_cast<model::RecordType>(select->integer(0)),
                         name_of(select->blob(1)), name_of(select->blob(2))});
  }
  return exchanges;
}

}  // namespace brink::ctl::store
