// Zone settings, DNS settings of zones and accounts, edits and plans of a zone, sets of servers.
#include "ctl/api/api_fixture.h"
#include "ctl/api/setting_rules.h"
#include "ctl/model/proxy_settings.h"

namespace brink::ctl::api {
namespace {

TEST_F(ApiTest, EverySettingHasADefaultThatItAllows) {
  const Json list = call("GET", add_zone("example.com") + "/settings")["result"];
  ASSERT_EQ(list.size(), setting_rules().size());
  std::string last;
  for (std::size_t i = 0; i < list.size(); ++i) {
    const SettingRule& rule = setting_rules()[i];
    EXPECT_LT(last, std::string(rule.name)) << "sorted, each once";
    last = rule.name;
    EXPECT_EQ(setting_fault(rule, Json::parse(rule.initial)), "") << rule.name;
    EXPECT_EQ(list[i]["id"], rule.name);
    EXPECT_EQ(list[i]["value"], Json::parse(rule.initial)) << rule.name;
    EXPECT_EQ(list[i]["modified_on"], nullptr);
  }
}

// What nobody has set means the same to the proxy as what is shown; but for TLS 1.3, which is on unless
// somebody switched it off.
TEST(SettingRules, HaveTheDefaultsOfTheProxy) {
  for (const SettingRule& rule : setting_rules()) {
    if (std::string_view(rule.name) == "tls_1_3") continue;
    EXPECT_EQ(model::proxy_settings({{rule.name, {rule.initial, {}}}}), model::ProxySettings())
        << rule.name;
  }
}

TEST_F(ApiTest, ASettingIsChangedAndKept) {
  const std::string zone = add_zone("example.com"), settings = zone + "/settings";
  const Json changed = call("PATCH", settings + "/ssl", R"({"value":"strict"})");
  EXPECT_EQ(changed["result"]["value"], "strict");
  EXPECT_EQ(changed["result"]["editable"], true);
  EXPECT_TRUE(changed["result"]["modified_on"].is_string());
  EXPECT_EQ(call("GET", settings + "/ssl")["result"], changed["result"]);
  EXPECT_EQ(call("PATCH", settings + "/http3", R"({"enabled":false})")["result"]["value"], "off");
  const Json many = call("PATCH", settings, R"({"items":[{"id":"max_upload","value":200},
      {"id":"security_header","value":{"strict_transport_security":{"enabled":true,"max_age":60}}},
      {"id":"ciphers","value":["A","B"]}]})");
  ASSERT_EQ(status_, 200) << many;
  EXPECT_EQ(many["result"].size(), 3U);
  EXPECT_EQ(call("GET", settings + "/max_upload")["result"]["value"], 200);
  EXPECT_EQ(call("GET", settings + "/ciphers")["result"]["value"], Json::parse(R"(["A","B"])"));
  EXPECT_EQ(call("GET", settings + "/development_mode")["result"]["time_remaining"], 0);
}

TEST_F(ApiTest, APageForErrorsIsKeptAsItWasWrittenAndRefusedWithItsLine) {
  const std::string page = add_zone("example.com") + "/settings/error_page_1xxx";
  const std::string good = "<p>\n{{code}} {{ray}}</p>";
  EXPECT_EQ(call("PATCH", page, Json{{"value", good}}.dump())["result"]["value"], good);
  const Json refused = call("PATCH", page, Json{{"value", "<p>\n{{raay}}"}}.dump());
  EXPECT_EQ(code(refused), kCodeSettingValue);
  const std::string said = refused["errors"][0]["message"];
  for (const char* part : {"error_page_1xxx", "line 2", "{{raay}} is not known", "{{ray}}"}) {
    EXPECT_NE(said.find(part), std::string::npos) << said;
  }
  EXPECT_EQ(call("GET", page)["result"]["value"], good);
}

TEST_F(ApiTest, WrongSettingsChangeNothing) {
  const std::string settings = add_zone("example.com") + "/settings";
  const std::uint64_t version = store_->version();
  for (const auto& [name, body, expected] : std::vector<std::tuple<std::string, std::string, int>>{
           {"ssl", R"({"value":"best"})", kCodeSettingValue},
           {"ssl", R"({"value":""})", kCodeSettingValue},
           {"ssl", R"({"value":true})", kCodeSettingValue},
           {"ssl", R"({"value":null})", kCodeSettingValue},
           {"ssl", "{}", kCodeBadBody},
           {"ssl", "[]", kCodeBadBody},
           {"ssl", "{", kCodeMalformedJson},
           {"max_upload", R"({"value":0})", kCodeSettingValue},
           {"max_upload", R"({"value":1.5})", kCodeSettingValue},
           {"max_upload", R"({"value":"100"})", kCodeSettingValue},
           {"browser_cache_ttl", R"({"value":1})", kCodeSettingValue},
           {"min_tls_version", R"({"value":1.2})", kCodeSettingValue},
           {"ciphers", R"({"value":[1]})", kCodeSettingValue},
           {"security_header", R"({"value":{"strict_transport_security":{"max_age":-1}}})",
            kCodeSettingValue},
           {"security_header", R"({"value":{}})", kCodeSettingValue},
           {"error_page_5xx", R"({"value":"no ray"})", kCodeSettingValue},
           {"error_page_5xx", R"({"value":{"a":1}})", kCodeSettingValue},
           {"advanced_ddos", R"({"value":"off"})", kCodeSettingFixed},
           {"colour", R"({"value":"on"})", kCodeSettingUnknown}}) {
    EXPECT_EQ(code(call("PATCH", settings + "/" + name, body)), expected) << name << " " << body;
  }
  EXPECT_EQ(code(call("GET", settings + "/colour")), kCodeSettingUnknown);
  EXPECT_EQ(code(call("PATCH", settings, R"({"items":[]})")), kCodeBadBody);
  EXPECT_EQ(code(call("PATCH", settings, R"({"items":[7]})")), kCodeBadBody);
  EXPECT_EQ(code(call("PATCH", settings, R"({"items":{}})")), kCodeBadBody);
  EXPECT_EQ(code(call("PATCH", settings, R"({"items":[{"id":"ssl","value":"off"},
                                                      {"id":"ssl","value":"best"}]})")),
            kCodeSettingValue);
  EXPECT_EQ(store_->version(), version);
}

TEST_F(ApiTest, FlatteningAndIpv6AreOneWithTheDnsSettings) {
  const std::string zone = add_zone("example.com");
  call("PATCH", zone + "/settings/cname_flattening", R"({"value":"flatten_all"})");
  EXPECT_EQ(call("GET", zone + "/dns_settings")["result"]["flatten_all_cnames"], true);
  call("PATCH", zone + "/dns_settings", R"({"flatten_all_cnames":false})");
  EXPECT_EQ(call("GET", zone + "/settings/cname_flattening")["result"]["value"], "flatten_at_root");
  call("PATCH", zone + "/settings/ipv6", R"({"value":"off"})");
  EXPECT_FALSE(store_->zone_by_name(model::DomainName::parse("example.com").value())->dns.ipv6);
}

TEST_F(ApiTest, DnsSettingsOfAZone) {
  const std::string zone = add_zone("example.com"), path = zone + "/dns_settings";
  EXPECT_EQ(call("GET", path)["result"], Json::parse(R"({"flatten_all_cnames":false,
      "foundation_dns":false,"internal_dns":{"reference_zone_id":null},"multi_provider":false,
      "nameservers":{"type":"cloudflare.standard","ns_set":1},"ns_ttl":86400,
      "secondary_overrides":false,"soa":{"mname":null,"rname":"hostmaster.example.com",
      "refresh":10000,"retry":2400,"expire":604800,"min_ttl":1800,"ttl":3600},
      "zone_mode":"standard"})"));
  const Json changed = call("PATCH", path, R"({"zone_mode":"dns_only","ns_ttl":300,
      "multi_provider":true,"soa":{"mname":"ns.example.net","rname":"admin@example.net",
      "refresh":3600}})")["result"];
  EXPECT_EQ(changed["zone_mode"], "dns_only");
  EXPECT_EQ(changed["ns_ttl"], 300);
  EXPECT_EQ(changed["soa"]["mname"], "ns.example.net");
  EXPECT_EQ(changed["soa"]["rname"], "admin.example.net");
  EXPECT_EQ(changed["soa"]["refresh"], 3600);
  EXPECT_EQ(changed["soa"]["retry"], 2400);
  EXPECT_EQ(call("GET", path)["result"], changed);
  EXPECT_EQ(call("GET", zone)["result"]["meta"]["dns_only"], true);
  const std::string file = call("GET", zone + "/dns_records/export").get<std::string>();
  EXPECT_NE(file.find("SOA\tns.example.net. admin.example.net."), std::string::npos) << file;
  const std::uint64_t version = store_->version();
  for (const char* bad :
       {R"({"zone_mode":"none"})", R"({"zone_mode":1})", R"({"ns_ttl":29})", R"({"ns_ttl":86401})",
        R"({"ns_ttl":"300"})", R"({"multi_provider":"yes"})", R"({"soa":7})",
        R"({"soa":{"refresh":1}})", R"({"soa":{"rname":""}})", R"({"soa":{"serial":1}})",
        R"({"colour":1})", R"({"nameservers":{"ns_set":2}})", R"({"nameservers":[]})"}) {
    EXPECT_EQ(code(call("PATCH", path, bad)), kCodeBadBody) << bad;
  }
  for (const char* absent : {R"({"nameservers":{"type":"custom.account"}})",
                             R"({"internal_dns":{"reference_zone_id":"x"}})"}) {
    EXPECT_EQ(code(call("PATCH", path, absent)), kCodeNotProvided) << absent;
    EXPECT_EQ(status_, 501);
  }
  EXPECT_EQ(store_->version(), version);
}

TEST_F(ApiTest, AnAccountKeepsTheProxyOutOfAllItsZones) {
  const auto flag = [this](const std::string& name) {
    return store_->zone_by_name(model::DomainName::parse(name).value())->dns.enforce_dns_only;
  };
  add_zone("a.test");
  const std::string path =
      "/client/v4/accounts/" + store::Identities(*store_).first_account().hex() + "/dns_settings";
  EXPECT_EQ(call("GET", path)["result"]["enforce_dns_only"], false);
  const std::uint64_t version = store_->version();
  EXPECT_EQ(call("PATCH", path, R"({"enforce_dns_only":true})")["result"]["enforce_dns_only"],
            true);
  EXPECT_EQ(version_, version + 1) << "one change";
  EXPECT_TRUE(flag("a.test"));
  add_zone("b.test");
  EXPECT_TRUE(flag("b.test"));
  call("PATCH", path, R"({"enforce_dns_only":false})");
  EXPECT_FALSE(flag("a.test") || flag("b.test"));
  EXPECT_EQ(code(call("PATCH", path, R"({"enforce_dns_only":1})")), kCodeBadBody);
  EXPECT_EQ(code(call("PATCH", path, R"({"other":1})")), kCodeBadBody);
  call("GET", "/client/v4/accounts/0/dns_settings");
  EXPECT_EQ(status_, 404);
}

TEST_F(ApiTest, AnAccountHasDefaultsForNewZones) {
  const std::string path =
      "/client/v4/accounts/" + store::Identities(*store_).first_account().hex() + "/dns_settings";
  call("PATCH", path, R"({"zone_defaults":{"ns_ttl":300,"soa":{"refresh":3600}}})");
  const Json defaults =
      call("PATCH", path, R"({"zone_defaults":{"flatten_all_cnames":true}})")["result"];
  EXPECT_EQ(defaults["zone_defaults"]["ns_ttl"], 300);
  EXPECT_EQ(code(call("PATCH", path, R"({"zone_defaults":{"ns_ttl":1}})")), kCodeBadBody);
  const Json made = call("GET", add_zone("a.test") + "/dns_settings")["result"];
  EXPECT_EQ(made["ns_ttl"], 300);
  EXPECT_EQ(made["flatten_all_cnames"], true);
  EXPECT_EQ(made["soa"]["refresh"], 3600);
  EXPECT_EQ(made["soa"]["rname"], "hostmaster.a.test");
}

TEST_F(ApiTest, ChangesOfSettingsAreLogged) {
  const std::string zone = add_zone("a.test");
  const auto newest = [this] { return call("GET", "/brink/v1/audit_logs")["result"][0]; };
  call("PATCH", zone + "/settings/ssl", R"({"value":"strict"})");
  EXPECT_EQ(newest()["newValueJson"]["settings"]["ssl"], "strict");
  call("PATCH", zone + "/settings/ipv6", R"({"value":"off"})");
  EXPECT_EQ(newest()["newValueJson"]["dns"], "ipv6=0\n");
  const std::string path =
      "/client/v4/accounts/" + store::Identities(*store_).first_account().hex() + "/dns_settings";
  call("PATCH", path, R"({"zone_defaults":{"ns_ttl":300}})");
  EXPECT_EQ(newest()["resource"]["type"], "account.dns_settings");
  EXPECT_EQ(newest()["newValueJson"]["zone_defaults"]["ns_ttl"], 300);
}

TEST_F(ApiTest, SettingsNeedTheirPermissions) {
  const std::string zone = add_zone("a.test");
  trusted_ = false;
  for (const char* path : {"/settings", "/settings/ssl", "/dns_settings", "/available_plans",
                           "/dns_records/usage", "/dns_records/scan/review"}) {
    EXPECT_EQ(call("GET", zone + path)["success"], false) << path;
    EXPECT_GE(status_, 400) << path;
  }
  over_tcp_as_user();
  call("PATCH", zone + "/settings/ssl", R"({"value":"strict"})");
  EXPECT_EQ(status_, 200);
  call("PATCH", zone + "/dns_settings", R"({"ns_ttl":300})");
  EXPECT_EQ(status_, 200);
}

TEST_F(ApiTest, AZoneThatComesBackHasOtherServers) {
  settings_.authority.more_name_servers = {{model::DomainName::parse("ns1.other.test").value()}};
  settings_.address_set_count = 3;
  const auto server = [this](const std::string& zone) {
    return call("GET", zone)["result"]["name_servers"][0].get<std::string>();
  };
  const auto addresses = [this] {
    return store_->zone_by_name(model::DomainName::parse("a.test").value())->dns.address_set;
  };
  const std::string zone = add_zone("a.test");
  const std::string first = server(zone);
  const auto first_addresses = addresses();
  call("DELETE", zone);
  EXPECT_NE(server(add_zone("a.test")), first);
  EXPECT_NE(addresses(), first_addresses);
}

TEST_F(ApiTest, OneMemberOfAZoneIsChangedAtATime) {
  const std::string zone = add_zone("example.com");
  const Json vanity = call("PATCH", zone, R"({"vanity_name_servers":["NS1.example.com"]})");
  EXPECT_EQ(vanity["result"]["vanity_name_servers"][0], "ns1.example.com");
  EXPECT_EQ(vanity["result"]["name_servers"][0], "ns1.example.com");
  EXPECT_EQ(call("PATCH", zone, R"({"vanity_name_servers":[]})")["result"]["name_servers"].size(),
            2U);
  const std::uint64_t version = store_->version();
  call("PATCH", zone, R"({"type":"full"})");
  EXPECT_EQ(status_, 200);
  call("PATCH", zone, R"({"plan":{"id":"brink"}})");
  EXPECT_EQ(status_, 200);
  for (const char* bad :
       {"{}", R"({"paused":true,"type":"full"})", R"({"paused":"yes"})", R"({"paused":null})",
        R"({"type":"other"})", R"({"plan":{}})", R"({"vanity_name_servers":"x"})",
        R"({"vanity_name_servers":[7]})", R"({"vanity_name_servers":["a..b"]})"}) {
    EXPECT_EQ(code(call("PATCH", zone, bad)), kCodeBadBody) << bad;
  }
  EXPECT_EQ(code(call("PATCH", zone, R"({"type":"partial"})")), kCodeNotProvided);
  EXPECT_EQ(store_->version(), version);
}

TEST_F(ApiTest, AZoneIsCompleteAndSmall) {
  const Json made = call("POST", "/client/v4/zones",
                         R"({"name":")" + std::string(60, 'a') + R"(.test","jump_start":true})");
  EXPECT_EQ(made["messages"][0]["code"], kCodeNotProvided);
  const Json& zone = made["result"];
  EXPECT_LT(to_text(zone).size(), 7000U);
  for (const char* member : {"id",
                             "name",
                             "status",
                             "paused",
                             "type",
                             "development_mode",
                             "name_servers",
                             "original_name_servers",
                             "original_registrar",
                             "original_dnshost",
                             "created_on",
                             "modified_on",
                             "activated_on",
                             "meta",
                             "owner",
                             "account",
                             "tenant",
                             "tenant_unit",
                             "permissions",
                             "plan",
                             "vanity_name_servers"}) {
    EXPECT_TRUE(zone.contains(member)) << member;
  }
  const std::string path = "/client/v4/zones/" + zone["id"].get<std::string>();
  const Json plans = call("GET", path + "/available_plans");
  ASSERT_EQ(plans["result"].size(), 1U);
  EXPECT_EQ(plans["result"][0], zone["plan"]);
}

TEST_F(ApiTest, ZonesAreListedByNameWithAnOperator) {
  for (const char* name : {"one.test", "two.test", "one.example"}) add_zone(name);
  const auto total = [this](const std::string& query) {
    return call("GET", "/client/v4/zones?" + query)["result_info"]["total_count"].get<int>();
  };
  EXPECT_EQ(total("name=ONE.test."), 1);
  EXPECT_EQ(total("name=equal:one.test"), 1);
  EXPECT_EQ(total("name=not_equal:one.test"), 2);
  EXPECT_EQ(total("name=contains:NE."), 2);
  EXPECT_EQ(total("name=starts_with:tw"), 1);
  EXPECT_EQ(total("name=ends_with:.test"), 2);
  EXPECT_EQ(total("type=full,partial&status=pending"), 3);
  EXPECT_EQ(total("type=partial"), 0);
  EXPECT_EQ(total("name=two.test&status=active&match=any"), 1);
  EXPECT_EQ(call("GET", "/client/v4/zones?order=name&direction=desc")["result"][0]["name"],
            "two.test");
  EXPECT_EQ(code(call("GET", "/client/v4/zones?type=full,odd")), kCodeBadParameter);
  EXPECT_EQ(code(call("GET", "/client/v4/zones?status=odd")), kCodeBadParameter);
}

}  // namespace
}  // namespace brink::ctl::api
