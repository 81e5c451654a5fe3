// Store: zones and records in SQLite. One API change is one Transaction, and every changing
// transaction takes the next version, which is also the version of the image that first contains
// it. What a version changed is kept by the store itself (see history.h). A change outside of a
// Transaction is one of its own.
//
// A Store belongs to one thread; each thread that reads or writes opens its own on the same path.
// Failures of the disk or the file throw store::Failure (see sqlite.h); rules are not checked here.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "ctl/model/record.h"
#include "ctl/model/zone.h"
#include "ctl/store/key.h"
#include "ctl/store/query.h"
#include "ctl/store/sqlite.h"
#include "ctl/store/zone_directory.h"
#include "dataplane/base/result.h"

namespace brink::ctl::store {

// A name alone, or with all names below it.
enum class Reach : std::uint8_t { kName, kSubtree };

// A record that points at a name.
struct Pointer {
  std::int64_t zone = 0;  // the row of the zone that holds it
  model::DomainName owner;
  model::DomainName target;
};

// An MX or SRV record.
struct Exchange {
  model::RecordType type = 0;
  model::DomainName owner;
  model::DomainName target;
};

// What of a record decides how it is served. Name and data are good until the visit is over.
struct RecordView {
  std::string_view name;  // canonical text
  model::RecordType type = 0;
  std::uint32_t ttl = 0;
  bool proxied = false;
  model::RecordSettings settings;
  std::span<const std::uint8_t> rdata;
};
using VisitRecord = std::function<void(const RecordView&)>;
// Calls `visit` for all records of a zone by name, type and data, names in the order of the tree.
using EachRecord = std::function<void(const VisitRecord& visit)>;

class Store {
 public:
  // Creates or migrates the file when `access` is kReadWrite. `clock` dates versions.
  static base::Result<std::unique_ptr<Store>> open(
      const std::string& path, Access access, model::WallClock clock = model::system_wall_clock());

  // Version of the last change; grows strictly, also over restarts.
  std::uint64_t version();
  // Within a transaction: makes it a change and returns its version, the same one every time. Every
  // change of a zone or record does so by itself.
  std::uint64_t take_version();

  // The version is at least `floor` from now on. Within a transaction before its first change.
  void raise_version(std::uint64_t floor);

  // Values of the node's own, by key.
  std::optional<std::vector<std::uint8_t>> value(const std::string& key);
  void set_value(const std::string& key, std::span<const std::uint8_t> value);
  // The value kept under `key`, made by `create` when there is none yet.
  std::vector<std::uint8_t> value_or_create(
      const std::string& key, const std::function<std::vector<std::uint8_t>()>& create);

  // Called within every write transaction as the last thing before it is committed; what it throws
  // undoes the transaction. It changes neither zones nor records. Empty: nothing is called.
  void set_before_commit(std::function<void()> hook) { before_commit_ = std::move(hook); }
  // See Database::set_after_commit.
  void set_after_commit(Database::AfterCommit hook) {
    database_->set_after_commit(std::move(hook));
  }
  // The version that the open transaction has taken; empty: none.
  [[nodiscard]] std::optional<std::uint64_t> taken_version() const { return taken_; }
  // Whether the open transaction has written anything at all.
  [[nodiscard]] bool has_written() const { return database_->total_changes() != changes_before_; }

  // Fills in the row, unless it has one that is free (a zone that comes back), and the account,
  // unless it names one that there is. The name must not be taken. Rows of deleted zones are not
  // used again while the history knows them.
  void insert_zone(model::Zone& zone);
  // A zone's name and account never change.
  void update_zone(const model::Zone& zone);
  void delete_zone(const model::Zone& zone);  // with all its records
  std::optional<model::Zone> zone_by_id(const model::Id& id);
  std::optional<model::Zone> zone_by_name(const model::DomainName& name);
  // What a zone of this name had before it was deleted, as long as the history knows it.
  std::optional<model::ZoneDns> former_dns(const model::DomainName& name);
  // Whether all zones of an account are answered without the proxy, whatever their own settings
  // say. Kept with each zone too, so that compilation and history have it; a change of it is one of
  // every zone it changes. Within a transaction.
  bool enforces_dns_only(const model::Id& account);
  void enforce_dns_only(const model::Id& account, bool enforced, model::Timestamp now);
  // Of what is committed. From a directory in memory, which the first list fills: about a second
  // with a million zones.
  Page<model::Zone> list_zones(const ZoneQuery& query);
  void fill_zone_directory();  // unless it is filled
  std::uint64_t zone_count();

  // Fills in the row, unless it has one that is free. A record's zone never changes.
  void insert_record(const model::Zone& zone, model::Record& record);
  void update_record(const model::Record& record);
  void delete_record(const model::Record& record);
  std::optional<model::Record> record_by_id(const model::Zone& zone, const model::Id& id);
  std::vector<model::Record> records_at(const model::Zone& zone, const model::DomainName& name);
  Page<model::Record> list_records(const model::Zone& zone, const RecordQuery& query);
  std::uint64_t record_count(const model::Zone& zone);
  std::uint64_t record_count();  // of what is committed; a Store that writes counts them once
  std::uint64_t record_count_at_most();  // at least as many as there are; costs nothing

  // Zones by name; records of a zone by name, type and data; names in the order of the tree, what
  // is above before what is below. The callback must not write, nor call for_each_record.
  void for_each_zone(const std::function<void(const model::Zone&)>& visit);
  void for_each_record(const model::Zone& zone,
                       const std::function<void(const model::Record&)>& visit);
  // The same records in the same order, in half the time.
  void for_each_record_view(const model::Zone& zone, const VisitRecord& visit);

  // The name tree. Each of these costs what it finds, whatever the size of zone and store.

  // Names of all zones below `name`, without itself.
  std::vector<model::DomainName> zones_below(const model::DomainName& name);
  // Whether the zone has a record at or below `name`.
  bool has_records_within(const model::Zone& zone, const model::DomainName& name);
  // Whether the zone has a record of the type at `name`.
  bool has_record(const model::Zone& zone, const model::DomainName& name, model::RecordType type);
  // Records at or below `name`, counted up to `most`.
  std::uint64_t count_within(const model::Zone& zone, const model::DomainName& name,
                             std::uint64_t most);
  // Names with records at or below `name`, each once, until `visit` returns false. The callback
  // must not call for_each_name.
  void for_each_name(const model::Zone& zone, const model::DomainName& name,
                     const std::function<bool(const model::DomainName&)>& visit);
  // The first name with records at or after a place in the order of the tree, and the last before
  // one; empty: there is none in the zone.
  std::optional<model::DomainName> first_name_from(const model::Zone& zone, const TreeKey& key);
  std::optional<model::DomainName> last_name_before(const model::Zone& zone, const TreeKey& key);
  // All CNAME records of all zones, in no particular order. The callback must not write.
  void for_each_alias(const std::function<void(const Pointer&)>& visit);
  // Names of the zone with a CNAME record, each once. Costs what the zone has.
  void for_each_alias_of(const model::Zone& zone,
                         const std::function<void(const model::DomainName&)>& visit);
  // CNAME records of all zones whose target is `name`, or at or below it.
  std::vector<Pointer> aliases_to(const model::DomainName& name, Reach reach);
  // Records of one zone that point there otherwise: DNAME, NS, MX, SRV, SVCB, HTTPS. `name` lies in
  // the zone: of NS records that point out of it not all are found.
  std::vector<Pointer> pointers_to(std::int64_t zone_row, const model::DomainName& name,
                                   Reach reach);
  // MX and SRV records of one zone; without those whose target is the root, which means none.
  std::vector<Exchange> exchanges_of(const model::Zone& zone);

 private:
  friend class Transaction;
  friend class RecordInserter;
  friend class History;
  friend class Identities;
  friend class AuditLog;
  friend class ResolvedNames;
  friend class Activations;
  friend class ZoneCertificates;
  friend class AccountCertificates;
  friend class CertificateForwards;
  friend class ClientCertificates;
  friend class Rulesets;
  friend class DnssecKeys;
  friend class OcspResponses;
  friend class ResignedNames;
  friend class ZoneTables;
  Store(std::unique_ptr<Database> database, Access access, model::WallClock clock)
      : database_(std::move(database)), access_(access), clock_(std::move(clock)) {}

  // Runs `write` as part of the transaction, which takes a version before it, or as one of its own.
  void change(const std::function<void()>& write);
  void write_record(const model::Zone& zone, model::Record& record);
  // Counts what the version did to each zone.
  void summarize(std::uint64_t version);
  // What is kept in memory follows the transaction, which is committed now, or forgets about it.
  void follow_commit();
  void forget_changes();

  std::unique_ptr<Database> database_;
  const Access access_;
  model::WallClock clock_;
  // Kept in step by the Store that writes; one that only reads sees others' changes and keeps
  // nothing.
  std::unique_ptr<ZoneDirectory> directory_;
  std::optional<std::uint64_t> record_count_;
  std::vector<std::int64_t> changed_zones_;  // rows, of the open transaction
  std::int64_t more_records_ = 0;            // by the open transaction
  std::function<void()> before_commit_;
  bool in_transaction_ = false;
  std::int64_t changes_before_ = 0;     // of the database, when the transaction began
  std::optional<std::uint64_t> taken_;  // by the transaction that is open
  bool summarized_ = false;             // what that did; it changes nothing more
  bool inserting_ = false;              // a RecordInserter (record_inserter.h) is at work
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
  Store& store_;
  const Kind kind_;
  bool open_ = true;
};

}  // namespace brink::ctl::store
