// Authorities of accounts, which names ask for their certificates, and client certificates.
#include "ctl/api/certificate_api_fixture.h"
#include "ctl/certificate/chain.h"
#include "ctl/store/account_certificates.h"

namespace brink::ctl::api {
namespace {

using certificate::make;
using certificate::make_request;

class MtlsTest : public CertificateApiTest {
 protected:
  std::string upload(const std::string& name = "Clients") {
    return id_of(post(
        path_, {{"ca", true}, {"name", name}, {"certificates", certificate::make_root(name).pem}}));
  }
  const std::string path_ = account_path(home_) + "/mtls_certificates";
  const std::string hosts_ = zone_ + "/certificate_authorities/hostname_associations";
  const std::string clients_ = zone_ + "/client_certificates";
};

TEST_F(MtlsTest, AnAuthorityIsUploadedShownAndDeleted) {
  const Json made = post(path_, {{"ca", true}, {"name", "Clients"}, {"certificates", root_.pem}});
  ASSERT_EQ(status_, 200) << made;
  const Json& result = made["result"];
  EXPECT_EQ(result["ca"], true);
  EXPECT_EQ(result["name"], "Clients");
  EXPECT_EQ(result["certificates"], root_.pem);
  EXPECT_EQ(result["issuer"], "CN=Test Root,O=Example");
  EXPECT_EQ(result["type"], "custom");
  EXPECT_EQ(newest_audit()["resource"]["type"], "mtls_certificate");
  const std::string one = path_ + "/" + id_of(made);
  EXPECT_EQ(call("GET", one)["result"], result);
  EXPECT_EQ(call("GET", path_)["result"], Json::array({result}));
  EXPECT_EQ(call("GET", path_ + "?type=custom")["result"].size(), 1U);
  EXPECT_EQ(call("GET", path_ + "?type=gateway_managed")["result"].size(), 0U);
  EXPECT_EQ(call("GET", path_ + "?page=2")["result"].size(), 0U);
  EXPECT_EQ(call("GET", one + "/associations")["result"], Json::array());
  EXPECT_EQ(call("DELETE", one)["result"]["id"], result["id"]);
  call("GET", one);
  EXPECT_EQ(status_, 404);
}

TEST_F(MtlsTest, IsRefusedWithItsReason) {
  using namespace model;
  const auto expect = [&](const Json& body, int code, const std::string& part) {
    expect_refusal(post(path_, body), code, part);
  };
  expect(Json::object(), kCodeBadBody, "\"ca\" must be");
  expect({{"ca", "yes"}, {"certificates", root_.pem}}, kCodeBadBody, "\"ca\" must be");
  expect({{"ca", true}}, kCodeCertificateInvalid, "not PEM");
  expect({{"ca", true}, {"certificates", "garbage"}}, kCodeCertificateInvalid, "not PEM");
  expect({{"ca", true}, {"certificates", leaf_.pem}}, kCodeCertificateInvalid, "basicConstraints");
  expect({{"ca", false}, {"certificates", root_.pem}}, kCodeCertificateInvalid, "missing leaf");
  expect({{"ca", true}, {"certificates", root_.pem + root_.key.pem}}, kCodeCertificateInvalid,
         "PRIVATE KEY");
  expect({{"ca", true}, {"certificates", root_.pem}, {"private_key", leaf_.key.pem}},
         kCodeKeyInvalid, "not the one");
  expect({{"ca", true}, {"certificates", root_.pem}, {"name", std::string(121, 'n')}}, kCodeBadBody,
         "120 octets");
  expect({{"ca", true}, {"certificates", root_.pem}, {"name", "a\nb"}}, kCodeBadBody, "control");
  expect({{"ca", true}, {"certificates", make({.is_authority = true, .to_s = kStartS}).pem}},
         kCodeCertificateInvalid, "expired");
  ASSERT_EQ(post(path_, {{"ca", true}, {"certificates", root_.pem}})["success"], true);
  expect({{"ca", true}, {"certificates", root_.pem}}, kCodeCertificateExists, "already");
}

TEST_F(MtlsTest, NamesAskForCertificatesOfAnAuthority) {
  const std::string id = upload();
  const Json set = put(
      hosts_, {{"hostnames", {"WWW.example.com", "a.example.com"}}, {"mtls_certificate_id", id}});
  ASSERT_EQ(status_, 200) << set;
  EXPECT_EQ(set["result"]["hostnames"], Json::parse(R"(["a.example.com","www.example.com"])"));
  const std::string query = hosts_ + "?mtls_certificate_id=" + id;
  EXPECT_EQ(call("GET", query)["result"], set["result"]);
  EXPECT_EQ(call("GET", hosts_)["result"]["hostnames"], Json::array()) << "of the managed one";
  put(hosts_, {{"hostnames", {"m.example.com"}}});
  EXPECT_EQ(newest_audit()["newValueJson"]["hostnames"][0], "m.example.com");
  EXPECT_EQ(call("GET", hosts_)["result"]["hostnames"][0], "m.example.com");
  EXPECT_EQ(call("GET", query)["result"], set["result"]);
  EXPECT_EQ(call("GET", path_ + "/" + id + "/associations")["result"][0]["status"], "active");
  expect_refusal(call("DELETE", path_ + "/" + id), model::kCodeCertificateInUse, "2 host(s)");
  put(hosts_, {{"hostnames", Json::array()}, {"mtls_certificate_id", id}});
  call("DELETE", path_ + "/" + id);
  EXPECT_EQ(status_, 200);
}

TEST_F(MtlsTest, NamesAreRefusedTogether) {
  const std::string id = upload();
  const auto expect = [&](const Json& body, int code, const std::string& part) {
    expect_refusal(put(hosts_, body), code, part);
  };
  expect(Json::object(), kCodeBadBody, "\"hostnames\"");
  expect({{"hostnames", "a.example.com"}}, kCodeBadBody, "must be an array");
  expect({{"hostnames", {7}}}, kCodeBadBody, "array of strings");
  expect({{"hostnames", {"a.example.com", "a.test"}}}, model::kCodeHostInvalid, "does not lie");
  expect({{"hostnames", std::vector<std::string>(1001, "a.example.com")}}, kCodeBadBody, "at most");
  expect({{"hostnames", Json::array()}, {"mtls_certificate_id", 7}}, kCodeBadBody, "a string");
  expect({{"hostnames", Json::array()}, {"mtls_certificate_id", std::string(32, '0')}},
         model::kCodeNotFound, "no certificate");
  const std::string leaf = id_of(post(path_, {{"ca", false}, {"certificates", leaf_.pem}}));
  expect({{"hostnames", Json::array()}, {"mtls_certificate_id", leaf}},
         model::kCodeCertificateInvalid, "not one of an authority");
  const std::string foreign = id_of(post(account_path(other_) + "/mtls_certificates",
                                         {{"ca", true}, {"certificates", root_.pem}}));
  expect({{"hostnames", Json::array()}, {"mtls_certificate_id", foreign}}, model::kCodeNotFound,
         "no certificate");
  call("GET", path_ + "/" + foreign);
  EXPECT_EQ(status_, 404) << "another account's";
  EXPECT_EQ(call("GET", hosts_)["result"]["hostnames"], Json::array());
}

TEST_F(MtlsTest, AClientCertificateIsIssued) {
  const std::string csr = make_request("client 1");
  const Json made = post(clients_, {{"csr", csr}, {"validity_days", 365}});
  ASSERT_EQ(status_, 200) << made;
  const Json& result = made["result"];
  EXPECT_EQ(result["status"], "active");
  EXPECT_EQ(result["common_name"], "client 1");
  EXPECT_EQ(result["country"], "DE");
  EXPECT_EQ(result["organization"], "Example");
  EXPECT_EQ(result["csr"], csr);
  EXPECT_EQ(result["validity_days"], 365);
  EXPECT_EQ(result["fingerprint_sha256"].get<std::string>().size(), 64U);
  EXPECT_EQ(call("GET", clients_ + "/" + id_of(made))["result"], result);
  // It is signed by the account's one authority.
  const auto authority = store::AccountCertificates(*store_).managed(home_);
  ASSERT_TRUE(authority);
  EXPECT_EQ(result["certificate_authority"]["id"], authority->id.hex());
  const auto chain =
      certificate::read_chain(result["certificate"].get<std::string>() + authority->certificate.pem,
                              certificate::Want::kLeaf, certificate::Order::kAsGiven, {now_});
  EXPECT_TRUE(chain) << chain.error().message;
  const Json second = post(add_zone("b.test") + "/client_certificates",
                           {{"csr", make_request("client 2")}, {"validity_days", 1}});
  EXPECT_EQ(second["result"]["certificate_authority"], result["certificate_authority"]);
  EXPECT_EQ(call("GET", path_)["result"].size(), 0U) << "not a certificate of the user's";
  call("GET", path_ + "/" + authority->id.hex());
  EXPECT_EQ(status_, 404);
}

TEST_F(MtlsTest, EveryAccountHasAnAuthorityOfItsOwn) {
  const Json zone = call("POST", "/client/v4/zones",
                         R"({"name":"o.test","account":{"id":")" + other_.hex() + R"("}})");
  const Json body = {{"csr", make_request("c")}, {"validity_days", 1}};
  const Json theirs = post("/client/v4/zones/" + id_of(zone) + "/client_certificates", body);
  ASSERT_EQ(status_, 200) << theirs;
  EXPECT_NE(theirs["result"]["certificate_authority"]["id"],
            post(clients_, body)["result"]["certificate_authority"]["id"]);
}

TEST_F(MtlsTest, ARequestThatIsNoneIssuesNothing) {
  const auto expect = [&](const Json& body, int code, const std::string& part) {
    expect_refusal(post(clients_, body), code, part);
  };
  using namespace model;
  const std::string csr = make_request("c");
  expect(Json::object(), kCodeCertificateInvalid, "validity_days");
  expect({{"csr", csr}}, kCodeCertificateInvalid, "validity_days");
  expect({{"csr", csr}, {"validity_days", "30"}}, kCodeBadBody, "a number");
  expect({{"csr", csr}, {"validity_days", 5476}}, kCodeBadBody, "5475");
  expect({{"csr", csr}, {"validity_days", 1.5}}, kCodeBadBody, "whole number");
  expect({{"csr", "garbage"}, {"validity_days", 30}}, kCodeCertificateInvalid, "PKCS #10");
  expect({{"csr", 7}, {"validity_days", 30}}, kCodeBadBody, "a string");
  expect({{"csr", make_request("c", certificate::TestKey::rsa(1024))}, {"validity_days", 30}},
         kCodeCertificateInvalid, "1024 bits");
  EXPECT_FALSE(store::AccountCertificates(*store_).managed(home_)) << "no authority for nothing";
}

TEST_F(MtlsTest, ARevocationIsTakenBackByReactivation) {
  const std::string one =
      clients_ + "/" + id_of(post(clients_, {{"csr", make_request("c")}, {"validity_days", 30}}));
  const auto count = [&](const std::string& status) {
    return call("GET", clients_ + "?status=" + status)["result"].size();
  };
  EXPECT_EQ(call("DELETE", one)["result"]["status"], "revoked");
  EXPECT_EQ(newest_audit()["action"]["type"], "revoke");
  EXPECT_EQ(call("DELETE", one)["messages"][0]["code"], kCodeNothingToDo);
  EXPECT_EQ(count("revoked"), 1U);
  EXPECT_EQ(count("active"), 0U);
  EXPECT_EQ(count("all"), 1U);
  EXPECT_EQ(count("pending_revocation"), 0U);
  EXPECT_EQ(code(patch(one, Json::object())), kCodeBadBody);
  EXPECT_EQ(code(patch(one, {{"reactivate", "yes"}})), kCodeBadBody);
  EXPECT_EQ(patch(one, {{"reactivate", true}})["result"]["status"], "active");
  EXPECT_EQ(patch(one, {{"reactivate", true}})["messages"][0]["code"], kCodeNothingToDo);
  call("DELETE", one);
  now_ += 31LL * 86'400'000'000;
  expect_refusal(patch(one, {{"reactivate", true}}), model::kCodeCertificateInvalid, "has expired");
  expect_refusal(call("GET", clients_ + "?status=odd"), kCodeBadParameter, "status");
  expect_refusal(call("GET", clients_ + "?limit=5"), kCodeBadParameter, "per_page");
  EXPECT_EQ(call("GET", clients_ + "?page=2")["result"], Json::array());
}

TEST_F(MtlsTest, APastVersionBringsBackNoRevokedCertificate) {
  const std::uint64_t before = store_->version();
  const std::string one =
      clients_ + "/" + id_of(post(clients_, {{"csr", make_request("c")}, {"validity_days", 30}}));
  call("PATCH", zone_ + "/settings/ssl", R"({"value":"strict"})");
  call("DELETE", one);
  call("POST", "/brink/v1/snapshot/rollback", R"({"version":)" + std::to_string(before) + "}");
  ASSERT_EQ(status_, 200);
  EXPECT_EQ(call("GET", one)["result"]["status"], "revoked");
}

}  // namespace
}  // namespace brink::ctl::api
