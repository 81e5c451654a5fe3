#include "ctl/rules/ruleset.h"

#include <gtest/gtest.h>

#include "ctl/rules/ruleset_json.h"

namespace brink::ctl::rules {
namespace {

std::string refusal(const std::string& json, Phase phase) {
  const auto rule = rule_from_json(Json::parse(json), phase);
  return rule ? "accepted" : std::to_string(rule.error().code) + " " + rule.error().message;
}
std::string block(const std::string& more = "", const std::string& expression = "true") {
  return R"({"action":"block","expression":")" + expression + "\"" + more + "}";
}
std::string rewrite(const std::string& headers) {
  return R"({"action":"rewrite","expression":"true","action_parameters":{"headers":)" + headers +
         "}}";
}

TEST(Rule, GoesThroughJsonAndBack) {
  const Json json = Json::parse(R"json({"action":"rewrite","expression":"ssl","description":"why",
      "enabled":false,"ref":"mine","action_parameters":{"headers":{
        "X-Set":{"operation":"set","value":"a b"},
        "X-Add":{"operation":"add","expression":"lower(http.host)"},
        "X-Gone":{"operation":"remove"}}}})json");
  auto rule = rule_from_json(json, Phase::kLateTransform);
  ASSERT_TRUE(rule) << rule.error().message;
  rule.value().id = *model::Id::parse("0123456789abcdef0123456789abcdef");
  rule.value().version = 7;
  rule.value().last_updated = {1'767'225'600'000'001};
  const Json shown = to_json(rule.value(), Phase::kLateTransform);
  for (const auto& [name, value] : json.items()) EXPECT_EQ(shown[name], value) << name;
  EXPECT_EQ(shown["version"], "7");
  const auto again = stored_rule_from_json(shown, Phase::kLateTransform);
  ASSERT_TRUE(again) << again.error().message;
  EXPECT_TRUE(again.value().says_the_same_as(rule.value()));
  EXPECT_EQ(again.value().id, rule.value().id);
  EXPECT_EQ(again.value().version, 7U);
  EXPECT_EQ(again.value().last_updated, rule.value().last_updated);
}

TEST(Rule, IsReadBackWhenWhatItNamesIsGone) {
  Json json = Json::parse(block(R"(,"id":"0123456789abcdef0123456789abcdef","version":"3")"));
  json["expression"] = "http.gone eq 1";
  EXPECT_FALSE(rule_from_json(json, Phase::kFirewallCustom));
  const auto rule = stored_rule_from_json(json, Phase::kFirewallCustom);
  ASSERT_TRUE(rule) << rule.error().message;
  EXPECT_EQ(rule.value().expression, "http.gone eq 1");
  EXPECT_EQ(fault_of(rule.value(), Phase::kFirewallCustom)->code, kCodeExpressionInvalid);
}

TEST(Rule, BlocksWithAnAnswer) {
  const std::string response =
      R"(,"action_parameters":{"response":{"status_code":418,"content_type":"text/plain",)"
      R"("content":"no"}})";
  const auto rule = rule_from_json(Json::parse(block(response)), Phase::kFirewallCustom);
  ASSERT_TRUE(rule) << rule.error().message;
  EXPECT_EQ(rule.value().response->status_code, 418U);
  EXPECT_EQ(refusal(block(), Phase::kFirewallCustom), "accepted");
  EXPECT_EQ(refusal(block(R"(,"action_parameters":{})"), Phase::kFirewallCustom), "accepted");
}

TEST(Rule, IsRefusedWithItsReason) {
  const auto expect = [](const std::string& json, Phase phase, const std::string& reason) {
    const std::string said = refusal(json, phase);
    EXPECT_NE(said.find(reason), std::string::npos) << json << "\n  said: " << said;
  };
  constexpr Phase kBlock = Phase::kFirewallCustom, kRewrite = Phase::kLateTransform;
  expect("[]", kBlock, "must be an object");
  expect("{}", kBlock, "action in phase http_request_firewall_custom is \"block\"");
  expect(R"({"action":"skip","expression":"true"})", kBlock, "not \"skip\"");
  expect(R"({"action":7})", kBlock, "\"action\" must be a string");
  expect(R"({"action":"block"})", kBlock, "20125 ");
  expect(block("", "http.hos eq 1"), kBlock, "20127 ");
  expect(block("", "http.hos eq 1"), kBlock, "position 1: the field \"http.hos\"");
  expect(block(R"(,"ratelimit":{})"), kBlock, "\"ratelimit\" is not supported; there are id, ");
  expect(block(R"(,"enabled":1)"), kBlock, "\"enabled\" must be true or false");
  expect(block(R"(,"id":"7")"), kBlock, "32 hex digits");
  expect(block(R"(,"id":null)"), kBlock, "\"id\" must be a string");
  for (const char* position : {"null", "[]", "{}", R"({"index":1,"before":""})", R"({"at":1})"}) {
    expect(block(std::string(",\"position\":") + position), kBlock,
           "\"position\" must be an object");
  }
  for (const char* index : {"0", "201", "1.5", "-1", "true", "null", "1e30"}) {
    expect(block(std::string(",\"position\":{\"index\":") + index + "}"), kBlock,
           "\"position.index\" must be a whole number");
  }
  expect(block(R"(,"position":{"before":1})"), kBlock, "\"position.before\" must be");
  expect(block(R"(,"description":"a\nb")"), kBlock, "no control characters");
  expect(block(R"(,"action_parameters":7)"), kBlock, "must be an object");
  expect(block(R"(,"action_parameters":{"headers":{}})"), kBlock,
         "\"action_parameters.headers\" is not supported");
  expect(block(R"(,"action_parameters":{"response":{"status_code":200,"content":"",)"
               R"("content_type":"text/plain"}})"),
         kBlock, "from 400 to 499");
  expect(block(R"(,"action_parameters":{"response":{"status_code":403,"content_type":"a/b"}})"),
         kBlock, "content_type");
  expect(block(), kRewrite, "is \"rewrite\"");
  expect(R"({"action":"rewrite","expression":"true"})", kRewrite, "action_parameters.headers");
  expect(R"({"action":"rewrite","expression":"true","action_parameters":{"uri":{}}})", kRewrite,
         "\"action_parameters.uri\" is not supported");
  expect(rewrite("{}"), kRewrite, "1 to 30 headers");
  expect(rewrite(R"({"a b":{"operation":"remove"}})"), kRewrite, "not a name of a header");
  expect(rewrite(R"({"X":{"operation":"drop"}})"), kRewrite, "set, add or remove");
  expect(rewrite(R"({"X":{"operation":"set"}})"), kRewrite, "either a value or an expression");
  expect(rewrite(R"({"X":{"operation":"remove","value":"a"}})"), kRewrite, "takes neither");
  expect(rewrite(R"({"X":{"operation":"set","value":"a","expression":"http.host"}})"), kRewrite,
         "either");
  expect(rewrite(R"({"X":{"operation":"set","value":"a\r\nSet-Cookie: b"}})"), kRewrite,
         "no control characters");
  expect(rewrite(R"({"X":{"operation":"set","value":" a"}})"), kRewrite, "no white space");
  expect(rewrite(R"({"X":{"operation":"set","expression":"ssl"}})"), kRewrite, "must be a string");
  expect(rewrite(R"({"X":{"operation":"remove"},"x":{"operation":"remove"}})"), kRewrite,
         "\"x\" is there twice");
  for (const char* own : {"Host", "connection", "Content-Length", "CF-Ray", "x-cf-a", "CDN-Loop"}) {
    expect(rewrite(std::string("{\"") + own + R"(":{"operation":"remove"}})"), kRewrite,
           "the proxy's own");
  }
  for (const char* own : {"Accept-Encoding", "X-Forwarded-Proto", "X_Forwarded_Proto", "Expect",
                          "Proxy-Authorization", "CF_Ray"}) {
    expect(rewrite(std::string("{\"") + own + R"(":{"operation":"set","value":"a"}})"), kRewrite,
           "the proxy's own");
  }
  for (const char* own : {"Server", "Date", "CF-Cache-Status", "CF-Connecting-IP"}) {
    expect(rewrite(std::string("{\"") + own + R"(":{"operation":"remove"}})"),
           Phase::kResponseHeaders, "the proxy's own");
  }
  for (const char* client : {"CF-Connecting-IP", "X-Forwarded-For", "True-Client-IP"}) {
    const std::string name = std::string("{\"") + client;
    EXPECT_EQ(refusal(rewrite(name + R"(":{"operation":"remove"}})"), kRewrite), "accepted");
    expect(rewrite(name + R"(":{"operation":"set","value":"192.0.2.1"}})"), kRewrite,
           "it can be removed, but not changed");
  }
  expect(
      rewrite(R"json({"X":{"operation":"set","expression":"concat(\"a\\x0d\", http.host)"}})json"),
      kRewrite, "a string with a control character");
}

TEST(Rule, KnowsTheResponseInTheLastPhaseOnly) {
  const std::string rule = R"({"action":"rewrite","expression":"http.response.code eq 404",)"
                           R"("action_parameters":{"headers":{"X":{"operation":"remove"}}}})";
  EXPECT_EQ(refusal(rule, Phase::kResponseHeaders), "accepted");
  EXPECT_NE(refusal(rule, Phase::kLateTransform), "accepted");
}

TEST(Phase, IsOneOfThree) {
  for (const char* text : {"http_request_firewall_custom", "http_request_late_transform",
                           "http_response_headers_transform"}) {
    ASSERT_TRUE(phase_from_text(text)) << text;
    EXPECT_EQ(to_text(phase_from_text(text).value()), text);
  }
  EXPECT_NE(phase_from_text("http_ratelimit").error().message.find("is not provided"),
            std::string::npos);
  EXPECT_NE(phase_from_text("http_rate").error().message.find("There is no phase"),
            std::string::npos);
}

}  // namespace
}  // namespace brink::ctl::rules
