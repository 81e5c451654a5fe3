// Whom a zone trusts in its origins, what these are told of clients' certificates, and what is
// known of OCSP.
#include "ctl/api/certificate_api_fixture.h"
#include "ctl/model/stapling.h"
#include "ctl/store/ocsp_responses.h"

namespace brink::ctl::api {
namespace {

using certificate::make;

class OriginTlsTest : public CertificateApiTest {
 protected:
  const std::string trust_ = zone_ + "/acm/custom_trust_store";
  const std::string forwards_ = zone_ + "/access/certificates/settings";
};

TEST_F(OriginTlsTest, AnAuthorityIsTrustedShownAndDeleted) {
  const Json made = post(trust_, {{"certificate", root_.pem}});
  ASSERT_EQ(status_, 200) << made;
  EXPECT_EQ(made["result"]["certificate"], root_.pem);
  EXPECT_EQ(made["result"]["status"], "active");
  EXPECT_EQ(newest_audit()["resource"]["type"], "origin_trust");
  const std::string one = trust_ + "/" + id_of(made);
  EXPECT_EQ(call("GET", one)["result"], made["result"]);
  EXPECT_EQ(call("GET", trust_)["result"], Json::array({made["result"]}));
  EXPECT_EQ(call("DELETE", one)["result"]["status"], "deleted");
  call("GET", one);
  EXPECT_EQ(status_, 404);
  EXPECT_EQ(call("GET", trust_)["result"], Json::array());
}

TEST_F(OriginTlsTest, WhatIsNoAuthorityIsRefused) {
  using namespace model;
  expect_refusal(post(trust_, {{"certificate", leaf_.pem}}), kCodeCertificateInvalid,
                 "not one of an authority");
  expect_refusal(post(trust_, {{"certificate", "x"}}), kCodeCertificateInvalid, "not PEM");
  expect_refusal(post(trust_, Json::object()), kCodeCertificateInvalid, "not PEM");
  post(trust_, {{"certificate", root_.pem}});
  expect_refusal(post(trust_, {{"certificate", root_.pem}}), kCodeCertificateExists, "already");
}

TEST_F(OriginTlsTest, HostsForwardCertificatesOrNot) {
  const auto setting = [](const std::string& host, bool forwards) {
    return Json{
        {"hostname", host}, {"china_network", false}, {"client_certificate_forwarding", forwards}};
  };
  const Json first = Json::array({setting("*.example.com", true), setting("a.example.com", true)});
  EXPECT_EQ(put(forwards_, {{"settings", first}})["result"], first);
  EXPECT_EQ(newest_audit()["resource"]["type"], "certificate_forwarding");
  const Json changed = put(
      forwards_,
      {{"settings", {{{"hostname", "A.example.com"}, {"client_certificate_forwarding", false}}}}});
  EXPECT_EQ(changed["result"],
            Json::array({setting("*.example.com", true), setting("a.example.com", false)}));
  EXPECT_EQ(call("GET", forwards_)["result"], changed["result"]);
}

TEST_F(OriginTlsTest, ForwardingIsRefusedWithItsReason) {
  const auto expect = [&](const Json& item, int code, const std::string& part) {
    expect_refusal(put(forwards_, {{"settings", Json::array({item})}}), code, part);
  };
  expect({{"hostname", "a.example.com"}}, kCodeBadBody,
         "settings[0].client_certificate_forwarding");
  expect({{"hostname", "a.example.org"}, {"client_certificate_forwarding", true}},
         model::kCodeHostInvalid, "settings[0].hostname");
  expect({{"hostname", "a.example.com"},
          {"client_certificate_forwarding", true},
          {"china_network", true}},
         kCodeNotProvided, "china_network");
  expect_refusal(put(forwards_, Json::object()), kCodeBadBody, "settings");
  EXPECT_EQ(call("GET", forwards_)["result"], Json::array());
}

TEST_F(OriginTlsTest, TheStateOfStaplingIsShown) {
  const std::string zone_id = zone_.substr(zone_.rfind('/') + 1);
  const auto state = [&] {
    return call("GET", "/brink/v1/zones/" + zone_id + "/stapling")["result"];
  };
  const auto stapled = make({.hosts = {"example.com"},
                             .issuer = &root_,
                             .responder = "http://ocsp.test/",
                             .must_staple = true});
  const std::string id = id_of(post(zone_ + "/custom_certificates", pair(stapled, root_.pem)));
  ASSERT_EQ(status_, 200);
  ASSERT_EQ(state().size(), 1U);
  EXPECT_EQ(state()[0]["certificate_id"], id);
  EXPECT_EQ(state()[0]["status"], "pending");
  EXPECT_EQ(state()[0]["must_staple"], true);
  EXPECT_EQ(state()[0]["responder"], "http://ocsp.test/");
  EXPECT_EQ(state()[0]["next_update"], nullptr);
  store::OcspResponses responses(*store_);
  model::Stapling known = *responses.find(*model::Id::parse(id));
  const auto status_with = [&](const model::Stapling& stapling) {
    store::Transaction transaction(*store_, store::Transaction::Kind::kWrite);
    responses.put(stapling);
    transaction.commit();
    return state()[0]["status"];
  };
  known.fault = "nobody there";
  EXPECT_EQ(status_with(known), "failed");
  EXPECT_EQ(state()[0]["problem"], "nobody there");
  known.response = {1};
  known.next_update_s = kStartS + 86'400;
  EXPECT_EQ(status_with(known), "good");
  EXPECT_EQ(state()[0]["next_update"], "2026-01-02T00:00:00.000000Z");
  known.status = model::OcspStatus::kRevoked;
  EXPECT_EQ(status_with(known), "revoked");
  known.next_update_s = kStartS;
  EXPECT_EQ(status_with(known), "expired");
}

}  // namespace
}  // namespace brink::ctl::api
