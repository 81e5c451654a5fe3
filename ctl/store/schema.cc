#include "ctl/store/schema.h"

#include <string>

namespace brink::ctl::store {
namespace {

// kMigrations[n] leads from schema n to n + 1; PRAGMA user_version holds the number reached.
constexpr const char* kMigrations[] = {
    // 1: zones, records, and the node's own values
    R"sql(
CREATE TABLE meta (
  key   TEXT PRIMARY KEY,
  value BLOB NOT NULL
) WITHOUT ROWID;
INSERT INTO meta VALUES ('version', 0);

CREATE TABLE zones (
  row          INTEGER PRIMARY KEY,
  id           BLOB NOT NULL UNIQUE,
  name         TEXT NOT NULL UNIQUE,
  status       INTEGER NOT NULL,
  type         INTEGER NOT NULL,
  paused       INTEGER NOT NULL,
  serial       INTEGER NOT NULL,
  soa_ttl      INTEGER,
  soa_rdata    BLOB,
  created_on   INTEGER NOT NULL,
  modified_on  INTEGER NOT NULL,
  activated_on INTEGER
);

CREATE TABLE records (
  row                 INTEGER PRIMARY KEY,
  id                  BLOB NOT NULL UNIQUE,
  zone                INTEGER NOT NULL REFERENCES zones (row) ON DELETE CASCADE,
  name                TEXT NOT NULL,
  type                INTEGER NOT NULL,
  content             TEXT NOT NULL,
  priority            INTEGER,
  rdata               BLOB NOT NULL,
  ttl                 INTEGER NOT NULL,
  proxied             INTEGER NOT NULL,
  comment             TEXT NOT NULL,
  tags                TEXT NOT NULL,    -- one a line
  settings            INTEGER NOT NULL, -- bits: 1 flatten_cname, 2 ipv4_only, 4 ipv6_only
  created_on          INTEGER NOT NULL,
  modified_on         INTEGER NOT NULL,
  comment_modified_on INTEGER,
  tags_modified_on    INTEGER
);
-- A record is its zone, name, type and data. The order is the one in which zones are compiled.
CREATE UNIQUE INDEX records_identity ON records (zone, name, type, rdata);
CREATE INDEX records_of_zone ON records (zone);
)sql",
};
constexpr std::int64_t kNewest = sizeof kMigrations / sizeof kMigrations[0];

std::int64_t schema_number(Database& database) {
  auto statement = database.prepare("PRAGMA user_version");
  return statement->step() ? statement->integer(0) : 0;
}

}  // namespace

base::Result<void> migrate(Database& database) {
  try {
    std::int64_t number = schema_number(database);
    if (number > kNewest) {
      return base::Error{"the store has schema " + std::to_string(number) +
                             ", this program knows up to " + std::to_string(kNewest),
                         "store", "run the newer brink-control that wrote it"};
    }
    for (; number < kNewest; ++number) {
      database.execute("BEGIN IMMEDIATE");
      database.execute(kMigrations[number]);
      database.execute(("PRAGMA user_version = " + std::to_string(number + 1)).c_str());
      database.execute("COMMIT");
    }
  } catch (const Failure& failure) {
    return base::Error{std::string("the schema cannot be brought up to date: ") + failure.what(),
                       "store", "check free disk space and the file's permissions"};
  }
  return {};
}

}  // namespace brink::ctl::store
