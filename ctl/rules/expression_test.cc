#include "ctl/rules/expression.h"

#include <gtest/gtest.h>

#include <map>
#include <random>

namespace brink::ctl::rules {
namespace {

Value value_of(const Field& field) {
  static const std::map<std::string_view, Value> kValues = {
      {"http.host", std::string("www.example.com")},
      {"http.request.uri.path", std::string("/api/v1/users")},
      {"http.request.method", std::string("GET")},
      {"http.response.code", std::int64_t{404}},
      {"ip.src", *base::IpAddress::parse("192.0.2.77")},
      {"ip.src.country", std::string("DE")},
      {"ssl", true},
      {"cf.tls_client_auth.cert_verified", false},
      {"cf.tls_client_auth.cert_revoked", true},
  };
  const auto found = kValues.find(field.name);
  EXPECT_NE(found, kValues.end()) << field.name;
  return found->second;
}

bool holds(std::string_view text) {
  const auto node = parse_condition(text, Stage::kResponse);
  EXPECT_TRUE(node.ok()) << text << ": " << (node ? "" : node.error().text());
  return node && std::get<bool>(evaluate(node.value(), value_of));
}

std::string fault(std::string_view text, Stage stage = Stage::kRequest) {
  const auto node = parse_condition(text, stage);
  return node ? "accepted" : node.error().text();
}

std::string text_of(std::string_view text) {
  const auto node = parse_text_value(text, Stage::kResponse);
  return node ? std::get<std::string>(evaluate(node.value(), value_of)) : node.error().text();
}

TEST(Expression, ComparesStrings) {
  EXPECT_TRUE(holds(R"(http.host eq "www.example.com")"));
  EXPECT_TRUE(holds(R"(http.host == "www.example.com")"));
  EXPECT_FALSE(holds(R"(http.host eq "WWW.example.com")"));
  EXPECT_TRUE(holds(R"(http.host ne "a")"));
  EXPECT_TRUE(holds(R"(http.host != "a")"));
  EXPECT_TRUE(
      holds(R"(http.host lt "x" and http.host > "a" and http.host ge "w" and http.host<="z")"));
  EXPECT_TRUE(holds(R"(http.request.uri.path contains "/v1/")"));
  EXPECT_TRUE(holds(R"(http.request.method in {"POST" "GET"})"));
  EXPECT_TRUE(holds(R"(not http.request.method in {"POST" "PUT"})"));
}

TEST(Expression, ComparesNumbersAddressesAndFlags) {
  EXPECT_TRUE(holds("http.response.code eq 404"));
  EXPECT_TRUE(holds("http.response.code in {200 400..499}"));
  EXPECT_FALSE(holds("http.response.code in {200..299 500}"));
  EXPECT_TRUE(holds("http.response.code ge 400 and http.response.code lt 500"));
  EXPECT_TRUE(holds("ip.src eq 192.0.2.77"));
  EXPECT_TRUE(holds("ip.src in {2001:db8::/32 192.0.2.0/24}"));
  EXPECT_TRUE(holds("ip.src in {192.0.2.70..192.0.2.80}"));
  EXPECT_FALSE(holds("ip.src in {198.51.100.0/24 192.0.2.128/25}"));
  EXPECT_FALSE(holds("ip.src in {::/0}")) << "a network is of one family";
  EXPECT_TRUE(holds("ssl"));
  EXPECT_TRUE(holds("not cf.tls_client_auth.cert_verified"));
  EXPECT_TRUE(holds("cf.tls_client_auth.cert_verified eq false"));
  EXPECT_TRUE(holds("true"));
  EXPECT_FALSE(holds("false"));
}

TEST(Expression, WildcardCoversTheWholeValue) {
  EXPECT_TRUE(holds(R"(http.host wildcard "*.EXAMPLE.com")"));
  EXPECT_FALSE(holds(R"(http.host strict wildcard "*.EXAMPLE.com")"));
  EXPECT_TRUE(holds(R"(http.host strict wildcard "www.*.com")"));
  EXPECT_FALSE(holds(R"(http.host wildcard "example")"));
  EXPECT_TRUE(matches_wildcard("a*b*c", "a--b-b-c", true));
  EXPECT_FALSE(matches_wildcard("a*b*c", "a--b-b-", true));
  EXPECT_TRUE(matches_wildcard(R"(a\*b)", "a*b", true));
  EXPECT_FALSE(matches_wildcard(R"(a\*b)", "axb", true));
  EXPECT_TRUE(matches_wildcard(R"(a\\*)", R"(a\b)", true));
  EXPECT_TRUE(matches_wildcard("*", "", true));
  EXPECT_FALSE(matches_wildcard("", "a", true));
  EXPECT_TRUE(matches_wildcard("", "", true));
}

// With three flags each way of binding gives another table of truth.
TEST(Expression, BindsNotBeforeAndBeforeXorBeforeOr) {
  EXPECT_TRUE(holds("true or true and false"));
  EXPECT_FALSE(holds("(true or true) and false"));
  EXPECT_TRUE(holds("true or true xor true"));
  EXPECT_FALSE(holds("(true or true) xor true"));
  EXPECT_TRUE(holds("true xor true and false"));
  EXPECT_FALSE(holds("(true xor true) and false"));
  EXPECT_FALSE(holds("not true or false"));
  EXPECT_TRUE(holds("not false and true"));
  EXPECT_TRUE(holds("not (true and false)"));
  EXPECT_FALSE(holds("true xor true xor false"));
  EXPECT_TRUE(holds("true ^^ true ^^ true"));
  EXPECT_TRUE(holds("!false && true || false"));
  EXPECT_TRUE(holds("not not true"));
  EXPECT_FALSE(holds(R"(not http.host eq "www.example.com")")) << "not is weaker than eq";
}

TEST(Expression, KnowsFunctions) {
  EXPECT_TRUE(holds(R"(lower(http.request.method) eq "get")"));
  EXPECT_TRUE(holds(R"(upper(http.host) eq "WWW.EXAMPLE.COM")"));
  EXPECT_TRUE(holds(R"(len(http.request.method) eq 3)"));
  EXPECT_TRUE(holds(R"(starts_with(http.request.uri.path, "/api/"))"));
  EXPECT_FALSE(holds(R"(ends_with(http.request.uri.path, "/api/"))"));
  EXPECT_EQ(text_of(R"(concat("https://", http.host, http.request.uri.path))"),
            "https://www.example.com/api/v1/users");
  EXPECT_EQ(text_of("to_string(ip.src)"), "192.0.2.77");
  EXPECT_EQ(text_of("to_string(http.response.code)"), "404");
  EXPECT_EQ(text_of(R"("a \"b\" \\ \x41")"), R"(a "b" \ A)");
  EXPECT_EQ(text_of(R"###(r#"a "quoted" \one"#)###"), R"(a "quoted" \one)");
  EXPECT_EQ(text_of("ip.src"), "position 1: the expression is an address, but must be a string");
}

TEST(Expression, SaysWhatIsWrongAndWhere) {
  const std::vector<std::pair<std::string, std::string>> cases = {
      {"", "position 1: expected a value"},
      {"http.host", "position 10: expected an operator such as eq before the end"},
      {"http.host eq", "position 13: expected a value"},
      {"http.host eq 7", "position 14: expected a string, not a number"},
      {"http.host eq www", "position 14: expected a value"},
      {"http.hos eq \"a\"", "position 1: the field \"http.hos\" is not supported"},
      {"ssl and http.cookie eq \"a\"", "position 9: the field \"http.cookie\" is not supported"},
      {"http.request.headers[\"a\"] eq \"a\"", "\"http.request.headers\" is not supported"},
      {"md5(http.host) eq \"a\"", "position 1: the function \"md5\" is not supported"},
      {"ssl eq 1", "position 8: expected true or false, not a number"},
      {"ssl contains \"a\"", "position 5: this operator cannot be used with true or false"},
      {"ip.src lt 192.0.2.1", "position 8: this operator cannot be used with an address"},
      {"ip.src eq \"192.0.2.1\"", "position 11: expected an address, not a string"},
      {"ip.src in {192.0.2.0/33}", "position 12: this is not a network"},
      {"ip.src in {192.0.2.9..192.0.2.1}", "position 12: the range ends before it begins"},
      {"ip.src in {192.0.2.9..2001:db8::1}", "position 12: the range ends before it begins"},
      {"ip.src in {}", "position 12: the set is empty"},
      {"ip.src in {192.0.2.1", "expected a value"},
      {"ip.src in $office", "position 11: named lists are not supported"},
      {"ssl in {true}", "cannot be used with true or false"},
      {"http.host in {\"a\" 7}", "position 19: expected a string, not a number"},
      {"http.host eq \"a", "position 14: the string has no end"},
      {"http.host eq r#\"a\"", "position 14: the string has no end"},
      {"http.host eq \"\\q\"", "position 15: a string knows"},
      {"http.host wildcard \"a**\"", "position 20: \"**\" has no meaning"},
      {"http.host wildcard r\"a\\b\"", "position 20: in a wildcard"},
      {"http.host matches \"a\"",
       "position 11: regular expressions are not supported; use wildcard, "
       "contains, starts_with or ends_with"},
      {"http.host ~ \"a\"",
       "position 11: regular expressions are not supported; use wildcard, "
       "contains, starts_with or ends_with"},
      {"http.host strict eq \"a\"", "expected an operator"},
      {"(ssl", "position 5: expected \")\" before the end"},
      {"ssl)", "position 4: expected the end or an operator, not ')'"},
      {"ssl ssl", "position 5: expected the end or an operator, not ssl"},
      {"ssl AND ssl", "position 5: expected the end or an operator, not AND"},
      {"ssl and", "expected a value"},
      {"\"a\" eq http.host", "position 1: a comparison begins with a field"},
      {"concat(http.host) eq \"a\"", "position 1: concat takes 2 to 16 arguments, not 1"},
      {"lower(ssl) eq \"a\"", "position 7: lower takes strings, not true or false"},
      {"len(http.host) and ssl", "expected an operator"},
      {"http.response.code eq 200", "position 1: the field \"http.response.code\" is not known"},
      {std::string("ssl\0", 4), "a zero octet"},
  };
  for (const auto& [text, expected] : cases) {
    const std::string said = fault(text);
    EXPECT_NE(said.find(expected), std::string::npos) << text << "\n  said: " << said;
  }
}

TEST(Expression, HasLimits) {
  EXPECT_NE(fault(std::string(kExpressionSizeMax + 1, ' ')), "accepted");
  std::string deep = "ssl";
  for (std::size_t i = 1; i < kDepthMax; ++i) deep = "(" + deep + ")";
  EXPECT_EQ(fault(deep), "accepted");
  EXPECT_NE(fault("(" + deep + ")").find("nested too deeply"), std::string::npos);
  std::string many_nots(4000, '!');
  EXPECT_NE(fault(many_nots).find("nested too deeply"), std::string::npos);
  EXPECT_NE(fault("http.host wildcard \"" + std::string(kPatternSizeMax + 1, 'a') + "\""),
            "accepted");
  std::string calls = "http.host";
  for (std::size_t i = 0; i <= kDepthMax; ++i) calls = "lower(" + calls + ")";
  EXPECT_NE(fault(calls + " eq \"a\"").find("nested too deeply"), std::string::npos);
}

TEST(Expression, ReadsWhateverComes) {
  constexpr unsigned kSeed = 20260101;
  std::mt19937 random(kSeed);
  const std::vector<std::string> words = {
      "http.host", "ssl",   "ip.src",   "eq",  "==",   "in",           "{",
      "}",         "(",     ")",        "and", "or",   "xor",          "not",
      "!",         "\"a\"", "r\"b\"",   "7",   "1..2", "192.0.2.0/24", "::1",
      "lower(",    ",",     "wildcard", "\\",  "\"",   "strict",       "true",
      "concat(",   "-",     "$x",       "[",   "\xff", "..",           "http.response.code"};
  int accepted = 0;
  for (int i = 0; i < 20'000; ++i) {
    std::string text;
    for (std::size_t left = random() % 12; left-- > 0;)
      text += words[random() % words.size()] + " ";
    const auto node = parse_condition(text, Stage::kResponse);
    if (!node) {
      EXPECT_LE(node.error().position, text.size() + 1) << text << " seed " << kSeed;
      continue;
    }
    ++accepted;
    EXPECT_EQ(evaluate(node.value(), value_of).index(), 2U) << text;
  }
  EXPECT_GT(accepted, 50);
}

}  // namespace
}  // namespace brink::ctl::rules
