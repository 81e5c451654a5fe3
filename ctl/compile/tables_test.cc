// What zones have beside names, from the store to what a client's handshake finds in an image.
#include <gtest/gtest.h>

#include <optional>

#include "ctl/compile/compile.h"
#include "ctl/compile/compile_fixture.h"
#include "ctl/store/account_certificates.h"
#include "ctl/store/certificate_forwards.h"
#include "ctl/store/client_certificates.h"
#include "ctl/store/ocsp_responses.h"
#include "ctl/store/zone_certificates.h"
#include "dataplane/secret/pem.h"
#include "dataplane/snapshot/builder.h"
#include "l7/route/certificate_lookup.h"

namespace brink::ctl::compile {
namespace {

using l7::route::TlsHost;
using l7::route::TlsHostVerdict;
using model::CertificatePurpose;

class TablesTest : public ::testing::Test {
 protected:
  model::Zone add_zone(const std::string& text) {
    model::Zone zone;
    zone.id = ids_.next();
    zone.name = name(text);
    zone.status = model::ZoneStatus::kActive;
    zone.serial = 1;
    store_->insert_zone(zone);
    return zone;
  }
  model::Id add_certificate(const model::Zone& zone, std::vector<std::string> hosts,
                            std::uint32_t priority = 0,
                            CertificatePurpose purpose = CertificatePurpose::kEdge) {
    model::ZoneCertificate made;
    made.id = ids_.next();
    made.zone = zone.id;
    made.purpose = purpose;
    made.certificate = fake_certificate(++number_, std::move(hosts));
    made.sealed_key = {9, 9, number_};
    made.priority = priority;
    store::ZoneCertificates(*store_).insert(made);
    return made.id;
  }
  void compile() {
    view_.reset();
    store::Transaction view(*store_, store::Transaction::Kind::kRead);
    snapshot::Builder builder(base::HashKey{});
    const auto counts = compile_all(*store_, test_options(), builder);
    ASSERT_TRUE(counts.ok()) << counts.error().message();
    image_.emplace(std::move(builder.finish(1, 1)).value());
    ASSERT_TRUE(image_->verify().ok());
    view_.emplace(image_->view());
  }
  // The id of the certificate that the name gets.
  std::optional<model::Id> shown(const std::string& host) {
    if (l7::route::find_tls_host(*view_, host, 0, found_) != TlsHostVerdict::kFound) return {};
    return model::Id{found_.certificates[0].id};
  }

  std::unique_ptr<store::Store> store_ = empty_store();
  Ids ids_;
  std::uint8_t number_ = 0;
  std::optional<snapshot::Image> image_;
  std::optional<snapshot::View> view_;
  TlsHost found_;
};

TEST_F(TablesTest, ACertificateIsShownToItsHostsWithItsKeySealed) {
  const model::Zone zone = add_zone("a.test");
  const model::Id id = add_certificate(zone, {"www.a.test", "*.b.a.test"});
  compile();
  EXPECT_EQ(shown("www.a.test"), id);
  const auto& certificate = found_.certificates[0];
  const auto pem = secret::decode_pem(fake_pem(1));
  EXPECT_TRUE(std::equal(certificate.chain.begin(), certificate.chain.end(), pem->octets.begin(),
                         pem->octets.end()));
  EXPECT_EQ(std::vector(certificate.sealed_key.begin(), certificate.sealed_key.end()),
            (std::vector<std::uint8_t>{9, 9, 1}));
  EXPECT_EQ(certificate.key_context, model::key_context(id));
  EXPECT_EQ(certificate.not_after, 2'000'000'000);
  EXPECT_EQ(shown("x.b.a.test"), id);
  EXPECT_EQ(shown("a.test"), id) << "the zone's default";
}

TEST_F(TablesTest, ACertificateHasItsOcspResponse) {
  const model::Zone zone = add_zone("a.test");
  const model::Id id = add_certificate(zone, {"www.a.test"});
  store::OcspResponses responses(*store_);
  model::Stapling known = *responses.find(id);
  known.response = {4, 5, 6};
  known.next_update_s = 100;
  responses.put(known);
  compile();
  ASSERT_EQ(shown("www.a.test"), id);
  const auto ocsp = found_.certificates[0].ocsp;
  EXPECT_EQ(std::vector(ocsp.begin(), ocsp.end()), known.response);
  EXPECT_EQ(found_.certificates[0].ocsp_until, 100);
}

TEST_F(TablesTest, AZoneHasItsTrustInOrigins) {
  const model::Zone zone = add_zone("a.test");
  compile();
  EXPECT_FALSE(l7::route::find_zone_table(*view_, "a.test")->trust_store().has_value());
  add_certificate(zone, {}, 0, CertificatePurpose::kOriginTrust);
  add_certificate(zone, {}, 0, CertificatePurpose::kOriginTrust);
  compile();
  const auto table = l7::route::find_zone_table(*view_, "a.test");
  ASSERT_TRUE(table->trust_store().has_value());
  EXPECT_EQ(table->trust_store()->count, 2U);
  EXPECT_FALSE(shown("a.test").has_value()) << "it is for no client";
}

TEST_F(TablesTest, HostsForwardAsTheyOrTheirWildcardSay) {
  const model::Zone zone = add_zone("a.test");
  add_certificate(zone, {"*.a.test"});
  store::AccountCertificates(*store_).set_hosts(zone.id, std::nullopt,
                                                {"app.a.test", "off.a.test", "a.test"});
  store::CertificateForwards forwards(*store_);
  forwards.put(zone.id, {"*.a.test", true});
  forwards.put(zone.id, {"off.a.test", false});
  forwards.put(zone.id, {"unasked.a.test", true});
  compile();
  const auto does = [&](const std::string& host) {
    return l7::route::find_host(*view_, host)->forwards_certificate;
  };
  EXPECT_TRUE(does("app.a.test"));
  EXPECT_FALSE(does("off.a.test"));
  EXPECT_FALSE(does("a.test")) << "a wildcard does not cover it";
  EXPECT_FALSE(does("unasked.a.test")) << "it asks for none";
}

TEST_F(TablesTest, WhatNamesTheHostComesFirstThenPriorityThenTheNewest) {
  const model::Zone zone = add_zone("a.test");
  const model::Id exact = add_certificate(zone, {"www.a.test"}, 0);
  const model::Id wildcard = add_certificate(zone, {"*.a.test"}, 9);
  const model::Id newer = add_certificate(zone, {"*.a.test", "a.test"}, 9);
  compile();
  EXPECT_EQ(shown("www.a.test"), exact);
  ASSERT_EQ(found_.host.certificates.size(), 3U);
  EXPECT_EQ(found_.host.certificates[1].id, newer.bytes);
  EXPECT_EQ(found_.host.certificates[2].id, wildcard.bytes);
  EXPECT_EQ(shown("other.a.test"), newer);
  EXPECT_EQ(found_.host.certificates.size(), 2U);
}

TEST_F(TablesTest, AZoneWithoutAnythingHasNoTable) {
  add_zone("a.test");
  compile();
  EXPECT_FALSE(shown("a.test").has_value());
  snapshot::NameKey key;
  ASSERT_TRUE(snapshot::set_key_from_text(key, view_->hash_key(), "a.test"));
  EXPECT_EQ(snapshot::View::table(view_->zone(*view_->find(key))), nullptr);
}

TEST_F(TablesTest, NamesAskClientsOfTheirAuthorities) {
  const model::Zone zone = add_zone("a.test");
  const model::Id wildcard = add_certificate(zone, {"*.a.test"});
  store::AccountCertificates accounts(*store_);
  accounts.set_hosts(zone.id, std::nullopt, {"app.a.test"});
  compile();
  ASSERT_EQ(shown("app.a.test"), wildcard);
  EXPECT_TRUE(found_.host.asks_client);
  EXPECT_TRUE(found_.host.authorities.empty()) << "the managed one is not made yet";
  ASSERT_TRUE(shown("www.a.test").has_value());
  EXPECT_FALSE(found_.host.asks_client);

  model::AccountCertificate managed;
  managed.id = ids_.next();
  managed.account = store_->zone_by_id(zone.id)->account;
  managed.certificate = fake_certificate(100, {});
  managed.managed = true;
  accounts.insert(managed);
  model::ClientCertificate client;
  client.id = ids_.next();
  client.zone = add_zone("other.test").id;
  client.authority = managed.id;
  client.certificate.serial = "00f1a2";
  store::ClientCertificates clients(*store_);
  clients.insert(client);
  compile();
  ASSERT_TRUE(shown("app.a.test").has_value());
  ASSERT_EQ(found_.host.authorities.size(), 1U);
  EXPECT_EQ(found_.host.authorities[0], managed.id.bytes);
  EXPECT_TRUE(found_.table->authority(managed.id.bytes).has_value());
  const std::vector<std::uint8_t> serial = {0xf1, 0xa2};
  EXPECT_FALSE(found_.table->is_revoked(managed.id.bytes, serial));
  clients.set_revoked(client.id, true);
  compile();
  ASSERT_TRUE(shown("app.a.test").has_value());
  EXPECT_TRUE(found_.table->is_revoked(managed.id.bytes, serial)) << "whichever zone it was for";
}

TEST_F(TablesTest, OriginsAreShownTheCertificateOfTheHostThenOfTheZone) {
  model::Zone zone = add_zone("a.test");
  store::ZoneCertificates certificates(*store_);
  add_certificate(zone, {}, 0, CertificatePurpose::kZonePull);
  const model::Id newer = add_certificate(zone, {}, 0, CertificatePurpose::kZonePull);
  const model::Id own = add_certificate(zone, {}, 0, CertificatePurpose::kHostPull);
  certificates.put_host_pull(zone.id, {"own.a.test", own, true, {}, {}});
  certificates.put_host_pull(zone.id, {"off.a.test", own, false, {}, {}});
  const auto pull = [&](const std::string& host) {
    return l7::route::find_zone_table(*view_, host)->origin_pull(host);
  };
  using From = l7::route::OriginPull::From;
  compile();
  EXPECT_EQ(pull("own.a.test").certificate, own.bytes);
  EXPECT_EQ(pull("off.a.test").from, From::kNone);
  EXPECT_EQ(pull("www.a.test").from, From::kNone);
  certificates.set_tls(zone.id, {false, true});
  compile();
  EXPECT_EQ(pull("www.a.test").certificate, newer.bytes);
  EXPECT_EQ(pull("off.a.test").from, From::kNone);
  EXPECT_TRUE(l7::route::find_zone_table(*view_, "a.test")->certificate(own.bytes).has_value());
  certificates.set_tls(zone.id, {false, false});
  zone.settings["tls_client_auth"] = {"\"on\"", {}};
  store_->update_zone(zone);
  compile();
  EXPECT_EQ(pull("www.a.test").from, From::kOperator);
}

TEST_F(TablesTest, SettingsReachTheTable) {
  model::Zone zone = add_zone("a.test");
  zone.settings["ssl"] = {"\"strict\"", {}};
  zone.settings["min_tls_version"] = {"\"1.3\"", {}};
  zone.settings["ciphers"] = {R"(["AES128-SHA"])", {}};
  zone.settings["http2"] = {"\"off\"", {}};
  zone.settings["security_header"] = {
      R"({"strict_transport_security":{"enabled":true,"max_age":77}})", {}};
  store_->update_zone(zone);
  compile();
  const auto settings = l7::route::find_zone_table(*view_, "a.test")->settings();
  EXPECT_EQ(settings.ssl, l7::route::SslMode::kStrict);
  EXPECT_EQ(settings.min_tls, l7::route::TlsVersion::kTls13);
  EXPECT_EQ(settings.max_tls, l7::route::TlsVersion::kTls13);
  EXPECT_EQ(settings.ciphers, l7::route::CipherPolicy::kLegacy);
  EXPECT_EQ(settings.flags & l7::route::kHttp2, 0U);
  EXPECT_NE(settings.flags & l7::route::kHsts, 0U);
  EXPECT_EQ(settings.hsts_max_age_s, 77U);
}

TEST_F(TablesTest, PagesForErrorsReachTheTable) {
  using l7::route::PageKind;
  model::Zone zone = add_zone("a.test");
  zone.settings["error_page_5xx"] = {R"("<p>\n{{ray}}</p>")", {}};
  store_->update_zone(zone);
  compile();
  const auto table = l7::route::find_zone_table(*view_, "a.test");
  EXPECT_EQ(table->error_page(PageKind::kServer), "<p>\n{{ray}}</p>");
  EXPECT_EQ(table->error_page(PageKind::kRefusal), "");
  EXPECT_EQ(table->settings(), l7::route::SettingsLayout()) << "nothing else has changed";
}

TEST_F(TablesTest, ACertificateThatIsNoneIsNamed) {
  const model::Zone zone = add_zone("a.test");
  model::ZoneCertificate bad;
  bad.id = ids_.next();
  bad.zone = zone.id;
  bad.certificate.pem = "no PEM";
  bad.sealed_key = {1};
  store::ZoneCertificates(*store_).insert(bad);
  store::Transaction view(*store_, store::Transaction::Kind::kRead);
  snapshot::Builder builder(base::HashKey{});
  const auto counts = compile_all(*store_, test_options(), builder);
  ASSERT_FALSE(counts.ok());
  EXPECT_NE(counts.error().message().find(bad.id.hex()), std::string::npos);
}

}  // namespace
}  // namespace brink::ctl::compile
