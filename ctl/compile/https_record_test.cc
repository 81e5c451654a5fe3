// HTTPS records of names that the edge serves HTTPS for, as they come and go.
#include "ctl/compile/https_record.h"

#include <gtest/gtest.h>

#include <optional>
#include <vector>

#include "ctl/compile/compile.h"
#include "ctl/compile/compile_fixture.h"
#include "ctl/compile/map_sink.h"
#include "ctl/compile/served_zone.h"
#include "ctl/model/rules.h"
#include "ctl/store/zone_certificates.h"
#include "dns/zone/text.h"

namespace brink::ctl::compile {
namespace {

const std::string kHints4 = "ipv4hint=192.0.2.1,192.0.2.2";
const std::string kHints6 = "ipv6hint=2001:db8::1,2001:db8::2";
const std::string kWhole = "1 . alpn=h2,http/1.1 " + kHints4 + " " + kHints6;

TEST(HttpsRecord, RdataIsThatOfRfc9460) {
  HttpsRecord record{.http2 = true};
  record.hints = {*base::IpAddress::parse("192.0.2.1"), *base::IpAddress::parse("2001:db8::1")};
  const std::string expected(
      "\0\1\0"
      "\0\1\0\14\2h2\10http/1.1"
      "\0\4\0\4\300\0\2\1"
      "\0\6\0\20\40\1\15\270\0\0\0\0\0\0\0\0\0\0\0\1",
      47);
  EXPECT_EQ(https_rdata(record), expected);
  EXPECT_EQ(https_rdata({}), std::string("\0\1\0\0\1\0\11\10http/1.1", 16));
}

class HttpsRecordTest : public ::testing::Test {
 protected:
  HttpsRecordTest() {
    zone_.id = ids_.next();
    zone_.name = name("a.test");
    zone_.status = model::ZoneStatus::kActive;
    zone_.serial = 1;
    options_.signers = &signers_;
    version_ = store_->version();
    store_->insert_zone(zone_);
    follow();
  }

  model::Record add(const model::RecordDraft& draft) {
    auto made = model::make_record({}, zone_, draft);
    EXPECT_TRUE(made.ok());
    made.value().id = ids_.next();
    store_->insert_record(zone_, made.value());
    return made.value();
  }
  model::Record add_proxied(const std::string& owner) {
    return add({.name = owner, .type = "A", .content = "203.0.113.1", .proxied = true});
  }
  model::Id certify(std::vector<std::string> hosts,
                    model::CertificatePurpose purpose = model::CertificatePurpose::kEdge) {
    model::ZoneCertificate made;
    made.id = ids_.next();
    made.zone = zone_.id;
    made.purpose = purpose;
    made.certificate = fake_certificate(++number_, std::move(hosts));
    made.sealed_key = {9};
    store::Transaction change(*store_, store::Transaction::Kind::kWrite);
    store::ZoneCertificates(*store_).insert(made);
    change.commit();
    return made.id;
  }
  void remove(const model::Id& certificate) {
    store::Transaction change(*store_, store::Transaction::Kind::kWrite);
    store::ZoneCertificates(*store_).remove(certificate);
    change.commit();
  }
  void set(const std::string& setting, const std::string& value) {
    zone_.settings[setting].value = value;
    store_->update_zone(zone_);
  }

  // The sink follows the store by what changed, and is what it would be anew.
  void follow() {
    store::Transaction view(*store_, store::Transaction::Kind::kRead);
    const auto changes = store::History(*store_).changes_between(version_, store_->version());
    ASSERT_TRUE(changes.has_value());
    auto counts = compile_changes(*store_, *changes, options_, sink_);
    ASSERT_TRUE(counts.ok()) << counts.error().message();
    counts_ = counts.value();
    ASSERT_TRUE(sink_.finish().ok());
    MapSink fresh;
    ASSERT_TRUE(compile_all(*store_, options_, fresh).ok());
    ASSERT_TRUE(fresh.finish().ok());
    EXPECT_EQ(sink_.difference(fresh), "");
    version_ = store_->version();
  }
  // The name's HTTPS records as text, after following; empty: none. Signed ones have signatures.
  std::string served(const std::string& owner) {
    follow();
    store::Transaction view(*store_, store::Transaction::Kind::kRead);
    std::string text;
    const auto visit = [&](const dns::zone::Wire& of, const dns::zone::Rrset& set) {
      if (set.type != dns::zone::kTypeHttps) return;
      if (dns::zone::name_to_text(of) != owner + ".") return;
      for (const auto& rdata : set.rdata) {
        text += dns::zone::rdata_to_text(set.type, rdata).value();
      }
      if (set.ttl != 300) text += " TTL " + std::to_string(set.ttl);
      if (zone_.dnssec.is_signed() && set.signatures.size() != 1) text += " unsigned";
    };
    const auto done = serve_zone(*store_, *store_->zone_by_name(zone_.name), options_, visit);
    EXPECT_TRUE(done.ok());
    return text;
  }

  std::unique_ptr<store::Store> store_ = empty_store();
  Ids ids_;
  model::Zone zone_;
  TestSigners signers_;
  Options options_ = test_options();
  MapSink sink_;
  Counts counts_;
  std::uint64_t version_ = 0;
  std::uint8_t number_ = 0;
};

TEST_F(HttpsRecordTest, AProxiedNameWithACertificateHasOne) {
  add_proxied("www.a.test");
  EXPECT_EQ(served("www.a.test"), "");
  const model::Id certificate = certify({"www.a.test"});
  EXPECT_EQ(served("www.a.test"), kWhole);
  EXPECT_EQ(counts_.names_put, 1U) << "no other name is touched";
  remove(certificate);
  EXPECT_EQ(served("www.a.test"), "");
}

TEST_F(HttpsRecordTest, TheEdgesNameIsTheOwner) {
  add({.name = "www.a.test", .type = "CNAME", .content = "elsewhere.test", .proxied = true});
  certify({"www.a.test"});
  EXPECT_EQ(served("www.a.test"), kWhole);
}

TEST_F(HttpsRecordTest, NotWhatIsNotProxiedOrNotCovered) {
  add({.name = "plain.a.test", .type = "A", .content = "203.0.113.1"});
  add_proxied("a.b.a.test");
  add_proxied("other.a.test");
  certify({"plain.a.test", "www.a.test", "*.a.test"}, model::CertificatePurpose::kZonePull);
  EXPECT_EQ(served("other.a.test"), "") << "shown to origins, not to clients";
  certify({"plain.a.test", "*.a.test"});
  EXPECT_EQ(served("other.a.test"), kWhole);
  EXPECT_EQ(served("plain.a.test"), "");
  EXPECT_EQ(served("a.b.a.test"), "") << "a wildcard covers one label";
}

TEST_F(HttpsRecordTest, AWildcardIsCoveredByAWildcard) {
  add_proxied("*.a.test");
  const model::Id one = certify({"x.a.test"});
  EXPECT_EQ(served("*.a.test"), "");
  certify({"*.a.test"});
  EXPECT_EQ(served("*.a.test"), kWhole);
  remove(one);
  EXPECT_EQ(served("*.a.test"), kWhole);
}

TEST_F(HttpsRecordTest, AFlattenedAliasOfAProxiedNameHasOne) {
  add_proxied("www.a.test");
  add({.name = "a.test", .type = "CNAME", .content = "www.a.test"});
  add({.name = "chained.a.test", .type = "CNAME", .content = "www.a.test"});
  certify({"a.test", "chained.a.test"});
  EXPECT_EQ(served("a.test"), kWhole);
  EXPECT_EQ(served("chained.a.test"), "") << "its CNAME is the answer";
  EXPECT_EQ(served("www.a.test"), "");
}

TEST_F(HttpsRecordTest, TheUsersOwnStands) {
  add_proxied("www.a.test");
  const model::Record own = add({.name = "www.a.test", .type = "HTTPS", .content = "1 . alpn=h3"});
  certify({"www.a.test"});
  EXPECT_NE(served("www.a.test").find("h3"), std::string::npos);
  store_->delete_record(own);
  EXPECT_EQ(served("www.a.test"), kWhole);
}

TEST_F(HttpsRecordTest, SettingsAreFollowed) {
  add_proxied("www.a.test");
  certify({"www.a.test"});
  set("http2", "\"off\"");
  EXPECT_EQ(served("www.a.test"), "1 . alpn=http/1.1 " + kHints4 + " " + kHints6);
  set("http2", "\"on\"");
  EXPECT_EQ(served("www.a.test"), kWhole);
  set("ssl", "\"off\"");
  EXPECT_EQ(served("www.a.test"), "") << "HTTPS leads back to HTTP";
  set("ssl", "\"strict\"");
  EXPECT_EQ(served("www.a.test"), kWhole);
  zone_.dns.ipv6 = false;
  store_->update_zone(zone_);
  EXPECT_EQ(served("www.a.test"), "1 . alpn=h2,http/1.1 " + kHints4);
}

TEST_F(HttpsRecordTest, HintsAreWhatTheNameAnswers) {
  model::RecordDraft draft{
      .name = "www.a.test", .type = "A", .content = "203.0.113.1", .proxied = true};
  draft.settings.ipv6_only = true;
  add(draft);
  certify({"www.a.test"});
  EXPECT_EQ(served("www.a.test"), "1 . alpn=h2,http/1.1 " + kHints6);
}

TEST_F(HttpsRecordTest, NoneWhereNobodyServesHttpsOrTheZoneIsNotProxied) {
  add_proxied("www.a.test");
  certify({"www.a.test"});
  EXPECT_EQ(served("www.a.test"), kWhole);
  zone_.paused = true;
  store_->update_zone(zone_);
  EXPECT_EQ(served("www.a.test"), "");
  zone_.paused = false;
  store_->update_zone(zone_);
  EXPECT_EQ(served("www.a.test"), kWhole);
  options_.https_records = false;
  MapSink fresh;
  ASSERT_TRUE(compile_all(*store_, options_, fresh).ok());
  ASSERT_TRUE(fresh.finish().ok());
  EXPECT_NE(sink_.difference(fresh), "");
}

TEST_F(HttpsRecordTest, ItIsSignedAndInTheChain) {
  for (const model::ZoneDenial denial : {model::ZoneDenial::kNsec, model::ZoneDenial::kNsec3}) {
    zone_.dnssec.status = model::DnssecStatus::kActive;
    zone_.dnssec.denial = denial;
    store_->update_zone(zone_);
    const model::Record record = add_proxied("www.a.test");
    const model::Record wildcard = add_proxied("*.w.a.test");
    const model::Id certificate = certify({"www.a.test", "*.w.a.test"});
    // follow() compares the chain of what changed with one that is made anew.
    EXPECT_EQ(served("www.a.test"), kWhole);
    EXPECT_EQ(served("*.w.a.test"), kWhole);
    remove(certificate);
    EXPECT_EQ(served("www.a.test"), "");
    store_->delete_record(record);
    store_->delete_record(wildcard);
    follow();
  }
}

}  // namespace
}  // namespace brink::ctl::compile
