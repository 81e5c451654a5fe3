// Rules as users write them, run as the edge runs them: every operator, function and field against
// the definition of what it means (rules::evaluate), and rulesets from the store to the table of an
// image.
#include "ctl/compile/rules_compiler.h"

#include <gtest/gtest.h>

#include <optional>
#include <random>

#include "ctl/compile/compile.h"
#include "ctl/compile/compile_fixture.h"
#include "ctl/rules/expression.h"
#include "ctl/store/rulesets.h"
#include "dataplane/snapshot/builder.h"
#include "l7/render/rule_fields.h"
#include "l7/rewrite/rules.h"
#include "l7/route/certificate_lookup.h"

namespace brink::ctl::compile {
namespace {

using l7::rewrite::Facts;
using l7::rewrite::RunVerdict;
using rules::HeaderChange;
using rules::Phase;
using rules::Rule;
using rules::Ruleset;

const l7::rewrite::ClientCertificate& certificate() {
  static const l7::rewrite::ClientCertificate kCertificate = [] {
    l7::rewrite::ClientCertificate made;
    made.is_presented = made.is_verified = true;
    made.subject_dn = "CN=client,O=Example";
    made.serial = "0a1b";
    made.sha256 = "00ff";
    return made;
  }();
  return kCertificate;
}

Facts facts() {
  Facts facts;
  facts.method = "GET";
  facts.host = "www.example.com";
  facts.target = "/api/v1/Users?id=7&x=*";
  facts.user_agent = "curl/8.1 (Test)";
  facts.client = *base::IpAddress::parse("192.0.2.77");
  facts.country = {{'D', 'E'}};
  facts.status = 404;
  facts.certificate = &certificate();
  return facts;
}

// What the definition is given for a field: the words of the documentation, not of the executor.
rules::Value definition(const rules::Field& field) {
  const std::map<std::string_view, rules::Value> values = {
      {"http.host", std::string("www.example.com")},
      {"http.request.full_uri", std::string("http://www.example.com/api/v1/Users?id=7&x=*")},
      {"http.request.method", std::string("GET")},
      {"http.request.uri", std::string("/api/v1/Users?id=7&x=*")},
      {"http.request.uri.path", std::string("/api/v1/Users")},
      {"http.request.uri.query", std::string("id=7&x=*")},
      {"http.request.version", std::string("HTTP/1.1")},
      {"http.response.code", std::int64_t{404}},
      {"http.user_agent", std::string("curl/8.1 (Test)")},
      {"ip.src", *base::IpAddress::parse("192.0.2.77")},
      {"ip.src.country", std::string("DE")},
      {"ssl", false},
      {"cf.tls_client_auth.cert_presented", true},
      {"cf.tls_client_auth.cert_verified", true},
      {"cf.tls_client_auth.cert_subject_dn", std::string("CN=client,O=Example")},
      {"cf.tls_client_auth.cert_serial", std::string("0a1b")},
      {"cf.tls_client_auth.cert_fingerprint_sha256", std::string("00ff")},
  };
  const auto found = values.find(field.name);
  if (found != values.end()) return found->second;
  if (field.type == rules::Type::kText) return std::string();
  return false;
}

Rule header_rule(std::string expression, std::vector<HeaderChange> headers) {
  Rule rule;
  rule.expression = std::move(expression);
  rule.headers = std::move(headers);
  return rule;
}

Rule block_rule(std::string expression) {
  Rule rule;
  rule.expression = std::move(expression);
  return rule;
}

// Rules that are run as soon as they are made.
class Edge {
 public:
  RunVerdict run(const Ruleset& ruleset) {
    auto blob = compile_rules(ruleset);
    EXPECT_TRUE(blob.ok());
    blob_ = std::move(blob).value();
    const auto view = l7::route::RulesView::open(blob_);
    if (!view) return RunVerdict::kBroken;
    facts_ = facts();
    return ruleset.phase == Phase::kFirewallCustom ? run_firewall(*view, facts_, *work_, block_)
                                                   : run_header_rules(*view, facts_, *work_);
  }
  bool holds(const std::string& expression) {
    const auto node = rules::parse_condition(expression, rules::Stage::kResponse);
    EXPECT_TRUE(node.ok()) << expression << ": " << (node ? "" : node.error().text());
    Ruleset ruleset;
    ruleset.phase = Phase::kResponseHeaders;
    ruleset.rules = {header_rule(expression, {{"x", HeaderChange::Operation::kSet, "1", false}})};
    EXPECT_EQ(run(ruleset), RunVerdict::kPassed) << expression;
    const bool found = work_->edits.takes_away("x");
    EXPECT_EQ(found, std::get<bool>(rules::evaluate(node.value(), definition))) << expression;
    return found;
  }
  std::string text(const std::string& expression) {
    Ruleset ruleset;
    ruleset.phase = Phase::kResponseHeaders;
    ruleset.rules = {header_rule("true", {{"x", HeaderChange::Operation::kSet, expression, true}})};
    EXPECT_EQ(run(ruleset), RunVerdict::kPassed) << expression;
    std::string out;
    work_->edits.for_each([&](std::string_view, std::string_view value) { out = value; });
    const auto node = rules::parse_text_value(expression, rules::Stage::kResponse);
    EXPECT_EQ(out, std::get<std::string>(rules::evaluate(node.value(), definition)));
    return out;
  }

 private:
  Facts facts_;
  l7::render::Bytes blob_;
  std::unique_ptr<l7::rewrite::Workspace> work_ = std::make_unique<l7::rewrite::Workspace>();
  l7::rewrite::Block block_;
};

TEST(CompiledRules, TheEdgeHasEveryFieldWithItsType) {
  for (const rules::Field& field : rules::fields()) {
    const auto found = l7::render::find_rule_field(field.name);
    ASSERT_TRUE(found.has_value()) << field.name;
    EXPECT_EQ(static_cast<int>(l7::render::info_of(*found).type), static_cast<int>(field.type))
        << field.name;
  }
  EXPECT_EQ(rules::fields().size(), l7::route::kRuleFieldCount);
}

TEST(CompiledRules, EveryFieldHasItsValue) {
  Edge edge;
  for (const rules::Field& field : rules::fields()) {
    edge.text("concat(\"=\", to_string(" + std::string(field.name) + "))");
  }
}

TEST(CompiledRules, EveryOperator) {
  Edge edge;
  for (const char* op :
       {"eq", "ne", "lt", "le", "gt", "ge", "contains", "wildcard", "strict wildcard"}) {
    for (const char* text :
         {"\"\"", "\"www.example.com\"", "\"WWW.example.com\"", "\"a\"", "\"x\"", "\"*.EXAMPLE.*\"",
          "\"www.*\"", "\"*\"", "\"example\"", R"("www.example.com\*")", R"("*www*www*")"}) {
      edge.holds(std::string("http.host ") + op + " " + text);
    }
  }
  for (const char* op : {"eq", "ne", "lt", "le", "gt", "ge"}) {
    for (const char* number : {"403", "404", "405", "-404"}) {
      edge.holds(std::string("http.response.code ") + op + " " + number);
    }
  }
  for (const char* op : {"==", "!="}) {
    for (const char* address : {"192.0.2.77", "192.0.2.78", "2001:db8::1"}) {
      edge.holds(std::string("ip.src ") + op + " " + address);
    }
    for (const char* flag : {"true", "false"}) edge.holds(std::string("ssl ") + op + " " + flag);
  }
  EXPECT_TRUE(edge.holds(R"(http.request.uri.query contains "x=")"));
  EXPECT_TRUE(edge.holds(R"(http.request.uri.query wildcard r"ID=*&x=\*")"));
  EXPECT_TRUE(
      edge.holds("cf.tls_client_auth.cert_verified and not cf.tls_client_auth.cert_revoked"));
}

TEST(CompiledRules, EverySet) {
  Edge edge;
  EXPECT_TRUE(edge.holds(R"(http.request.method in {"POST" "GET" "GET" "HEAD"})"));
  EXPECT_FALSE(edge.holds(R"(http.request.method in {"POST" "get" "GETS" "GE"})"));
  EXPECT_TRUE(edge.holds("http.response.code in {500..599 404 200..299}"));
  EXPECT_TRUE(edge.holds("http.response.code in {400..403 403..404}"));
  EXPECT_FALSE(edge.holds("http.response.code in {500..599 -10..403 405}"));
  EXPECT_TRUE(edge.holds("ip.src in {2001:db8::/32 192.0.2.0/24}"));
  EXPECT_TRUE(edge.holds("ip.src in {192.0.2.70..192.0.2.80}"));
  EXPECT_FALSE(edge.holds("ip.src in {198.51.100.0/24 192.0.2.128/25 192.0.2.76}"));
  EXPECT_FALSE(edge.holds("ip.src in {::/0}")) << "a network is of one family";
  EXPECT_TRUE(edge.holds("ip.src in {::/0 0.0.0.0/0}"));
}

TEST(CompiledRules, EveryFunction) {
  Edge edge;
  EXPECT_TRUE(edge.holds(R"(lower(http.request.method) eq "get")"));
  EXPECT_TRUE(edge.holds(R"(upper(http.host) eq "WWW.EXAMPLE.COM")"));
  EXPECT_TRUE(edge.holds("len(http.request.method) eq 3"));
  EXPECT_TRUE(edge.holds(R"(starts_with(http.request.uri.path, "/api/"))"));
  EXPECT_FALSE(edge.holds(R"(ends_with(http.request.uri.path, "/api/"))"));
  EXPECT_TRUE(edge.holds(R"(ends_with(lower(http.request.uri.path), concat("/us", "ers")))"));
  EXPECT_EQ(edge.text(R"(concat("https://", http.host, http.request.uri.path, "#", lower("A")))"),
            "https://www.example.com/api/v1/Users#a");
  EXPECT_EQ(edge.text(R"(concat(upper(http.host), concat("-", lower("B"), "c"), "d"))"),
            "WWW.EXAMPLE.COM-bcd");
  EXPECT_EQ(edge.text("to_string(ip.src)"), "192.0.2.77");
  EXPECT_EQ(edge.text("to_string(2001:db8::1)"), "2001:db8::1");
  EXPECT_EQ(edge.text("to_string(-17)"), "-17");
  EXPECT_EQ(edge.text("to_string(true)"), "true");
  EXPECT_EQ(edge.text("to_string(len(http.host))"), "15");
}

TEST(CompiledRules, BindAsTheLanguageSays) {
  Edge edge;
  for (const char* text :
       {"true or true and false", "(true or true) and false", "true or true xor true",
        "(true or true) xor true", "true xor true and false", "(true xor true) and false",
        "not true or false", "not false and true", "not (true and false)",
        "true xor true xor false", "true xor true xor true", "false or false or true or false",
        "true and true and false", "false and true or true", "not not true",
        "ssl or not ssl xor ssl and true"}) {
    edge.holds(text);
  }
}

// The deepest that the parser takes.
TEST(CompiledRules, TheDeepestExpressionHasRoom) {
  Edge edge;
  std::string flags = "ssl", texts = "http.host";
  for (std::size_t i = 0; i + 2 < rules::kDepthMax; ++i) flags = "ssl xor (true and " + flags + ")";
  for (std::size_t i = 0; i + 1 < rules::kDepthMax; ++i) {
    texts = "concat(\"a\",\"b\"," + texts + ",\"c\")";
  }
  edge.holds(flags);
  edge.text(texts);
}

// Expressions that nobody thought of.
class Author {
 public:
  explicit Author(unsigned seed) : random_(seed) {}

  std::string condition(int depth) {
    if (depth == 0 || one_of(4) == 0) return comparison();
    switch (one_of(5)) {
      case 0:
        return "not (" + condition(depth - 1) + ")";
      case 1:
        return "(" + condition(depth - 1) + ")";
      default: {
        const char* const kWords[] = {" and ", " or ", " xor "};
        return "(" + condition(depth - 1) + kWords[one_of(3)] + condition(depth - 1) +
               kWords[one_of(3)] + condition(depth - 1) + ")";
      }
    }
  }

 private:
  unsigned one_of(unsigned count) { return static_cast<unsigned>(random_() % count); }
  std::string word() {
    const char* const kWords[] = {"\"\"",     "\"w\"",    "\"WWW\"", "\"GET\"",
                                  "\"/api\"", "\"curl\"", "\"e\"",   "\"www.example.com\"",
                                  "\"7\""};
    return kWords[one_of(std::size(kWords))];
  }
  std::string text(int depth) {
    const char* const kFields[] = {
        "http.host",        "http.request.method", "http.request.uri.path",
        "http.request.uri", "http.user_agent",     "http.request.full_uri"};
    if (depth == 0 || one_of(2) == 0) return kFields[one_of(std::size(kFields))];
    switch (one_of(4)) {
      case 0:
        return "lower(" + text(depth - 1) + ")";
      case 1:
        return "upper(" + text(depth - 1) + ")";
      case 2:
        return "to_string(len(" + text(depth - 1) + "))";
      default:
        return "concat(" + text(depth - 1) + "," + word() + "," + text(depth - 1) + ")";
    }
  }
  std::string comparison() {
    const char* const kOperators[] = {"eq", "ne", "lt", "le", "gt", "ge", "contains"};
    switch (one_of(7)) {
      case 0:
        return "ip.src in {192.0." + std::to_string(one_of(4)) + ".0/24 2001:db8::/32}";
      case 1:
        return "http.response.code in {" + std::to_string(one_of(451)) + "..450 500}";
      case 2:
        return "starts_with(" + text(1) + "," + text(0) + ")";
      case 3:
        return text(1) + " in {" + word() + word() + word() + "}";
      case 4:
        return text(2) + " wildcard \"*" + std::string(1, static_cast<char>('a' + one_of(8))) +
               "*e*\"";
      case 5:
        return "ssl";
      default:
        return text(2) + " " + kOperators[one_of(std::size(kOperators))] + " " + word();
    }
  }

  std::mt19937 random_;
};

TEST(CompiledRules, MeanWhatTheDefinitionSays) {
  constexpr unsigned kSeed = 20'250'807;
  Author author(kSeed);
  Edge edge;
  int held = 0;
  constexpr int kCount = 400;
  for (int i = 0; i < kCount; ++i) {
    const std::string expression = author.condition(3);
    if (expression.size() > rules::kExpressionSizeMax) continue;
    held += edge.holds(expression) ? 1 : 0;
    if (HasFailure()) break;
  }
  EXPECT_GT(held, kCount / 10) << "seed " << kSeed;
  EXPECT_LT(held, kCount * 9 / 10) << "seed " << kSeed;
}

TEST(CompiledRules, ThoseThatAreOffOrHaveAFaultHaveNoEffect) {
  Ruleset ruleset;
  ruleset.rules = {block_rule("true"), block_rule("http.gone eq 1")};
  ruleset.rules[0].enabled = false;
  const auto blob = compile_rules(ruleset);
  ASSERT_TRUE(blob.ok());
  EXPECT_TRUE(blob.value().empty());
  ruleset.rules.push_back(block_rule("http.request.method eq \"GET\""));
  EXPECT_EQ(Edge().run(ruleset), RunVerdict::kBlocked);
}

TEST(CompiledRules, MoreThanTheEdgeHasRoomForIsRefused) {
  Ruleset ruleset;
  ruleset.phase = Phase::kLateTransform;
  for (int i = 0; i < 129; ++i) {
    ruleset.rules.push_back(header_rule(
        "true", {{"x" + std::to_string(i), HeaderChange::Operation::kRemove, "", false}}));
  }
  const auto fault = size_fault(ruleset);
  ASSERT_TRUE(fault.has_value());
  EXPECT_EQ(fault->message,
            "The rules of phase http_request_late_transform have 129 different headers together; "
            "there is room for 128. Use fewer or shorter rules.");
  ruleset.rules.back().enabled = false;
  EXPECT_TRUE(size_fault(ruleset).has_value()) << "it could not be enabled";
  ruleset.rules.pop_back();
  EXPECT_FALSE(size_fault(ruleset).has_value());
}

model::Zone zone_in(store::Store& store, Ids& ids) {
  model::Zone zone;
  zone.id = ids.next();
  zone.name = name("a.test");
  zone.status = model::ZoneStatus::kActive;
  zone.serial = 1;
  store.insert_zone(zone);
  return zone;
}

TEST(CompiledRules, ReachTheTableOfTheirZone) {
  auto store = empty_store();
  Ids ids;
  const model::Zone zone = zone_in(*store, ids);
  Ruleset ruleset;
  ruleset.id = ids.next();
  ruleset.zone = zone.id;
  ruleset.phase = Phase::kFirewallCustom;
  ruleset.rules = {block_rule("http.request.method eq \"GET\"")};
  ruleset.rules[0].id = ids.next();
  store::Rulesets(*store).put(ruleset);
  std::optional<snapshot::Image> image;
  std::optional<snapshot::View> view;
  const auto rules_of = [&](l7::route::RulePhase phase) {
    view.reset();
    snapshot::Builder builder(base::HashKey{});
    {
      store::Transaction reading(*store, store::Transaction::Kind::kRead);
      EXPECT_TRUE(compile_all(*store, test_options(), builder).ok());
    }
    image.emplace(std::move(builder.finish(1, 1)).value());
    EXPECT_TRUE(image->verify().ok());
    view.emplace(image->view());
    return l7::route::find_zone_table(*view, "www.a.test")->rules(phase);
  };
  const auto firewall = l7::route::RulesView::open(rules_of(l7::route::RulePhase::kFirewall));
  ASSERT_TRUE(firewall.has_value());
  EXPECT_EQ(firewall->rules().size(), 1U);
  EXPECT_EQ(firewall->phase(), l7::route::RulePhase::kFirewall);
  EXPECT_TRUE(rules_of(l7::route::RulePhase::kRequest).empty());
  store::Rulesets(*store).remove(ruleset.id);
  EXPECT_TRUE(rules_of(l7::route::RulePhase::kFirewall).empty());
}

TEST(CompiledRules, ABrokenOneIsReported) {
  auto store = empty_store();
  Ids ids;
  const model::Zone zone = zone_in(*store, ids);
  Ruleset ruleset;
  ruleset.id = ids.next();
  ruleset.zone = zone.id;
  ruleset.phase = Phase::kFirewallCustom;
  ruleset.rules = {block_rule("ssl"), block_rule("no.such.field eq 1"),
                   block_rule("no.such.field eq 2")};
  for (auto& rule : ruleset.rules) rule.id = ids.next();
  ruleset.rules[1].ref = "admin";
  ruleset.rules[2].enabled = false;
  store::Rulesets(*store).put(ruleset);
  std::vector<BrokenRule> broken;
  Options options = test_options();
  options.broken_rule = [&](const BrokenRule& rule) { broken.push_back(rule); };
  snapshot::Builder builder(base::HashKey{});
  store::Transaction reading(*store, store::Transaction::Kind::kRead);
  ASSERT_TRUE(compile_all(*store, options, builder).ok());
  ASSERT_EQ(broken.size(), 1U) << "one is good, one is off";
  EXPECT_EQ(broken[0].zone, "a.test");
  EXPECT_EQ(broken[0].phase, "http_request_firewall_custom");
  EXPECT_EQ(broken[0].rule, "admin");
  EXPECT_NE(broken[0].fault.find("no.such.field"), std::string::npos) << broken[0].fault;
}

}  // namespace
}  // namespace brink::ctl::compile
