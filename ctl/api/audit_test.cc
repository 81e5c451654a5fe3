// What the audit log says of what requests changed.
#include "ctl/api/audit.h"
#include "ctl/api/access_fixture.h"
#include "ctl/store/audit_log.h"

namespace brink::ctl::api {
namespace {

using Kind = identity::Resource::Kind;
using enum identity::Permission;

class AuditTest : public AccessTest {
 protected:
  // The newest entry first.
  Json log(const std::string& filters = "") {
    const bool was_trusted = trusted_;
    trusted_ = true;
    Json result = call("GET", "/brink/v1/audit_logs?per_page=1000" + filters)["result"];
    trusted_ = was_trusted;
    return result;
  }
  std::size_t count() { return log().size(); }
};

TEST_F(AuditTest, ARecordsChangesAreThereBeforeAndAfter) {
  const std::string zone = add_zone("example.com");
  const std::string id =
      add(zone, R"({"type":"A","name":"www","content":"203.0.113.1"})")["result"]["id"];
  call("PATCH", zone + "/dns_records/" + id, R"({"content":"203.0.113.2"})");
  call("DELETE", zone + "/dns_records/" + id);
  const Json entries = log();
  ASSERT_EQ(entries.size(), 4U) << entries;
  EXPECT_EQ(entries[3]["resource"]["type"], "zone");
  EXPECT_EQ(entries[3]["action"]["type"], "create");
  EXPECT_EQ(entries[2]["action"]["type"], "create");
  EXPECT_EQ(entries[2]["oldValueJson"], nullptr);
  EXPECT_EQ(entries[2]["newValueJson"]["content"], "203.0.113.1");
  EXPECT_EQ(entries[1]["action"]["type"], "update");
  EXPECT_EQ(entries[1]["oldValueJson"]["content"], "203.0.113.1");
  EXPECT_EQ(entries[1]["newValueJson"]["content"], "203.0.113.2");
  EXPECT_EQ(entries[1]["resource"]["id"], id);
  EXPECT_EQ(entries[1]["resource"]["name"], "www.example.com A");
  EXPECT_EQ(entries[1]["metadata"]["zone_name"], "example.com");
  EXPECT_EQ(entries[1]["metadata"]["version"], 3);
  EXPECT_EQ(entries[0]["action"]["type"], "delete");
  EXPECT_EQ(entries[0]["newValueJson"], nullptr);
}

TEST_F(AuditTest, SaysWhoAndFromWhere) {
  add_token("ci", home_, set_of({kZoneEdit}), {{Kind::kAllZones, {}}});
  add_zone("operator.test");
  with_token("ci");
  add_zone("token.test");
  with_key("user@example.com");
  add_zone("user.test");
  const Json entries = log();
  ASSERT_EQ(entries.size(), 3U);
  EXPECT_EQ(entries[0]["actor"]["type"], "user");
  EXPECT_EQ(entries[0]["actor"]["email"], "user@example.com");
  EXPECT_EQ(entries[0]["actor"]["id"], user_.hex());
  EXPECT_EQ(entries[0]["actor"]["ip"], "198.51.100.7");
  EXPECT_EQ(entries[1]["actor"]["type"], "token");
  EXPECT_EQ(entries[1]["actor"]["name"], "token ci");
  EXPECT_EQ(entries[1]["interface"], "API");
  EXPECT_EQ(entries[2]["actor"]["type"], "operator");
  EXPECT_EQ(entries[2]["actor"]["id"], "0");
  EXPECT_EQ(entries[2]["actor"]["ip"], "");
  EXPECT_EQ(entries[2]["interface"], "UNIX");
}

TEST_F(AuditTest, WhatIsRefusedOrNotCommittedLeavesNothing) {
  const std::string zone = add_zone("example.com");
  const std::size_t before = count();
  call("POST", "/client/v4/zones", R"({"name":"example.com"})");
  add(zone, R"({"type":"A","name":"www","content":"x"})");
  call("POST", zone + "/dns_records/batch",
       R"({"posts":[{"type":"A","name":"a","content":"203.0.113.1"},{"type":"A"}]})");
  call("POST", "/brink/v1/snapshot/rollback", R"({"version":0,"dry_run":true})");
  call("POST", "/brink/v1/snapshot/verify");
  call("GET", zone);
  EXPECT_EQ(count(), before);
}

TEST_F(AuditTest, ABatchAnImportAndARollbackAreWhatTheyDid) {
  const std::string zone = add_zone("example.com");
  call("POST", zone + "/dns_records/batch",
       R"({"posts":[{"type":"A","name":"a","content":"203.0.113.1"},
                    {"type":"A","name":"b","content":"203.0.113.1"}]})");
  EXPECT_EQ(log("&action.type=create&resource.type=dns_record").size(), 2U);
  import(zone, "c 300 IN A 203.0.113.9\n");
  EXPECT_EQ(log("&resource.type=dns_record").size(), 3U);
  call("POST", "/brink/v1/snapshot/rollback", R"({"version":1})");
  EXPECT_EQ(log("&action.type=delete").size(), 3U);
  call("PATCH", zone, R"({"paused":true})");
  const Json paused = log()[0];
  EXPECT_EQ(paused["oldValueJson"]["paused"], false);
  EXPECT_EQ(paused["newValueJson"]["paused"], true);
  call("DELETE", zone);
  EXPECT_EQ(log("&action.type=delete&resource.type=zone").size(), 1U);
}

TEST_F(AuditTest, ALargeImportIsOneEntryWithItsNumbers) {
  const std::string zone = add_zone("example.com");
  std::string file;
  for (std::uint64_t i = 0; i <= kAuditedRecordsMax; ++i) {
    file += "n" + std::to_string(i) + " 300 IN A 203.0.113.9\n";
  }
  import(zone, file);
  ASSERT_EQ(status_, 200);
  const Json entries = log();
  ASSERT_EQ(entries.size(), 2U);
  EXPECT_EQ(entries[0]["resource"]["type"], "dns_records");
  EXPECT_EQ(entries[0]["newValueJson"]["added"], kAuditedRecordsMax + 1);
}

TEST_F(AuditTest, SecretsAreNotInIt) {
  const std::string tokens = account_path(home_) + "/tokens";
  const Json made = call("POST", tokens,
                         R"({"name":"t","policies":[{"effect":"allow","permission_groups":
                            [{"name":"DNS Read"}],
                            "resources":{"com.cloudflare.api.account.zone.*":"*"}}]})");
  const std::string path = tokens + "/" + made["result"]["id"].get<std::string>();
  const std::string rolled = call("PUT", path + "/value", "{}")["result"];
  call("PUT", path, R"({"name":"u"})");
  call("DELETE", path);
  const Json user = call("POST", "/brink/v1" + account_path(home_).substr(10) + "/users",
                         R"({"email":"new@example.com"})");
  const Json key =
      call("PUT", "/brink/v1/users/" + user["result"]["id"].get<std::string>() + "/key");
  const Json entries = log();
  ASSERT_EQ(entries.size(), 6U) << entries;
  for (const char* action : {"create", "roll", "update", "delete"}) {
    EXPECT_GE(log(std::string("&action.type=") + action).size(), 1U) << action;
  }
  const std::string text = entries.dump();
  for (const std::string& secret : {made["result"]["value"].get<std::string>(), rolled,
                                    user["result"]["api_key"].get<std::string>(),
                                    key["result"]["api_key"].get<std::string>()}) {
    EXPECT_GE(secret.size(), 37U);
    EXPECT_EQ(text.find(secret), std::string::npos);
  }
}

TEST_F(AuditTest, AnAccountSeesItsOwn) {
  add_zone("home.test");
  call("POST", "/client/v4/zones",
       R"({"name":"other.test","account":{"id":")" + other_.hex() + R"("}})");
  with_key("user@example.com");
  const Json own = call("GET", account_path(home_) + "/audit_logs");
  ASSERT_EQ(own["result"].size(), 1U) << own;
  EXPECT_EQ(own["result"][0]["resource"]["name"], "home.test");
  EXPECT_EQ(own["result_info"]["total_count"], 1);
  call("GET", account_path(other_) + "/audit_logs");
  EXPECT_EQ(status_, 404);
}

TEST_F(AuditTest, AUserSeesWhatHeDidAndWhatHisTokensDid) {
  add_zone("operators.test");
  with_key("user@example.com");
  add_zone("by-key.test");
  const Json token = call("POST", "/client/v4/user/tokens",
                          R"({"name":"mine","policies":[{"effect":"allow","permission_groups":)"
                          R"([{"name":"Zone Write"}],"resources":)"
                          R"({"com.cloudflare.api.account.zone.*":"*"}}]})");
  with_token(token["result"]["value"]);
  add_zone("by-token.test");
  with_key("user@example.com");
  const auto names = [&](const std::string& query) {
    std::vector<std::string> found;
    const Json reply = call("GET", "/client/v4/user/audit_logs" + query);
    for (const Json& entry : reply["result"]) found.push_back(entry["resource"]["name"]);
    return found;
  };
  EXPECT_EQ(names("?direction=asc"),
            (std::vector<std::string>{"by-key.test", "mine", "by-token.test"}));
  EXPECT_EQ(names("?actor.email=user@example.com&resource.type=zone").size(), 2U);
  EXPECT_EQ(names("?actor.email=other@example.com").size(), 0U);
  EXPECT_EQ(names("?since=2999-01-01").size(), 0U);
  over_socket();
  call("GET", "/client/v4/user/audit_logs");
  EXPECT_EQ(status_, 403) << "an operator is no user";
}

TEST_F(AuditTest, WhatAnEarlierUserOfTheAddressDidIsNotShown) {
  with_key("user@example.com");
  add_zone("earlier.test");
  over_socket();
  identities_.delete_user(user_);
  identity::User user{
      0,         random_id(), home_, "user@example.com", secret::sha256(key_of("user@example.com")),
      {now_ + 1}};
  identities_.insert_user(user);
  with_key("user@example.com");
  EXPECT_EQ(call("GET", "/client/v4/user/audit_logs")["result"].size(), 0U);
}

TEST_F(AuditTest, FiltersByTimeAndRefusesWhatIsNoTime) {
  add_zone("a.test");
  const std::string middle = model::Timestamp{now_ + 500'000}.rfc3339();
  add_zone("b.test");
  EXPECT_EQ(log("&since=" + middle).size(), 1U);
  EXPECT_EQ(log("&before=" + middle)[0]["resource"]["name"], "a.test");
  EXPECT_EQ(log("&zone.name=B.test.").size(), 1U);
  EXPECT_EQ(log("&direction=asc")[0]["resource"]["name"], "a.test");
  EXPECT_EQ(log("&page=2").size(), 0U);
  for (const char* bad : {"since=yesterday", "before=1", "id=7", "direction=up", "page=0"}) {
    call("GET", std::string("/brink/v1/audit_logs?") + bad);
    EXPECT_EQ(status_, 400) << bad;
  }
}

// A handler that says nothing about what it writes beside zones and records.
TEST_F(AuditTest, AChangeOfWhichNothingIsSaidIsLoggedAsTheRequest) {
  router_.add("POST", "/brink/v1/silent", kNodeEdit, [this](const Request&) {
    store::Transaction transaction(*store_, store::Transaction::Kind::kWrite);
    const std::uint8_t octets[] = {1};
    store_->set_value("silent", octets);
    transaction.commit();
    return answer("{}");
  });
  call("POST", "/brink/v1/silent");
  const Json entries = log();
  ASSERT_EQ(entries.size(), 1U);
  EXPECT_EQ(entries[0]["resource"]["name"], "POST /brink/v1/silent");
}

TEST_F(AuditTest, WithoutRoomForTheEntryThereIsNoChange) {
  add_zone("example.com");
  const std::size_t before = count();
  // An id that is taken: the entry cannot be written.
  const auto taken = store::AuditLog(*store_).list({}).items.at(0).id;
  service_->entropy = [taken](std::span<std::uint8_t> out) {
    std::copy_n(taken.bytes.begin(), out.size(), out.begin());
  };
  const Json reply = call("POST", "/client/v4/zones", R"({"name":"example.net"})");
  EXPECT_EQ(status_, 500) << reply;
  EXPECT_EQ(store_->zone_count(), 1U);
  EXPECT_EQ(count(), before);
}

}  // namespace
}  // namespace brink::ctl::api
