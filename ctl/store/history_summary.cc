// History: what one version did to each zone, while it is being made and when it is kept.
#include <algorithm>
#include <map>

#include "ctl/store/history.h"
#include "ctl/store/key.h"
#include "ctl/store/log.h"
#include "ctl/store/row.h"

namespace brink::ctl::store {
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
