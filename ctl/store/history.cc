#include "ctl/store/history.h"

#include <algorithm>

#include "ctl/store/differences.h"
#include "ctl/store/key.h"
#include "ctl/store/log.h"
#include "ctl/store/row.h"

namespace brink::ctl::store {
namespace {

std::int64_t number(Borrowed statement, std::int64_t otherwise = 0) {
  return statement->step() ? statement->optional_integer(0).value_or(otherwise) : otherwise;
}

// Coverage comes along with the certificates that it is of: TablePart::kCoverage.
constexpr char kTablesOfVersion[] =
    "SELECT count(*) FROM zone_table_log WHERE version = ?1 AND part <> 6";

}  // namespace

std::uint64_t History::floor() {
  return static_cast<std::uint64_t>(
      number(database_.cached("SELECT value FROM meta WHERE key = 'history_floor'")));
}

std::optional<std::uint64_t> History::token(std::uint64_t version) {
  auto select = database_.cached("SELECT token FROM versions WHERE version = ?1");
  select->bind(1, static_cast<std::int64_t>(version));
  if (!select->step()) return std::nullopt;
  return static_cast<std::uint64_t>(select->integer(0));
}

History::Sequences History::sequences_after(std::uint64_t version) {
  auto next = database_.cached(
      "SELECT record_seq, zone_seq FROM versions WHERE version > ?1 ORDER BY version LIMIT 1");
  next->bind(1, static_cast<std::int64_t>(version));
  if (next->step()) return {next->integer(0), next->integer(1)};
  return {number(database_.cached("SELECT max(seq) FROM record_log")),
          number(database_.cached("SELECT max(seq) FROM zone_log"))};
}

std::optional<Changes> History::changes_between(std::uint64_t from, std::uint64_t to,
                                                std::uint64_t most) {
  const auto overtaken = static_cast<std::uint64_t>(
      number(database_.cached("SELECT value FROM meta WHERE key = 'overtaken'")));
  if (from > to || to > store_.version() || from < floor()) return std::nullopt;
  if (overtaken != 0 && from <= overtaken) return std::nullopt;
  const Sequences first = sequences_after(from), last = sequences_after(to);
  Differences differences(database_, most);
  differences.add_zones(first.zone, last.zone);
  if (!differences.add_records(first.record, last.record)) return std::nullopt;
  Changes changes = differences.take();
  changes.from = from;
  changes.resolved = resolved_between(from, to);
  changes.resigned = resigned_between(from, to);
  changes.tables = tables_between(from, to);
  return changes;
}

std::uint64_t History::entries_between(std::uint64_t from, std::uint64_t to) {
  const Sequences first = sequences_after(from), last = sequences_after(to);
  return static_cast<std::uint64_t>(last.record - first.record + last.zone - first.zone);
}

std::vector<ResignedName> History::resigned_between(std::uint64_t from, std::uint64_t to) {
  auto select = database_.cached(
      "SELECT DISTINCT z.name, l.name_key FROM resigned_log l JOIN zones z ON z.row = l.zone "
      "WHERE l.version > ?1 AND l.version <= ?2");
  select->bind(1, static_cast<std::int64_t>(from)).bind(2, static_cast<std::int64_t>(to));
  std::vector<ResignedName> names;
  while (select->step()) names.push_back({read_name(select->text(0)), name_of(select->blob(1))});
  return names;
}

std::vector<TableChange> History::tables_between(std::uint64_t from, std::uint64_t to) {
  auto select = database_.cached(
      "SELECT DISTINCT z.name, l.part, l.key FROM zone_table_log l JOIN zones z ON z.id = l.zone "
      "WHERE l.version > ?1 AND l.version <= ?2");
  select->bind(1, static_cast<std::int64_t>(from)).bind(2, static_cast<std::int64_t>(to));
  std::vector<TableChange> tables;
  while (select->step()) {
    const auto key = select->blob(2);
    tables.push_back({read_name(select->text(0)),
                      static_cast<TablePart>(select->integer(1)),
                      {key.begin(), key.end()}});
  }
  return tables;
}

std::vector<model::DomainName> History::resolved_between(std::uint64_t from, std::uint64_t to) {
  auto select = database_.cached(
      "SELECT DISTINCT name FROM resolved_log WHERE version > ?1 AND version <= ?2");
  select->bind(1, static_cast<std::int64_t>(from)).bind(2, static_cast<std::int64_t>(to));
  std::vector<model::DomainName> names;
  while (select->step()) names.push_back(read_name(select->text(0)));
  return names;
}

std::vector<VersionSummary> History::list(std::uint64_t limit, std::optional<std::uint64_t> before,
                                          const std::optional<model::DomainName>& zone) {
  constexpr auto kNewest = std::numeric_limits<std::int64_t>::max();
  const auto bounded = [](std::uint64_t value) {
    return static_cast<std::int64_t>(std::min(value, static_cast<std::uint64_t>(kNewest)));
  };
  // The floor's own row is kept for its token.
  auto select = zone ? database_.cached(
                           "SELECT version, created_on FROM versions WHERE version < ?1 AND "
                           "version > ?3 AND version IN (SELECT version FROM version_zones WHERE "
                           "name = ?4) ORDER BY version DESC LIMIT ?2")
                     : database_.cached(
                           "SELECT version, created_on FROM versions WHERE version < ?1 AND "
                           "version > ?3 ORDER BY version DESC LIMIT ?2");
  select->bind(1, before ? bounded(*before) : kNewest)
      .bind(2, bounded(limit))
      .bind(3, bounded(floor()));
  if (zone) select->bind(4, zone->text());
  std::vector<VersionSummary> versions;
  while (select->step()) {
    const auto version = static_cast<std::uint64_t>(select->integer(0));
    const auto logged = [&](const char* count) {
      auto statement = database_.cached(count);
      statement->bind(1, select->integer(0));
      return static_cast<std::uint64_t>(statement->step() ? statement->integer(0) : 0);
    };
    versions.push_back({version,
                        {select->integer(1)},
                        zones_of(version, zone),
                        logged("SELECT count(*) FROM resolved_log WHERE version = ?1"),
                        logged("SELECT count(*) FROM resigned_log WHERE version = ?1"),
                        logged(kTablesOfVersion)});
  }
  return versions;
}

std::vector<ZoneSummary> History::zones_of(std::uint64_t version,
                                           const std::optional<model::DomainName>& zone) {
  auto select = database_.cached(
      "SELECT name, action, added, changed, removed FROM version_zones WHERE version = ?1 "
      "ORDER BY name");
  select->bind(1, static_cast<std::int64_t>(version));
  std::vector<ZoneSummary> zones;
  while (select->step()) {
    model::DomainName name = read_name(select->text(0));
    if (zone && name != *zone) continue;
    zones.push_back({std::move(name), static_cast<ZoneAction>(select->integer(1)),
                     static_cast<std::uint64_t>(select->integer(2)),
                     static_cast<std::uint64_t>(select->integer(3)),
                     static_cast<std::uint64_t>(select->integer(4))});
  }
  return zones;
}

std::uint64_t History::prune(const PruneLimits& limits, model::Timestamp now,
                             std::uint64_t needed) {
  const auto oldest = static_cast<std::int64_t>(floor());
  std::int64_t forget = 0;
  if (limits.versions_max) {
    auto select =
        database_.cached("SELECT version FROM versions ORDER BY version DESC LIMIT 1 OFFSET ?1");
    select->bind(1, static_cast<std::int64_t>(*limits.versions_max));
    if (select->step()) forget = select->integer(0);
  }
  if (limits.age_max) {
    auto select = database_.cached(
        "SELECT version FROM versions WHERE created_on < ?1 ORDER BY version DESC LIMIT 1");
    select->bind(1, now.micros - limits.age_max->count());
    if (select->step()) forget = std::max(forget, select->integer(0));
  }
  forget = std::min(forget, static_cast<std::int64_t>(needed));
  {
    auto select = database_.cached(
        "SELECT version FROM versions WHERE version > ?1 ORDER BY version LIMIT 1 OFFSET ?2");
    select->bind(1, oldest).bind(2, static_cast<std::int64_t>(kPruneMax) - 1);
    if (select->step()) forget = std::min(forget, select->integer(0));
  }
  if (forget <= oldest) return 0;

  std::optional<Transaction> own;
  if (!store_.in_transaction_) own.emplace(store_, Transaction::Kind::kWrite);
  auto count =
      database_.cached("SELECT count(*) FROM versions WHERE version > ?1 AND version <= ?2");
  count->bind(1, oldest).bind(2, forget);
  const std::int64_t gone = count->step() ? count->integer(0) : 0;
  database_.cached("UPDATE meta SET value = ?1 WHERE key = 'history_floor'")->bind(1, forget).run();
  database_.cached("DELETE FROM versions WHERE version < ?1")->bind(1, forget).run();
  if (own) own->commit();
  return static_cast<std::uint64_t>(gone);
}

namespace {

// Keys, certificates and rulesets of zones that no rollback can bring back any more. Those of
// host_pulls go before the certificates that they refer to.
void forget_zone_contents(Database& database) {
  for (const char* table :
       {"host_pulls", "host_authorities", "host_forwards", "zone_certificates",
        "client_certificates", "zone_tls", "rulesets", "dnssec_keys", "dnssec_zones"}) {
    const std::string sql = std::string("DELETE FROM ") + table +
                            " WHERE zone NOT IN (SELECT id FROM zones) AND zone NOT IN "
                            "(SELECT id FROM zone_log WHERE kind = 2)";
    database.execute(sql.c_str());
  }
}

}  // namespace

bool History::sweep(std::uint64_t rows_max) {
  std::optional<Transaction> own;
  if (!store_.in_transaction_) own.emplace(store_, Transaction::Kind::kWrite);
  const std::uint64_t oldest = floor();
  const Sequences last = sequences_after(oldest);
  bool more = false;
  const auto remove = [&](const char* sql, std::int64_t bound) {
    auto statement = database_.cached(sql);
    statement->bind(1, bound).bind(2, static_cast<std::int64_t>(rows_max));
    std::uint64_t gone = 0;
    while (statement->step()) ++gone;
    more = more || gone == rows_max;
  };
  // The newest entry stays, so that numbers go on from there.
  remove(
      "DELETE FROM record_log WHERE seq IN (SELECT seq FROM record_log WHERE seq <= ?1 AND "
      "seq < (SELECT max(seq) FROM record_log) ORDER BY seq LIMIT ?2) RETURNING 1",
      last.record);
  remove(
      "DELETE FROM zone_log WHERE seq IN (SELECT seq FROM zone_log WHERE seq <= ?1 AND "
      "seq < (SELECT max(seq) FROM zone_log) ORDER BY seq LIMIT ?2) RETURNING 1",
      last.zone);
  remove(
      "DELETE FROM version_zones WHERE (version, zone) IN (SELECT version, zone FROM version_zones "
      "WHERE version <= ?1 ORDER BY version LIMIT ?2) RETURNING 1",
      static_cast<std::int64_t>(oldest));
  remove(
      "DELETE FROM resolved_log WHERE (version, name) IN (SELECT version, name FROM resolved_log "
      "WHERE version <= ?1 ORDER BY version LIMIT ?2) RETURNING 1",
      static_cast<std::int64_t>(oldest));
  remove(
      "DELETE FROM resigned_log WHERE (version, zone, name_key) IN (SELECT version, zone, name_key "
      "FROM resigned_log WHERE version <= ?1 ORDER BY version LIMIT ?2) RETURNING 1",
      static_cast<std::int64_t>(oldest));
  remove(
      "DELETE FROM zone_table_log WHERE (version, zone, part, key) IN (SELECT version, zone, part, "
      "key FROM zone_table_log WHERE version <= ?1 ORDER BY version LIMIT ?2) RETURNING 1",
      static_cast<std::int64_t>(oldest));
  if (!more) forget_zone_contents(database_);
  if (own) own->commit();
  return more;
}

}  // namespace brink::ctl::store
