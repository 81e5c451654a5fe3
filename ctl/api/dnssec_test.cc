// DNSSEC over the API: what a user asks for, what is shown of it, and what is refused.
#include "ctl/api/api_fixture.h"
#include "ctl/dnssec/zone_keys.h"
#include "dns/dnssec/delegation_signer.h"

namespace brink::ctl::api {
namespace {

using dns::dnssec::SigningKey;

class DnssecApiTest : public ApiTest {
 protected:
  DnssecApiTest() : zone_(add_zone("example.com")), own_("/brink/v1" + zone_.substr(10)) {}

  Json edit(const std::string& body) { return call("PATCH", zone_ + "/dnssec", body)["result"]; }
  Json show() { return call("GET", zone_ + "/dnssec")["result"]; }
  Json details() { return call("GET", own_ + "/dnssec")["result"]; }
  void pass(std::int64_t days) { now_ += days * 86'400'000'000; }
  // A step at the present time, as the keeper makes it.
  void step(const std::optional<dnssec::ParentFound>& found = std::nullopt);
  void refused(const Json& reply, int status, int code) {
    EXPECT_EQ(status_, status) << reply;
    EXPECT_EQ(reply["errors"].at(0)["code"], code) << reply;
  }
  static std::string key_body(const SigningKey& key, const std::string& more = "") {
    const Json text = key.to_pem();
    return "{\"private_key\":" + text.dump() + more + "}";
  }

  const std::string zone_, own_;
};

TEST_F(DnssecApiTest, AnUnsignedZoneSaysSo) {
  const Json shown = show();
  EXPECT_EQ(shown["status"], "disabled");
  for (const char* member : {"flags", "algorithm", "key_type", "digest_type", "digest_algorithm",
                             "digest", "ds", "key_tag", "public_key", "modified_on"}) {
    EXPECT_TRUE(shown.at(member).is_null()) << member;
  }
  EXPECT_EQ(shown["dnssec_multi_signer"], false);
  EXPECT_EQ(shown["dnssec_presigned"], false);
  EXPECT_EQ(shown["dnssec_use_nsec3"], false);
}

TEST_F(DnssecApiTest, ActiveIsPendingUntilTheParentHasTheDs) {
  const Json enabled = edit(R"({"status":"active"})");
  EXPECT_EQ(status_, 200);
  EXPECT_NE(version_, 0U);
  EXPECT_EQ(enabled["status"], "pending");
  EXPECT_EQ(enabled["flags"], 257);
  EXPECT_EQ(enabled["algorithm"], "13");
  EXPECT_EQ(enabled["key_type"], "ECDSAP256SHA256");
  EXPECT_EQ(enabled["digest_type"], "2");
  EXPECT_EQ(enabled["digest_algorithm"], "SHA256");
  const std::string digest = enabled["digest"];
  EXPECT_EQ(digest.size(), 64U);
  EXPECT_EQ(digest.find_first_not_of("0123456789ABCDEF"), std::string::npos);
  EXPECT_EQ(enabled["ds"], "example.com. 3600 IN DS " +
                               std::to_string(enabled["key_tag"].get<int>()) + " 13 2 " + digest);
  EXPECT_EQ(enabled["public_key"].get<std::string>().size(), 88U);
  EXPECT_TRUE(enabled["modified_on"].is_string());
  EXPECT_EQ(show(), enabled);
  // What is so already is no change.
  edit(R"({"status":"active"})");
  EXPECT_EQ(version_, 0U);
  EXPECT_EQ(show(), enabled);
}

TEST_F(DnssecApiTest, TheParentsDsMakesItActiveAndItsAbsenceInTheEndUnsigned) {
  edit(R"({"status":"active"})");
  refused(call("POST", own_ + "/dnssec/ds_seen"), 400, kCodeDnssecState);
  pass(2);
  step();
  EXPECT_EQ(details()["wanted_ds"], Json::array({show()["ds"]}));
  EXPECT_EQ(details()["waits_for_parent"], true);
  EXPECT_EQ(call("POST", own_ + "/dnssec/ds_seen")["result"]["status"], "active");
  refused(call("DELETE", zone_ + "/dnssec"), 400, kCodeDnssecState);

  EXPECT_EQ(edit(R"({"status":"disabled"})")["status"], "pending-disabled");
  EXPECT_EQ(details()["wanted_ds"], Json::array());
  // A change of mind costs nothing.
  EXPECT_EQ(edit(R"({"status":"active"})")["status"], "pending");
  edit(R"({"status":"disabled"})");
  call("POST", own_ + "/dnssec/ds_seen");
  pass(3);
  step(dnssec::ParentFound{std::vector<dns::zone::Wire>(), ""});
  EXPECT_EQ(show()["status"], "disabled");
  EXPECT_TRUE(show()["ds"].is_null());
  EXPECT_EQ(call("DELETE", zone_ + "/dnssec")["result"], "");
  EXPECT_EQ(status_, 200);
}

void DnssecApiTest::step(const std::optional<dnssec::ParentFound>& found) {
  store::Transaction transaction(*store_, store::Transaction::Kind::kWrite);
  auto zone = *store_->zone_by_name(model::DomainName::parse("example.com").value());
  dnssec::ZoneKeys keys(*store_, box_, settings_.dnssec, service_->entropy);
  ASSERT_TRUE(keys.advance(zone, {now_}, found).ok());
  store_->update_zone(zone);
  transaction.commit();
}

TEST_F(DnssecApiTest, BadWishesAreRefused) {
  for (const char* body :
       {R"({"status":"pending"})", R"({"status":"error"})", R"({"status":1})", R"({"status":null})",
        R"({"dnssec_use_nsec3":"yes"})", R"({"dnssec_multi_signer":null})"}) {
    refused(call("PATCH", zone_ + "/dnssec", body), 400, kCodeBadBody);
  }
  refused(call("PATCH", own_ + "/dnssec", R"({"algorithm":"5"})"), 400, kCodeBadBody);
  refused(call("POST", own_ + "/dnssec/rollover", "{}"), 400, kCodeDnssecState);
  EXPECT_EQ(show()["status"], "disabled");
}

TEST_F(DnssecApiTest, DenialAndOtherSignersAreKept) {
  Json shown = edit(R"({"dnssec_use_nsec3":true,"dnssec_multi_signer":true})");
  EXPECT_EQ(shown["dnssec_use_nsec3"], true);
  EXPECT_EQ(shown["dnssec_multi_signer"], true);
  EXPECT_EQ(shown["status"], "disabled");
  EXPECT_EQ(details()["denial"], "nsec3");
  edit(R"({"dnssec_use_nsec3":false})");
  EXPECT_EQ(show()["dnssec_multi_signer"], true);
}

TEST_F(DnssecApiTest, TwoKeysHaveTheirRoles) {
  EXPECT_EQ(call("PATCH", own_ + "/dnssec",
                 R"({"algorithm":"ed25519","split_keys":true})")["result"]["key_type"],
            "ED25519");
  edit(R"({"status":"active"})");
  const Json keys = call("GET", own_ + "/dnssec/keys")["result"];
  ASSERT_EQ(keys.size(), 2U);
  EXPECT_EQ(keys[0]["role"], "ksk");
  EXPECT_EQ(keys[0]["flags"], 257);
  EXPECT_EQ(keys[0]["ds"], show()["ds"]);
  EXPECT_EQ(keys[1]["role"], "zsk");
  EXPECT_EQ(keys[1]["flags"], 256);
  EXPECT_TRUE(keys[1]["ds"].is_null());
  refused(call("POST", own_ + "/dnssec/rollover", "{}"), 400, kCodeBadBody);
  refused(call("POST", own_ + "/dnssec/rollover", R"({"role":"csk"})"), 400, kCodeBadBody);
  const Json asked = call("POST", own_ + "/dnssec/rollover", R"({"role":"zsk"})")["result"];
  EXPECT_EQ(asked["rollovers_asked"], Json::array({"zsk"}));  // the first keys are not in use yet
}

TEST_F(DnssecApiTest, AKeyThatWasBroughtAlongIsTaken) {
  const auto key = SigningKey::generate(dns::dnssec::Algorithm::kEd25519).value();
  const Json added =
      call("POST", own_ + "/dnssec/keys", key_body(key, R"(,"algorithm":"15")"))["result"];
  ASSERT_EQ(status_, 200);
  EXPECT_EQ(added["state"], "spare");
  EXPECT_EQ(added["role"], "csk");
  EXPECT_EQ(added["key_tag"], key.key_tag(257));
  refused(call("POST", own_ + "/dnssec/keys", key_body(key)), 400, kCodeDnssecKeyInvalid);
  EXPECT_EQ(edit(R"({"status":"active"})")["key_tag"], key.key_tag(257));
  refused(call("DELETE", own_ + "/dnssec/keys/" + added["id"].get<std::string>()), 400,
          kCodeDnssecState);
  const auto spare = SigningKey::generate(dns::dnssec::Algorithm::kEd25519).value();
  const Json second = call("POST", own_ + "/dnssec/keys", key_body(spare))["result"];
  const std::string path = own_ + "/dnssec/keys/" + second["id"].get<std::string>();
  EXPECT_EQ(call("DELETE", path)["result"]["id"], second["id"]);
  refused(call("DELETE", path), 404, model::kCodeNotFound);
}

TEST_F(DnssecApiTest, BadKeysAreRefusedAndNoAnswerOrLogHasAKey) {
  const std::string path = own_ + "/dnssec/keys";
  refused(call("POST", path, "{}"), 400, kCodeBadBody);
  refused(call("POST", path, R"({"private_key":"x","role":"root"})"), 400, kCodeBadBody);
  refused(call("POST", path, R"({"private_key":"secret stuff"})"), 400, kCodeDnssecKeyInvalid);
  const auto key = SigningKey::generate(dns::dnssec::Algorithm::kEcdsaP256Sha256).value();
  refused(call("POST", path, key_body(key, R"(,"algorithm":"15")")), 400, kCodeDnssecKeyInvalid);
  const Json added = call("POST", path, key_body(key));
  ASSERT_EQ(status_, 200);
  const std::string secret = key.to_pem().substr(40, 60);
  const Json logs =
      call("GET", "/client/v4/accounts/" +
                      call("GET", "/client/v4/accounts")["result"][0]["id"].get<std::string>() +
                      "/audit_logs?per_page=100");
  EXPECT_EQ(added.dump().find(secret), std::string::npos);
  EXPECT_EQ(logs.dump().find(secret), std::string::npos);
  EXPECT_EQ(call("GET", path).dump().find(secret), std::string::npos);
}

TEST_F(DnssecApiTest, ACheckShowsWhatIsKnownThen) {
  edit(R"({"status":"active"})");
  EXPECT_EQ(call("POST", own_ + "/dnssec/check")["result"]["status"], "pending");
  service_->check_dnssec = [](const model::Zone&, const CheckedDnssec& done) {
    done(std::nullopt);
  };
  call("POST", own_ + "/dnssec/check");
  EXPECT_EQ(status_, 404);
}

TEST_F(DnssecApiTest, APresignedZoneIsNeitherEditedNorSigned) {
  EXPECT_EQ(edit(R"({"dnssec_presigned":true})")["dnssec_presigned"], true);
  const std::string record = R"({"name":"www","type":"A","content":"203.0.113.1"})";
  refused(call("POST", zone_ + "/dns_records", record), 400, kCodeDnssecState);
  refused(call("POST", zone_ + "/dns_records/batch", "{\"posts\":[" + record + "]}"), 400,
          kCodeDnssecState);
  refused(call("PATCH", zone_ + "/dnssec", R"({"status":"active"})"), 400, kCodeDnssecState);
  refused(call("PATCH", zone_ + "/dns_settings", R"({"soa":{"refresh":1000}})"), 400,
          kCodeDnssecState);
  refused(call("PATCH", own_ + "/serial", R"({"policy":"keep"})"), 400, kCodeDnssecState);
  EXPECT_EQ(edit(R"({"dnssec_presigned":false})")["dnssec_presigned"], false);
  call("POST", zone_ + "/dns_records", record);
  EXPECT_EQ(status_, 200);
  refused(call("PATCH", zone_ + "/dnssec", R"({"dnssec_presigned":true})"), 400, kCodeDnssecState);
}

TEST_F(DnssecApiTest, AZoneThatIsSignedHereDoesNotComeSigned) {
  edit(R"({"status":"active"})");
  refused(call("PATCH", zone_ + "/dnssec", R"({"dnssec_presigned":true})"), 400, kCodeDnssecState);
}

TEST_F(DnssecApiTest, OptOutIsAChoiceOfTheZone) {
  EXPECT_EQ(details()["opt_out"], false);
  EXPECT_EQ(call("PATCH", own_ + "/dnssec", R"({"opt_out":true})")["result"]["opt_out"], true);
  EXPECT_NE(version_, 0U);
}

TEST_F(DnssecApiTest, ASerialGoesOnByItsPolicy) {
  const auto serial = [this] {
    return call("GET", own_ + "/serial")["result"]["serial"].get<std::uint32_t>();
  };
  const std::uint32_t first = serial();
  call("PATCH", own_ + "/serial", R"({"policy":"keep"})");
  call("POST", zone_ + "/dns_records", R"({"name":"a","type":"TXT","content":"\"t\""})");
  EXPECT_EQ(serial(), first);
  call("PATCH", own_ + "/serial", "{\"serial\":" + std::to_string(first + 5) + "}");
  EXPECT_EQ(serial(), first + 5);
  refused(call("PATCH", own_ + "/serial", "{\"serial\":" + std::to_string(first) + "}"), 400,
          kCodeBadBody);
  refused(call("PATCH", own_ + "/serial", R"({"policy":"up"})"), 400, kCodeBadBody);
}

}  // namespace
}  // namespace brink::ctl::api
