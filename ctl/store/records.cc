// Store: the records of a zone.
#include <algorithm>

#include "ctl/store/log.h"
#include "ctl/store/row.h"
#include "ctl/store/store.h"

namespace brink::ctl::store {
namespace {

// What is stored of a record besides its own members; must outlive the statement's run.
struct Derived {
  explicit Derived(const model::Record& record)
      : tags(join_tags(record.tags)),
        name_key(tree_key(record.name)),
        target(target_key(record.type, record.rdata)) {}

  std::string tags;
  TreeKey name_key;
  std::optional<TreeKey> target;
};

void bind_record(Statement& statement, const model::Record& record, const Derived& derived) {
  statement.bind(1, record.id.bytes)
      .bind(2, record.name.text())
      .bind(3, static_cast<std::int64_t>(record.type))
      .bind(4, record.content)
      .bind(6, record.rdata)
      .bind(7, static_cast<std::int64_t>(record.ttl))
      .bind(8, static_cast<std::int64_t>(record.proxied))
      .bind(9, record.comment)
      .bind(10, derived.tags)
      .bind(11, settings_bits(record.settings))
      .bind(12, record.created_on.micros)
      .bind(13, record.modified_on.micros)
      .bind(14, micros(record.comment_modified_on))
      .bind(15, micros(record.tags_modified_on))
      .bind(16, derived.name_key);
  if (derived.target) statement.bind(17, *derived.target);
  if (record.priority) statement.bind(5, static_cast<std::int64_t>(*record.priority));
}

}  // namespace

void Store::insert_record(const model::Zone& zone, model::Record& record) {
  change([&] { write_record(zone, record); });
}

void Store::write_record(const model::Zone& zone, model::Record& record) {
  Derived derived(record);
  derived.target = NewTargets(zone.name).of(record.type, record.rdata);
  auto insert = database_->cached(
      "INSERT INTO records (id, name, type, content, priority, rdata, ttl, proxied, comment, "
      "tags, settings, created_on, modified_on, comment_modified_on, tags_modified_on, name_key, "
      "target_key, zone, row) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, "
      "?14, ?15, ?16, ?17, ?18, ?19)");
  bind_record(*insert, record, derived);
  insert->bind(18, zone.row);
  if (record.row != 0) insert->bind(19, record.row);
  insert->run();
  record.row = database_->last_insert_row();
  ++more_records_;
}

void Store::update_record(const model::Record& record) {
  change([&] {
    const Derived derived(record);
    auto update = database_->cached(
        "UPDATE records SET id = ?1, name = ?2, type = ?3, content = ?4, priority = ?5, "
        "rdata = ?6, ttl = ?7, proxied = ?8, comment = ?9, tags = ?10, settings = ?11, "
        "created_on = ?12, modified_on = ?13, comment_modified_on = ?14, tags_modified_on = ?15, "
        "name_key = ?16, target_key = ?17 WHERE row = ?18");
    bind_record(*update, record, derived);
    update->bind(18, record.row).run();
  });
}

void Store::delete_record(const model::Record& record) {
  change([&] {
    const std::int64_t before = database_->total_changes();
    database_->cached("DELETE FROM records WHERE row = ?1")->bind(1, record.row).run();
    if (database_->total_changes() != before) --more_records_;
  });
}

std::optional<model::Record> Store::record_by_id(const model::Zone& zone, const model::Id& id) {
  static const std::string sql =
      "SELECT " + std::string(kRecordColumns) + " FROM records WHERE id = ?1 AND zone = ?2";
  auto select = database_->cached(sql.c_str());
  select->bind(1, id.bytes).bind(2, zone.row);
  if (!select->step()) return std::nullopt;
  return read_record(*select);
}

std::vector<model::Record> Store::records_at(const model::Zone& zone,
                                             const model::DomainName& name) {
  static const std::string sql = "SELECT " + std::string(kRecordColumns) +
                                 " FROM records WHERE zone = ?1 AND name_key = ?2 "
                                 "ORDER BY type, rdata";
  const TreeKey key = tree_key(name);
  auto select = database_->cached(sql.c_str());
  select->bind(1, zone.row).bind(2, key);
  std::vector<model::Record> records;
  while (select->step()) records.push_back(read_record(*select));
  return records;
}

// Rows count up from 1.
std::uint64_t Store::record_count_at_most() {
  auto select = database_->cached("SELECT max(row) FROM records");
  return select->step() ? static_cast<std::uint64_t>(select->integer(0)) : 0;
}

std::uint64_t Store::record_count(const model::Zone& zone) {
  auto select = database_->cached("SELECT count(*) FROM records WHERE zone = ?1");
  select->bind(1, zone.row);
  return select->step() ? static_cast<std::uint64_t>(select->integer(0)) : 0;
}

void Store::for_each_record(const model::Zone& zone,
                            const std::function<void(const model::Record&)>& visit) {
  static const std::string sql = "SELECT " + std::string(kRecordColumns) +
                                 " FROM records WHERE zone = ?1 ORDER BY name_key, type, rdata";
  auto select = database_->cached(sql.c_str());
  select->bind(1, zone.row);
  while (select->step()) visit(read_record(*select));
}

void Store::for_each_record_view(const model::Zone& zone, const VisitRecord& visit) {
  auto select = database_->cached(
      "SELECT name, type, ttl, proxied, settings, rdata FROM records WHERE zone = ?1 "
      "ORDER BY name_key, type, rdata");
  select->bind(1, zone.row);
  while (select->step()) {
    visit({select->text(0), static_cast<model::RecordType>(select->integer(1)),
           static_cast<std::uint32_t>(select->integer(2)), select->integer(3) != 0,
           read_settings(select->integer(4)), select->blob(5)});
  }
}

}  // namespace brink::ctl::store
