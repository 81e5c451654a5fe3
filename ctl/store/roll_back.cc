// History: the way back to what was after an earlier version.
#include <algorithm>
#include <set>

#include "ctl/store/history.h"
#include "ctl/store/log.h"
#include "ctl/store/row.h"

namespace brink::ctl::store {
namespace {

struct Difference {
  std::optional<model::Zone> then, now;
};

class RollBack {
 public:
  RollBack(Store& store, Database& database, model::Timestamp time)
      : store_(store), database_(database), time_(time) {}

  // Finds what differs from the states given; of one zone alone, if `only` names it.
  void collect(const ZoneStates& zones, RecordStates records,
               const std::optional<model::DomainName>& only);
  void run();

 private:
  void add_zone(std::int64_t row, std::optional<model::Zone> then,
                const std::optional<model::DomainName>& only);
  void raise_serial(model::Zone& zone);
  void keep_dnssec(model::Zone& zone, const std::optional<model::Zone>& now);
  [[nodiscard]] bool is_free(std::int64_t record_row);

  Store& store_;
  Database& database_;
  model::Timestamp time_;
  std::map<std::int64_t, Difference> zones_;
  std::vector<std::pair<std::int64_t, model::Record>> lost_;  // by the zone's row
  std::vector<model::Record> surplus_;
};

void RollBack::add_zone(std::int64_t row, std::optional<model::Zone> then,
                        const std::optional<model::DomainName>& only) {
  auto now = zone_at(database_, row);
  if (!then && !now) return;  // came and went
  const model::DomainName& name = then ? then->name : now->name;
  if (!only || name == *only) zones_[row] = {std::move(then), std::move(now)};
}

void RollBack::collect(const ZoneStates& zones, RecordStates records,
                       const std::optional<model::DomainName>& only) {
  for (const auto& [row, then] : zones) add_zone(row, then, only);
  for (auto& [key, then] : records) {
    // A zone of which only records changed.
    if (!zones.contains(key.first) && !zones_.contains(key.first)) {
      add_zone(key.first, zone_at(database_, key.first), only);
    }
    if (!zones_.contains(key.first)) continue;
    auto now = record_at(database_, key);
    if (then == now) continue;
    if (now) surplus_.push_back(std::move(*now));
    if (then && zones_[key.first].then) lost_.emplace_back(key.first, std::move(*then));
  }
}

// Newer than every serial that the history knows of a zone of this name; that of a presigned zone
// is what was signed.
void RollBack::raise_serial(model::Zone& zone) {
  zone.modified_on = time_;
  if (zone.dnssec.presigned && zone.soa) {
    zone.serial = model::soa_serial(zone.soa->rdata);
    return;
  }
  const auto raise = [&](std::uint32_t serial) {
    if (model::is_newer_serial(serial, zone.serial)) zone.serial = serial;
  };
  auto select = database_.cached("SELECT serial FROM zone_log WHERE name = ?1");
  select->bind(1, zone.name.text());
  while (select->step()) raise(static_cast<std::uint32_t>(select->integer(0)));
  if (const auto now = store_.zone_by_name(zone.name)) raise(now->serial);
  zone.serial = model::next_serial(zone, time_);
}

// As it is now, or was when the zone was deleted: its keys are those, whatever they were once, and
// resolvers hold on to what they have seen. But whether a zone is presigned is a matter of its
// records, and comes back with them, unless it is signed here now.
void RollBack::keep_dnssec(model::Zone& zone, const std::optional<model::Zone>& now) {
  const bool presigned = zone.dnssec.presigned;
  if (now) {
    zone.dnssec = now->dnssec;
  } else {
    auto select = database_.cached(
        "SELECT dnssec FROM zone_log WHERE row = ?1 AND kind = 2 ORDER BY seq DESC LIMIT 1");
    select->bind(1, zone.row);
    if (select->step()) zone.dnssec = read_dnssec(select->text(0));
  }
  zone.dnssec.resigned = 0;
  zone.dnssec.presigned = presigned && zone.dnssec.status == model::DnssecStatus::kDisabled;
  if (zone.dnssec.presigned) ++zone.dnssec.signing_set;
}

bool RollBack::is_free(std::int64_t record_row) {
  auto select = database_.cached("SELECT 1 FROM records WHERE row = ?1");
  select->bind(1, record_row);
  return !select->step();
}

// Everything that has to go goes first, so that names and identities are free for what comes back.
void RollBack::run() {
  // What holds for the whole account is no part of a zone's past.
  for (auto& [row, zone] : zones_) {
    if (!zone.then) continue;
    zone.then->dns.enforce_dns_only = store_.enforces_dns_only(zone.then->account);
    keep_dnssec(*zone.then, zone.now);
    raise_serial(*zone.then);
  }
  for (const auto& [row, zone] : zones_) {
    if (zone.now && !zone.then) store_.delete_zone(*zone.now);
  }
  for (const model::Record& record : surplus_) store_.delete_record(record);
  for (auto& [row, zone] : zones_) {
    if (!zone.then) continue;
    if (zone.now) {
      store_.update_zone(*zone.then);
    } else {
      store_.insert_zone(*zone.then);
    }
  }
  for (auto& [zone_row, record] : lost_) {
    if (!is_free(record.row)) record.row = 0;
    store_.insert_record(*zones_[zone_row].then, record);
  }
}

}  // namespace

base::Result<std::uint64_t> History::roll_back(std::uint64_t to_version,
                                               const std::optional<model::DomainName>& zone) {
  std::optional<Transaction> own;
  if (!store_.in_transaction_) own.emplace(store_, Transaction::Kind::kWrite);
  const std::uint64_t oldest = floor(), newest = store_.version();
  if (to_version < oldest || to_version > newest) {
    return base::Error{"the history does not hold this version", std::to_string(to_version),
                       "name one from " + std::to_string(oldest) + " to " + std::to_string(newest)};
  }
  const Sequences sequences = sequences_after(to_version);
  const ZoneStates zones = zones_before(database_, sequences.zone);
  const bool was_there = zone && std::any_of(zones.begin(), zones.end(), [&](const auto& state) {
                           return state.second && state.second->name == *zone;
                         });
  if (zone && !was_there && !store_.zone_by_name(*zone)) {
    return base::Error{"there is no such zone, now or after version " + std::to_string(to_version),
                       zone->text(), "look at the history for its name and version"};
  }
  RollBack roll_back(store_, database_, store_.clock_());
  roll_back.collect(zones, records_before(database_, sequences.record), zone);
  const std::uint64_t version = store_.take_version();
  roll_back.run();
  if (own) own->commit();
  return version;
}

}  // namespace brink::ctl::store
