#include "ctl/store/schema.h"

#include <string>

#include "ctl/store/key.h"
#include "ctl/store/row.h"

namespace brink::ctl::store {
namespace {

// What SQL cannot compute, between the two halves of a migration.
using Fill = void (*)(Database&);

struct Migration {
  const char* before;
  Fill fill = nullptr;
  const char* after = nullptr;
};

constexpr char kRecordStore[] = R"sql(
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
)sql";

constexpr char kKeyColumns[] = R"sql(
ALTER TABLE zones ADD COLUMN name_key BLOB NOT NULL DEFAULT x'';
ALTER TABLE records ADD COLUMN name_key BLOB NOT NULL DEFAULT x'';
ALTER TABLE records ADD COLUMN target_key BLOB;
)sql";

// A log entry without a before-image is an insert. It is stamped with the version that its
// transaction has taken.
constexpr char kHistory[] = R"sql(
CREATE UNIQUE INDEX zones_tree ON zones (name_key);
DROP INDEX records_identity;
-- A record is its zone, name, type and data. The order is the one in which zones are compiled.
CREATE UNIQUE INDEX records_identity ON records (zone, name_key, type, rdata);
CREATE INDEX records_aliases ON records (target_key) WHERE type = 5;
CREATE INDEX records_targets ON records (zone, target_key)
  WHERE target_key IS NOT NULL AND type <> 5;

-- The entries of a version are those behind record_seq and zone_seq, up to the next version's.
CREATE TABLE versions (
  version    INTEGER PRIMARY KEY,
  created_on INTEGER NOT NULL,
  record_seq INTEGER NOT NULL,
  zone_seq   INTEGER NOT NULL,
  -- Tells this version from one of another store, or of this one before a backup was restored.
  token      INTEGER NOT NULL DEFAULT (random())
);
-- What a version did to a zone, counted when it was committed.
CREATE TABLE version_zones (
  version INTEGER NOT NULL,
  zone    INTEGER NOT NULL,
  name    TEXT NOT NULL,
  action  INTEGER NOT NULL, -- 0 created, 1 changed, 2 deleted
  added   INTEGER NOT NULL,
  changed INTEGER NOT NULL,
  removed INTEGER NOT NULL,
  PRIMARY KEY (version, zone)
) WITHOUT ROWID;

CREATE TABLE zone_log (
  seq          INTEGER PRIMARY KEY,
  version      INTEGER NOT NULL,
  kind         INTEGER NOT NULL, -- 0 insert, 1 update, 2 delete
  row          INTEGER NOT NULL,
  id           BLOB,
  name         TEXT,
  status       INTEGER,
  type         INTEGER,
  paused       INTEGER,
  serial       INTEGER,
  soa_ttl      INTEGER,
  soa_rdata    BLOB,
  created_on   INTEGER,
  modified_on  INTEGER,
  activated_on INTEGER
);
CREATE INDEX zone_log_row ON zone_log (row);
CREATE TABLE record_log (
  seq                 INTEGER PRIMARY KEY,
  version             INTEGER NOT NULL,
  kind                INTEGER NOT NULL,
  zone                INTEGER NOT NULL,
  row                 INTEGER NOT NULL,
  id                  BLOB,
  name                TEXT,
  type                INTEGER,
  content             TEXT,
  priority            INTEGER,
  rdata               BLOB,
  ttl                 INTEGER,
  proxied             INTEGER,
  comment             TEXT,
  tags                TEXT,
  settings            INTEGER,
  created_on          INTEGER,
  modified_on         INTEGER,
  comment_modified_on INTEGER,
  tags_modified_on    INTEGER
);
INSERT INTO meta SELECT 'history_floor', value FROM meta WHERE key = 'version';

CREATE TRIGGER zone_inserted AFTER INSERT ON zones BEGIN
  INSERT INTO zone_log (version, kind, row)
    VALUES ((SELECT value FROM meta WHERE key = 'version'), 0, NEW.row);
END;
CREATE TRIGGER zone_updated BEFORE UPDATE ON zones BEGIN
  INSERT INTO zone_log VALUES (NULL, (SELECT value FROM meta WHERE key = 'version'), 1, OLD.row,
    OLD.id, OLD.name, OLD.status, OLD.type, OLD.paused, OLD.serial, OLD.soa_ttl, OLD.soa_rdata,
    OLD.created_on, OLD.modified_on, OLD.activated_on);
END;
CREATE TRIGGER zone_deleted BEFORE DELETE ON zones BEGIN
  INSERT INTO zone_log VALUES (NULL, (SELECT value FROM meta WHERE key = 'version'), 2, OLD.row,
    OLD.id, OLD.name, OLD.status, OLD.type, OLD.paused, OLD.serial, OLD.soa_ttl, OLD.soa_rdata,
    OLD.created_on, OLD.modified_on, OLD.activated_on);
END;
CREATE TRIGGER record_inserted AFTER INSERT ON records BEGIN
  INSERT INTO record_log (version, kind, zone, row)
    VALUES ((SELECT value FROM meta WHERE key = 'version'), 0, NEW.zone, NEW.row);
END;
CREATE TRIGGER record_updated BEFORE UPDATE ON records BEGIN
  INSERT INTO record_log VALUES (NULL, (SELECT value FROM meta WHERE key = 'version'), 1, OLD.zone,
    OLD.row, OLD.id, OLD.name, OLD.type, OLD.content, OLD.priority, OLD.rdata, OLD.ttl,
    OLD.proxied, OLD.comment, OLD.tags, OLD.settings, OLD.created_on, OLD.modified_on,
    OLD.comment_modified_on, OLD.tags_modified_on);
END;
CREATE TRIGGER record_deleted BEFORE DELETE ON records BEGIN
  INSERT INTO record_log VALUES (NULL, (SELECT value FROM meta WHERE key = 'version'), 2, OLD.zone,
    OLD.row, OLD.id, OLD.name, OLD.type, OLD.content, OLD.priority, OLD.rdata, OLD.ttl,
    OLD.proxied, OLD.comment, OLD.tags, OLD.settings, OLD.created_on, OLD.modified_on,
    OLD.comment_modified_on, OLD.tags_modified_on);
END;
)sql";

// Accounts, users, tokens, the audit log. A zone's account is part of its history.
constexpr char kIdentities[] = R"sql(
CREATE TABLE accounts (
  row        INTEGER PRIMARY KEY,
  id         BLOB NOT NULL UNIQUE,
  name       TEXT NOT NULL UNIQUE,
  created_on INTEGER NOT NULL
);
-- The node's first account has had an id before it had a row.
INSERT OR IGNORE INTO meta VALUES ('account', randomblob(16));
INSERT INTO accounts (id, name, created_on) SELECT value, 'brink',
  CAST(strftime('%s', 'now') AS INTEGER) * 1000000 FROM meta WHERE key = 'account';

CREATE TABLE users (
  row        INTEGER PRIMARY KEY,
  id         BLOB NOT NULL UNIQUE,
  account    BLOB NOT NULL REFERENCES accounts (id) ON DELETE CASCADE,
  email      TEXT NOT NULL UNIQUE,
  key_hash   BLOB NOT NULL, -- SHA-256
  created_on INTEGER NOT NULL
);
CREATE INDEX users_of_account ON users (account);
CREATE TABLE tokens (
  row         INTEGER PRIMARY KEY,
  id          BLOB NOT NULL UNIQUE,
  account     BLOB NOT NULL REFERENCES accounts (id) ON DELETE CASCADE,
  user        BLOB REFERENCES users (id) ON DELETE CASCADE,
  name        TEXT NOT NULL,
  secret_hash BLOB NOT NULL UNIQUE, -- SHA-256
  disabled    INTEGER NOT NULL,
  not_before  INTEGER,
  expires_on  INTEGER,
  issued_on   INTEGER NOT NULL,
  modified_on INTEGER NOT NULL,
  client      TEXT NOT NULL, -- JSON, as the API has it
  policies    TEXT NOT NULL  -- JSON, as the API has it
);
CREATE INDEX tokens_of_account ON tokens (account);
CREATE INDEX tokens_of_user ON tokens (user);

CREATE TABLE audit_log (
  seq           INTEGER PRIMARY KEY AUTOINCREMENT,
  id            BLOB NOT NULL UNIQUE,
  created_on    INTEGER NOT NULL,
  account       BLOB, -- NULL: the node's own
  actor_type    TEXT NOT NULL,
  actor_id      TEXT NOT NULL,
  actor_name    TEXT NOT NULL,
  actor_email   TEXT NOT NULL,
  actor_ip      TEXT NOT NULL,
  action        TEXT NOT NULL,
  resource_type TEXT NOT NULL,
  resource_id   TEXT NOT NULL,
  resource_name TEXT NOT NULL,
  zone          TEXT NOT NULL,
  version       INTEGER NOT NULL,
  before        TEXT NOT NULL, -- JSON, empty for none
  after         TEXT NOT NULL
);
CREATE INDEX audit_log_account ON audit_log (account, seq);
CREATE INDEX audit_log_zone ON audit_log (zone, seq);
CREATE INDEX audit_log_time ON audit_log (created_on);

DROP TRIGGER zone_updated;
DROP TRIGGER zone_deleted;
ALTER TABLE zones ADD COLUMN account BLOB NOT NULL DEFAULT x'';
ALTER TABLE zone_log ADD COLUMN account BLOB;
UPDATE zones SET account = (SELECT value FROM meta WHERE key = 'account');
UPDATE zone_log SET account = (SELECT value FROM meta WHERE key = 'account') WHERE kind <> 0;
CREATE INDEX zones_of_account ON zones (account);
)sql";

// What names outside the served zones lead to, and which version changed that. Zones that are
// active so far were made so by an operator.
constexpr char kOutside[] = R"sql(
CREATE TABLE resolved (
  name      TEXT PRIMARY KEY,
  addresses BLOB NOT NULL, -- 16 octets each
  ttl       INTEGER NOT NULL
) WITHOUT ROWID;
CREATE TABLE resolved_log (
  version INTEGER NOT NULL,
  name    TEXT NOT NULL,
  PRIMARY KEY (version, name)
) WITHOUT ROWID;
CREATE TRIGGER resolved_inserted AFTER INSERT ON resolved BEGIN
  INSERT INTO resolved_log SELECT value, NEW.name FROM meta WHERE key = 'version' AND NOT EXISTS
    (SELECT 1 FROM resolved_log WHERE version = meta.value AND name = NEW.name);
END;
CREATE TRIGGER resolved_updated AFTER UPDATE ON resolved BEGIN
  INSERT INTO resolved_log SELECT value, NEW.name FROM meta WHERE key = 'version' AND NOT EXISTS
    (SELECT 1 FROM resolved_log WHERE version = meta.value AND name = NEW.name);
END;

CREATE TABLE activations (
  zone_id    BLOB PRIMARY KEY,
  forced     INTEGER NOT NULL DEFAULT 0,
  checks     INTEGER NOT NULL DEFAULT 0,
  failures   INTEGER NOT NULL DEFAULT 0,
  checked_on INTEGER,
  next_on    INTEGER NOT NULL,
  result     TEXT NOT NULL DEFAULT ''
) WITHOUT ROWID;
CREATE INDEX activations_next ON activations (next_on);
INSERT INTO activations (zone_id, forced, next_on) SELECT id, status = 2, created_on FROM zones;
CREATE TRIGGER zone_to_be_checked AFTER INSERT ON zones BEGIN
  INSERT OR IGNORE INTO activations (zone_id, next_on) VALUES (NEW.id, NEW.created_on);
END;
)sql";

// What of a zone decides how it is answered, and the settings that are kept for others. A deleted
// zone's are looked for by its name.
constexpr char kZoneSettings[] = R"sql(
ALTER TABLE zones ADD COLUMN dns TEXT NOT NULL DEFAULT '';
ALTER TABLE zones ADD COLUMN settings TEXT NOT NULL DEFAULT '';
ALTER TABLE zone_log ADD COLUMN dns TEXT;
ALTER TABLE zone_log ADD COLUMN settings TEXT;
CREATE INDEX zone_log_deleted ON zone_log (name, seq) WHERE kind = 2;
)sql";

// Certificates with their sealed keys, and rulesets. They belong to a zone by its id and not by a
// reference: a zone that a rollback brings back finds them again, see History::sweep.
constexpr char kCertificates[] = R"sql(
CREATE TABLE zone_certificates (
  row           INTEGER PRIMARY KEY,
  id            BLOB NOT NULL UNIQUE,
  zone          BLOB NOT NULL,
  purpose       INTEGER NOT NULL, -- 0 edge, 1 origin pulls of the zone, 2 of single names, 3 trust in origins
  certificate   TEXT NOT NULL,    -- JSON
  fingerprint   TEXT NOT NULL,
  expires_on    INTEGER NOT NULL,
  sealed_key    BLOB NOT NULL,
  bundle_method INTEGER NOT NULL,
  legacy        INTEGER NOT NULL,
  priority      INTEGER NOT NULL,
  uploaded_on   INTEGER NOT NULL,
  modified_on   INTEGER NOT NULL
);
CREATE INDEX zone_certificates_zone ON zone_certificates (zone, purpose);
CREATE TABLE account_certificates (
  row         INTEGER PRIMARY KEY,
  id          BLOB NOT NULL UNIQUE,
  account     BLOB NOT NULL REFERENCES accounts (id) ON DELETE CASCADE,
  name        TEXT NOT NULL,
  certificate TEXT NOT NULL, -- JSON
  fingerprint TEXT NOT NULL,
  sealed_key  BLOB,
  managed     INTEGER NOT NULL,
  uploaded_on INTEGER NOT NULL
);
CREATE INDEX account_certificates_account ON account_certificates (account);
-- An account has one authority of its own at most.
CREATE UNIQUE INDEX account_certificates_managed ON account_certificates (account) WHERE managed;
CREATE TABLE client_certificates (
  row           INTEGER PRIMARY KEY,
  id            BLOB NOT NULL UNIQUE,
  zone          BLOB NOT NULL,
  authority     BLOB NOT NULL,
  certificate   TEXT NOT NULL, -- JSON
  csr           TEXT NOT NULL,
  validity_days INTEGER NOT NULL,
  revoked       INTEGER NOT NULL,
  issued_on     INTEGER NOT NULL
);
CREATE INDEX client_certificates_zone ON client_certificates (zone);
CREATE TABLE host_pulls (
  zone        BLOB NOT NULL,
  host        TEXT NOT NULL,
  certificate BLOB NOT NULL REFERENCES zone_certificates (id),
  enabled     INTEGER NOT NULL,
  created_on  INTEGER NOT NULL,
  updated_on  INTEGER NOT NULL,
  PRIMARY KEY (zone, host)
) WITHOUT ROWID;
CREATE INDEX host_pulls_certificate ON host_pulls (certificate);
CREATE TABLE host_authorities (
  zone      BLOB NOT NULL,
  authority BLOB NOT NULL, -- empty: the managed one
  host      TEXT NOT NULL,
  PRIMARY KEY (zone, authority, host)
) WITHOUT ROWID;
CREATE INDEX host_authorities_authority ON host_authorities (authority);
CREATE TABLE zone_tls (
  zone         BLOB PRIMARY KEY,
  universal    INTEGER NOT NULL,
  origin_pulls INTEGER NOT NULL
) WITHOUT ROWID;
CREATE TABLE rulesets (
  row          INTEGER PRIMARY KEY,
  id           BLOB NOT NULL UNIQUE,
  zone         BLOB NOT NULL,
  phase        INTEGER NOT NULL,
  name         TEXT NOT NULL,
  description  TEXT NOT NULL,
  version      INTEGER NOT NULL,
  last_updated INTEGER NOT NULL,
  rules        TEXT NOT NULL, -- JSON, as the API has it
  UNIQUE (zone, phase)
);
)sql";

constexpr char kTokenUse[] = R"sql(
ALTER TABLE tokens ADD COLUMN last_used_on INTEGER;
)sql";

// Whether and how a zone is signed is a column of its own, part of its history. Keys belong to it by
// its id, like certificates. What the sweeps for signatures whose time is over have found takes
// versions, like names outside.
constexpr char kDnssec[] = R"sql(
ALTER TABLE zones ADD COLUMN dnssec TEXT NOT NULL DEFAULT '';
ALTER TABLE zone_log ADD COLUMN dnssec TEXT;
CREATE INDEX zones_dnssec ON zones (name_key) WHERE dnssec <> '';

CREATE TABLE dnssec_keys (
  row        INTEGER PRIMARY KEY,
  id         BLOB NOT NULL UNIQUE,
  zone       BLOB NOT NULL,
  role       INTEGER NOT NULL, -- 0 key-signing, 1 zone-signing, 2 both
  state      INTEGER NOT NULL, -- the steps of a key's life, from 0
  since      INTEGER NOT NULL, -- seconds
  with_set   INTEGER NOT NULL,
  ds_shown   INTEGER NOT NULL,
  ds_since   INTEGER NOT NULL, -- seconds
  uses       INTEGER NOT NULL, -- bits: 1 in DNSKEY, 2 signs it, 4 signs CDS, 8 signs the rest, 16 in CDS
  dnskey     BLOB NOT NULL,    -- RDATA
  sealed_key BLOB NOT NULL,
  created_on INTEGER NOT NULL,
  spare      INTEGER NOT NULL
);
CREATE INDEX dnssec_keys_zone ON dnssec_keys (zone);
CREATE TABLE dnssec_zones (
  zone        BLOB PRIMARY KEY,
  no_ds_since INTEGER,          -- seconds
  roll_ksk    INTEGER NOT NULL,
  roll_zsk    INTEGER NOT NULL,
  apex        BLOB NOT NULL,    -- DNSKEY, CDS and CDNSKEY as they are served
  step_on     INTEGER,          -- when time alone makes a difference
  look_on     INTEGER,          -- when to look at the parent
  looks       INTEGER NOT NULL, -- in a row that changed nothing
  looked_on   INTEGER,
  waits       INTEGER NOT NULL, -- for the parent
  result      TEXT NOT NULL     -- of the last look, for people
) WITHOUT ROWID;
CREATE INDEX dnssec_zones_step ON dnssec_zones (step_on) WHERE step_on IS NOT NULL;
CREATE INDEX dnssec_zones_look ON dnssec_zones (look_on) WHERE look_on IS NOT NULL;
CREATE TABLE resigned_log (
  version  INTEGER NOT NULL,
  zone     INTEGER NOT NULL,
  name_key BLOB NOT NULL,
  PRIMARY KEY (version, zone, name_key)
) WITHOUT ROWID;
)sql";

// What versions changed of what the edge has of zones beside their names, by the zone's id; see
// store::TablePart.
constexpr char kZoneTables[] = R"sql(
CREATE TABLE zone_table_log (
  version INTEGER NOT NULL,
  zone    BLOB NOT NULL,
  part    INTEGER NOT NULL,
  key     BLOB NOT NULL,
  PRIMARY KEY (version, zone, part, key)
) WITHOUT ROWID;
CREATE INDEX client_certificates_revoked ON client_certificates (authority) WHERE revoked;
)sql";

// What responders have said of certificates that clients are shown. It is state, not configuration: a
// response reaches the edge with a version of its own, and what is only about the next look takes none.
constexpr char kStapling[] = R"sql(
CREATE TABLE host_forwards (
  zone     BLOB NOT NULL,
  host     TEXT NOT NULL,
  forwards INTEGER NOT NULL,
  PRIMARY KEY (zone, host)
) WITHOUT ROWID;
CREATE TABLE ocsp_responses (
  certificate BLOB PRIMARY KEY REFERENCES zone_certificates (id) ON DELETE CASCADE,
  fingerprint TEXT NOT NULL,    -- of the certificate that was asked about
  responder   TEXT NOT NULL,    -- URL
  response    BLOB,             -- DER, the last that was good
  status      INTEGER NOT NULL, -- what it says: 0 good, 1 revoked
  this_update INTEGER NOT NULL, -- seconds
  next_update INTEGER NOT NULL,
  fetched_on  INTEGER NOT NULL, -- seconds; 0: never
  look_on     INTEGER NOT NULL, -- when to ask again
  failures    INTEGER NOT NULL, -- in a row
  fault       TEXT NOT NULL     -- of the last look; empty: none
);
CREATE INDEX ocsp_responses_look ON ocsp_responses (look_on);
INSERT INTO ocsp_responses SELECT id, fingerprint, '', NULL, 0, 0, 0, 0, 0, 0, ''
  FROM zone_certificates WHERE purpose = 0;
)sql";

// Makes the triggers that keep before-images of zones anew, from the columns that the log has.
void renew_zone_triggers(Database& database) {
  std::string columns, values;
  {
    auto select = database.prepare(
        "SELECT name FROM pragma_table_info('zone_log') WHERE name NOT IN "
        "('seq', 'version', 'kind')");
    while (select->step()) {
      columns += ", " + std::string(select->text(0));
      values += ", OLD." + std::string(select->text(0));
    }
  }
  const auto trigger = [&](const std::string& name, const std::string& event,
                           const std::string& kind) {
    const std::string sql =
        "DROP TRIGGER IF EXISTS " + name + "; CREATE TRIGGER " + name + " BEFORE " + event +
        " ON zones BEGIN INSERT INTO zone_log (version, kind" + columns +
        ") VALUES ((SELECT value FROM meta WHERE key = 'version'), " + kind + values + "); END;";
    database.execute(sql.c_str());
  };
  trigger("zone_updated", "UPDATE", "1");
  trigger("zone_deleted", "DELETE", "2");
}

void fill_zone_keys(Database& database) {
  auto select = database.prepare("SELECT row, name FROM zones");
  auto update = database.prepare("UPDATE zones SET name_key = ?1 WHERE row = ?2");
  while (select->step()) {
    const TreeKey key = tree_key(read_name(select->text(1)));
    update->bind(1, key).bind(2, select->integer(0)).run();
  }
}

void fill_keys(Database& database) {
  fill_zone_keys(database);
  auto select = database.prepare("SELECT row, name, type, rdata FROM records");
  auto update =
      database.prepare("UPDATE records SET name_key = ?1, target_key = ?2 WHERE row = ?3");
  while (select->step()) {
    const TreeKey key = tree_key(read_name(select->text(1)));
    const auto target =
        target_key(static_cast<model::RecordType>(select->integer(2)), select->blob(3));
    update->bind(1, key).bind(3, select->integer(0));
    if (target) update->bind(2, *target);
    update->run();
  }
}

// kMigrations[n] leads from schema n to n + 1; PRAGMA user_version holds the number reached.
constexpr Migration kMigrations[] = {
    {kRecordStore},                        // 1: zones, records, and the node's own values
    {kKeyColumns, fill_keys, kHistory},    // 2: the name tree, targets, history
    {kIdentities, renew_zone_triggers},    // 3: accounts, users, tokens, audit log
    {kOutside},                            // 4: names outside, activation checks
    {kZoneSettings, renew_zone_triggers},  // 5: settings of zones
    {kCertificates},                       // 6: certificates and rulesets
    {kTokenUse},                           // 7: when tokens were used
    {kDnssec, renew_zone_triggers},        // 8: DNSSEC
    {kZoneTables},                         // 9: certificates and rules take versions
    {kStapling},                           // 10: OCSP responses, certificates for origins
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
      const Migration& migration = kMigrations[number];
      database.execute(migration.before);
      if (migration.fill != nullptr) migration.fill(database);
      if (migration.after != nullptr) database.execute(migration.after);
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
