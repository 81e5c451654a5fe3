// AuditLog: who changed what, when, from where, from what and into what. An entry is written by the
// transaction of the change itself. It belongs to an account, or to the node alone.
//
// Belongs to the thread of its Store and borrows it. Failures of the disk or file throw
// store::Failure.
#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <vector>

#include "ctl/model/id.h"
#include "ctl/model/timestamp.h"
#include "ctl/store/query.h"
#include "ctl/store/store.h"

namespace brink::ctl::store {

struct AuditEntry {
  std::int64_t seq = 0;  // the order of entries; grows strictly
  model::Id id;
  model::Timestamp created_on;
  std::optional<model::Id> account;
  std::string actor_type;  // "token", "user", "operator"
  std::string actor_id;    // of token or user; the operator's uid
  std::string actor_name;
  std::string actor_email;
  std::string actor_ip;       // empty: the UNIX socket
  std::string action;         // "create", "update", "delete", "roll", "import" ...
  std::string resource_type;  // "zone", "dns_record", "token" ...
  std::string resource_id;
  std::string resource_name;
  std::string zone;           // name of the zone that it lies in, or is
  std::uint64_t version = 0;  // of the store; 0: it took none
  std::string before, after;  // JSON; empty: it was, or is, not there
};

struct AuditQuery {
  std::optional<model::Id> account;
  std::optional<model::Id> id;
  std::optional<std::string> zone, action, actor_email, actor_ip, resource_type;
  std::optional<model::Timestamp> since, before;  // since <= time < before
  bool descending = true;
  Paging paging;
};

class AuditLog {
 public:
  explicit AuditLog(Store& store) : store_(store), database_(*store.database_) {}

  // Within a write transaction. `seq` is filled in by the store.
  void append(const AuditEntry& entry);
  Page<AuditEntry> list(const AuditQuery& query);
  // Deletes, in a transaction of its own, at most `rows_max` entries that are older than `age_max`
  // or past the newest `entries_max`. True: there is more to delete.
  bool prune(std::chrono::microseconds age_max, std::uint64_t entries_max, model::Timestamp now,
             std::uint64_t rows_max);

 private:
  Store& store_;
  Database& database_;
};

}  // namespace brink::ctl::store
