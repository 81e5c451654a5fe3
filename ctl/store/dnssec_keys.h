// DnssecKeys: the keys that zones are signed with, sealed, and where their rollovers stand. What is
// served of them is said by model::ZoneDnssec, whose counters grow with it; they themselves are in
// no version, and no rollback touches them. Those of a deleted zone stay under its id for as long
// as a rollback can bring it back.
//
// Belongs to the thread of its Store and borrows it. Failures of the disk or file throw
// store::Failure. Writes belong into the caller's write transaction.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "ctl/model/id.h"
#include "ctl/model/timestamp.h"
#include "ctl/store/store.h"
#include "dns/dnssec/rollover.h"
#include "dns/zone/zone.h"

namespace brink::ctl::store {

struct DnssecKey {
  model::Id id;
  dns::dnssec::Key key;     // its `id` is `id` in hexadecimal
  dns::dnssec::KeyUse use;  // as of the last step
  std::vector<std::uint8_t> sealed_key;
  model::Timestamp created_on;
  bool spare = false;  // brought along by a user, and taken when the next key of its kind is needed
};

// What a zone has besides its keys.
struct DnssecZone {
  std::optional<dns::dnssec::UnixTime> no_ds_since;
  bool roll_ksk = false;
  bool roll_zsk = false;
  std::vector<dns::zone::Rrset> apex;       // as of the last step
  std::optional<model::Timestamp> step_on;  // when the next step is due
  std::optional<model::Timestamp> look_on;  // when the parent is to be looked at
  std::uint32_t looks = 0;                  // in a row that changed nothing
  std::optional<model::Timestamp> looked_on;
  bool waits_for_parent = false;
  std::string result;  // of the last look, for people
};

class DnssecKeys {
 public:
  explicit DnssecKeys(Store& store) : database_(*store.database_) {}

  // The oldest first.
  std::vector<DnssecKey> of(const model::Id& zone);
  DnssecZone zone(const model::Id& zone);

  void put(const model::Id& zone, const DnssecZone& state);
  void insert(const model::Id& zone, const DnssecKey& key);
  // All but id, DNSKEY and private key.
  void update(const DnssecKey& key);
  void remove(const model::Id& key);
  // Everything that the zone has here.
  void forget(const model::Id& zone);

  // Zones for which a step or a look is due at `now`, those that wait longest first.
  std::vector<model::Id> steps_due(model::Timestamp now, std::size_t limit);
  std::vector<model::Id> looks_due(model::Timestamp now, std::size_t limit);

 private:
  std::vector<model::Id> due(const char* sql, model::Timestamp now, std::size_t limit);

  Database& database_;
};

}  // namespace brink::ctl::store
