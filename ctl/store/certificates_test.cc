// Certificates and rulesets in the store: what is kept comes back, also after a deletion of the
// zone for as long as the history can bring it back.
#include "ctl/store/account_certificates.h"
#include "ctl/store/certificate_forwards.h"
#include "ctl/store/client_certificates.h"
#include "ctl/store/history.h"
#include "ctl/store/identities.h"
#include "ctl/store/ocsp_responses.h"
#include "ctl/store/rulesets.h"
#include "ctl/store/store_fixture.h"
#include "ctl/store/zone_certificates.h"

namespace brink::ctl::store {
namespace {

using model::CertificatePurpose;

class CertificateStoreTest : public StoreTest {
 protected:
  model::Certificate facts(const std::string& name, std::int64_t expires = 100) {
    model::Certificate certificate;
    certificate.pem = "pem of " + name;
    certificate.subject = {name, "o", "ou", "DE", "st", "l"};
    certificate.issuer = "CN=ca";
    certificate.issuer_name = "ca";
    certificate.signature = "Ed25519";
    certificate.serial = "0a";
    certificate.fingerprint = "f-" + name;
    certificate.key_id = "0b";
    certificate.hosts = {name, "*." + name};
    certificate.not_before = {1};
    certificate.expires_on = {expires};
    return certificate;
  }
  model::ZoneCertificate zone_certificate(const Zone& zone, const std::string& name,
                                          CertificatePurpose purpose = CertificatePurpose::kEdge) {
    model::ZoneCertificate certificate;
    certificate.id = next_id();
    certificate.zone = zone.id;
    certificate.purpose = purpose;
    certificate.certificate = facts(name);
    certificate.sealed_key = {1, 2, 3};
    certificate.bundle_method = model::BundleMethod::kForce;
    certificate.is_legacy = true;
    certificate.priority = 4;
    certificate.uploaded_on = {5};
    certificate.modified_on = {6};
    return certificate;
  }
  std::size_t count(const Zone& zone) {
    return certificates_.count(zone.id, CertificatePurpose::kEdge);
  }

  ZoneCertificates certificates_{*store_};
};

TEST_F(CertificateStoreTest, AZoneCertificateComesBackWhole) {
  const Zone zone = add_zone("a.test");
  const auto made = zone_certificate(zone, "a.test");
  certificates_.insert(made);
  const auto read = certificates_.find(zone.id, made.purpose, made.id);
  ASSERT_TRUE(read);
  EXPECT_EQ(read->certificate, made.certificate);
  EXPECT_EQ(read->sealed_key, made.sealed_key);
  EXPECT_EQ(read->bundle_method, made.bundle_method);
  EXPECT_EQ(read->is_legacy, made.is_legacy);
  EXPECT_EQ(read->priority, made.priority);
  EXPECT_EQ(read->uploaded_on, made.uploaded_on);
  EXPECT_EQ(read->modified_on, made.modified_on);
  EXPECT_FALSE(certificates_.find(zone.id, CertificatePurpose::kZonePull, made.id));
  EXPECT_FALSE(certificates_.find(next_id(), made.purpose, made.id)) << "another zone's";
  EXPECT_FALSE(certificates_.has(made)) << "itself is no other";
  auto other = made;
  other.id = next_id();
  EXPECT_TRUE(certificates_.has(other));
}

TEST_F(CertificateStoreTest, AListIsOrderedFilteredAndPaged) {
  const Zone zone = add_zone("a.test");
  for (const std::uint32_t priority : {1, 3, 2}) {
    auto made = zone_certificate(zone, "n" + std::to_string(priority));
    made.priority = priority;
    made.certificate.expires_on = {priority * 100};
    certificates_.insert(made);
  }
  const auto names = [&](const ZoneCertificateQuery& query) {
    std::string text;
    const auto page = certificates_.list(zone.id, query);
    for (const auto& each : page.items) text += each.certificate.subject.common_name + " ";
    return text + std::to_string(page.total);
  };
  EXPECT_EQ(names({}), "n3 n2 n1 3");
  EXPECT_EQ(names({.paging = {2, 2}}), "n1 3");
  EXPECT_EQ(names({.paging = {3, 2}}), "3");
  EXPECT_EQ(names({.expired = true, .now = {200}}), "n2 n1 2");
  EXPECT_EQ(names({.expired = false, .now = {200}}), "n3 1");
}

TEST_F(CertificateStoreTest, AHostPullHoldsItsCertificate) {
  const Zone zone = add_zone("a.test");
  const auto made = zone_certificate(zone, "a.test", CertificatePurpose::kHostPull);
  certificates_.insert(made);
  certificates_.put_host_pull(zone.id, {"www.a.test", made.id, true, {1}, {2}});
  EXPECT_EQ(certificates_.hosts_with(made.id), (std::vector<std::string>{"www.a.test"}));
  EXPECT_THROW(certificates_.remove(made.id), Failure);
  certificates_.remove_host_pull(zone.id, "www.a.test");
  certificates_.remove(made.id);
  EXPECT_FALSE(certificates_.host_pull(zone.id, "www.a.test"));
}

TEST_F(CertificateStoreTest, AnAccountHasOneManagedAuthority) {
  AccountCertificates accounts(*store_);
  const model::Id account = Identities(*store_).first_account();
  model::AccountCertificate managed{next_id(), account, "m", facts("ca"), {7}, true, {1}};
  accounts.insert(managed);
  ASSERT_TRUE(accounts.managed(account));
  EXPECT_EQ(accounts.managed(account)->sealed_key, managed.sealed_key);
  EXPECT_TRUE(accounts.list(account, {}).items.empty()) << "not among the uploaded ones";
  managed.id = next_id();
  EXPECT_THROW(accounts.insert(managed), Failure);
  const Zone zone = add_zone("a.test");
  accounts.set_hosts(zone.id, std::nullopt, {"b.a.test", "a.a.test", "b.a.test"});
  EXPECT_EQ(accounts.hosts_of(zone.id, std::nullopt),
            (std::vector<std::string>{"a.a.test", "b.a.test"}));
  accounts.set_hosts(zone.id, std::nullopt, {});
  EXPECT_TRUE(accounts.hosts_of(zone.id, std::nullopt).empty());
}

TEST_F(CertificateStoreTest, ChangesOfATransactionTakeOneVersion) {
  const Zone zone = add_zone("a.test");
  const std::uint64_t version = store_->version();
  Transaction transaction(*store_, Transaction::Kind::kWrite);
  certificates_.insert(zone_certificate(zone, "a.test"));
  certificates_.set_tls(zone.id, {true, true});
  transaction.commit();
  EXPECT_EQ(store_->version(), version + 1);
}

TEST_F(CertificateStoreTest, ARollbackFindsThemAgainAndForgettingRemovesThem) {
  Zone zone = add_zone("a.test");
  const Zone other = add_zone("b.test");
  const auto pull = zone_certificate(zone, "p", CertificatePurpose::kHostPull);
  certificates_.insert(zone_certificate(zone, "a.test"));
  certificates_.insert(zone_certificate(other, "b.test"));
  certificates_.insert(pull);
  certificates_.put_host_pull(zone.id, {"www.a.test", pull.id, true, {1}, {2}});
  rules::Ruleset ruleset;
  ruleset.id = next_id();
  ruleset.zone = zone.id;
  ruleset.name = "default";
  rules::Rule rule;
  rule.id = next_id();
  rule.expression = "not cf.tls_client_auth.cert_verified";
  ruleset.rules = {rule};
  Rulesets rulesets(*store_);
  rulesets.put(ruleset);
  const std::uint64_t before = store_->version();

  store_->delete_zone(zone);
  History history(*store_);
  ASSERT_TRUE(history.roll_back(before, std::nullopt));
  EXPECT_EQ(count(zone), 1U);
  ASSERT_EQ(rulesets.list(zone.id).size(), 1U);
  EXPECT_EQ(rulesets.list(zone.id)[0].rules[0].expression, rule.expression);

  store_->delete_zone(*store_->zone_by_name(zone.name));
  Zone later = add_zone("c.test");
  store_->update_zone(later);
  while (history.sweep(100)) {
  }
  EXPECT_EQ(count(zone), 1U) << "the history can still bring it back";
  history.prune({.versions_max = 1}, now_, store_->version());
  while (history.sweep(100)) {
  }
  EXPECT_EQ(count(zone), 0U);
  EXPECT_TRUE(rulesets.list(zone.id).empty());
  EXPECT_FALSE(certificates_.host_pull(zone.id, "www.a.test"));
  EXPECT_EQ(count(other), 1U);
}

TEST_F(CertificateStoreTest, ClientCertificatesAreListedByState) {
  const Zone zone = add_zone("a.test");
  ClientCertificates clients(*store_);
  model::ClientCertificate client{next_id(), zone.id, next_id(), facts("c"), "csr", 30, false, {9}};
  clients.insert(client);
  EXPECT_EQ(clients.list(zone.id, false, {}).total, 1U);
  clients.set_revoked(client.id, true);
  EXPECT_EQ(clients.list(zone.id, false, {}).total, 0U);
  EXPECT_EQ(clients.list(zone.id, true, {}).total, 1U);
  const auto read = clients.find(zone.id, client.id);
  ASSERT_TRUE(read);
  EXPECT_EQ(read->certificate, client.certificate);
  EXPECT_EQ(read->csr, "csr");
  EXPECT_EQ(read->validity_days, 30U);
  EXPECT_TRUE(read->revoked);
  EXPECT_FALSE(clients.find(next_id(), client.id));
}

TEST_F(CertificateStoreTest, AnEdgeCertificateIsExpectedToBeStapled) {
  const Zone zone = add_zone("a.test");
  OcspResponses responses(*store_);
  auto made = zone_certificate(zone, "a.test");
  certificates_.insert(made);
  certificates_.insert(zone_certificate(zone, "pull.test", CertificatePurpose::kZonePull));
  const auto due = responses.due(0, 10);
  ASSERT_EQ(due.size(), 1U);
  EXPECT_EQ(due[0].certificate, made.id);
  EXPECT_EQ(due[0].zone, zone.id);

  model::Stapling known = due[0];
  known.responder = "http://x/";
  known.response = {7, 8};
  known.status = model::OcspStatus::kRevoked;
  known.this_update_s = 1;
  known.next_update_s = 2;
  known.fetched_on_s = 3;
  known.look_on_s = 4;
  known.failures = 5;
  known.fault = "why";
  responses.put(known);
  const auto read = responses.find(made.id);
  ASSERT_TRUE(read);
  EXPECT_EQ(read->responder, known.responder);
  EXPECT_EQ(read->response, known.response);
  EXPECT_EQ(read->status, known.status);
  EXPECT_EQ(read->this_update_s, 1);
  EXPECT_EQ(read->next_update_s, 2);
  EXPECT_EQ(read->fetched_on_s, 3);
  EXPECT_EQ(read->look_on_s, 4);
  EXPECT_EQ(read->failures, 5U);
  EXPECT_EQ(read->fault, "why");
  EXPECT_TRUE(responses.due(3, 10).empty());
  EXPECT_EQ(responses.list(zone.id).size(), 1U);

  made.priority = 9;
  certificates_.update(made);
  EXPECT_EQ(responses.find(made.id)->response, known.response) << "the same certificate";
  made.certificate = facts("b.test");
  certificates_.update(made);
  EXPECT_TRUE(responses.find(made.id)->response.empty());
  responses.put(known);
  EXPECT_TRUE(responses.find(made.id)->response.empty()) << "it is about the one before";
  certificates_.remove(made.id);
  EXPECT_FALSE(responses.find(made.id));
}

TEST_F(CertificateStoreTest, OnlyAnotherResponseTakesAVersion) {
  const Zone zone = add_zone("a.test");
  const auto made = zone_certificate(zone, "a.test");
  OcspResponses responses(*store_);
  const auto version_of = [&](const model::Stapling& stapling) {
    Transaction transaction(*store_, Transaction::Kind::kWrite);
    responses.put(stapling);
    const auto version = store_->taken_version();
    transaction.commit();
    return version;
  };
  {
    Transaction transaction(*store_, Transaction::Kind::kWrite);
    certificates_.insert(made);
    transaction.commit();
  }
  model::Stapling known = *responses.find(made.id);
  known.fault = "nobody there";
  known.look_on_s = 7;
  EXPECT_FALSE(version_of(known).has_value());
  const std::uint64_t before = store_->version();
  known.response = {1};
  const auto version = version_of(known);
  ASSERT_TRUE(version.has_value());
  const auto changes = History(*store_).changes_between(before, *version, 100);
  ASSERT_TRUE(changes && changes->tables.size() == 1);
  EXPECT_EQ(changes->tables[0].part, TablePart::kCertificate);
  known.look_on_s = 8;
  EXPECT_FALSE(version_of(known).has_value());
}

TEST_F(CertificateStoreTest, WhetherACertificateIsForwardedIsSaidByName) {
  const Zone zone = add_zone("a.test");
  CertificateForwards forwards(*store_);
  forwards.put(zone.id, {"b.a.test", true});
  forwards.put(zone.id, {"a.a.test", true});
  forwards.put(zone.id, {"b.a.test", false});
  const auto list = forwards.list(zone.id);
  ASSERT_EQ(list.size(), 2U);
  EXPECT_EQ(list[0].host, "a.a.test");
  EXPECT_TRUE(list[0].forwards);
  EXPECT_EQ(list[1].host, "b.a.test");
  EXPECT_FALSE(list[1].forwards);
}

}  // namespace
}  // namespace brink::ctl::store
