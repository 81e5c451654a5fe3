// Tokens, accounts and users over the API.
#include "ctl/api/access_fixture.h"

namespace brink::ctl::api {
namespace {

using enum identity::Permission;
using Kind = identity::Resource::Kind;

constexpr char kPolicies[] =
    R"("policies":[{"effect":"allow","permission_groups":[{"name":"DNS Write"}],
       "resources":{"com.cloudflare.api.account.zone.*":"*"}}])";

TEST_F(AccessTest, ATokenIsShownOnceAndLivesThroughItsChanges) {
  const std::string tokens = account_path(home_) + "/tokens";
  const Json made = call("POST", tokens, std::string(R"({"name":"ci",)") + kPolicies + "}");
  ASSERT_EQ(status_, 200) << made;
  const std::string secret = made["result"]["value"], id = made["result"]["id"];
  EXPECT_EQ(secret.size(), 40U);
  EXPECT_EQ(made["result"]["status"], "active");
  for (const std::string& path : {tokens, tokens + "/" + id}) {
    EXPECT_EQ(call("GET", path).dump().find(secret), std::string::npos);
  }
  with_token(secret);
  for (const std::string& path :
       {std::string("/client/v4/user/tokens/verify"), tokens + "/verify"}) {
    const Json verified = call("GET", path);
    EXPECT_EQ(verified["result"]["id"], id) << verified;
    EXPECT_EQ(verified["result"]["status"], "active");
  }
  over_socket();
  const Json disabled = call("PUT", tokens + "/" + id,
                             R"({"status":"disabled","expires_on":"2040-01-01T00:00:00Z"})");
  EXPECT_EQ(disabled["result"]["status"], "disabled");
  EXPECT_EQ(disabled["result"]["expires_on"], "2040-01-01T00:00:00.000000Z");
  EXPECT_EQ(disabled["result"]["policies"], made["result"]["policies"]);
  with_token(secret);
  EXPECT_EQ(code(call("GET", "/client/v4/user/tokens/verify")), kCodeTokenInvalid);
  over_socket();
  call("PUT", tokens + "/" + id, R"({"status":"active"})");
  const std::string rolled = call("PUT", tokens + "/" + id + "/value", "{}")["result"];
  EXPECT_NE(rolled, secret);
  with_token(secret);
  EXPECT_EQ(code(call("GET", "/client/v4/user/tokens/verify")), kCodeTokenInvalid);
  with_token(rolled);
  call("GET", "/client/v4/user/tokens/verify");
  EXPECT_EQ(status_, 200);
  over_socket();
  call("DELETE", tokens + "/" + id);
  with_token(rolled);
  EXPECT_EQ(code(call("GET", "/client/v4/user/tokens/verify")), kCodeTokenInvalid);
}

TEST_F(AccessTest, WhenATokenWasUsedIsShownAndKept) {
  const auto token =
      add_token("used", home_, set_of({kAccountTokensRead}), {{Kind::kAccount, home_}});
  const std::string path = account_path(home_) + "/tokens/" + token.id.hex();
  EXPECT_FALSE(call("GET", path)["result"].contains("last_used_on"));
  with_token("used");
  call("GET", path);
  over_socket();
  const std::string shown = call("GET", path)["result"]["last_used_on"];
  EXPECT_FALSE(identities_.token_by_id(token.id)->last_used_on) << "no request writes it";
  do_chores(*service_);
  EXPECT_EQ(identities_.token_by_id(token.id)->last_used_on->rfc3339(), shown);
  service_->token_uses = {};
  EXPECT_EQ(call("GET", path)["result"]["last_used_on"], shown);
}

TEST_F(AccessTest, UsesAreWrittenOnceAMinute) {
  const auto token = add_token("used", home_, set_of({kZoneRead}), {{Kind::kAllZones, {}}});
  TokenUses uses;
  const auto written = [&] { return identities_.token_by_id(token.id)->last_used_on->micros; };
  constexpr std::int64_t kMinute = TokenUses::kInterval.count();
  EXPECT_FALSE(uses.is_due({kMinute}));
  uses.note(token.id, {kMinute});
  EXPECT_TRUE(uses.is_due({kMinute}));
  uses.flush(*store_, {kMinute});
  EXPECT_EQ(written(), kMinute);
  uses.note(token.id, {kMinute + 5});
  EXPECT_FALSE(uses.is_due({kMinute + 5}));
  uses.flush(*store_, {kMinute + 6});
  EXPECT_EQ(written(), kMinute);
  uses.flush(*store_, {kMinute + 6}, true);
  EXPECT_EQ(written(), kMinute + 5);
  uses.note(token.id, {2 * kMinute});
  EXPECT_TRUE(uses.is_due({2 * kMinute + 10}));
  uses.flush(*store_, {2 * kMinute + 10});
  EXPECT_EQ(written(), 2 * kMinute);
  EXPECT_EQ(uses.last(token.id)->micros, 2 * kMinute);
  uses.flush(*store_, {4 * kMinute});
  EXPECT_FALSE(uses.last(token.id)) << "the store has it";
}

TEST_F(AccessTest, NothingIsPurgedAndNobodySaysSo) {
  const std::string zone = add_zone("example.com");
  const Json reply = call("POST", zone + "/purge_cache", R"({"purge_everything":true})");
  EXPECT_EQ(status_, 501);
  EXPECT_EQ(first_code(reply), kCodeNotProvided);
  EXPECT_EQ(reply["success"], false);
}

TEST_F(AccessTest, TokensThatCannotBeAreRefused) {
  const std::string tokens = account_path(home_) + "/tokens";
  for (const std::string& body : std::vector<std::string>{
           "{}", std::string(R"({"name":"\u001b[2J",)") + kPolicies + "}", R"({"name":"x"})",
           R"({"name":"x","policies":[]})", std::string(R"({"name":"",)") + kPolicies + "}",
           std::string(R"({"name":7,)") + kPolicies + "}",
           std::string(R"({"name":"x","status":"great",)") + kPolicies + "}",
           std::string(R"({"name":"x","expires_on":"soon",)") + kPolicies + "}",
           std::string(R"({"name":"x","not_before":"2040-01-01","expires_on":"2030-01-01",)") +
               kPolicies + "}",
           std::string(R"({"name":"x","condition":{"request_ip":{"in":["x"]}},)") + kPolicies +
               "}"}) {
    call("POST", tokens, body);
    EXPECT_EQ(status_, 400) << body;
  }
  EXPECT_EQ(identities_.list_tokens(home_, std::nullopt, {}).total, 0U);
}

TEST_F(AccessTest, NobodyGainsByTokens) {
  const std::string tokens = account_path(home_) + "/tokens";
  const identity::Token strong =
      add_token("strong", home_, everything(), {{Kind::kAccount, home_}});
  const identity::Token node = add_token("node", home_, set_of({kNodeEdit}), {{Kind::kNode, {}}});
  add_token("weak", home_, set_of({kAccountTokensEdit}), {{Kind::kAccount, home_}});
  with_token("weak");
  const auto refused = [&](const std::string& method, const std::string& path,
                           const std::string& body = "{}") {
    const Json reply = call(method, path, body);
    EXPECT_EQ(status_, 403) << method << " " << path << " " << reply;
  };
  refused("POST", tokens, std::string(R"({"name":"x",)") + kPolicies + "}");
  refused("PUT", tokens + "/" + strong.id.hex() + "/value");
  refused("PUT", tokens + "/" + strong.id.hex(), R"({"name":"mine"})");
  refused("PUT", tokens + "/" + node.id.hex() + "/value");
  refused("DELETE", tokens + "/" + node.id.hex());
  const Json own = call("POST", tokens,
                        R"({"name":"x","policies":[{"effect":"allow","permission_groups":
                           [{"name":"Account API Tokens Read"}],"resources":
                           {"com.cloudflare.api.account.)" +
                            home_.hex() + R"(":"*"}}]})");
  EXPECT_EQ(status_, 200) << own;
  refused("PUT", tokens + "/" + own["result"]["id"].get<std::string>(),
          std::string("{") + kPolicies + "}");
  with_key("user@example.com");
  refused("POST", "/client/v4/user/tokens",
          R"({"name":"x","policies":[{"effect":"allow","permission_groups":
             [{"name":"Node Write"}],"resources":{"brink.node":"*"}}]})");
  call("DELETE", tokens + "/" + strong.id.hex());
  EXPECT_EQ(status_, 200) << "a leaked token can be deleted by whoever manages tokens";
}

TEST_F(AccessTest, AUserManagesItsOwnTokensOnly) {
  add_user(home_, "second@example.com");
  with_key("user@example.com");
  const Json made =
      call("POST", "/client/v4/user/tokens", std::string(R"({"name":"mine",)") + kPolicies + "}");
  ASSERT_EQ(status_, 200) << made;
  EXPECT_EQ(made["result"]["user"]["email"], "user@example.com");
  const std::string path = "/client/v4/user/tokens/" + made["result"]["id"].get<std::string>();
  EXPECT_EQ(call("GET", "/client/v4/user/tokens")["result"].size(), 1U);
  with_key("second@example.com");
  EXPECT_EQ(call("GET", "/client/v4/user/tokens")["result"].size(), 0U);
  for (const char* method : {"GET", "PUT", "DELETE"}) {
    EXPECT_EQ(code(call(method, path, "{}")), 7003) << method;
  }
}

TEST_F(AccessTest, PermissionGroupsAreListedForClients) {
  with_key("user@example.com");
  const Json all = call("GET", "/client/v4/user/tokens/permission_groups");
  EXPECT_EQ(all["result"].size(), identity::kPermissionCount);
  const Json one = call("GET", "/client/v4/user/tokens/permission_groups?name=DNS%20Read");
  ASSERT_EQ(one["result"].size(), 1U);
  EXPECT_EQ(one["result"][0]["id"], "82e64a83756745bbbb1c9c2701bf816b");
}

TEST_F(AccessTest, AccountsAndUsersAreTheOperators) {
  const Json made = call("POST", "/client/v4/accounts", R"({"name":"third"})");
  ASSERT_EQ(status_, 200) << made;
  const std::string path = "/client/v4/accounts/" + made["result"]["id"].get<std::string>();
  const std::string users = "/brink/v1" + path.substr(10) + "/users";
  call("POST", "/client/v4/accounts", R"({"name":"third"})");
  EXPECT_EQ(status_, 400);
  const Json user = call("POST", users, R"({"email":"Third@Example.com"})");
  EXPECT_EQ(user["result"]["email"], "third@example.com");
  const std::string key = user["result"]["api_key"];
  over_tcp({{}, {"third@example.com"}, {key}});
  EXPECT_EQ(call("GET", "/client/v4/user")["result"]["organizations"][0]["name"], "third");
  EXPECT_EQ(call("PUT", path, R"({"name":"3"})")["result"]["name"], "3");
  for (const auto& [method, target] : {std::pair<std::string, std::string>{"DELETE", path},
                                       {"POST", users},
                                       {"POST", "/client/v4/accounts"}}) {
    EXPECT_EQ(code(call(method, target, R"({"email":"x@y.zz","name":"n"})")), kCodeAuthentication);
  }
  call("POST", "/client/v4/zones", R"({"name":"third.test"})");
  over_socket();
  EXPECT_EQ(code(call("DELETE", path)), kCodeIdentityInUse);
  const Json zones = call("GET", "/client/v4/zones?name=third.test");
  call("DELETE", "/client/v4/zones/" + zones["result"][0]["id"].get<std::string>());
  call("DELETE", path);
  EXPECT_EQ(status_, 200);
  EXPECT_EQ(code(call("DELETE", account_path(home_))), kCodeIdentityInUse);
  over_tcp({{}, {"third@example.com"}, {key}});
  EXPECT_EQ(code(call("GET", "/client/v4/user")), kCodeKeyUnknown) << "it went with its account";
}

}  // namespace
}  // namespace brink::ctl::api
