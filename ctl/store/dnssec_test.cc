// DNSSEC in the store: keys come back as they were, what a change of them means for names, and the
// names whose signatures are made anew.
#include "ctl/store/dnssec_keys.h"
#include "ctl/store/history.h"
#include "ctl/store/resigned.h"
#include "ctl/store/store_fixture.h"

namespace brink::ctl::store {
namespace {

using dns::dnssec::KeyState;
using dns::dnssec::Role;
using model::DnssecStatus;

class DnssecStoreTest : public StoreTest {
 protected:
  DnssecKey key(Role role = Role::kCsk) {
    DnssecKey made;
    made.id = next_id();
    made.key.id = made.id.hex();
    made.key.role = role;
    made.key.state = KeyState::kRetired;
    made.key.since = 1'767'225'600;
    made.key.with_set = true;
    made.key.ds_shown = true;
    made.key.ds_since = 1'767'225'601;
    made.key.dnskey = std::string("\x01\x01\x03\x0d", 4) + std::string(64, '\0');
    made.use = {.in_dnskey = true,
                .signs_dnskey = false,
                .signs_cds = true,
                .signs_zone = false,
                .in_cds = true};
    made.sealed_key = {1, 2, 3};
    made.created_on = {99};
    made.spare = true;
    return made;
  }
  DnssecZone zone_state() {
    DnssecZone state;
    state.no_ds_since = 7;
    state.roll_ksk = true;
    state.apex = {{48, 3600, {std::string("a\0b", 3), std::string(300, 'x')}}, {59, 70'000, {}}};
    state.step_on = model::Timestamp{100};
    state.look_on = model::Timestamp{200};
    state.looks = 3;
    state.looked_on = model::Timestamp{50};
    state.waits_for_parent = true;
    state.result = "no DS";
    return state;
  }
  // One change of the zone's DNSSEC; the version that it took.
  std::uint64_t change(Zone& zone, const std::function<void(model::ZoneDnssec&)>& edit) {
    edit(zone.dnssec);
    store_->update_zone(zone);
    return store_->version();
  }
  Changes since(std::uint64_t version) {
    return History(*store_).changes_between(version, store_->version()).value();
  }
  void resign(const Zone& zone, const std::vector<std::string>& names) {
    Transaction transaction(*store_, Transaction::Kind::kWrite);
    std::vector<DomainName> parsed;
    for (const auto& name : names) parsed.push_back(DomainName::parse(name).value());
    model::Zone changed = zone;
    ResignedNames(*store_).put(changed, parsed, {});
    transaction.commit();
  }

  DnssecKeys keys_{*store_};
};

TEST_F(DnssecStoreTest, KeysComeBackWholeAndInOrder) {
  const Zone zone = add_zone("a.test"), other = add_zone("b.test");
  DnssecKey first = key(), second = key(Role::kZsk);
  keys_.insert(zone.id, first);
  keys_.insert(zone.id, second);
  keys_.insert(other.id, key());
  auto read = keys_.of(zone.id);
  ASSERT_EQ(read.size(), 2U);
  EXPECT_EQ(read[0].key, first.key);
  EXPECT_EQ(read[1].key, second.key);
  EXPECT_EQ(read[0].sealed_key, first.sealed_key);
  EXPECT_EQ(read[0].created_on, first.created_on);
  EXPECT_TRUE(read[0].spare);
  EXPECT_TRUE(read[0].use.in_dnskey && read[0].use.signs_cds && read[0].use.in_cds);
  EXPECT_FALSE(read[0].use.signs_dnskey || read[0].use.signs_zone);

  first.key.state = KeyState::kActive;
  first.key.ds_shown = false;
  first.use = {.signs_zone = true};
  first.spare = false;
  keys_.update(first);
  read = keys_.of(zone.id);
  EXPECT_EQ(read[0].key, first.key);
  EXPECT_TRUE(read[0].use.signs_zone);
  EXPECT_FALSE(read[0].spare);
  EXPECT_FALSE(read[0].use.in_dnskey);
  EXPECT_EQ(read[1].key, second.key);

  keys_.remove(first.id);
  EXPECT_EQ(keys_.of(zone.id).size(), 1U);
  keys_.forget(zone.id);
  EXPECT_TRUE(keys_.of(zone.id).empty());
  EXPECT_EQ(keys_.of(other.id).size(), 1U);
}

TEST_F(DnssecStoreTest, AZonesStateComesBackWhole) {
  const Zone zone = add_zone("a.test");
  EXPECT_TRUE(keys_.zone(zone.id).apex.empty());
  keys_.put(zone.id, zone_state());
  const DnssecZone read = keys_.zone(zone.id), want = zone_state();
  EXPECT_EQ(read.no_ds_since, want.no_ds_since);
  EXPECT_TRUE(read.roll_ksk);
  EXPECT_FALSE(read.roll_zsk);
  ASSERT_EQ(read.apex.size(), 2U);
  EXPECT_EQ(read.apex[0].rdata, want.apex[0].rdata);
  EXPECT_EQ(read.apex[1].ttl, 70'000U);
  EXPECT_TRUE(read.apex[1].rdata.empty());
  EXPECT_EQ(read.step_on, want.step_on);
  EXPECT_EQ(read.look_on, want.look_on);
  EXPECT_EQ(read.looks, 3U);
  EXPECT_EQ(read.looked_on, want.looked_on);
  EXPECT_TRUE(read.waits_for_parent);
  EXPECT_EQ(read.result, "no DS");
}

TEST_F(DnssecStoreTest, WhatIsDueIsFoundByTimeAndOnlyOfZonesThatAreThere) {
  const Zone late = add_zone("late.test"), early = add_zone("early.test");
  DnssecZone state = zone_state();
  keys_.put(late.id, state);
  state.step_on = model::Timestamp{10};
  state.look_on.reset();
  keys_.put(early.id, state);
  EXPECT_TRUE(keys_.steps_due({9}, 10).empty());
  EXPECT_EQ(keys_.steps_due({100}, 10), (std::vector{early.id, late.id}));
  EXPECT_EQ(keys_.steps_due({100}, 1), std::vector{early.id});
  EXPECT_EQ(keys_.looks_due({1000}, 10), std::vector{late.id});
  store_->delete_zone(late);
  EXPECT_EQ(keys_.steps_due({100}, 10), std::vector{early.id});
  EXPECT_TRUE(keys_.looks_due({1000}, 10).empty());
}

TEST_F(DnssecStoreTest, KeysThatSignNamesChangeTheWholeZoneOthersItsApex) {
  Zone zone = add_zone("a.test");
  std::uint64_t before = store_->version();
  change(zone, [](auto& dnssec) { dnssec.status = DnssecStatus::kPending; });
  EXPECT_TRUE(since(before).zones.at(0).whole);
  before = store_->version();
  change(zone, [](auto& dnssec) { ++dnssec.key_set; });
  ASSERT_EQ(since(before).zones.size(), 1U);
  EXPECT_FALSE(since(before).zones.at(0).whole);
  before = store_->version();
  change(zone, [](auto& dnssec) { ++dnssec.signing_set; });
  EXPECT_TRUE(since(before).zones.at(0).whole);
  EXPECT_EQ(store_->zone_by_name(zone.name)->dnssec, zone.dnssec);
}

TEST_F(DnssecStoreTest, ARollbackLeavesDnssecAlone) {
  Zone zone = add_zone("a.test");
  const std::uint64_t unsigned_version = store_->version();
  change(zone, [](auto& dnssec) {
    dnssec.status = DnssecStatus::kActive;
    dnssec.key_set = 3;
  });
  add(zone, "www.a.test", "A", "192.0.2.7");
  ASSERT_TRUE(History(*store_).roll_back(unsigned_version, std::nullopt).ok());
  EXPECT_EQ(store_->record_count(zone), 0U);
  EXPECT_EQ(store_->zone_by_name(zone.name)->dnssec, zone.dnssec);
}

TEST_F(DnssecStoreTest, AZoneThatComesBackIsSignedAsWhenItWent) {
  Zone zone = add_zone("a.test");
  const std::uint64_t unsigned_version = store_->version();
  keys_.insert(zone.id, key());
  change(zone, [](auto& dnssec) {
    dnssec.status = DnssecStatus::kActive;
    dnssec.key_set = 3;
  });
  store_->delete_zone(zone);
  History history(*store_);
  while (history.sweep(100)) {
  }
  EXPECT_EQ(keys_.of(zone.id).size(), 1U);
  ASSERT_TRUE(history.roll_back(unsigned_version, std::nullopt).ok());
  EXPECT_EQ(store_->zone_by_name(zone.name)->dnssec, zone.dnssec);
}

TEST_F(DnssecStoreTest, KeysOfAZoneThatIsGoneForGoodGoToo) {
  Zone zone = add_zone("a.test");
  keys_.insert(zone.id, key());
  keys_.put(zone.id, zone_state());
  store_->delete_zone(zone);
  store_->take_version();
  History history(*store_);
  history.prune({.versions_max = 0}, {1'800'000'000'000'000}, store_->version());
  while (history.sweep(100)) {
  }
  // The newest entry of the log stays until there is another one.
  add_zone("b.test");
  history.prune({.versions_max = 0}, {1'800'000'000'000'000}, store_->version());
  while (history.sweep(100)) {
  }
  EXPECT_TRUE(keys_.of(zone.id).empty());
  EXPECT_TRUE(keys_.zone(zone.id).apex.empty());
}

TEST_F(DnssecStoreTest, ResignedNamesAreAmongTheChanges) {
  const Zone zone = add_zone("a.test"), gone = add_zone("gone.test");
  add(zone, "www.a.test", "A", "192.0.2.7");
  const std::uint64_t before = store_->version();
  resign(zone, {"a.test", "www.a.test"});
  const std::uint64_t between = store_->version();
  resign(zone, {"www.a.test"});
  resign(gone, {"gone.test"});
  store_->delete_zone(gone);

  Changes changes = since(before);
  std::sort(changes.resigned.begin(), changes.resigned.end());
  const auto name = [](const char* text) { return DomainName::parse(text).value(); };
  const std::vector<ResignedName> want = {{zone.name, name("a.test")},
                                          {zone.name, name("www.a.test")}};
  EXPECT_EQ(changes.resigned, want);
  EXPECT_TRUE(changes.names.empty());
  std::vector<ResignedName> later = since(between).resigned;
  std::sort(later.begin(), later.end());
  EXPECT_EQ(later, want) << "the apex has another serial";
  const auto list = History(*store_).list(10, between + 1);
  EXPECT_EQ(list.at(0).resigned, 2U);
  EXPECT_TRUE(list.at(0).zones.empty());
}

TEST_F(DnssecStoreTest, SigningAnewRaisesTheSerialAndLeavesNoChangeOfTheZone) {
  Zone zone = add_zone("a.test");
  change(zone, [](auto& dnssec) { dnssec.status = DnssecStatus::kActive; });
  const std::uint64_t before = store_->version();
  resign(zone, {"www.a.test"});
  const auto after = store_->zone_by_name(zone.name);
  EXPECT_EQ(after->serial, zone.serial + 1);
  EXPECT_EQ(after->dnssec.resigned, 1U);
  EXPECT_TRUE(since(before).zones.empty());

  change(zone, [](auto& dnssec) { dnssec.resigned = 0; });
  zone.dns.serial_policy = model::SerialPolicy::kKeep;
  store_->update_zone(zone);
  const std::uint64_t kept = store_->version();
  resign(zone, {"www.a.test"});
  EXPECT_EQ(store_->zone_by_name(zone.name)->serial, zone.serial);
  EXPECT_EQ(since(kept).resigned.size(), 1U);
}

TEST_F(DnssecStoreTest, ForgottenVersionsTakeTheirResignedNamesAlong) {
  const Zone zone = add_zone("a.test");
  resign(zone, {"a.test"});
  const std::uint64_t version = store_->version();
  resign(zone, {"a.test"});
  resign(zone, {"a.test"});
  History history(*store_);
  history.prune({.versions_max = 1}, {0}, store_->version());
  while (history.sweep(1)) {
  }
  EXPECT_FALSE(history.changes_between(version - 1, store_->version()));
  EXPECT_EQ(history.changes_between(history.floor(), store_->version())->resigned.size(), 1U);
}

TEST_F(DnssecStoreTest, TheWalkPassesSignedZonesAndTheirNamesInOrder) {
  Zone b = add_zone("b.test"), a = add_zone("a.test"), below = add_zone("x.a.test");
  add_zone("aa.test");
  for (Zone* zone : {&b, &a, &below}) {
    change(*zone, [](auto& dnssec) { dnssec.status = DnssecStatus::kActive; });
  }
  ResignedNames names(*store_);
  std::vector<std::string> zones;
  for (auto zone = names.next_zone({}); zone; zone = names.next_zone(zone->name)) {
    zones.push_back(zone->name.text());
  }
  EXPECT_EQ(zones, (std::vector<std::string>{"a.test", "x.a.test", "b.test"}));

  for (const char* name : {"z.a.test", "y.a.test", "m.y.a.test"}) add(a, name, "A", "192.0.2.7");
  add(a, "y.a.test", "TXT", "\"t\"");
  const auto first = names.names_behind(a, a.name, 2);
  ASSERT_EQ(first.size(), 2U);
  EXPECT_EQ(first[0].text(), "y.a.test");
  EXPECT_EQ(first[1].text(), "m.y.a.test");
  const auto second = names.names_behind(a, first[1], 2);
  ASSERT_EQ(second.size(), 1U);
  EXPECT_EQ(second[0].text(), "z.a.test");
}

}  // namespace
}  // namespace brink::ctl::store
