// Reads the before-images that triggers write into record_log and zone_log. Private to this folder.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <utility>

#include "ctl/model/record.h"
#include "ctl/model/zone.h"
#include "ctl/store/sqlite.h"

namespace brink::ctl::store {

// kInserts: records of consecutive rows, of which the entry has the first; column `ttl` has their
// number, which no other kind of insert uses. Its number in the log is that of the last of them, as
// if each had an entry.
enum class LogKind : std::uint8_t { kInsert = 0, kUpdate = 1, kDelete = 2, kInserts = 3 };

constexpr bool is_insert(LogKind kind) {
  return kind == LogKind::kInsert || kind == LogKind::kInserts;
}

// Zones by row as they were once; empty: not there.
using ZoneStates = std::map<std::int64_t, std::optional<model::Zone>>;

// The states, before the first log entry behind `after_seq`, of all zones that have one.
ZoneStates zones_before(Database& database, std::int64_t after_seq);

// A record in the log: its zone's row and its own, which another zone's record may have later.
using RecordKey = std::pair<std::int64_t, std::int64_t>;
using RecordStates = std::map<RecordKey, std::optional<model::Record>>;

// Likewise of records.
RecordStates records_before(Database& database, std::int64_t after_seq);

std::optional<model::Zone> zone_at(Database& database, std::int64_t row);
std::optional<model::Record> record_at(Database& database, const RecordKey& key);

}  // namespace brink::ctl::store
