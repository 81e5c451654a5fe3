// Custom certificates, packs, universal settings, authenticated origin pulls.
#include <fstream>
#include <sstream>

#include "ctl/api/certificate_api_fixture.h"
#include "ctl/api/certificate_input.h"

namespace brink::ctl::api {
namespace {

using certificate::make;
using certificate::TestKey;

class CustomCertificateTest : public CertificateApiTest {
 protected:
  const std::string path_ = zone_ + "/custom_certificates";
};

TEST_F(CustomCertificateTest, IsUploadedShownChangedAndDeleted) {
  const Json made = post(path_, pair(leaf_, root_.pem));
  ASSERT_EQ(status_, 200) << made;
  const Json& result = made["result"];
  EXPECT_EQ(result["hosts"], Json::parse(R"(["example.com","*.example.com"])"));
  EXPECT_EQ(result["issuer"], "Example");
  EXPECT_EQ(result["signature"], "ECDSAWithSHA256");
  EXPECT_EQ(result["status"], "active");
  EXPECT_EQ(result["bundle_method"], "ubiquitous");
  EXPECT_EQ(result["type"], "legacy_custom");
  EXPECT_EQ(result["expires_on"], "2055-07-24T00:00:00.000000Z");
  EXPECT_EQ(result["zone_id"], zone_.substr(zone_.rfind('/') + 1));
  EXPECT_EQ(result["priority"], 0);
  const std::string one = path_ + "/" + id_of(made);
  EXPECT_EQ(call("GET", one)["result"], result);
  const Json changed = patch(one, {{"bundle_method", "force"}});
  ASSERT_EQ(status_, 200) << changed;
  EXPECT_EQ(changed["result"]["bundle_method"], "force");
  EXPECT_EQ(changed["result"]["id"], result["id"]);
  EXPECT_NE(changed["result"]["modified_on"], result["modified_on"]);
  EXPECT_EQ(version_, store_->version()) << "answered when the edge has it";
  EXPECT_EQ(call("DELETE", one)["result"], (Json{{"id", result["id"]}}));
  EXPECT_EQ(version_, store_->version());
  call("GET", one);
  EXPECT_EQ(status_, 404);
}

TEST_F(CustomCertificateTest, TakesEveryKindOfKey) {
  for (const TestKey& key : {TestKey::rsa(2048), TestKey::ed25519(), TestKey::ec("P-384")}) {
    const Json made = post(path_, pair(make({.hosts = {"example.com"}}, key)));
    EXPECT_EQ(status_, 200) << made;
  }
}

TEST_F(CustomCertificateTest, IsRefusedWithItsReason) {
  const auto expect = [&](const Json& body, int code, const std::string& part) {
    expect_refusal(post(path_, body), code, part);
    EXPECT_EQ(status_, code == kCodeNotProvided ? 501 : 400);
  };
  using namespace model;
  expect(Json::object(), kCodeCertificateInvalid, "not PEM");
  expect({{"certificate", leaf_.pem}}, kCodeKeyInvalid, "no private_key");
  expect({{"certificate", leaf_.pem}, {"private_key", root_.key.pem}}, kCodeKeyInvalid,
         "not the one of the certificate");
  expect({{"certificate", "garbage"}, {"private_key", "garbage"}}, kCodeCertificateInvalid, "PEM");
  expect({{"certificate", leaf_.pem}, {"private_key", "garbage"}}, kCodeKeyInvalid, "not PEM");
  expect({{"certificate", 7}, {"private_key", "x"}}, kCodeBadBody, "\"certificate\" must be");
  expect({{"certificate", leaf_.pem}, {"private_key", true}}, kCodeBadBody, "\"private_key\"");
  expect({{"certificate", std::string(70'000, 'x')}}, kCodeCertificateInvalid, "65536 are allowed");
  expect({{"certificate", leaf_.pem}, {"private_key", std::string(17'000, 'x')}}, kCodeKeyInvalid,
         "16384 are allowed");
  expect(pair(make({.hosts = {"example.com"}, .to_s = kStartS})), kCodeCertificateInvalid,
         "expired on 2026-01-01");
  expect(pair(make({.hosts = {"example.com"}, .from_s = kStartS + 86'400})),
         kCodeCertificateInvalid, "not valid before");
  expect(pair(make({.hosts = {"example.com", "example.org"}})), kCodeHostInvalid,
         "\"example.org\" does not lie in the zone example.com");
  expect(pair(make({})), kCodeHostInvalid, "names no host");
  expect(pair(root_), kCodeCertificateInvalid, "missing leaf certificate");
  expect(pair(make({.hosts = {"example.com"}}, TestKey::rsa(1024))), kCodeCertificateInvalid,
         "1024 bits");
  Json body = pair(leaf_);
  body["certificate"] = root_.pem + leaf_.pem;
  body["bundle_method"] = "force";
  expect(body, kCodeCertificateInvalid, "is not signed by the next one");
  body["bundle_method"] = "best";
  expect(body, kCodeBadBody, "ubiquitous, optimal or force");
  body["bundle_method"] = 1;
  expect(body, kCodeBadBody, "\"bundle_method\" must be a string");
  body = pair(leaf_);
  body["type"] = "other";
  expect(body, kCodeBadBody, "legacy_custom or sni_custom");
  body = pair(leaf_);
  body["geo_restrictions"] = {{"label", "eu"}};
  expect(body, kCodeNotProvided, "geo_restrictions");
  body = pair(leaf_);
  body["deploy"] = "staging";
  expect(body, kCodeNotProvided, "deploy");
  EXPECT_EQ(refusal(call("POST", path_, "{")).substr(0, 4), "6007");
  EXPECT_EQ(call("GET", path_)["result"].size(), 0U);
  ASSERT_EQ(post(path_, pair(leaf_))["success"], true);
  expect(pair(leaf_), kCodeCertificateExists, "already");
  EXPECT_EQ(call("GET", path_)["result_info"]["total_count"], 1);
}

TEST_F(CustomCertificateTest, AZoneHasALimitOfThem) {
  const TestKey key = TestKey::ec();
  for (std::size_t i = 0; i < model::kZoneCertificatesMax; ++i) {
    post(path_, pair(make({.hosts = {"example.com"}}, key)));
    ASSERT_EQ(status_, 200) << i;
  }
  expect_refusal(post(path_, pair(leaf_)), model::kCodeCertificateLimit, "at most 100");
  EXPECT_EQ(call("GET", zone_)["result"]["meta"]["custom_certificate_quota"], 100);
}

TEST_F(CustomCertificateTest, ARenewalMayKeepTheKey) {
  const std::string one = path_ + "/" + id_of(post(path_, pair(leaf_)));
  const auto renewed = make({.hosts = {"www.example.com"}, .issuer = &root_}, leaf_.key);
  const Json changed = patch(one, {{"certificate", renewed.pem}});
  ASSERT_EQ(status_, 200) << changed;
  EXPECT_EQ(changed["result"]["hosts"], Json::parse(R"(["www.example.com"])"));
  const auto foreign = make({.hosts = {"www.example.com"}});
  expect_refusal(patch(one, {{"certificate", foreign.pem}}), model::kCodeKeyInvalid, "not the one");
  expect_refusal(patch(one, {{"private_key", foreign.key.pem}}), model::kCodeKeyInvalid, "not the");
  EXPECT_EQ(call("GET", one)["result"], changed["result"]) << "a refusal changes nothing";
  patch(one, pair(foreign));
  EXPECT_EQ(status_, 200);
}

TEST_F(CustomCertificateTest, AListIsPagedAndFilteredByStatus) {
  for (int i = 0; i < 3; ++i) {
    post(path_,
         pair(make({.hosts = {"example.com"}, .to_s = kStartS + (i == 0 ? 40 : 4'000'000)})));
    ASSERT_EQ(status_, 200);
  }
  now_ += 100'000'000;
  EXPECT_EQ(call("GET", path_ + "?per_page=2")["result"].size(), 2U);
  EXPECT_EQ(call("GET", path_ + "?per_page=2&page=2")["result"].size(), 1U);
  const Json past_the_end = call("GET", path_ + "?per_page=2&page=3");
  EXPECT_EQ(past_the_end["result"], Json::array());
  EXPECT_EQ(past_the_end["result_info"]["total_count"], 3);
  const Json expired = call("GET", path_ + "?status=expired");
  ASSERT_EQ(expired["result"].size(), 1U);
  EXPECT_EQ(expired["result"][0]["status"], "expired");
  EXPECT_EQ(call("GET", path_ + "?status=active")["result"].size(), 2U);
  EXPECT_EQ(call("GET", path_ + "?status=pending")["result"].size(), 0U);
  expect_refusal(call("GET", path_ + "?status=odd"), kCodeBadParameter, "status");
  expect_refusal(call("GET", path_ + "?page=0"), kCodeBadParameter, "page");
  EXPECT_EQ(call("GET", zone_ + "/ssl/certificate_packs")["result"].size(), 2U);
  EXPECT_EQ(call("GET", zone_ + "/ssl/certificate_packs?status=all")["result"].size(), 3U);
}

TEST_F(CustomCertificateTest, PrioritiesAreSetTogether) {
  const std::string a = id_of(post(path_, pair(leaf_)));
  const std::string b = id_of(post(path_, pair(make({.hosts = {"example.com"}}))));
  const Json list =
      put(path_ + "/prioritize",
          {{"certificates", {{{"id", a}, {"priority", 9}}, {{"id", b}, {"priority", 3}}}}});
  ASSERT_EQ(status_, 200) << list;
  EXPECT_EQ(list["result"][0]["id"], a);
  EXPECT_EQ(list["result"][0]["priority"], 9);
  put(path_ + "/prioritize",
      {{"certificates",
        {{{"id", b}, {"priority", 10}}, {{"id", std::string(32, '0')}, {"priority", 1}}}}});
  EXPECT_EQ(status_, 404);
  EXPECT_EQ(call("GET", path_ + "/" + b)["result"]["priority"], 3) << "all or nothing";
  for (const char* bad :
       {"{}", R"({"certificates":[]})", R"({"certificates":{}})", R"({"certificates":[7]})",
        R"({"certificates":[{"id":"x","priority":"1"}]})"}) {
    EXPECT_EQ(code(call("PUT", path_ + "/prioritize", bad)), kCodeBadBody) << bad;
  }
}

// Everything that is answered or written is looked through for the key.
TEST_F(CustomCertificateTest, TheKeyIsNowhereToBeSeen) {
  const Json body = pair(leaf_);
  std::string seen = to_text(post(path_, body));
  const std::string one = path_ + "/" + call("GET", path_)["result"][0]["id"].get<std::string>();
  const std::string pulls = zone_ + "/origin_tls_client_auth";
  for (const std::string& path : {pulls, pulls + "/hostnames/certificates"}) {
    seen += to_text(post(path, body)) + to_text(call("GET", path));
  }
  seen +=
      to_text(post(account_path(home_) + "/mtls_certificates",
                   {{"ca", true}, {"certificates", root_.pem}, {"private_key", root_.key.pem}}));
  seen += to_text(post(zone_ + "/client_certificates",
                       {{"csr", certificate::make_request("c")}, {"validity_days", 1}}));
  seen += to_text(call("GET", one)) + to_text(patch(one, body)) + to_text(call("GET", path_));
  seen += to_text(call("GET", account_path(home_) + "/mtls_certificates"));
  seen += to_text(call("GET", "/brink/v1/audit_logs?per_page=100"));
  seen += to_text(call("DELETE", one));
  // What was refused does not come back either.
  Json wrong = body;
  wrong["certificate"] = leaf_.key.pem;
  seen += to_text(post(path_, wrong));
  wrong["certificate"] = root_.pem;
  seen += to_text(post(path_, wrong));
  ASSERT_GT(seen.size(), 5000U);
  EXPECT_EQ(seen.find("BEGIN PRIVATE"), std::string::npos);
  for (const auto* certificate : {&leaf_, &root_}) {
    const std::string middle = certificate->key.pem.substr(40, 40);
    EXPECT_EQ(seen.find(middle), std::string::npos);
  }
}

TEST_F(CustomCertificateTest, TheKeyIsSealedInTheStore) {
  post(path_, pair(leaf_));
  post(zone_ + "/origin_tls_client_auth", pair(leaf_));
  post(zone_ + "/client_certificates",
       {{"csr", certificate::make_request("c")}, {"validity_days", 1}});
  ASSERT_EQ(status_, 200);
  std::string bytes;
  for (const auto& file : std::filesystem::directory_iterator(folder_)) {
    std::ostringstream text;
    text << std::ifstream(file.path(), std::ios::binary).rdbuf();
    bytes += text.str();
  }
  ASSERT_NE(bytes.find("BEGIN CERTIFICATE"), std::string::npos) << "looked at the wrong files";
  EXPECT_EQ(bytes.find("PRIVATE KEY"), std::string::npos);
  // Also in its other forms: lines of PEM, and the octets of the number itself.
  EXPECT_EQ(bytes.find(leaf_.key.pem.substr(40, 40)), std::string::npos);
  BIGNUM* number = nullptr;
  ASSERT_EQ(EVP_PKEY_get_bn_param(leaf_.key.key.get(), "priv", &number), 1);
  std::string octets(static_cast<std::size_t>(BN_num_bytes(number)), '\0');
  BN_bn2bin(number, reinterpret_cast<unsigned char*>(octets.data()));
  BN_free(number);
  EXPECT_EQ(bytes.find(octets), std::string::npos);
}

TEST_F(CustomCertificateTest, AnExchangedKeyFileStopsARenewalAndNothingElse) {
  const std::string one = path_ + "/" + id_of(post(path_, pair(leaf_)));
  secret::Key other;
  other.bytes.fill(1);
  const secret::SealedBox strange(other, model::system_entropy());
  service_->box = &strange;
  EXPECT_EQ(code(patch(one, {{"bundle_method", "optimal"}})), kCodeStoreFailed);
  EXPECT_EQ(status_, 500);
  call("GET", one);
  EXPECT_EQ(status_, 200);
}

TEST_F(CustomCertificateTest, ChangesAreLogged) {
  const std::string one = path_ + "/" + id_of(post(path_, pair(leaf_)));
  Json entry = newest_audit();
  EXPECT_EQ(entry["action"]["type"], "create");
  EXPECT_EQ(entry["resource"]["type"], "custom_certificate");
  EXPECT_EQ(entry["newValueJson"]["hosts"][0], "example.com");
  patch(one, {{"bundle_method", "optimal"}});
  entry = newest_audit();
  EXPECT_EQ(entry["oldValueJson"]["bundle_method"], "ubiquitous");
  EXPECT_EQ(entry["newValueJson"]["bundle_method"], "optimal");
  call("DELETE", one);
  EXPECT_EQ(newest_audit()["action"]["type"], "delete");
  put(zone_ + "/origin_tls_client_auth/settings", {{"enabled", true}});
  EXPECT_EQ(newest_audit()["resource"]["type"], "origin_pull_settings");
  patch(zone_ + "/ssl/universal/settings", {{"enabled", true}});
  EXPECT_EQ(newest_audit()["resource"]["type"], "universal_ssl_settings");
}

TEST_F(CustomCertificateTest, AnotherZonesCertificateIsNotThere) {
  const std::string id = id_of(post(path_, pair(leaf_)));
  const std::string other = add_zone("other.test") + "/custom_certificates/" + id;
  for (const char* method : {"GET", "PATCH", "DELETE"}) {
    call(method, other, "{}");
    EXPECT_EQ(status_, 404) << method;
  }
  const std::string pull = zone_ + "/origin_tls_client_auth/" + id;
  call("GET", pull);
  EXPECT_EQ(status_, 404) << "it is of another purpose";
  add_token("stranger", other_, everything(), {{Resource::Kind::kAccount, other_}});
  with_token("stranger");
  call("GET", path_ + "/" + id);
  EXPECT_EQ(status_, 404);
}

TEST_F(CustomCertificateTest, UniversalIsAWishAndOrdersAreRefused) {
  const std::string ssl = zone_ + "/ssl";
  EXPECT_EQ(call("GET", ssl + "/universal/settings")["result"], (Json{{"enabled", false}}));
  const Json on = patch(ssl + "/universal/settings", {{"enabled", true}});
  EXPECT_EQ(on["result"]["enabled"], true);
  EXPECT_EQ(on["messages"][0]["code"], kCodeCertificateNote);
  EXPECT_EQ(call("GET", ssl + "/universal/settings")["result"]["enabled"], true);
  for (const char* bad : {"{}", R"({"enabled":1})", R"({"enabled":null})"}) {
    EXPECT_EQ(code(call("PATCH", ssl + "/universal/settings", bad)), kCodeBadBody) << bad;
  }
  for (const char* path : {"/certificate_packs", "/certificate_packs/order"}) {
    EXPECT_EQ(code(call("POST", ssl + path, "{}")), kCodeNotProvided);
    EXPECT_EQ(status_, 501);
  }
  const std::string id = id_of(post(path_, pair(leaf_)));
  const Json pack = call("GET", ssl + "/certificate_packs")["result"][0];
  EXPECT_EQ(pack["id"], id);
  EXPECT_EQ(pack["status"], "active");
  EXPECT_EQ(pack["primary_certificate"], id);
  EXPECT_EQ(pack["certificates"][0]["hosts"], pack["hosts"]);
  EXPECT_EQ(call("GET", ssl + "/certificate_packs/" + id)["result"], pack);
  expect_refusal(call("GET", ssl + "/certificate_packs?status=odd"), kCodeBadParameter, "all");
}

class OriginPullTest : public CertificateApiTest {
 protected:
  const std::string path_ = zone_ + "/origin_tls_client_auth";
  const std::string hosts_ = path_ + "/hostnames";
  const std::string host_certificates_ = hosts_ + "/certificates";
  const TestCertificate client_ = make({.common_name = "edge", .issuer = &root_});
};

TEST_F(OriginPullTest, AZoneHasCertificates) {
  const Json made = post(path_, pair(client_));
  ASSERT_EQ(status_, 200) << made;
  EXPECT_EQ(made["result"]["status"], "active");
  EXPECT_EQ(made["result"]["certificate"], client_.pem);
  EXPECT_EQ(made["result"]["issuer"], "CN=Test Root,O=Example");
  EXPECT_EQ(made["result"]["enabled"], false);
  EXPECT_FALSE(made["result"].contains("private_key"));
  const std::string one = path_ + "/" + id_of(made);
  EXPECT_EQ(call("GET", one)["result"], made["result"]);
  EXPECT_EQ(call("GET", path_)["result"], Json::array({made["result"]}));
  expect_refusal(post(path_, pair(client_)), model::kCodeCertificateExists, "already");
  EXPECT_EQ(call("DELETE", one)["result"]["status"], "deleted");
  EXPECT_EQ(call("GET", path_)["result"].size(), 0U);
}

TEST_F(OriginPullTest, ALeafIsRequired) {
  for (const std::string& path : {path_, host_certificates_}) {
    expect_refusal(post(path, pair(root_)), model::kCodeCertificateInvalid,
                   "missing leaf certificate");
    expect_refusal(post(path, {{"certificate", client_.pem}, {"private_key", leaf_.key.pem}}),
                   model::kCodeKeyInvalid, "not the one");
    expect_refusal(post(path, pair(make({.to_s = kStartS}))), model::kCodeCertificateInvalid,
                   "expired");
    expect_refusal(post(path, {{"certificate", 7}}), kCodeBadBody, "must be a string");
    expect_refusal(post(path, Json::object()), model::kCodeCertificateInvalid, "not PEM");
  }
}

TEST_F(OriginPullTest, TheZoneSwitchesThemOn) {
  const std::string settings = path_ + "/settings";
  EXPECT_EQ(call("GET", settings)["result"], (Json{{"enabled", false}}));
  const Json on = put(settings, {{"enabled", true}});
  EXPECT_EQ(on["result"], (Json{{"enabled", true}}));
  EXPECT_EQ(on["messages"][0]["code"], kCodeCertificateNote) << "there is no certificate yet";
  EXPECT_EQ(post(path_, pair(client_))["result"]["enabled"], true);
  EXPECT_EQ(put(settings, {{"enabled", true}})["messages"].size(), 0U);
  EXPECT_EQ(call("GET", settings)["result"]["enabled"], true);
  for (const char* bad : {"{}", R"({"enabled":"on"})", R"({"enabled":null})"}) {
    EXPECT_EQ(code(call("PUT", settings, bad)), kCodeBadBody) << bad;
  }
  EXPECT_EQ(call("GET", zone_ + "/settings/tls_client_auth")["result"]["value"], "off")
      << "the level above is a setting of its own";
}

TEST_F(OriginPullTest, AHostHasItsOwn) {
  const std::string id = id_of(post(host_certificates_, pair(client_)));
  const Json set =
      put(hosts_,
          {{"config", {{{"hostname", "WWW.example.com"}, {"cert_id", id}, {"enabled", true}}}}});
  ASSERT_EQ(status_, 200) << set;
  ASSERT_EQ(set["result"].size(), 1U);
  const Json& host = set["result"][0];
  EXPECT_EQ(host["hostname"], "www.example.com");
  EXPECT_EQ(host["cert_id"], id);
  EXPECT_EQ(host["enabled"], true);
  EXPECT_EQ(host["status"], "active");
  EXPECT_EQ(host["cert_status"], "active");
  EXPECT_EQ(host["certificate"], client_.pem);
  EXPECT_EQ(call("GET", hosts_ + "/www.example.com")["result"], host);
  expect_refusal(call("DELETE", host_certificates_ + "/" + id), model::kCodeCertificateInUse,
                 "www.example.com");
  const Json off =
      put(hosts_, {{"config", {{{"hostname", "www.example.com"}, {"enabled", false}}}}});
  EXPECT_EQ(off["result"][0]["enabled"], false) << "its certificate stays";
  EXPECT_EQ(off["result"][0]["cert_id"], id);
  const Json gone =
      put(hosts_, {{"config", {{{"hostname", "www.example.com"}, {"enabled", nullptr}}}}});
  EXPECT_EQ(gone["result"][0]["status"], "deleted");
  EXPECT_EQ(newest_audit()["resource"]["type"], "origin_pull_host");
  EXPECT_EQ(newest_audit()["action"]["type"], "delete");
  call("GET", hosts_ + "/www.example.com");
  EXPECT_EQ(status_, 404);
  call("DELETE", host_certificates_ + "/" + id);
  EXPECT_EQ(status_, 200);
}

TEST_F(OriginPullTest, HostsAreRefusedTogether) {
  const std::string id = id_of(post(host_certificates_, pair(client_)));
  const std::string of_zone = id_of(post(path_, pair(client_)));
  const auto item = [](const std::string& host, const std::string& certificate) {
    return Json{{"hostname", host}, {"cert_id", certificate}, {"enabled", true}};
  };
  const auto expect = [&](const Json& second, int code, const std::string& part) {
    expect_refusal(put(hosts_, {{"config", {item("a.example.com", id), second}}}), code, part);
    call("GET", hosts_ + "/a.example.com");
    EXPECT_EQ(status_, 404) << "the first one was kept";
  };
  expect(item("a.example.org", id), model::kCodeHostInvalid, "does not lie in the zone");
  expect(item("*.example.com", id), model::kCodeHostInvalid, "without a wildcard");
  expect(item("b.example.com", std::string(32, '0')), model::kCodeNotFound, "no certificate");
  expect(item("b.example.com", of_zone), model::kCodeNotFound, "no certificate");
  expect(item("b.example.com", "x"), kCodeBadBody, "\"config[1].cert_id\" must be an id");
  expect({{"hostname", "b.example.com"}, {"enabled", true}}, kCodeBadBody, "needs a \"cert_id\"");
  expect({{"hostname", "b.example.com"}, {"cert_id", id}}, kCodeBadBody, "\"config[1].enabled\"");
  expect({{"hostname", "b.example.com"}, {"enabled", nullptr}}, model::kCodeNotFound, "of its own");
  expect({{"hostname", 7}}, kCodeBadBody, "\"config[1].hostname\" must be a string");
  expect(7, kCodeBadBody, "must be an object");
  for (const char* bad : {"{}", R"({"config":[]})", R"({"config":{}})"}) {
    EXPECT_EQ(code(call("PUT", hosts_, bad)), kCodeBadBody) << bad;
  }
  expect_refusal(call("GET", hosts_ + "/example.org"), model::kCodeHostInvalid, "does not lie");
}

}  // namespace
}  // namespace brink::ctl::api
