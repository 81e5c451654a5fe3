// History: what each version of a store changed, kept by the store itself as before-images of every
// record and zone that was inserted, updated or deleted. From it come the differences that a
// transaction for the edge is made of, the list that an operator reads, and the way back.
//
// Belongs to the thread of its Store and borrows it. Failures of the disk or file throw
// store::Failure. "After version v" is the state that the transaction which took v left behind.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "ctl/model/name.h"
#include "ctl/model/timestamp.h"
#include "ctl/store/store.h"
#include "dataplane/base/result.h"

namespace brink::ctl::store {

// What happened to a zone from one version to another.
enum class ZoneAction : std::uint8_t { kCreated = 0, kChanged = 1, kDeleted = 2 };

struct ZoneChange {
  model::DomainName name;
  ZoneAction action = ZoneAction::kChanged;
  // Of kChanged: more than the apex, times and settings kept for others differs (status, pause,
  // type, ZoneDns, ZoneDnssec, what HTTPS records are made of; deleted and made anew), so that any
  // of its names may be served in another way. Keys that come and go without signing names change
  // the apex alone. Or so many records came in that those are not listed by name, see Changes.
  bool whole = false;
};

// A name some of whose records changed.
struct NameChange {
  model::DomainName zone;
  model::DomainName name;
  bool existed = false;    // it certainly had records before
  bool addresses = false;  // an A, AAAA or CNAME record is among what changed
  bool cut = false;        // an NS or DNAME record is among what changed
  // What MX and SRV records point at that are gone or changed, as they were before.
  std::set<model::DomainName> former_targets = {};
};

// A name of a signed zone whose signatures are to be made anew, since their time comes to an end. It
// is the apex, has records, or has some below it.
struct ResignedName {
  model::DomainName zone;
  model::DomainName name;

  auto operator<=>(const ResignedName&) const = default;
};

// What the edge has of a zone beside its names and settings.
enum class TablePart : std::uint8_t {
  kCertificate = 0,  // the one with this id
  kHosts = 1,        // which certificates names show, and which clients they ask
  kAuthorities = 2,  // that names ask clients of, with all that they revoked
  kRevocation = 3,   // one: the authority's id and the serial's octets
  kOriginPulls = 4,  // what origins are shown
  kRules = 5,
  kCoverage = 6,  // whether a certificate covers the host whose text is the key
  kTrustStore = 7,  // whom it trusts to sign certificates of its origins
};

struct TableChange {
  model::DomainName zone;
  TablePart part = TablePart::kCertificate;
  std::vector<std::uint8_t> key;  // as the part says
};

// Each zone and each (zone, name) once, in no particular order. Names that a deleted zone had are
// among `names`. A zone that a large part of its records was added to (an import) is `whole` or
// created, and only what was changed or removed of it is among `names`.
struct Changes {
  // All that differs from the state after this version on is among them; empty: not known.
  std::optional<std::uint64_t> from = std::nullopt;
  std::vector<ZoneChange> zones = {};
  std::vector<NameChange> names = {};
  std::uint64_t unlisted = 0;  // records of zones of the latter kind, all together
  std::vector<model::DomainName> resolved = {};  // outside the served zones, with other addresses
  std::vector<ResignedName> resigned = {};       // of zones that are there
  std::vector<TableChange> tables = {};          // likewise, each once
};

// What a version did to a zone. Records are counted by what became of each in the end.
struct ZoneSummary {
  model::DomainName name;
  ZoneAction action = ZoneAction::kChanged;
  std::uint64_t added = 0;
  std::uint64_t changed = 0;
  std::uint64_t removed = 0;
};

struct VersionSummary {
  std::uint64_t version = 0;
  model::Timestamp created_on;
  std::vector<ZoneSummary> zones;  // by name
  std::uint64_t resolved = 0;      // names outside that have other addresses
  std::uint64_t resigned = 0;      // names signed anew, since it was time to
  std::uint64_t tables = 0;        // changes of certificates, rules and the like
};

// What a transaction has done so far: before, after, or both.
struct ZoneDifference {
  std::optional<model::Zone> before, after;
};
struct RecordDifference {
  model::Zone zone;  // as it is now, or was when it was deleted
  std::optional<model::Record> before, after;
};
struct OpenChanges {
  std::vector<ZoneDifference> zones;
  std::vector<RecordDifference> records;
};

struct PruneLimits {
  std::optional<std::uint64_t> versions_max = std::nullopt;         // as many of the newest stay
  std::optional<std::chrono::microseconds> age_max = std::nullopt;  // older ones go
};

class History {
 public:
  explicit History(Store& store) : store_(store), database_(*store.database_) {}

  // The oldest version whose state is known still: what roll_back can return to and changes_between
  // can start at. Before it, nothing is known.
  std::uint64_t floor();

  // What tells version `version` from one of another store that has the same number; empty: not
  // known, or not any more.
  std::optional<std::uint64_t> token(std::uint64_t version);

  // What differs between the states after `from` and after `to`. Empty (not covered) when the
  // history does not reach back to `from`, when `to` is not reached yet, or when raise_version has
  // leapt over `from`: then that version was somebody else's. Within a transaction, when the answer
  // must fit other reads. Costs what was changed since `from`. Empty as well when it is more than
  // `most` names and unlisted records, which is told without looking at all of them.
  std::optional<Changes> changes_between(std::uint64_t from, std::uint64_t to,
                                         std::uint64_t most = ~std::uint64_t{0});

  // At least as many as the changes that changes_between would look at; costs nothing.
  std::uint64_t entries_between(std::uint64_t from, std::uint64_t to);

  // The newest `limit` versions below `before` (empty: of all), newest first, as far as they are
  // kept. The next page is before = the last one's version. With `zone`, the versions that did
  // something to the zone of this name, and of each that alone.
  std::vector<VersionSummary> list(std::uint64_t limit,
                                   std::optional<std::uint64_t> before = std::nullopt,
                                   const std::optional<model::DomainName>& zone = std::nullopt);

  // Makes the records and settings of all zones, or of `zone` alone, what they were after
  // `to_version`, as a new change on top, and returns its version. The account's word on the
  // proxy (enforce_dns_only) stays what it is, and so do keys and state of DNSSEC, which the parent
  // and others have seen. A zone that was there and is
  // deleted comes back with its id; one that was not there then is deleted. Serials of zones that
  // differ go up (RFC 1982), never back, also over a deletion. Part of the caller's write
  // transaction, or one of its own. Fails, and changes nothing, when `to_version` lies below
  // floor() or above the store's version, or when `zone` is neither there now nor was then.
  base::Result<std::uint64_t> roll_back(std::uint64_t to_version,
                                        const std::optional<model::DomainName>& zone);

  // Within a transaction that has taken a version: what it has done to each zone so far, by name.
  std::vector<ZoneSummary> summary_so_far();

  // Likewise the zones and records themselves; empty when more than `records_max` records changed.
  std::optional<OpenChanges> open_changes(std::uint64_t records_max);

  // Forgets versions that are past either limit at time `now`, but nothing that token and
  // changes_between need when they are asked from `needed` on. Returns how many versions are gone,
  // kPruneMax at most. No change: no version is taken.
  std::uint64_t prune(const PruneLimits& limits, model::Timestamp now, std::uint64_t needed);
  static constexpr std::uint64_t kPruneMax = 1000;

  // Deletes what forgotten versions have left, at most `rows_max` of each kind, since a single
  // version may have changed millions of records. True: there is more. At the end goes what deleted
  // zones had of certificates and rulesets, if no rollback can reach them any more.
  bool sweep(std::uint64_t rows_max);

 private:
  struct Sequences {
    std::int64_t record = 0;
    std::int64_t zone = 0;
  };
  // The last log entries that belong to the state after `version`.
  Sequences sequences_after(std::uint64_t version);
  std::vector<model::DomainName> resolved_between(std::uint64_t from, std::uint64_t to);
  std::vector<ResignedName> resigned_between(std::uint64_t from, std::uint64_t to);
  std::vector<TableChange> tables_between(std::uint64_t from, std::uint64_t to);
  std::vector<ZoneSummary> zones_of(std::uint64_t version,
                                    const std::optional<model::DomainName>& zone);

  Store& store_;
  Database& database_;
};

}  // namespace brink::ctl::store
