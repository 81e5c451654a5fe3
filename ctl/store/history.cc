#include "ctl/store/history.h"

#include <algorithm>
#include <map>
#include <set>

#include "ctl/model/proxy_settings.h"
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

// What HTTPS records are made of, beside certificates.
bool differs_in_https(const model::Zone& before, const model::Zone& after) {
  if (before.settings == after.settings) return false;
  const auto one = model::proxy_settings(before.settings);
  const auto other = model::proxy_settings(after.settings);
  return one.http2 != other.http2 || one.serves_https() != other.serves_https();
}

// More than what is served at the apex alone.
bool differs_whole(const model::Zone& before, const model::Zone& after) {
  return before.row != after.row || before.status != after.status || before.type != after.type ||
         before.paused != after.paused || before.dns.differs_below_apex(after.dns) ||
         before.dnssec.differs_below_apex(after.dnssec) ||
         // Every record of the chain has the TTL of negative answers (RFC 9077).
         (after.dnssec.is_signed() && before.soa != after.soa) || differs_in_https(before, after);
}

// Collects the answer of changes_between.
class Differences {
 public:
  Differences(Database& database, std::uint64_t most) : database_(database), most_(most) {}

  void add_zones(std::int64_t from_seq, std::int64_t to_seq);
  // False: there are more than `most`.
  [[nodiscard]] bool add_records(std::int64_t from_seq, std::int64_t to_seq);
  Changes take();

 private:
  using ZoneRows = std::map<std::int64_t, std::optional<model::Zone>>;

  void find_imports(std::int64_t from_seq);
  [[nodiscard]] bool has_runs(std::int64_t from_seq);
  void make_whole(std::int64_t zone_row);
  [[nodiscard]] bool is_too_much() const { return names_.size() + changes_.unlisted > most_; }
  NameChange& name_change(std::int64_t zone_row, const model::DomainName& name);
  void note(std::int64_t zone_row, const model::DomainName& name, model::RecordType type);
  void note_target(std::int64_t zone_row, const model::DomainName& name, model::RecordType type,
                   std::span<const std::uint8_t> rdata);
  [[nodiscard]] bool has_untouched(std::int64_t zone_row, const model::DomainName& name);
  std::optional<model::DomainName> zone_name(std::int64_t row);

  Database& database_;
  const std::uint64_t most_;
  Changes changes_;
  std::string imports_ = "[]";  // rows of zones whose new records are not listed, as JSON
  std::map<std::pair<std::int64_t, model::DomainName>, NameChange> names_;
  std::set<RecordKey> touched_;
};

// A zone is known by its name: one that was deleted and made anew has changed.
void Differences::add_zones(std::int64_t from_seq, std::int64_t to_seq) {
  ZoneRows later = zones_before(database_, to_seq);
  std::map<model::DomainName, std::pair<std::optional<model::Zone>, std::optional<model::Zone>>>
      states;
  for (auto& [row, before] : zones_before(database_, from_seq)) {
    const auto known = later.find(row);
    auto after = known == later.end() ? zone_at(database_, row) : known->second;
    if (before) states[before->name].first = before;
    if (after) states[after->name].second = std::move(after);
  }
  for (const auto& [name, state] : states) {
    const auto& [before, after] = state;
    if (!before) {
      changes_.zones.push_back({name, ZoneAction::kCreated, false});
    } else if (!after) {
      changes_.zones.push_back({name, ZoneAction::kDeleted, false});
    } else {
      changes_.zones.push_back({name, ZoneAction::kChanged, differs_whole(*before, *after)});
    }
  }
}

// So many new records are not looked at one by one, if they are this part of their zone.
constexpr std::int64_t kImportMin = 10'000;
constexpr std::int64_t kImportPart = 4;

void Differences::find_imports(std::int64_t from_seq) {
  auto select = database_.cached(
      "SELECT zone, sum(iif(kind = 0, 1, ttl)) AS inserts FROM record_log WHERE seq > ?1 AND "
      "kind IN (0, 3) GROUP BY zone HAVING inserts >= ?2");
  select->bind(1, from_seq).bind(2, kImportMin);
  std::string rows;
  while (select->step()) {
    const std::int64_t row = select->integer(0);
    auto count = database_.cached("SELECT count(*) FROM records WHERE zone = ?1");
    count->bind(1, row);
    const std::int64_t records = count->step() ? count->integer(0) : 0;
    if (records == 0 || select->integer(1) < records / kImportPart) continue;
    changes_.unlisted += static_cast<std::uint64_t>(records);
    make_whole(row);
    rows += (rows.empty() ? "" : ",") + std::to_string(row);
  }
  imports_ = "[" + rows + "]";
}

void Differences::make_whole(std::int64_t zone_row) {
  const auto name = zone_name(zone_row);
  CHECK(name.has_value());
  const auto known = std::find_if(changes_.zones.begin(), changes_.zones.end(),
                                  [&](const ZoneChange& change) { return change.name == *name; });
  if (known == changes_.zones.end()) {
    changes_.zones.push_back({*name, ZoneAction::kChanged, true});
  } else if (known->action == ZoneAction::kChanged) {
    known->whole = true;
  }
}

constexpr char kEntries[] =
    "SELECT l.seq, l.kind, l.zone, l.row, l.name, l.type, r.name, r.type, l.rdata FROM record_log "
    "l "
    "LEFT JOIN records r ON r.row = l.row AND r.zone = l.zone WHERE l.seq > ?1 AND "
    "(l.kind <> 0 OR l.zone NOT IN (SELECT value FROM json_each(?2))) ORDER BY l.seq";
// The same with a row for every record of entries that have many.
constexpr char kEntriesOfRuns[] =
    "WITH RECURSIVE entries (seq, kind, zone, row, more, name, type, rdata) AS "
    "  (SELECT seq, kind, zone, row, iif(kind = 3, ttl - 1, 0), name, type, rdata FROM "
    "   record_log "
    "   WHERE seq > ?1 AND "
    "     (kind NOT IN (0, 3) OR zone NOT IN (SELECT value FROM json_each(?2))) UNION ALL "
    "   SELECT seq, kind, zone, row + 1, more - 1, NULL, NULL, NULL FROM entries WHERE more > 0) "
    "SELECT l.seq, l.kind, l.zone, l.row, l.name, l.type, r.name, r.type, l.rdata FROM entries l "
    "LEFT JOIN records r ON r.row = l.row AND r.zone = l.zone ORDER BY l.seq";

bool Differences::has_runs(std::int64_t from_seq) {
  auto select = database_.cached("SELECT 1 FROM record_log WHERE seq > ?1 AND kind = 3 LIMIT 1");
  select->bind(1, from_seq);
  return select->step();
}

// A record's names are those of its before-images, of what it is now, and, when `to` is not now, of
// the first before-image behind it. What else changed behind it may be among them.
bool Differences::add_records(std::int64_t from_seq, std::int64_t to_seq) {
  if (to_seq - from_seq >= kImportMin) find_imports(from_seq);
  if (is_too_much()) return false;
  auto select = database_.prepare(has_runs(from_seq) ? kEntriesOfRuns : kEntries);
  select->bind(1, from_seq).bind(2, imports_);
  std::set<RecordKey> behind;
  while (select->step()) {
    const RecordKey key(select->integer(2), select->integer(3));
    const auto type = [&](int column) {
      return static_cast<model::RecordType>(select->integer(column));
    };
    const bool is_behind = select->integer(0) > to_seq;
    const bool first = touched_.insert(key).second;
    if (is_behind && (first || !behind.insert(key).second)) continue;
    if (!is_insert(static_cast<LogKind>(select->integer(1)))) {
      const model::DomainName name = read_name(select->text(4));
      note(key.first, name, type(5));
      note_target(key.first, name, type(5), select->blob(8));
      if (first) name_change(key.first, name).existed = true;
    }
    if (!is_behind && !select->is_null(6)) note(key.first, read_name(select->text(6)), type(7));
    if (is_too_much()) return false;
  }
  return true;
}

NameChange& Differences::name_change(std::int64_t zone_row, const model::DomainName& name) {
  return names_[{zone_row, name}];
}

void Differences::note(std::int64_t zone_row, const model::DomainName& name,
                       model::RecordType type) {
  NameChange& change = name_change(zone_row, name);
  change.addresses = change.addresses || model::is_proxiable(type);
  change.cut = change.cut || type == model::kTypeNs || type == model::kTypeDname;
}

void Differences::note_target(std::int64_t zone_row, const model::DomainName& name,
                              model::RecordType type, std::span<const std::uint8_t> rdata) {
  if (type != model::kTypeMx && type != model::kTypeSrv) return;
  const auto key = target_key(type, rdata);
  if (key) name_change(zone_row, name).former_targets.insert(name_of(*key));
}

bool Differences::has_untouched(std::int64_t zone_row, const model::DomainName& name) {
  const TreeKey key = tree_key(name);
  auto select = database_.cached("SELECT row FROM records WHERE zone = ?1 AND name_key = ?2");
  select->bind(1, zone_row).bind(2, key);
  while (select->step()) {
    if (!touched_.contains({zone_row, select->integer(0)})) return true;
  }
  return false;
}

// The log keeps the name of a zone that is gone.
std::optional<model::DomainName> Differences::zone_name(std::int64_t row) {
  auto select = database_.cached(
      "SELECT name FROM zones WHERE row = ?1 UNION ALL "
      "SELECT name FROM zone_log WHERE row = ?1 AND name IS NOT NULL LIMIT 1");
  select->bind(1, row);
  if (!select->step()) return std::nullopt;
  return read_name(select->text(0));
}

Changes Differences::take() {
  std::optional<model::DomainName> zone;
  std::int64_t zone_row = 0;
  for (auto& [key, change] : names_) {
    if (key.first != zone_row) {
      zone_row = key.first;
      zone = zone_name(zone_row);
    }
    if (!zone) continue;
    change.zone = *zone;
    change.name = key.second;
    change.existed = change.existed || has_untouched(zone_row, change.name);
    changes_.names.push_back(std::move(change));
  }
  return std::move(changes_);
}

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

namespace {

using Counts = std::map<std::int64_t, ZoneSummary>;  // by the zone's row

void count_zones(Database& database, std::int64_t after_seq, Counts& counts) {
  for (const auto& [row, before] : zones_before(database, after_seq)) {
    const auto after = zone_at(database, row);
    if (!before && !after) continue;
    ZoneSummary& summary = counts[row];
    summary.name = after ? after->name : before->name;
    summary.action =
        !before ? ZoneAction::kCreated : (after ? ZoneAction::kChanged : ZoneAction::kDeleted);
  }
}

// By zone: records added, changed and removed behind an entry of the log.
constexpr char kCountTouched[] =
    "WITH RECURSIVE runs (seq, zone, row, more) AS "
    "  (SELECT seq, zone, row, ttl - 1 FROM record_log WHERE seq > ?1 AND kind = 3 UNION ALL "
    "   SELECT seq, zone, row + 1, more - 1 FROM runs WHERE more > 0), "
    "entries AS (SELECT seq, zone, row FROM record_log WHERE seq > ?1 AND kind <> 3 UNION ALL "
    "            SELECT seq, zone, row FROM runs), "
    "touched AS (SELECT zone, row, min(seq) AS first, max(seq) AS last FROM entries "
    "            GROUP BY zone, row) "
    "SELECT touched.zone, sum(f.kind IN (0, 3) AND l.kind <> 2), "
    "sum(f.kind NOT IN (0, 3) AND l.kind <> 2), sum(f.kind NOT IN (0, 3) AND l.kind = 2) "
    "FROM touched "
    "JOIN record_log f ON f.seq = touched.first JOIN record_log l ON l.seq = touched.last "
    "GROUP BY touched.zone";
// The same, when there are inserts only: a row that was inserted twice was deleted meanwhile.
constexpr char kCountInserted[] =
    "SELECT zone, sum(iif(kind = 0, 1, ttl)), 0, 0 FROM record_log WHERE seq > ?1 GROUP BY zone";

bool has_only_inserts(Database& database, std::int64_t after_seq) {
  auto other =
      database.cached("SELECT 1 FROM record_log WHERE seq > ?1 AND kind NOT IN (0, 3) LIMIT 1");
  other->bind(1, after_seq);
  return !other->step();
}

void count_records(Database& database, std::int64_t after_seq, Counts& counts) {
  const bool is_import = has_only_inserts(database, after_seq);
  auto select = database.cached(is_import ? kCountInserted : kCountTouched);
  select->bind(1, after_seq);
  while (select->step()) {
    const std::int64_t row = select->integer(0);
    const auto known = counts.find(row);
    if (known == counts.end()) {
      const auto zone = zone_at(database, row);
      if (!zone) continue;  // made and deleted within the version
      counts[row].name = zone->name;
    }
    ZoneSummary& summary = counts[row];
    summary.added = static_cast<std::uint64_t>(select->integer(1));
    summary.changed = static_cast<std::uint64_t>(select->integer(2));
    summary.removed = static_cast<std::uint64_t>(select->integer(3));
  }
}

// What `version`, which has been taken and is the newest, did to each zone.
Counts counts_of(Database& database, std::uint64_t version) {
  Counts counts;
  auto started = database.cached("SELECT record_seq, zone_seq FROM versions WHERE version = ?1");
  started->bind(1, static_cast<std::int64_t>(version));
  if (!started->step()) return counts;
  count_zones(database, started->integer(1), counts);
  count_records(database, started->integer(0), counts);
  return counts;
}

}  // namespace

std::vector<ZoneSummary> History::summary_so_far() {
  std::vector<ZoneSummary> zones;
  if (!store_.taken_) return zones;
  if (store_.summarized_) return zones_of(*store_.taken_, std::nullopt);
  for (auto& [row, zone] : counts_of(database_, *store_.taken_)) zones.push_back(std::move(zone));
  std::sort(zones.begin(), zones.end(),
            [](const ZoneSummary& a, const ZoneSummary& b) { return a.name < b.name; });
  return zones;
}

std::optional<OpenChanges> History::open_changes(std::uint64_t records_max) {
  OpenChanges changes;
  if (!store_.taken_) return changes;
  auto started = database_.cached("SELECT record_seq, zone_seq FROM versions WHERE version = ?1");
  started->bind(1, static_cast<std::int64_t>(*store_.taken_));
  CHECK(started->step());
  const Sequences first{started->integer(0), started->integer(1)};
  auto newest = database_.cached("SELECT max(seq) FROM record_log");
  const std::int64_t entries = newest->step() ? newest->integer(0) - first.record : 0;
  if (entries > static_cast<std::int64_t>(records_max)) return std::nullopt;
  const ZoneStates zones = zones_before(database_, first.zone);
  for (const auto& [row, before] : zones) {
    auto after = zone_at(database_, row);
    if (before || after) changes.zones.push_back({before, std::move(after)});
  }
  for (auto& [key, before] : records_before(database_, first.record)) {
    auto after = record_at(database_, key);
    if (before == after) continue;
    auto zone = zone_at(database_, key.first);
    const auto known = zones.find(key.first);
    if (!zone && known != zones.end()) zone = known->second;
    if (!zone) continue;
    if (before && after && before->id != after->id) {  // the row was used again
      changes.records.push_back({*zone, std::exchange(before, std::nullopt), std::nullopt});
    }
    changes.records.push_back({*std::move(zone), std::move(before), std::move(after)});
  }
  return changes;
}

void Store::summarize(std::uint64_t version) {
  for (const auto& [row, zone] : counts_of(*database_, version)) {
    auto insert =
        database_->cached("INSERT INTO version_zones VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)");
    insert->bind(1, static_cast<std::int64_t>(version))
        .bind(2, row)
        .bind(3, zone.name.text())
        .bind(4, static_cast<std::int64_t>(zone.action))
        .bind(5, static_cast<std::int64_t>(zone.added))
        .bind(6, static_cast<std::int64_t>(zone.changed))
        .bind(7, static_cast<std::int64_t>(zone.removed))
        .run();
  }
  summarized_ = true;
}

}  // namespace brink::ctl::store
