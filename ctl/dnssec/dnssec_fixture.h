// A store with zones that are signed, and time that passes when a test says so. For tests.
#pragma once

#include "ctl/dnssec/signers.h"
#include "ctl/dnssec/zone_keys.h"
#include "ctl/store/store_fixture.h"

namespace brink::ctl::dnssec {

using dns::dnssec::KeyState;
using dns::dnssec::Role;
using dns::zone::Wire;
using model::DnssecStatus;
using model::Zone;

class DnssecTest : public store::StoreTest {
 protected:
  static constexpr std::int64_t kHour = 3600, kDay = 24 * kHour;

  void pass(std::int64_t seconds) { now_.micros += seconds * 1'000'000; }
  // One step, as the keeper and the API make it. Returns whether the zone was changed.
  bool advance(Zone& zone, const std::optional<ParentFound>& found = std::nullopt) {
    store::Transaction transaction(*store_, store::Transaction::Kind::kWrite);
    const auto changed = zone_keys_.advance(zone, now_, found);
    EXPECT_TRUE(changed.ok()) << (changed.ok() ? "" : changed.error().message());
    if (changed.ok() && changed.value()) store_->update_zone(zone);
    transaction.commit();
    return changed.ok() && changed.value();
  }
  Zone add_signed_zone(const std::string& name, bool split = false) {
    Zone zone = add_zone(name);
    zone.dnssec.status = DnssecStatus::kPending;
    zone.dnssec.split_keys = split;
    advance(zone);
    return zone;
  }
  // Looks at a parent that has done what it was asked to do.
  bool obey(Zone& zone) { return advance(zone, ParentFound{zone_keys_.wanted_ds(zone), ""}); }
  std::vector<store::DnssecKey> keys(const Zone& zone) {
    return store::DnssecKeys(*store_).of(zone.id);
  }
  store::DnssecZone state(const Zone& zone) { return store::DnssecKeys(*store_).zone(zone.id); }
  const dns::zone::Rrset* apex(const store::DnssecZone& state, std::uint16_t type) {
    for (const auto& rrset : state.apex) {
      if (rrset.type == type) return &rrset;
    }
    return nullptr;
  }

  Policy policy_;
  model::Entropy entropy_ = model::system_entropy();
  secret::SealedBox box_{secret::Key{}, entropy_};
  ZoneKeys zone_keys_{*store_, box_, policy_, entropy_};
};

}  // namespace brink::ctl::dnssec
