// Who gets where: every route of the table with credentials of every kind, and the ways of showing
// them.
#include <random>

#include "ctl/api/access_fixture.h"
#include "ctl/certificate/certificate_fixture.h"

namespace brink::ctl::api {
namespace {

using enum identity::Permission;
using identity::PermissionSet;
using identity::Scope;
using Kind = identity::Resource::Kind;

// Everything that the paths of the table can name, made anew for every route, since routes delete.
class EveryRoute : public AccessTest {
 protected:
  struct World {
    std::string zone, record, token, user;
    std::string custom, pull, host_pull, authority, trust, client, ruleset, rule, key;
  };

  World make_world(const Route& route) {
    over_socket();
    const std::string number = std::to_string(++worlds_);
    const std::string zone = add_zone("z" + number + ".test");
    const Json record = add(zone, R"({"type":"A","name":"www","content":"203.0.113.1"})");
    World world = make_identities(number, zone, record);
    // What few routes name is made for them alone.
    const auto names = [&](const char* part) {
      return route.pattern.find(part) != std::string::npos;
    };
    if (names("certificate") || names("origin_tls") || names(":trust")) {
      add_certificates("z" + number + ".test", zone, world);
    }
    if (names("ruleset")) add_rules(zone, world);
    if (names(":key")) add_key(zone, world);
    return world;
  }
  World make_identities(const std::string& number, const std::string& zone, const Json& record) {
    return {
        zone.substr(zone.rfind('/') + 1),
        record["result"]["id"].get<std::string>(),
        add_token("made-" + number, home_, set_of({kAccountTokensRead}), {{Kind::kAccount, home_}})
            .id.hex(),
        add_user(home_, "made-" + number + "@example.com").hex(),
        {},
        {},
        {},
        {},
        {},
        {},
        {},
        {},
        {}};
  }
  void add_key(const std::string& zone, World& world) {
    using dns::dnssec::SigningKey;
    const auto key = SigningKey::generate(dns::dnssec::Algorithm::kEcdsaP256Sha256);
    const Json body = {{"private_key", key.value().to_pem()}};
    const Json reply = call("POST", "/brink/v1" + zone.substr(10) + "/dnssec/keys", to_text(body));
    EXPECT_EQ(status_, 200) << reply;
    world.key = reply["result"]["id"].get<std::string>();
  }
  void add_rules(const std::string& zone, World& world) {
    const Json ruleset =
        call("PUT", zone + "/rulesets/phases/http_request_firewall_custom/entrypoint",
             R"({"rules":[{"action":"block","expression":"ssl"}]})")["result"];
    world.ruleset = ruleset["id"].get<std::string>();
    world.rule = ruleset["rules"][0]["id"].get<std::string>();
  }
  void add_certificates(const std::string& name, const std::string& zone, World& world) {
    const auto leaf = certificate::make({.hosts = {name}}, key_);
    const auto made = [&](const std::string& path, const Json& body) {
      const Json reply = call("POST", path, to_text(body));
      EXPECT_EQ(status_, 200) << path << " " << reply;
      return reply["result"]["id"].get<std::string>();
    };
    const Json pair = {{"certificate", leaf.pem}, {"private_key", leaf.key.pem}};
    world.custom = made(zone + "/custom_certificates", pair);
    world.pull = made(zone + "/origin_tls_client_auth", pair);
    world.host_pull = made(zone + "/origin_tls_client_auth/hostnames/certificates", pair);
    const auto root = certificate::make({.common_name = name, .is_authority = true}, key_);
    world.authority = made(account_path(home_) + "/mtls_certificates",
                           {{"ca", true}, {"certificates", root.pem}});
    world.trust = made(zone + "/acm/custom_trust_store", {{"certificate", root.pem}});
    world.client = made(zone + "/client_certificates",
                        {{"csr", certificate::make_request(name, key_)}, {"validity_days", 30}});
    call("PUT", zone + "/origin_tls_client_auth/hostnames",
         R"({"config":[{"hostname":"www.)" + name + R"(","cert_id":")" + world.host_pull +
             R"(","enabled":true}]})");
    EXPECT_EQ(status_, 200);
  }
  std::string path_of(const Route& route, const World& world) {
    std::string path = route.pattern;
    const auto put = [&](const std::string& name, const std::string& value) {
      if (const auto at = path.find(name); at != std::string::npos) {
        path.replace(at, name.size(), value);
      }
    };
    put(":zone", world.zone);
    put(":record", world.record);
    put(":account", home_.hex());
    put(":token", world.token);
    put(":user", world.user);
    put(":custom", world.custom);
    put(":pull", world.pull);
    put(":host_pull", world.host_pull);
    put(":hostname", "www.z" + std::to_string(worlds_) + ".test");
    put(":ca", world.authority);
    put(":trust", world.trust);
    put(":client", world.client);
    put(":phase", "http_request_firewall_custom");
    put(":ruleset", world.ruleset);
    put(":rule", world.rule);
    put(":key", world.key);
    return path;
  }
  static bool is_public(const Route& route) { return route.access.kind == Access::Kind::kPublic; }
  static std::string name_of(const Route& route) { return route.method + " " + route.pattern; }
  // What makes a token good for `permission`: its own resource.
  std::vector<Resource> resources_for(Permission permission, const World& world) {
    switch (identity::group_of(permission).scope) {
      case Scope::kZone:
        return {{Kind::kZone, *model::Id::parse(world.zone)}};
      case Scope::kAccount:
        return {{Kind::kAccount, home_}};
      case Scope::kUser:
        return {{Kind::kUser, user_}};
      case Scope::kNode:
        return {{Kind::kNode, {}}};
    }
    return {};
  }

  int worlds_ = 0;
  const certificate::TestKey key_ = certificate::TestKey::ec();
};

TEST_F(EveryRoute, IsClosedWithoutCredentials) {
  EXPECT_GT(router_.routes().size(), 40U);
  int open = 0;
  for (const Route& route : router_.routes()) {
    const std::string path = path_of(route, make_world(route));
    over_tcp({});
    const Json reply = call(route.method, path, "{}");
    if (is_public(route)) {
      ++open;
      EXPECT_EQ(status_, 200) << name_of(route);
      EXPECT_EQ(path, "/client/v4/ips") << "nothing else is for everybody";
    } else {
      EXPECT_EQ(status_, 403) << name_of(route);
      EXPECT_EQ(code(reply), kCodeAuthentication) << name_of(route);
      EXPECT_EQ(reply["result"], nullptr) << name_of(route);
    }
  }
  EXPECT_EQ(open, 1);
}

TEST_F(EveryRoute, IsClosedToTokensThatDoNotCount) {
  const auto spoil = [&](const std::string& name, auto change) {
    identity::Token token =
        add_token(name, home_, everything(), {{Kind::kAccount, home_}, {Kind::kUser, user_}});
    token.policies[0].permissions.set();
    token.policies[0].resources.push_back({Kind::kNode, {}});
    change(token);
    identities_.update_token(token);
  };
  spoil("expired", [](auto& token) { token.expires_on = model::Timestamp{1}; });
  spoil("disabled", [](auto& token) { token.disabled = true; });
  spoil("early", [](auto& token) { token.not_before = model::Timestamp{1LL << 60}; });
  spoil("elsewhere",
        [](auto& token) { token.client.in = {*identity::Network::parse("192.0.2.0/24")}; });
  spoil("excluded",
        [](auto& token) { token.client.not_in = {*identity::Network::parse("198.51.100.7")}; });
  for (const Route& route : router_.routes()) {
    if (is_public(route)) continue;
    const std::string path = path_of(route, make_world(route));
    for (const char* secret :
         {"unknown", "expired", "disabled", "early", "elsewhere", "excluded"}) {
      with_token(secret);
      const Json reply = call(route.method, path, "{}");
      EXPECT_EQ(status_, 403) << name_of(route) << " " << secret;
      EXPECT_EQ(code(reply), kCodeTokenInvalid) << name_of(route) << " " << secret;
    }
  }
}

TEST_F(EveryRoute, ShowsNothingToAnotherAccount) {
  add_token("stranger", other_, everything(),
            {{Kind::kAccount, other_}, {Kind::kAllZones, {}}, {Kind::kAllAccounts, {}}});
  const std::string nothing(32, '0');
  for (const Route& route : router_.routes()) {
    const bool names_something = route.pattern.find("/:") != std::string::npos;
    if (is_public(route) || !names_something) continue;
    World world = make_world(route);
    const std::string real = path_of(route, world);
    std::string absent = real;
    for (const std::string& id : {world.zone, home_.hex(), world.token, world.user}) {
      if (const auto at = absent.find(id); at != std::string::npos) {
        absent.replace(at, id.size(), nothing);
      }
    }
    with_token("stranger");
    Json on_real = call(route.method, real, "{}");
    const int real_status = status_;
    const Json on_absent = call(route.method, absent, "{}");
    EXPECT_EQ(real_status, status_) << name_of(route);
    EXPECT_GE(real_status, 403) << name_of(route);
    EXPECT_EQ(code(on_real), code(on_absent)) << name_of(route);
    EXPECT_EQ(on_real["errors"].dump().find(".test"), std::string::npos) << name_of(route);
  }
}

TEST_F(EveryRoute, NeedsThePermissionThatTheTableSays) {
  for (const Route& route : router_.routes()) {
    if (route.access.kind != Access::Kind::kPermission) continue;
    const Permission needed = route.access.permission;
    const World world = make_world(route);
    const std::string path = path_of(route, world);
    // Everything on everything, but for what would do.
    PermissionSet lacking = everything();
    for (const auto& group : identity::permission_groups()) {
      if (group.permission == needed || group.implies == needed) {
        lacking.reset(static_cast<std::size_t>(group.permission));
      }
    }
    const std::string name = "lacking-" + std::to_string(worlds_);
    identity::Token token = add_token(name, home_, lacking, {{Kind::kAccount, home_}});
    token.policies[0].resources.push_back({Kind::kUser, user_});
    identities_.delete_token(token.id);
    token.user = user_;
    identities_.insert_token(token);
    identities_.update_token(token);
    with_token(name);
    const Json reply = call(route.method, path, "{}");
    EXPECT_EQ(status_, 403) << name_of(route) << " " << reply;
    const bool is_zone_list = route.pattern == "/client/v4/zones" && needed == kZoneRead;
    EXPECT_EQ(first_code(reply), is_zone_list         ? kCodeListDenied
                                 : needed == kDnsEdit ? kCodeDnsEditDenied
                                                      : kCodeAuthentication)
        << name_of(route);
  }
}

TEST_F(EveryRoute, NeedsNoMoreThanThat) {
  for (const Route& route : router_.routes()) {
    if (route.access.kind != Access::Kind::kPermission) continue;
    const Permission needed = route.access.permission;
    const World world = make_world(route);
    const std::string path = path_of(route, world);
    const std::string name = "exact-" + std::to_string(worlds_);
    // A zone is made on the account, all else needs one zone only.
    const bool is_zone_creation = route.method == "POST" && route.pattern == "/client/v4/zones";
    identity::Token token =
        add_token(name, home_, set_of({needed}),
                  is_zone_creation ? std::vector<Resource>{{Kind::kAllZones, {}}}
                                   : resources_for(needed, world));
    identities_.delete_token(token.id);
    token.user = user_;
    identities_.insert_token(token);
    with_token(name);
    const Json reply = call(route.method, path, "{}");
    const bool is_own_token = route.pattern.find("/user/tokens/:token") != std::string::npos;
    EXPECT_NE(status_, 403) << name_of(route) << " " << reply;
    EXPECT_TRUE(is_own_token || status_ != 404) << name_of(route) << " " << reply;
  }
}

TEST_F(EveryRoute, IsOpenToTheOperatorOnTheSocket) {
  for (const Route& route : router_.routes()) {
    const std::string path = path_of(route, make_world(route));
    over_socket();
    const Json reply = call(route.method, path, "{}");
    const bool is_about_oneself = route.pattern.starts_with("/client/v4/user") &&
                                  route.access.kind == Access::Kind::kPermission;
    EXPECT_EQ(status_ == 403, is_about_oneself) << name_of(route) << " " << reply;
  }
}

TEST_F(AccessTest, ListsHoldWhatTheCallerMaySee) {
  const std::string a = add_zone("a.test"), b = add_zone("b.test");
  const Json foreign = call("POST", "/client/v4/zones",
                            R"({"name":"c.test","account":{"id":")" + other_.hex() + R"("}})");
  ASSERT_EQ(status_, 200) << foreign;
  EXPECT_EQ(foreign["result"]["account"]["name"], "other");
  const auto names = [&](const std::string& more = "") {
    std::string list;
    const Json reply = call("GET", "/client/v4/zones?order=name" + more);
    for (const Json& zone : reply["result"]) list += zone["name"].get<std::string>() + " ";
    EXPECT_EQ(reply["result_info"]["total_count"], reply["result"].size());
    return list;
  };
  EXPECT_EQ(names(), "a.test b.test c.test ");
  EXPECT_EQ(names("&account.name=other"), "c.test ");
  add_token("all", home_, set_of({kZoneRead}), {{Kind::kAllZones, {}}});
  with_token("all");
  EXPECT_EQ(names(), "a.test b.test ");
  EXPECT_EQ(names("&name=c.test"), "");
  EXPECT_EQ(names("&match=any&name=c.test&status=pending"), "a.test b.test ");
  EXPECT_EQ(names("&account.id=" + other_.hex()), "");
  EXPECT_EQ(names("&account.name=other"), "");
  EXPECT_EQ(names("&account.id=" + home_.hex()), "a.test b.test ");
  const auto b_id = *model::Id::parse(b.substr(b.rfind('/') + 1));
  add_token("one", home_, set_of({kZoneRead, kDnsEdit}), {{Kind::kZone, b_id}});
  with_token("one");
  EXPECT_EQ(names(), "b.test ");
  EXPECT_EQ(call("GET", b)["result"]["permissions"],
            Json::parse(R"(["#zone:read","#dns_records:read","#dns_records:edit"])"));
  call("GET", a);
  EXPECT_EQ(status_, 404) << "its own account's, but none of its business";
  with_key("user@example.com");
  EXPECT_EQ(names(), "a.test b.test ");
  EXPECT_EQ(call("GET", "/client/v4/accounts")["result"].size(), 1U);
  over_socket();
  EXPECT_EQ(call("GET", "/client/v4/accounts")["result"].size(), 2U);
}

TEST_F(AccessTest, AZoneIsMadeInTheCallersAccountOnly) {
  add_token("maker", other_, set_of({kZoneEdit}), {{Kind::kAllZones, {}}});
  with_token("maker");
  const Json made = call("POST", "/client/v4/zones", R"({"name":"mine.test"})");
  EXPECT_EQ(made["result"]["account"]["id"], other_.hex());
  const std::string body = R"({"name":"yours.test","account":{"id":")";
  EXPECT_EQ(code(call("POST", "/client/v4/zones", body + home_.hex() + R"("}})")), 7003);
  EXPECT_EQ(code(call("POST", "/client/v4/zones", body + std::string(32, '0') + R"("}})")), 7003);
  add_token("narrow", other_, set_of({kZoneEdit}), {{Kind::kZone, random_id()}});
  with_token("narrow");
  EXPECT_EQ(code(call("POST", "/client/v4/zones", R"({"name":"more.test"})")), kCodeAuthentication);
  EXPECT_EQ(store_->zone_count(), 1U);
}

TEST_F(AccessTest, MalformedHeadersAreNamed) {
  struct Case {
    Credentials credentials;
    int cause;
  };
  const std::vector<Case> cases = {
      {{{""}, {}, {}}, 6111},
      {{{"Bearer"}, {}, {}}, 6111},
      {{{"Bearer "}, {}, {}}, 6111},
      {{{"Bearer a b"}, {}, {}}, 6111},
      {{{"Bearer a\tb"}, {}, {}}, 6111},
      {{{"Basic dXNlcjpwYXNz"}, {}, {}}, 6111},
      {{{"bearer:token"}, {}, {}}, 6111},
      {{{std::string("Bearer a\0b", 10)}, {}, {}}, 6111},
      {{{"Bearer " + std::string(257, 'a')}, {}, {}}, 6111},
      {{{"Bearer \xc3\xbc"}, {}, {}}, 6111},
      {{{"Bearer a", "Bearer a"}, {}, {}}, 6111},
      {{{}, {"user@example.com"}, {}}, 6103},
      {{{}, {}, {"key"}}, 6102},
      {{{}, {"no address"}, {"key"}}, 6102},
      {{{}, {"a@b", "c@d"}, {"key"}}, 6102},
      {{{}, {"a@b"}, {"key", "key"}}, 6103},
      {{{}, {"a@b"}, {"k\xff"}}, 6103},
      {{{}, {"@"}, {"key"}}, 6102},
  };
  for (const Case& bad : cases) {
    over_tcp(bad.credentials);
    const Json reply = call("GET", "/client/v4/zones");
    EXPECT_EQ(status_, 400) << reply;
    EXPECT_EQ(reply["errors"][0]["code"], 6003);
    EXPECT_EQ(code(reply), bad.cause) << reply;
  }
}

TEST_F(AccessTest, RandomHeadersLetNobodyIn) {
  constexpr unsigned kSeed = 20260101;
  std::mt19937 random(kSeed);
  const std::string start[] = {"", "Bearer ", "bearer", "Bearer \t", "user@example.com", "a@"};
  const auto values = [&] {
    std::vector<std::string> list(random() % 3);
    for (std::string& value : list) {
      value = start[random() % std::size(start)];
      for (std::size_t left = random() % 60; left-- > 0;) value += static_cast<char>(random());
    }
    return list;
  };
  for (int i = 0; i < 5000; ++i) {
    over_tcp({values(), values(), values()});
    const Json reply = call("GET", "/client/v4/zones");
    ASSERT_TRUE(status_ == 400 || status_ == 403) << "seed " << kSeed << " case " << i << reply;
  }
}

TEST_F(AccessTest, AKeyBelongsToItsAddress) {
  with_key("user@example.com");
  EXPECT_EQ(call("GET", "/client/v4/user")["result"]["email"], "user@example.com");
  over_tcp({{}, {"USER@example.com"}, {key_of("user@example.com")}});
  call("GET", "/client/v4/user");
  EXPECT_EQ(status_, 200);
  for (const Credentials& wrong :
       {Credentials{{}, {"user@example.com"}, {"another-key"}},
        Credentials{{}, {"nobody@example.com"}, {key_of("user@example.com")}}}) {
    over_tcp(wrong);
    EXPECT_EQ(code(call("GET", "/client/v4/user")), kCodeKeyUnknown);
    EXPECT_EQ(status_, 403);
  }
}

}  // namespace
}  // namespace brink::ctl::api
