#include "ctl/store/resigned.h"

#include "ctl/store/key.h"
#include "ctl/store/row.h"

namespace brink::ctl::store {

namespace {

// Nothing that is written meanwhile goes into the history.
class Unlogged {
 public:
  explicit Unlogged(Database& database) : database_(database) { database_.set_triggers(false); }
  ~Unlogged() { database_.set_triggers(true); }
  Unlogged(const Unlogged&) = delete;
  Unlogged& operator=(const Unlogged&) = delete;

 private:
  Database& database_;
};

}  // namespace

void ResignedNames::put(model::Zone& zone, const std::vector<model::DomainName>& names,
                        model::Timestamp now) {
  CHECK(store_.in_transaction_);
  if (names.empty()) return;
  const std::uint64_t version = store_.take_version();
  const auto put_name = [&](const model::DomainName& name) {
    const TreeKey key = tree_key(name);
    auto insert = database_.cached("INSERT OR IGNORE INTO resigned_log VALUES (?1, ?2, ?3)");
    insert->bind(1, static_cast<std::int64_t>(version)).bind(2, zone.row).bind(3, key).run();
  };
  for (const model::DomainName& name : names) put_name(name);
  const std::uint32_t serial = model::next_serial(zone, now);
  if (serial == zone.serial) return;
  put_name(zone.name);
  zone.dnssec.resigned += serial - zone.serial;
  zone.serial = serial;
  const std::string dnssec = to_text(zone.dnssec);
  auto update = database_.cached("UPDATE zones SET serial = ?1, dnssec = ?2 WHERE row = ?3");
  update->bind(1, static_cast<std::int64_t>(serial)).bind(2, dnssec).bind(3, zone.row);
  const Unlogged unlogged(database_);
  update->run();
}

std::optional<model::Zone> ResignedNames::next_zone(const std::optional<model::DomainName>& after) {
  static const std::string sql =
      "SELECT " + std::string(kZoneColumns) +
      " FROM zones INDEXED BY zones_dnssec WHERE dnssec <> '' AND name_key > ?1 "
      "ORDER BY name_key LIMIT 1";
  const TreeKey key = after ? tree_key(*after) : TreeKey();
  auto select = database_.cached(sql.c_str());
  select->bind(1, key);
  if (!select->step()) return std::nullopt;
  return read_zone(*select);
}

std::vector<model::DomainName> ResignedNames::names_behind(const model::Zone& zone,
                                                           const model::DomainName& after,
                                                           std::size_t limit) {
  const TreeKey key = tree_key(after);
  auto select = database_.cached(
      "SELECT DISTINCT name_key FROM records WHERE zone = ?1 AND name_key > ?2 "
      "ORDER BY name_key LIMIT ?3");
  select->bind(1, zone.row).bind(2, key).bind(3, static_cast<std::int64_t>(limit));
  std::vector<model::DomainName> names;
  while (select->step()) names.push_back(name_of(select->blob(0)));
  return names;
}

}  // namespace brink::ctl::store
