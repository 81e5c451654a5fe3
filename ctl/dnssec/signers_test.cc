// Zones are signed with the keys in the store, and with no others.
#include "ctl/dnssec/signers.h"

#include "ctl/dnssec/dnssec_fixture.h"
#include "dns/dnssec/signature.h"

namespace brink::ctl::dnssec {
namespace {

using dns::zone::Rrset;

class SignersTest : public DnssecTest {
 protected:
  std::shared_ptr<const ZoneSigner> signer(const Zone& zone) {
    auto found = signers_.of(zone);
    EXPECT_TRUE(found.ok()) << (found.ok() ? "" : found.error().message());
    return found.ok() ? found.value() : nullptr;
  }
  std::vector<Wire> sign(const Zone& zone, const Rrset& rrset) {
    const Wire owner = wire_of(zone.name);
    return signer(zone)->sign(owner, rrset, owner, now_).value();
  }
  void expect_valid(const Zone& zone, const Wire& dnskey, const Rrset& rrset, const Wire& rrsig) {
    const auto valid =
        dns::dnssec::verify_signature(wire_of(zone.name), dnskey, wire_of(zone.name), rrset, rrsig,
                                      static_cast<std::uint32_t>(seconds_of(now_)));
    EXPECT_TRUE(valid.ok()) << (valid.ok() ? "" : valid.error().message());
  }

  const Rrset address_{1, 300, {Wire("\xc0\0\2\7", 4)}};
  StoreSigners signers_{*store_, box_, policy_.signature, 2};
};

TEST_F(SignersTest, AnUnsignedZoneHasNone) {
  EXPECT_EQ(signer(add_zone("a.test")), nullptr);
}

TEST_F(SignersTest, OneKeySignsEverything) {
  const Zone zone = add_signed_zone("a.test");
  const Wire dnskey = keys(zone).at(0).key.dnskey;
  ASSERT_EQ(signer(zone)->apex_rrsets().size(), 1U);
  const Rrset dnskeys = signer(zone)->apex_rrsets()[0];
  EXPECT_EQ(dnskeys.rdata, std::vector{dnskey});
  ASSERT_EQ(sign(zone, address_).size(), 1U);
  expect_valid(zone, dnskey, address_, sign(zone, address_)[0]);
  ASSERT_EQ(sign(zone, dnskeys).size(), 1U);
  expect_valid(zone, dnskey, dnskeys, sign(zone, dnskeys)[0]);
}

TEST_F(SignersTest, OfTwoKeysEachSignsItsOwn) {
  const Zone zone = add_signed_zone("a.test", true);
  Wire ksk, zsk;
  for (const auto& key : keys(zone)) (key.key.role == Role::kKsk ? ksk : zsk) = key.key.dnskey;
  const Rrset dnskeys = signer(zone)->apex_rrsets().at(0);
  EXPECT_EQ(dnskeys.rdata.size(), 2U);
  ASSERT_EQ(sign(zone, address_).size(), 1U);
  expect_valid(zone, zsk, address_, sign(zone, address_)[0]);
  ASSERT_EQ(sign(zone, dnskeys).size(), 1U);
  expect_valid(zone, ksk, dnskeys, sign(zone, dnskeys)[0]);
}

TEST_F(SignersTest, TheSlotOfTheScheduleGivesTheTimes) {
  const Zone zone = add_signed_zone("a.test");
  const Wire owner = wire_of(zone.name),
             hashed = wire_of(store::DomainName::parse("x.a.test").value());
  const auto made = signer(zone)->sign(owner, address_, hashed, now_).value().at(0);
  EXPECT_EQ(dns::dnssec::read_rrsig(made)->validity,
            dns::dnssec::validity_at(policy_.signature, hashed, seconds_of(now_)));
}

TEST_F(SignersTest, ChangedKeysAreSeen) {
  Zone zone = add_signed_zone("a.test");
  const auto before = signer(zone);
  EXPECT_EQ(signer(zone), before);
  pass(2 * kDay);
  ASSERT_TRUE(advance(zone));
  EXPECT_NE(signer(zone), before);
  EXPECT_EQ(signer(zone)->apex_rrsets().size(), 3U);
}

TEST_F(SignersTest, NoMoreZonesAreKeptThanMayBe) {
  const Zone a = add_signed_zone("a.test"), b = add_signed_zone("b.test");
  const Zone c = add_signed_zone("c.test");
  const auto first = signer(a);
  signer(b);
  EXPECT_EQ(signer(a), first);
  signer(c);
  EXPECT_EQ(signers_.size(), 2U);
  EXPECT_EQ(signer(a), first);  // b went, which was used least recently
  signer(b);
  EXPECT_EQ(signers_.size(), 2U);
}

TEST_F(SignersTest, AForeignKeyFileIsNamed) {
  const Zone zone = add_signed_zone("a.test");
  secret::Key key;
  key.bytes[0] = 1;
  const secret::SealedBox other(key, entropy_);
  StoreSigners signers(*store_, other, policy_.signature);
  const auto found = signers.of(zone);
  ASSERT_FALSE(found.ok());
  EXPECT_NE(found.error().message().find("a.test"), std::string::npos);
}

}  // namespace
}  // namespace brink::ctl::dnssec
