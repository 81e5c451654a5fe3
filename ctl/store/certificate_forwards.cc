#include "ctl/store/certificate_forwards.h"

#include "ctl/store/row.h"
#include "ctl/store/zone_tables.h"

namespace brink::ctl::store {

std::vector<model::HostForward> CertificateForwards::list(const model::Id& zone) {
  auto select =
      database_.cached("SELECT host, forwards FROM host_forwards WHERE zone = ?1 ORDER BY host");
  select->bind(1, zone.bytes);
  std::vector<model::HostForward> forwards;
  while (select->step())
    forwards.push_back({std::string(select->text(0)), select->integer(1) != 0});
  return forwards;
}

void CertificateForwards::put(const model::Id& zone, const model::HostForward& forward) {
  ZoneTables(store_).note(zone, TablePart::kHosts);
  auto write = database_.cached("INSERT OR REPLACE INTO host_forwards VALUES (?1, ?2, ?3)");
  write->bind(1, zone.bytes)
      .bind(2, forward.host)
      .bind(3, static_cast<std::int64_t>(forward.forwards))
      .run();
}

}  // namespace brink::ctl::store
