// A zone's way through DNSSEC, as far as the store sees it.
#include "ctl/dnssec/zone_keys.h"

#include "ctl/dnssec/dnssec_fixture.h"

namespace brink::ctl::dnssec {
namespace {

using dns::dnssec::SigningKey;

class ZoneKeysTest : public DnssecTest {};

TEST_F(ZoneKeysTest, ANewlySignedZoneHasAKeyAndWaits) {
  const Zone zone = add_signed_zone("a.test");
  EXPECT_EQ(zone.dnssec.status, DnssecStatus::kPending);
  ASSERT_EQ(keys(zone).size(), 1U);
  const auto key = keys(zone)[0];
  EXPECT_EQ(key.key.role, Role::kCsk);
  EXPECT_TRUE(key.use.in_dnskey && key.use.signs_zone && key.use.signs_dnskey);
  ASSERT_NE(apex(state(zone), dns::dnssec::kTypeDnskey), nullptr);
  EXPECT_EQ(apex(state(zone), dns::dnssec::kTypeDnskey)->rdata, std::vector{key.key.dnskey});
  // Caches may hold what was unsigned: no DS so far.
  EXPECT_EQ(apex(state(zone), dns::dnssec::kTypeCds), nullptr);
  EXPECT_FALSE(zone_keys_.wanted_ds(zone));
  EXPECT_GT(state(zone).step_on, now_);
  EXPECT_GT(state(zone).look_on, now_);
  EXPECT_GT(zone.dnssec.key_set, 0U);
  EXPECT_GT(zone.dnssec.signing_set, 0U);
  EXPECT_EQ(store_->zone_by_name(zone.name)->dnssec, zone.dnssec);
}

TEST_F(ZoneKeysTest, AStepThatIsNotDueChangesNothing) {
  Zone zone = add_signed_zone("a.test");
  pass(10);
  const model::ZoneDnssec before = zone.dnssec;
  EXPECT_FALSE(advance(zone));
  EXPECT_EQ(zone.dnssec, before);
}

TEST_F(ZoneKeysTest, TheZoneIsActiveWhenTheParentHasItsDs) {
  Zone zone = add_signed_zone("a.test");
  advance(zone, ParentFound{std::vector<Wire>(), ""});
  EXPECT_EQ(zone.dnssec.status, DnssecStatus::kPending);
  EXPECT_NE(state(zone).result.find("no DS record"), std::string::npos);

  pass(2 * kDay);
  const std::uint32_t signing_set = zone.dnssec.signing_set;
  EXPECT_TRUE(advance(zone));
  EXPECT_EQ(zone.dnssec.signing_set, signing_set);  // the apex alone has changed
  ASSERT_TRUE(zone_keys_.wanted_ds(zone));
  EXPECT_EQ(zone_keys_.wanted_ds(zone)->size(), 1U);
  EXPECT_TRUE(state(zone).waits_for_parent);

  EXPECT_TRUE(obey(zone));
  EXPECT_EQ(zone.dnssec.status, DnssecStatus::kActive);
  EXPECT_TRUE(keys(zone)[0].key.ds_shown);
  pass(2 * kDay);
  obey(zone);
  EXPECT_EQ(keys(zone)[0].key.state, KeyState::kActive);
  EXPECT_EQ(state(zone).look_on, model::Timestamp{now_.micros + kDay * 1'000'000});
}

TEST_F(ZoneKeysTest, DsOfOtherKeysAreAnError) {
  Zone zone = add_signed_zone("a.test");
  const Wire foreign = dns::dnssec::ds_rdata(
      wire_of(zone.name),
      SigningKey::generate(dns::dnssec::Algorithm::kEd25519).value().dnskey_rdata(257),
      dns::dnssec::DigestType::kSha256);
  EXPECT_TRUE(advance(zone, ParentFound{std::vector{foreign}, ""}));
  EXPECT_EQ(zone.dnssec.status, DnssecStatus::kError);
  EXPECT_NE(state(zone).result.find("other keys"), std::string::npos);
  EXPECT_TRUE(zone.dnssec.is_signed());
  EXPECT_TRUE(advance(zone, ParentFound{std::vector<Wire>(), ""}));
  EXPECT_EQ(zone.dnssec.status, DnssecStatus::kPending);
}

TEST_F(ZoneKeysTest, AParentThatCannotBeAskedSaysNothing) {
  Zone zone = add_signed_zone("a.test");
  EXPECT_FALSE(advance(zone, ParentFound{std::nullopt, "Timeout"}));
  EXPECT_EQ(zone.dnssec.status, DnssecStatus::kPending);
  EXPECT_NE(state(zone).result.find("Timeout"), std::string::npos);
  EXPECT_FALSE(state(zone).no_ds_since);
}

TEST_F(ZoneKeysTest, LooksThatFindNothingNewComeAtGrowingIntervals) {
  Zone zone = add_signed_zone("a.test");
  std::vector<std::int64_t> intervals;
  for (int i = 0; i < 9; ++i) {
    now_ = *state(zone).look_on;
    advance(zone, ParentFound{std::nullopt, "Timeout"});
    intervals.push_back((state(zone).look_on->micros - now_.micros) / 1'000'000);
  }
  EXPECT_EQ(intervals, (std::vector<std::int64_t>{60, 120, 240, 480, 960, 1920, 3600, 3600, 3600}));
}

TEST_F(ZoneKeysTest, LeavingTakesTheKeysOnlyWhenTheParentHasForgottenThem) {
  Zone zone = add_signed_zone("a.test");
  pass(2 * kDay);
  advance(zone);
  obey(zone);
  pass(2 * kDay);
  obey(zone);
  zone.dnssec.status = DnssecStatus::kPendingDisabled;
  advance(zone);
  EXPECT_EQ(zone.dnssec.status, DnssecStatus::kPendingDisabled);
  EXPECT_TRUE(zone.dnssec.is_signed());
  EXPECT_EQ(zone_keys_.wanted_ds(zone), std::vector<Wire>());

  obey(zone);
  EXPECT_EQ(keys(zone).size(), 1U);
  // The step that is due rests on a look, and brings it about.
  now_ = *state(zone).step_on;
  EXPECT_FALSE(advance(zone));
  EXPECT_EQ(state(zone).look_on, now_);
  EXPECT_FALSE(state(zone).step_on);
  obey(zone);
  EXPECT_EQ(zone.dnssec.status, DnssecStatus::kDisabled);
  EXPECT_TRUE(keys(zone).empty());
  EXPECT_TRUE(state(zone).apex.empty());
  EXPECT_FALSE(state(zone).look_on);
  EXPECT_FALSE(state(zone).step_on);
}

TEST_F(ZoneKeysTest, AZoneSigningKeyIsReplacedByTheClockAlone) {
  Zone zone = add_signed_zone("a.test", true);
  ASSERT_EQ(keys(zone).size(), 2U);
  pass(2 * kDay);
  advance(zone);
  obey(zone);
  pass(2 * kDay);
  obey(zone);
  auto more = state(zone);
  more.roll_zsk = true;
  store::DnssecKeys(*store_).put(zone.id, more);
  std::uint32_t signing_set = zone.dnssec.signing_set;
  EXPECT_TRUE(advance(zone));
  EXPECT_EQ(keys(zone).size(), 3U);
  EXPECT_EQ(zone.dnssec.signing_set, signing_set);
  EXPECT_FALSE(state(zone).roll_zsk);
  pass(2 * kDay);
  EXPECT_TRUE(advance(zone));
  EXPECT_EQ(zone.dnssec.signing_set, signing_set + 1);
  pass(2 * kDay);
  advance(zone);
  EXPECT_EQ(keys(zone).size(), 2U);
}

TEST_F(ZoneKeysTest, KeysThatWereBroughtAlongAreTakenFirst) {
  Zone zone = add_zone("a.test");
  const auto p256 = dns::dnssec::Algorithm::kEcdsaP256Sha256;
  const SigningKey csk = SigningKey::generate(p256).value();
  const SigningKey other = SigningKey::generate(dns::dnssec::Algorithm::kEd25519).value();
  ASSERT_TRUE(zone_keys_.add_spare(zone, Role::kCsk, other, now_).ok());
  const auto id = zone_keys_.add_spare(zone, Role::kCsk, csk, now_);
  ASSERT_TRUE(id.ok());
  EXPECT_FALSE(zone_keys_.add_spare(zone, Role::kCsk, csk, now_).ok());
  advance(zone);
  EXPECT_EQ(zone.dnssec.status, DnssecStatus::kDisabled);
  EXPECT_EQ(keys(zone).size(), 2U);

  zone.dnssec.status = DnssecStatus::kPending;
  advance(zone);
  ASSERT_EQ(keys(zone).size(), 2U);
  EXPECT_TRUE(keys(zone)[0].spare);
  EXPECT_EQ(keys(zone)[1].id, id.value());
  EXPECT_FALSE(keys(zone)[1].spare);
  EXPECT_TRUE(keys(zone)[1].use.signs_zone);
  EXPECT_EQ(keys(zone)[1].key.dnskey, csk.dnskey_rdata(257));
}

TEST_F(ZoneKeysTest, PrivateKeysLieSealed) {
  const Zone zone = add_signed_zone("a.test");
  const auto key = keys(zone)[0];
  const std::string box(key.sealed_key.begin(), key.sealed_key.end());
  EXPECT_EQ(box.find("PRIVATE"), std::string::npos);
  EXPECT_TRUE(box_.open(key.sealed_key, key_context(key.id)).ok());
  EXPECT_FALSE(box_.open(key.sealed_key, key_context(zone.id)).ok());
}

}  // namespace
}  // namespace brink::ctl::dnssec
