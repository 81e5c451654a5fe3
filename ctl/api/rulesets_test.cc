// Rulesets: entrypoints of phases, single rules and their order.
#include "ctl/store/rulesets.h"
#include "ctl/api/certificate_api_fixture.h"
#include "ctl/rules/ruleset.h"

namespace brink::ctl::api {
namespace {

class RulesetTest : public CertificateApiTest {
 protected:
  static Json block(const std::string& expression, const std::string& ref = "") {
    Json rule = {{"action", "block"}, {"expression", expression}};
    if (!ref.empty()) rule["ref"] = ref;
    return rule;
  }
  // The expressions of a ruleset's rules.
  static std::string order(const Json& reply) {
    std::string text;
    for (const Json& rule : reply["result"]["rules"]) {
      text += rule["expression"].get<std::string>() + " ";
    }
    return text;
  }
  Json three() {
    return put(firewall_, {{"rules", {block("ssl"), block("true"), block("false")}}});
  }

  const std::string path_ = zone_ + "/rulesets";
  const std::string firewall_ = path_ + "/phases/http_request_firewall_custom/entrypoint";
  const std::string late_ = path_ + "/phases/http_request_late_transform/entrypoint";
};

TEST_F(RulesetTest, APhaseHasNoneUntilOneIsPut) {
  const Json none = call("GET", firewall_);
  EXPECT_EQ(status_, 404);
  EXPECT_EQ(code(none), rules::kCodeRulesetMissing);
  EXPECT_EQ(call("GET", path_)["result"], Json::array());
  const Json made = put(firewall_, {{"description", "who may come in"},
                                    {"rules",
                                     {block("not cf.tls_client_auth.cert_verified and http.host in "
                                            "{\"api.example.com\"}")}}});
  ASSERT_EQ(status_, 200) << made;
  const Json& ruleset = made["result"];
  EXPECT_EQ(ruleset["kind"], "zone");
  EXPECT_EQ(ruleset["phase"], "http_request_firewall_custom");
  EXPECT_EQ(ruleset["name"], "default");
  EXPECT_EQ(ruleset["description"], "who may come in");
  EXPECT_EQ(ruleset["version"], "1");
  ASSERT_EQ(ruleset["rules"].size(), 1U);
  const Json& rule = ruleset["rules"][0];
  EXPECT_EQ(rule["ref"], rule["id"]);
  EXPECT_EQ(rule["version"], "1");
  EXPECT_EQ(rule["enabled"], true);
  EXPECT_EQ(call("GET", firewall_)["result"], ruleset);
  EXPECT_EQ(call("GET", path_ + "/" + id_of(made))["result"], ruleset);
  const Json list = call("GET", path_)["result"];
  ASSERT_EQ(list.size(), 1U);
  EXPECT_FALSE(list[0].contains("rules"));
  EXPECT_EQ(newest_audit()["resource"]["type"], "ruleset");
  EXPECT_EQ(newest_audit()["newValueJson"]["rules"].size(), 1U);
}

TEST_F(RulesetTest, RulesKeepIdAndVersionByIdOrRef) {
  const Json first = put(firewall_, {{"rules", {block("ssl", "mine"), block("true")}}});
  ASSERT_EQ(status_, 200) << first;
  Json rules = first["result"]["rules"];
  // The second one changes and comes first, known by its id; the other one by its ref.
  Json changed = block("false");
  changed["id"] = rules[1]["id"];
  const Json second = put(firewall_, {{"rules", {changed, block("ssl", "mine")}}});
  ASSERT_EQ(status_, 200) << second;
  EXPECT_EQ(second["result"]["id"], first["result"]["id"]);
  EXPECT_EQ(second["result"]["version"], "2");
  EXPECT_EQ(second["result"]["rules"][0]["id"], rules[1]["id"]);
  EXPECT_EQ(second["result"]["rules"][0]["version"], "2");
  EXPECT_EQ(second["result"]["rules"][1], rules[0]) << "says what it said";
  const Json emptied = put(firewall_, {{"rules", Json::array()}});
  EXPECT_EQ(emptied["result"]["rules"].size(), 0U);
  const Json described = put(firewall_, {{"description", "d"}});
  EXPECT_EQ(described["result"]["version"], "4");
}

TEST_F(RulesetTest, HeadersAreRewritten) {
  const Json rule = Json::parse(R"({"action":"rewrite","expression":"true","description":"who",
      "action_parameters":{"headers":{
        "Client-Cert":{"operation":"set","expression":"cf.tls_client_auth.cert_rfc9440"},
        "X-From":{"operation":"add","value":"edge"},"X-Old":{"operation":"remove"}}}})");
  const Json made = put(late_, {{"rules", {rule}}});
  ASSERT_EQ(status_, 200) << made;
  for (const auto& [name, value] : rule.items()) {
    EXPECT_EQ(made["result"]["rules"][0][name], value) << name;
  }
  EXPECT_EQ(call("GET", late_)["result"], made["result"]);
  const std::string response = path_ + "/phases/http_response_headers_transform/entrypoint";
  put(response, {{"rules", {rule}}});
  EXPECT_EQ(status_, 200);
  EXPECT_EQ(call("GET", path_)["result"].size(), 2U);
}

TEST_F(RulesetTest, SingleRulesComeGoAndMove) {
  const Json made = three();
  const std::string one = path_ + "/" + id_of(made);
  const auto id = [&](int at) { return made["result"]["rules"][at]["id"].get<std::string>(); };
  EXPECT_EQ(order(post(one + "/rules", block("not ssl"))), "ssl true false not ssl ");
  Json placed = block("not true");
  placed["position"] = {{"before", id(1)}};
  EXPECT_EQ(order(post(one + "/rules", placed)), "ssl not true true false not ssl ");
  const std::string first = one + "/rules/" + id(0);
  EXPECT_EQ(order(patch(first, {{"position", {{"after", id(2)}}}})),
            "not true true false ssl not ssl ");
  EXPECT_EQ(order(patch(first, {{"position", {{"index", 2}}}})),
            "not true ssl true false not ssl ");
  EXPECT_EQ(order(patch(first, {{"position", {{"before", ""}}}})),
            "ssl not true true false not ssl ");
  EXPECT_EQ(order(patch(first, {{"position", {{"after", ""}}}})),
            "not true true false not ssl ssl ");
  const Json replaced = patch(first, block("not false"));
  EXPECT_EQ(order(replaced), "not true true false not ssl not false ");
  EXPECT_EQ(replaced["result"]["rules"][4]["id"], id(0));
  EXPECT_EQ(replaced["result"]["rules"][4]["version"], "2");
  EXPECT_EQ(order(call("DELETE", one + "/rules/" + id(1))), "not true false not ssl not false ");
  call("DELETE", one + "/rules/" + id(1));
  EXPECT_EQ(status_, 404);
  call("DELETE", one);
  EXPECT_EQ(status_, 204);
  EXPECT_EQ(newest_audit()["action"]["type"], "delete");
  call("GET", firewall_);
  EXPECT_EQ(status_, 404);
}

TEST_F(RulesetTest, ARuleThatNamesWhatIsGoneIsShownAndCanBeMended) {
  const Json made = three();
  const std::string one = path_ + "/" + id_of(made);
  store::Rulesets rulesets(*store_);
  const auto zone = *model::Id::parse(zone_.substr(zone_.rfind('/') + 1));
  rules::Ruleset stored = *rulesets.find(zone, *model::Id::parse(id_of(made)));
  stored.rules[1].expression = "http.gone eq 1";
  {
    store::Transaction transaction(*store_, store::Transaction::Kind::kWrite);
    rulesets.put(stored);
    transaction.commit();
  }
  for (const std::string& shown : {one, firewall_}) {
    const Json reply = call("GET", shown);
    EXPECT_EQ(status_, 200);
    EXPECT_EQ(order(reply), "ssl http.gone eq 1 false ");
    const std::string note = reply["messages"].at(0)["message"];
    EXPECT_TRUE(note.starts_with("rules[1] has no effect any more: 'http.gone eq 1'")) << note;
  }
  call("GET", path_);
  EXPECT_EQ(status_, 200);
  EXPECT_EQ(order(post(one + "/rules", block("not true"))), "ssl http.gone eq 1 false not true ")
      << "the others can be changed";
  const Json mended =
      patch(one + "/rules/" + made["result"]["rules"][1]["id"].get<std::string>(), block("true"));
  EXPECT_EQ(order(mended), "ssl true false not true ");
  EXPECT_EQ(mended["messages"].size(), 0U);
}

TEST_F(RulesetTest, IsRefusedWithItsReason) {
  const Json made = three();
  const std::string one = path_ + "/" + id_of(made);
  const std::string rule = one + "/rules/" + made["result"]["rules"][0]["id"].get<std::string>();
  using namespace rules;
  expect_refusal(put(firewall_, {{"rules", {block("ssl"), block("http.hos eq \"a\"")}}}),
                 kCodeExpressionInvalid,
                 "rules[1]: 'http.hos eq \"a\"' is not a valid expression: "
                 "position 1: the field \"http.hos\" is not supported");
  expect_refusal(put(firewall_, {{"rules", {block("")}}}), kCodeExpressionBlank, "expression");
  expect_refusal(put(firewall_, {{"rules", {7}}}), kCodeRuleInvalid, "must be an object");
  expect_refusal(put(firewall_, {{"rules", 7}}), kCodeBadBody, "must be an array");
  expect_refusal(put(firewall_, {{"rules", {block("ssl", "a"), block("ssl", "a")}}}),
                 kCodeRuleInvalid, "\"a\" is there twice");
  Json same = block("ssl");
  same["id"] = made["result"]["rules"][0]["id"];
  expect_refusal(put(firewall_, {{"rules", {same, same}}}), kCodeRuleInvalid, "there twice");
  expect_refusal(put(firewall_, {{"kind", "root"}}), kCodeNotProvided, "zone");
  expect_refusal(put(firewall_, {{"phase", "http_request_late_transform"}}), kCodeRuleInvalid,
                 "cannot be changed");
  expect_refusal(put(firewall_, {{"name", "a\nb"}}), kCodeRuleInvalid, "control characters");
  expect_refusal(put(firewall_, {{"description", 7}}), kCodeBadBody, "a string");
  expect_refusal(put(firewall_, {{"rules", std::vector<Json>(201, block("ssl"))}}),
                 kCodeRuleInvalid, "at most 200");
  expect_refusal(put(late_, {{"rules", {block("ssl")}}}), kCodeRuleInvalid, "\"rewrite\"");
  expect_refusal(put(firewall_, {{"rules", {block("http.host matches \"a\"")}}}),
                 kCodeExpressionInvalid, "regular expressions are not supported");
  std::vector<Json> rewrites;
  for (int i = 0; i < 129; ++i) {
    Json headers = Json::object();
    headers["x" + std::to_string(i)] = {{"operation", "remove"}};
    rewrites.push_back({{"action", "rewrite"},
                        {"expression", "true"},
                        {"action_parameters", {{"headers", headers}}}});
  }
  expect_refusal(put(late_, {{"rules", rewrites}}), kCodeRuleInvalid,
                 "129 different headers together; there is room for 128");
  expect_refusal(call("GET", path_ + "/phases/http_ratelimit/entrypoint"), kCodeRuleInvalid,
                 "is not provided");
  expect_refusal(call("PUT", path_ + "/phases/odd/entrypoint", "{}"), kCodeRuleInvalid,
                 "There is no phase \"odd\"");
  expect_refusal(post(path_, {{"phase", "http_request_firewall_custom"}, {"kind", "zone"}}),
                 kCodeRulesetExists, "already");
  expect_refusal(post(path_, Json::object()), kCodeRuleInvalid, "no phase");
  expect_refusal(patch(rule, Json::object()), kCodeRuleInvalid, "The action");
  expect_refusal(patch(rule, {{"position", 7}}), kCodeRuleInvalid, "an object");
  expect_refusal(patch(rule, {{"position", Json::object()}}), kCodeRuleInvalid, "one of");
  expect_refusal(patch(rule, {{"position", {{"beside", "a"}}}}), kCodeRuleInvalid, "one of");
  expect_refusal(patch(rule, {{"position", {{"index", 0}}}}), kCodeRuleInvalid, "from 1 to 200");
  expect_refusal(patch(rule, {{"position", {{"index", 4}}}}), kCodeRuleInvalid, "from 1 to 3");
  expect_refusal(patch(rule, {{"position", {{"before", "x"}}}}), model::kCodeNotFound, "no rule");
  expect_refusal(call("GET", path_ + "/x"), model::kCodeNotFound, "no ruleset");
  EXPECT_EQ(call("GET", firewall_)["result"], made["result"]) << "none of this changed anything";
}

TEST_F(RulesetTest, IsMadeAndReplacedByItsId) {
  const Json made = post(path_, {{"name", "mine"},
                                 {"kind", "zone"},
                                 {"phase", "http_request_firewall_custom"},
                                 {"rules", {block("ssl")}}});
  ASSERT_EQ(status_, 200) << made;
  EXPECT_EQ(made["result"]["name"], "mine");
  const std::string one = path_ + "/" + id_of(made);
  const Json changed = put(one, {{"name", "other"}, {"rules", {block("true")}}});
  EXPECT_EQ(changed["result"]["name"], "other");
  EXPECT_EQ(order(changed), "true ");
  const std::string foreign = add_zone("b.test") + "/rulesets/" + id_of(made);
  call("GET", foreign);
  EXPECT_EQ(status_, 404) << "another zone's";
}

TEST_F(RulesetTest, NeedsItsOwnPermission) {
  add_token("dns", home_, set_of({Permission::kDnsEdit, Permission::kSslEdit}),
            {{Resource::Kind::kAllZones, {}}});
  with_token("dns");
  EXPECT_EQ(code(call("PUT", firewall_, "{}")), kCodeAuthentication);
  EXPECT_EQ(status_, 403);
  over_socket();
  add_token("rules", home_, set_of({Permission::kRulesetsEdit}), {{Resource::Kind::kAllZones, {}}});
  with_token("rules");
  call("PUT", firewall_, "{}");
  EXPECT_EQ(status_, 200);
}

// A zone that a rollback brings back is as closed as it was.
TEST_F(RulesetTest, ADeletedZoneComesBackWithItsRules) {
  three();
  const std::uint64_t before = store_->version();
  call("DELETE", zone_);
  call("GET", firewall_);
  EXPECT_EQ(status_, 404);
  call("POST", "/brink/v1/snapshot/rollback", R"({"version":)" + std::to_string(before) + "}");
  ASSERT_EQ(status_, 200);
  EXPECT_EQ(order(call("GET", firewall_)), "ssl true false ");
}

}  // namespace
}  // namespace brink::ctl::api
