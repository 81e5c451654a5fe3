// Which versions changed what of a zone's certificates, authorities and rules.
#include "ctl/store/zone_tables.h"

#include <algorithm>

#include "ctl/store/account_certificates.h"
#include "ctl/store/client_certificates.h"
#include "ctl/store/rulesets.h"
#include "ctl/store/store_fixture.h"
#include "ctl/store/zone_certificates.h"

namespace brink::ctl::store {
namespace {

using model::CertificatePurpose;

class ZoneTablesTest : public StoreTest {
 protected:
  // What `change` changed, as "zone part" each, in order; and that it took one version.
  template <typename Change>
  std::string parts(const Change& change) {
    const std::uint64_t before = store_->version();
    {
      Transaction transaction(*store_, Transaction::Kind::kWrite);
      change();
      transaction.commit();
    }
    EXPECT_EQ(store_->version(), before + 1);
    auto changes = History(*store_).changes_between(before, store_->version());
    EXPECT_TRUE(changes.has_value());
    EXPECT_TRUE(changes->zones.empty() && changes->names.empty());
    std::sort(changes->tables.begin(), changes->tables.end(),
              [](const TableChange& left, const TableChange& right) {
                return std::pair(left.zone.text(), left.part) <
                       std::pair(right.zone.text(), right.part);
              });
    std::string text;
    for (const TableChange& each : changes->tables) {
      text += each.zone.text() + " " + std::to_string(static_cast<int>(each.part)) + " ";
    }
    return text;
  }
  model::ZoneCertificate certificate(const Zone& zone, CertificatePurpose purpose) {
    model::ZoneCertificate made;
    made.id = next_id();
    made.zone = zone.id;
    made.purpose = purpose;
    made.sealed_key = {1};
    return made;
  }
  model::AccountCertificate authority(const Zone& zone, bool managed) {
    model::AccountCertificate made;
    made.id = next_id();
    made.account = store_->zone_by_id(zone.id)->account;
    made.managed = managed;
    return made;
  }
};

TEST_F(ZoneTablesTest, CertificatesAndPulls) {
  const Zone zone = add_zone("a.test");
  ZoneCertificates certificates(*store_);
  auto edge = certificate(zone, CertificatePurpose::kEdge);
  const auto pull = certificate(zone, CertificatePurpose::kHostPull);
  EXPECT_EQ(parts([&] { certificates.insert(edge); }), "a.test 0 a.test 1 ");
  EXPECT_EQ(parts([&] { certificates.update(edge); }), "a.test 0 a.test 1 ");
  EXPECT_EQ(parts([&] { certificates.remove(edge.id); }), "a.test 0 a.test 1 ");
  EXPECT_EQ(parts([&] { certificates.insert(pull); }), "a.test 0 a.test 4 ");
  EXPECT_EQ(parts([&] { certificates.set_tls(zone.id, {false, true}); }), "a.test 4 ");
  EXPECT_EQ(parts([&] { certificates.put_host_pull(zone.id, {"x.a.test", pull.id, true, {}, {}}); }),
            "a.test 4 ");
  EXPECT_EQ(parts([&] { certificates.remove_host_pull(zone.id, "x.a.test"); }), "a.test 4 ");
}

TEST_F(ZoneTablesTest, AuthoritiesReachEveryZoneThatAsksForThem) {
  const Zone one = add_zone("a.test"), two = add_zone("b.test");
  add_zone("c.test");
  AccountCertificates accounts(*store_);
  const auto own = authority(one, false), managed = authority(one, true);
  {
    Transaction transaction(*store_, Transaction::Kind::kWrite);
    accounts.insert(own);
    transaction.commit();
  }
  EXPECT_EQ(parts([&] { accounts.set_hosts(one.id, own.id, {"x.a.test"}); }),
            "a.test 1 a.test 2 ");
  EXPECT_EQ(parts([&] { accounts.set_hosts(two.id, std::nullopt, {"x.b.test"}); }),
            "b.test 1 b.test 2 ");
  EXPECT_EQ(parts([&] { accounts.insert(managed); }), "b.test 1 b.test 2 ");
  const auto asked = accounts.host_authorities(one.id);
  ASSERT_EQ(asked.size(), 1U);
  EXPECT_EQ(asked[0], (model::HostAuthority{"x.a.test", own.id}));
  ASSERT_EQ(accounts.host_authorities(two.id).size(), 1U);
  EXPECT_FALSE(accounts.host_authorities(two.id)[0].authority.has_value());

  ClientCertificates clients(*store_);
  model::ClientCertificate client;
  client.id = next_id();
  client.zone = one.id;
  client.authority = managed.id;
  client.certificate.serial = "f1a";
  clients.insert(client);
  EXPECT_TRUE(clients.revoked_by(managed.id).empty());
  EXPECT_EQ(parts([&] { clients.set_revoked(client.id, true); }), "b.test 3 ");
  EXPECT_EQ(clients.revoked_by(managed.id),
            (std::vector<std::vector<std::uint8_t>>{{0x0f, 0x1a}}));
  EXPECT_EQ(parts([&] { accounts.remove(own.id); }), "a.test 1 a.test 2 ");
}

TEST_F(ZoneTablesTest, Rules) {
  const Zone zone = add_zone("a.test");
  Rulesets rulesets(*store_);
  rules::Ruleset ruleset;
  ruleset.id = next_id();
  ruleset.zone = zone.id;
  EXPECT_EQ(parts([&] { rulesets.put(ruleset); }), "a.test 5 ");
  EXPECT_EQ(parts([&] { rulesets.remove(ruleset.id); }), "a.test 5 ");
}

TEST_F(ZoneTablesTest, TellWhichZonesHaveAnything) {
  const Zone zone = add_zone("a.test");
  add_zone("b.test");
  EXPECT_TRUE(ZoneTables(*store_).zones().empty());
  ZoneCertificates(*store_).insert(certificate(zone, CertificatePurpose::kEdge));
  EXPECT_EQ(ZoneTables(*store_).zones(), (std::vector<model::Id>{zone.id}));
}

TEST_F(ZoneTablesTest, ADeletedZonesAreNoDifferenceAndWhatIsForgottenIsSwept) {
  const Zone zone = add_zone("a.test");
  const std::uint64_t before = store_->version();
  parts([&] { ZoneCertificates(*store_).insert(certificate(zone, CertificatePurpose::kEdge)); });
  store_->delete_zone(zone);
  History history(*store_);
  EXPECT_TRUE(history.changes_between(before, store_->version())->tables.empty());
  EXPECT_EQ(history.list(10)[1].tables, 2U);
  // The newest entry of the log stays.
  store_->delete_zone(add_zone("b.test"));
  history.prune({.versions_max = 0}, now_, store_->version());
  while (history.sweep(1)) {
  }
  EXPECT_TRUE(ZoneTables(*store_).zones().empty());
}

}  // namespace
}  // namespace brink::ctl::store
