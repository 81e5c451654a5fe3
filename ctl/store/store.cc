#include "ctl/store/store.h"

#include "ctl/store/identities.h"
#include "ctl/store/row.h"
#include "ctl/store/schema.h"
#include "ctl/store/zone_settings.h"

namespace brink::ctl::store {
namespace {

// What is stored of a zone besides its own members; must outlive the statement's run.
struct Derived {
  explicit Derived(const model::Zone& zone)
      : key(tree_key(zone.name)), dns(to_text(zone.dns)), settings(join_settings(zone.settings)),
        dnssec(to_text(zone.dnssec)) {}

  TreeKey key;
  std::string dns;
  std::string settings;
  std::string dnssec;
};

void bind_zone(Statement& statement, const model::Zone& zone, const Derived& derived) {
  statement.bind(1, zone.id.bytes)
      .bind(2, zone.name.text())
      .bind(3, static_cast<std::int64_t>(zone.status))
      .bind(4, static_cast<std::int64_t>(zone.type))
      .bind(5, static_cast<std::int64_t>(zone.paused))
      .bind(6, static_cast<std::int64_t>(zone.serial))
      .bind(9, zone.created_on.micros)
      .bind(10, zone.modified_on.micros)
      .bind(11, micros(zone.activated_on))
      .bind(12, derived.key)
      .bind(14, derived.dns)
      .bind(15, derived.settings)
      .bind(17, derived.dnssec);
  if (zone.soa) {
    statement.bind(7, static_cast<std::int64_t>(zone.soa->ttl)).bind(8, zone.soa->rdata);
  }
}

std::int64_t count(Borrowed statement) {
  return statement->step() ? statement->integer(0) : 0;
}

}  // namespace

base::Result<std::unique_ptr<Store>> Store::open(const std::string& path, Access access,
                                                 model::WallClock clock) {
  auto database = Database::open(path, access);
  if (!database) return database.error();
  if (access == Access::kReadWrite) {
    if (auto migrated = migrate(*database.value()); !migrated) return migrated.error();
  }
  return std::unique_ptr<Store>(new Store(std::move(database).value(), access, std::move(clock)));
}

std::uint64_t Store::version() {
  return static_cast<std::uint64_t>(
      count(database_->cached("SELECT value FROM meta WHERE key = 'version'")));
}

std::uint64_t Store::take_version() {
  if (taken_) return *taken_;
  if (!in_transaction_) {
    Transaction own(*this, Transaction::Kind::kWrite);
    const std::uint64_t version = take_version();
    own.commit();
    return version;
  }
  database_->cached("UPDATE meta SET value = value + 1 WHERE key = 'version'")->run();
  taken_ = version();
  auto insert = database_->cached(
      "INSERT INTO versions (version, created_on, record_seq, zone_seq) VALUES (?1, ?2, "
      "(SELECT coalesce(max(seq), 0) FROM record_log), "
      "(SELECT coalesce(max(seq), 0) FROM zone_log))");
  insert->bind(1, static_cast<std::int64_t>(*taken_)).bind(2, clock_().micros).run();
  return *taken_;
}

void Store::change(const std::function<void()>& write) {
  CHECK(!inserting_);
  if (in_transaction_) {
    take_version();
    return write();
  }
  Transaction own(*this, Transaction::Kind::kWrite);
  take_version();
  write();
  own.commit();
}

void Store::raise_version(std::uint64_t floor) {
  CHECK(!taken_);
  if (floor <= version()) return;
  // Versions up to here may name other states elsewhere: no differences are told from them.
  auto overtaken = database_->cached("INSERT OR REPLACE INTO meta VALUES ('overtaken', ?1)");
  overtaken->bind(1, static_cast<std::int64_t>(floor)).run();
  auto update = database_->cached("UPDATE meta SET value = ?1 WHERE key = 'version'");
  update->bind(1, static_cast<std::int64_t>(floor)).run();
}

std::optional<std::vector<std::uint8_t>> Store::value(const std::string& key) {
  auto read = database_->cached("SELECT value FROM meta WHERE key = ?1");
  read->bind(1, key);
  if (!read->step()) return std::nullopt;
  const auto blob = read->blob(0);
  return std::vector<std::uint8_t>(blob.begin(), blob.end());
}

void Store::set_value(const std::string& key, std::span<const std::uint8_t> value) {
  auto write = database_->cached("INSERT OR REPLACE INTO meta VALUES (?1, ?2)");
  write->bind(1, key).bind(2, value).run();
}

std::vector<std::uint8_t> Store::value_or_create(
    const std::string& key, const std::function<std::vector<std::uint8_t>()>& create) {
  auto read = database_->cached("SELECT value FROM meta WHERE key = ?1");
  read->bind(1, key);
  if (read->step()) {
    const auto blob = read->blob(0);
    return {blob.begin(), blob.end()};
  }
  std::vector<std::uint8_t> value = create();
  auto write = database_->cached("INSERT INTO meta VALUES (?1, ?2)");
  write->bind(1, key).bind(2, value).run();
  return value;
}

void Store::insert_zone(model::Zone& zone) {
  Identities identities(*this);
  if (!identities.account_by_id(zone.account)) zone.account = identities.first_account();
  change([&] {
    if (zone.row == 0) {
      zone.row =
          count(database_->cached("SELECT 1 + max(coalesce((SELECT max(row) FROM zones), 0), "
                                  "coalesce((SELECT max(row) FROM zone_log), 0))"));
    }
    auto insert = database_->cached(
        "INSERT INTO zones (id, name, status, type, paused, serial, soa_ttl, soa_rdata, "
        "created_on, modified_on, activated_on, name_key, row, dns, settings, account, dnssec) "
        "VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17)");
    const Derived derived(zone);
    bind_zone(*insert, zone, derived);
    insert->bind(13, zone.row).bind(16, zone.account.bytes).run();
    changed_zones_.push_back(zone.row);
  });
}

void Store::update_zone(const model::Zone& zone) {
  change([&] {
    auto update = database_->cached(
        "UPDATE zones SET id = ?1, name = ?2, status = ?3, type = ?4, paused = ?5, serial = ?6, "
        "soa_ttl = ?7, soa_rdata = ?8, created_on = ?9, modified_on = ?10, activated_on = ?11, "
        "name_key = ?12, dns = ?14, settings = ?15, dnssec = ?17 WHERE row = ?13");
    const Derived derived(zone);
    bind_zone(*update, zone, derived);
    update->bind(13, zone.row).run();
    changed_zones_.push_back(zone.row);
  });
}

void Store::delete_zone(const model::Zone& zone) {
  change([&] {
    if (record_count_) more_records_ -= static_cast<std::int64_t>(record_count(zone));
    database_->cached("DELETE FROM zones WHERE row = ?1")->bind(1, zone.row).run();
    changed_zones_.push_back(zone.row);
  });
}

std::optional<model::Zone> Store::zone_by_id(const model::Id& id) {
  static const std::string sql =
      "SELECT " + std::string(kZoneColumns) + " FROM zones WHERE id = ?1";
  auto select = database_->cached(sql.c_str());
  select->bind(1, id.bytes);
  if (!select->step()) return std::nullopt;
  return read_zone(*select);
}

std::optional<model::Zone> Store::zone_by_name(const model::DomainName& name) {
  static const std::string sql =
      "SELECT " + std::string(kZoneColumns) + " FROM zones WHERE name = ?1";
  auto select = database_->cached(sql.c_str());
  select->bind(1, name.text());
  if (!select->step()) return std::nullopt;
  return read_zone(*select);
}

std::uint64_t Store::zone_count() {
  return static_cast<std::uint64_t>(count(database_->cached("SELECT count(*) FROM zones")));
}

std::uint64_t Store::record_count() {
  if (record_count_) return *record_count_;
  const auto counted =
      static_cast<std::uint64_t>(count(database_->cached("SELECT count(*) FROM records")));
  if (access_ == Access::kReadWrite && !in_transaction_) record_count_ = counted;
  return counted;
}

void Store::for_each_zone(const std::function<void(const model::Zone&)>& visit) {
  auto select =
      database_->prepare("SELECT " + std::string(kZoneColumns) + " FROM zones ORDER BY name_key");
  while (select->step()) visit(read_zone(*select));
}

void Store::follow_commit() {
  if (record_count_) {
    *record_count_ =
        static_cast<std::uint64_t>(static_cast<std::int64_t>(*record_count_) + more_records_);
  }
  if (directory_) {
    auto select =
        database_->cached("SELECT row, name, status, type, account FROM zones WHERE row = ?1");
    // First those that are gone: their names may have been used again.
    for (const bool gone : {true, false}) {
      for (const std::int64_t row : changed_zones_) {
        select->bind(1, row);
        const bool is_there = select->step();
        if (gone && !is_there) directory_->erase(row);
        if (!gone && is_there) directory_->put(directory_entry(*select));
        select->reset();
      }
    }
  }
  forget_changes();
}

void Store::forget_changes() {
  changed_zones_.clear();
  more_records_ = 0;
}

Transaction::Transaction(Store& store, Kind kind) : store_(store), kind_(kind) {
  CHECK(!store.in_transaction_);
  store.database_->execute(kind == Kind::kRead ? "BEGIN" : "BEGIN IMMEDIATE");
  store.in_transaction_ = true;
  store.changes_before_ = store.database_->total_changes();
  if (kind == Kind::kWrite) {
    store.database_->widen();
  } else {
    // A deferred transaction fixes what it sees at its first read.
    store.version();
  }
}

Transaction::~Transaction() {
  if (!open_) return;
  store_.in_transaction_ = false;
  store_.taken_.reset();
  store_.summarized_ = store_.inserting_ = false;
  store_.forget_changes();
  try {
    if (kind_ == Kind::kWrite) store_.database_->shrink();
    store_.database_->execute("ROLLBACK");
  } catch (const Failure&) {
    // SQLite has already rolled back by itself, as it does when the disk is full.
  }
}

void Transaction::commit() {
  CHECK(!store_.inserting_);  // or the history would not know of them
  if (store_.taken_) store_.summarize(*store_.taken_);
  if (kind_ == Kind::kWrite && store_.before_commit_) store_.before_commit_();
  store_.database_->execute("COMMIT");
  open_ = false;
  store_.in_transaction_ = false;
  store_.taken_.reset();
  store_.summarized_ = false;
  if (kind_ == Kind::kWrite) {
    try {
      store_.follow_commit();
    } catch (const Failure&) {
      // The change is made all the same; what is in memory is read anew when it is needed.
      store_.directory_.reset();
      store_.record_count_.reset();
      store_.forget_changes();
    }
    store_.database_->shrink();
  }
}

}  // namespace brink::ctl::store
