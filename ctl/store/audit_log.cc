#include "ctl/store/audit_log.h"

#include "ctl/store/row.h"

namespace brink::ctl::store {
namespace {

constexpr char kColumns[] =
    "seq, id, created_on, account, actor_type, actor_id, actor_name, actor_email, actor_ip, "
    "action, resource_type, resource_id, resource_name, zone, version, before, after";

AuditEntry read_entry(const Statement& row) {
  AuditEntry entry;
  entry.seq = row.integer(0);
  entry.id = read_id(row.blob(1));
  entry.created_on = {row.integer(2)};
  if (!row.is_null(3)) entry.account = read_id(row.blob(3));
  std::string* const texts[] = {&entry.actor_type,    &entry.actor_id,    &entry.actor_name,
                                &entry.actor_email,   &entry.actor_ip,    &entry.action,
                                &entry.resource_type, &entry.resource_id, &entry.resource_name,
                                &entry.zone};
  int column = 4;
  for (std::string* text : texts) *text = row.text(column++);
  entry.version = static_cast<std::uint64_t>(row.integer(14));
  entry.before = row.text(15);
  entry.after = row.text(16);
  return entry;
}

// Conditions with the parameters that stand for them.
class Where {
 public:
  void text(const char* column, const std::optional<std::string>& value) {
    if (value) add(std::string(column) + " = ", {*value, 0, false});
  }
  void id(const char* column, const std::optional<model::Id>& value) {
    if (value) sql_ += " AND " + std::string(column) + " = x'" + value->hex() + "'";
  }
  void time(const char* comparison, const std::optional<model::Timestamp>& value) {
    if (value) add(std::string("created_on ") + comparison, {{}, value->micros, true});
  }
  [[nodiscard]] std::string sql() const { return " FROM audit_log WHERE 1" + sql_; }
  // Binds from 1 on; returns the next free parameter.
  int bind(Statement& statement) const {
    int parameter = 1;
    for (const Value& value : values_) {
      if (value.is_number) {
        statement.bind(parameter++, value.number);
      } else {
        statement.bind(parameter++, std::string_view(value.text));
      }
    }
    return parameter;
  }

 private:
  struct Value {
    std::string text;
    std::int64_t number;
    bool is_number;
  };
  void add(const std::string& condition, Value value) {
    sql_ += " AND " + condition + "?";
    values_.push_back(std::move(value));
  }

  std::string sql_;
  std::vector<Value> values_;
};

}  // namespace

void AuditLog::append(const AuditEntry& entry) {
  auto insert = database_.cached(
      "INSERT INTO audit_log (id, created_on, account, actor_type, actor_id, actor_name, "
      "actor_email, actor_ip, action, resource_type, resource_id, resource_name, zone, version, "
      "before, after) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, "
      "?16)");
  insert->bind(1, entry.id.bytes).bind(2, entry.created_on.micros);
  if (entry.account) insert->bind(3, entry.account->bytes);
  const std::string_view texts[] = {
      entry.actor_type, entry.actor_id,      entry.actor_name,  entry.actor_email,   entry.actor_ip,
      entry.action,     entry.resource_type, entry.resource_id, entry.resource_name, entry.zone};
  int parameter = 4;
  for (const std::string_view text : texts) insert->bind(parameter++, text);
  insert->bind(14, static_cast<std::int64_t>(entry.version))
      .bind(15, entry.before)
      .bind(16, entry.after)
      .run();
}

Page<AuditEntry> AuditLog::list(const AuditQuery& query) {
  Where where;
  where.id("account", query.account);
  where.id("id", query.id);
  where.text("zone", query.zone);
  where.text("action", query.action);
  where.text("actor_email", query.actor_email);
  where.text("actor_ip", query.actor_ip);
  where.text("resource_type", query.resource_type);
  where.time(">= ", query.since);
  where.time("< ", query.before);
  Page<AuditEntry> page;
  auto total = database_.prepare("SELECT count(*)" + where.sql());
  where.bind(*total);
  if (total->step()) page.total = static_cast<std::uint64_t>(total->integer(0));
  const std::uint64_t index = query.paging.page == 0 ? 0 : query.paging.page - 1;
  if (query.paging.per_page == 0 || index > page.total / query.paging.per_page) return page;
  auto select =
      database_.prepare(std::string("SELECT ") + kColumns + where.sql() + " ORDER BY seq" +
                        (query.descending ? " DESC" : "") + " LIMIT ? OFFSET ?");
  const int next = where.bind(*select);
  select->bind(next, static_cast<std::int64_t>(query.paging.per_page));
  select->bind(next + 1, static_cast<std::int64_t>(index * query.paging.per_page));
  while (select->step()) page.items.push_back(read_entry(*select));
  return page;
}

bool AuditLog::prune(std::chrono::microseconds age_max, std::uint64_t entries_max,
                     model::Timestamp now, std::uint64_t rows_max) {
  // Numbers of entries have no gaps but where older ones were deleted.
  auto newest_to_go = database_.cached(
      "SELECT max(coalesce((SELECT seq FROM audit_log WHERE created_on < ?1 "
      "ORDER BY created_on DESC LIMIT 1), 0), "
      "coalesce((SELECT max(seq) FROM audit_log), 0) - ?2), "
      "coalesce((SELECT min(seq) FROM audit_log), 0)");
  newest_to_go->bind(1, now.micros - age_max.count())
      .bind(2, static_cast<std::int64_t>(entries_max));
  CHECK(newest_to_go->step());
  const std::int64_t last = newest_to_go->integer(0), first = newest_to_go->integer(1);
  newest_to_go->reset();
  if (first == 0 || last < first) return false;
  Transaction transaction(store_, Transaction::Kind::kWrite);
  const std::int64_t before = database_.total_changes();
  auto remove = database_.cached(
      "DELETE FROM audit_log WHERE seq IN (SELECT seq FROM audit_log WHERE seq <= ?1 "
      "ORDER BY seq LIMIT ?2)");
  remove->bind(1, last).bind(2, static_cast<std::int64_t>(rows_max)).run();
  const auto gone = static_cast<std::uint64_t>(database_.total_changes() - before);
  transaction.commit();
  return gone == rows_max;
}

}  // namespace brink::ctl::store
