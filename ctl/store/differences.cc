#include "ctl/store/differences.h"

#include <algorithm>

#include "ctl/model/proxy_settings.h"
#include "ctl/store/key.h"
#include "ctl/store/row.h"

namespace brink::ctl::store {
namespace {

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

}  // namespace

// A zone is known by its name: one that was deleted and made anew has changed.
void Differences::add_zones(std::int64_t from_seq, std::int64_t to_seq) {
  ZoneStates later = zones_before(database_, to_seq);
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

}  // namespace brink::ctl::store
