// Store: zones and records in SQLite. One API change is one Transaction, and every changing
// transaction takes the next version, which is also the version of the image that first contains
// it.
//
// A Store belongs to one thread; each thread that reads or writes opens its own on the same path.
// Failures of the disk or the file throw store::Failure (see sqlite.h); rules are not checked here.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "ctl/model/record.h"
#include "ctl/model/zone.h"
#include "ctl/store/query.h"
#include "ctl/store/sqlite.h"
#include "dataplane/base/result.h"

namespace brink::ctl::store {

class Store {
 public:
  // Creates or migrates the file when `access` is kReadWrite.
  static base::Result<std::unique_ptr<Store>> open(const std::string& path, Access access);

  // Version of the last change; grows strictly, also over restarts.
  std::uint64_t version();
  // Within a transaction: makes it a change and returns its version.
  std::uint64_t take_version();

  // Within a transaction: the version is at least `floor` from now on.
  void raise_version(std::uint64_t floor);

  // The value kept under `key`, made by `create` when there is none yet.
  std::vector<std::uint8_t> value_or_create(
      const std::string& key, const std::function<std::vector<std::uint8_t>()>& create);

  // Fills in the row. The name must not be taken.
  void insert_zone(model::Zone& zone);
  void update_zone(const model::Zone& zone);
  void delete_zone(const model::Zone& zone);  // with all its records
  std::optional<model::Zone> zone_by_id(const model::Id& id);
  std::optional<model::Zone> zone_by_name(const model::DomainName& name);
  Page<model::Zone> list_zones(const ZoneQuery& query);
  std::uint64_t zone_count();

  void insert_record(const model::Zone& zone, model::Record& record);
  void update_record(const model::Record& record);
  void delete_record(const model::Record& record);
  std::optional<model::Record> record_by_id(const model::Zone& zone, const model::Id& id);
  std::vector<model::Record> records_at(const model::Zone& zone, const model::DomainName& name);
  Page<model::Record> list_records(const model::Zone& zone, const RecordQuery& query);
  std::uint64_t record_count(const model::Zone& zone);
  std::uint64_t record_count();

  // Zones by name; records of a zone by name, type and data. The callback must not write.
  void for_each_zone(const std::function<void(const model::Zone&)>& visit);
  void for_each_record(const model::Zone& zone,
                       const std::function<void(const model::Record&)>& visit);

 private:
  friend class Transaction;
  explicit Store(std::unique_ptr<Database> database) : database_(std::move(database)) {}

  std::unique_ptr<Database> database_;
};

// Transaction rolls back unless committed. kRead sees one state of the store throughout.
class Transaction {
 public:
  enum class Kind : std::uint8_t { kRead, kWrite };

  Transaction(Store& store, Kind kind);
  ~Transaction();
  Transaction(const Transaction&) = delete;
  Transaction& operator=(const Transaction&) = delete;

  void commit();

 private:
  Database& database_;
  bool open_ = true;
};

}  // namespace brink::ctl::store
