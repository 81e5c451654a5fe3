#include "ctl/store/zone_tables.h"

#include "ctl/store/row.h"

namespace brink::ctl::store {

using model::Id;

void ZoneTables::note(const Id& zone, TablePart part, std::span<const std::uint8_t> key) {
  const std::uint64_t version = store_.take_version();
  auto insert = database_.cached("INSERT OR IGNORE INTO zone_table_log VALUES (?1, ?2, ?3, ?4)");
  insert->bind(1, static_cast<std::int64_t>(version))
      .bind(2, zone.bytes)
      .bind(3, static_cast<std::int64_t>(part))
      .bind(4, key)
      .run();
}

void ZoneTables::note_authority(const Id& authority, TablePart part,
                                std::span<const std::uint8_t> key) {
  std::vector<Id> zones;
  {
    auto select =
        database_.cached("SELECT DISTINCT zone FROM host_authorities WHERE authority = ?1");
    select->bind(1, authority.bytes);
    while (select->step()) zones.push_back(read_id(select->blob(0)));
  }
  for (const Id& zone : zones) note(zone, part, key);
}

void ZoneTables::note_managed(const Id& account, TablePart part,
                              std::span<const std::uint8_t> key) {
  std::vector<Id> zones;
  {
    auto select = database_.cached(
        "SELECT DISTINCT h.zone FROM host_authorities h JOIN zones z ON z.id = h.zone "
        "WHERE h.authority = x'' AND z.account = ?1");
    select->bind(1, account.bytes);
    while (select->step()) zones.push_back(read_id(select->blob(0)));
  }
  for (const Id& zone : zones) note(zone, part, key);
}

std::vector<Id> ZoneTables::zones() {
  auto select = database_.cached(
      "SELECT zone FROM zone_certificates UNION SELECT zone FROM host_authorities UNION "
      "SELECT zone FROM host_pulls UNION SELECT zone FROM zone_tls UNION "
      "SELECT zone FROM host_forwards UNION "
      "SELECT zone FROM rulesets ORDER BY zone");
  std::vector<Id> zones;
  while (select->step()) zones.push_back(read_id(select->blob(0)));
  return zones;
}

}  // namespace brink::ctl::store
