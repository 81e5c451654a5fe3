#include "ctl/store/log.h"

#include <string>

#include "ctl/store/row.h"

namespace brink::ctl::store {
namespace {

constexpr int kInsertsColumn = 2 + 7;  // `ttl` in kRecordColumns

}  // namespace

ZoneStates zones_before(Database& database, std::int64_t after_seq) {
  auto select = database.prepare("SELECT kind, " + std::string(kZoneColumns) +
                                 " FROM zone_log WHERE seq > ?1 ORDER BY seq");
  select->bind(1, after_seq);
  ZoneStates states;
  while (select->step()) {
    const auto [state, fresh] = states.try_emplace(select->integer(1));
    if (!fresh || static_cast<LogKind>(select->integer(0)) == LogKind::kInsert) continue;
    state->second = read_zone(*select, 1);
  }
  return states;
}

RecordStates records_before(Database& database, std::int64_t after_seq) {
  auto select = database.prepare("SELECT kind, zone, " + std::string(kRecordColumns) +
                                 " FROM record_log WHERE seq > ?1 ORDER BY seq");
  select->bind(1, after_seq);
  RecordStates states;
  while (select->step()) {
    const auto kind = static_cast<LogKind>(select->integer(0));
    const std::int64_t zone = select->integer(1), row = select->integer(2);
    if (kind == LogKind::kInserts) {
      const std::int64_t count = select->integer(kInsertsColumn);
      for (std::int64_t i = 0; i < count; ++i) states.try_emplace({zone, row + i});
      continue;
    }
    const auto [state, fresh] = states.try_emplace({zone, row});
    if (fresh && !is_insert(kind)) state->second = read_record(*select, 2);
  }
  return states;
}

std::optional<model::Zone> zone_at(Database& database, std::int64_t row) {
  static const std::string sql =
      "SELECT " + std::string(kZoneColumns) + " FROM zones WHERE row = ?1";
  auto select = database.cached(sql.c_str());
  select->bind(1, row);
  if (!select->step()) return std::nullopt;
  return read_zone(*select);
}

std::optional<model::Record> record_at(Database& database, const RecordKey& key) {
  static const std::string sql =
      "SELECT " + std::string(kRecordColumns) + " FROM records WHERE row = ?1 AND zone = ?2";
  auto select = database.cached(sql.c_str());
  select->bind(1, key.second).bind(2, key.first);
  if (!select->step()) return std::nullopt;
  return read_record(*select);
}

}  // namespace brink::ctl::store
