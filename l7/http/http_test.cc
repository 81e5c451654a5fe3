#include <gtest/gtest.h>

#include <string>

#include "l7/http/authority.h"
#include "l7/http/chars.h"
#include "l7/http/field_name.h"
#include "l7/http/head.h"
#include "l7/http/hop_by_hop.h"
#include "l7/http/method.h"
#include "l7/http/status.h"

namespace brink::l7::http {
namespace {

TEST(FieldName, EveryKnownNameIsFoundInAnyCase) {
  for (std::size_t i = 1; i < kFieldNameCount; ++i) {
    const auto id = static_cast<FieldName>(i);
    std::string text(text_of(id));
    EXPECT_EQ(field_name_of(text), id) << text;
    for (char& c : text) c = to_lower(c);
    EXPECT_EQ(field_name_of(text), id) << text;
    for (char& c : text) c = c >= 'a' && c <= 'z' ? static_cast<char>(c - 32) : c;
    EXPECT_EQ(field_name_of(text), id) << text;
    for (char& c : text) c = c == '-' ? '_' : c;
    EXPECT_EQ(field_name_of_cgi_alias(text), id) << text;
    if (text.find('_') != std::string::npos) {
      EXPECT_EQ(field_name_of(text), FieldName::other) << text;
    }
  }
}

TEST(FieldName, NearMissesAreOther) {
  for (const char* name : {"", "h", "hos", "hostt", "content-lengt", "content-length1", "xost",
                           "transfer_encoding", "te-", "x-forwarded-fox"}) {
    EXPECT_EQ(field_name_of(name), FieldName::other) << name;
  }
}

TEST(Method, IsCaseSensitive) {
  EXPECT_EQ(method_of("GET"), Method::get);
  EXPECT_EQ(method_of("get"), Method::other);
  EXPECT_EQ(method_of("OPTIONS"), Method::options);
  EXPECT_EQ(method_of("PURGE"), Method::other);
}

TEST(Method, UnknownAndPostAreNotReplayable) {
  EXPECT_FALSE(is_idempotent(Method::post));
  EXPECT_FALSE(is_idempotent(Method::patch));
  EXPECT_FALSE(is_idempotent(Method::other));
  EXPECT_TRUE(is_idempotent(Method::get));
  EXPECT_TRUE(is_idempotent(Method::put));
}

std::string host_of(std::string_view text) {
  Authority a;
  return parse_authority(text, a) ? std::string(a.host()) : "(refused)";
}

TEST(Authority, NormalisesNames) {
  EXPECT_EQ(host_of("WWW.Example.COM"), "www.example.com");
  EXPECT_EQ(host_of("www.example.com."), "www.example.com");
  EXPECT_EQ(host_of("a_b.example.com:8080"), "a_b.example.com");
  EXPECT_EQ(host_of("localhost:"), "localhost");
}

TEST(Authority, KeepsThePortApart) {
  Authority a;
  ASSERT_TRUE(parse_authority("example.com:8080", a));
  EXPECT_EQ(a.port, 8080);
  ASSERT_TRUE(parse_authority("example.com", a));
  EXPECT_EQ(a.port, 0);
}

TEST(Authority, RecognisesAddresses) {
  Authority a;
  ASSERT_TRUE(parse_authority("192.0.2.1:80", a));
  EXPECT_EQ(a.kind, HostKind::address);
  EXPECT_EQ(a.address, *base::IpAddress::parse("192.0.2.1"));
  ASSERT_TRUE(parse_authority("[2001:DB8:0::1]:8080", a));
  EXPECT_EQ(a.kind, HostKind::address);
  EXPECT_EQ(a.host(), "[2001:db8::1]");
  EXPECT_EQ(a.port, 8080);
}

TEST(Authority, RefusesWhatReadersDisagreeAbout) {
  for (const char* text : {"",           ".",          "..",
                           "a..b",       ".a",         "user@host",
                           "a b",        "a%2eb",      "127.1",
                           "0x7f000001", "1.2.3.4.5",  "256.1.1.1",
                           "host:0",     "host:65536", "host:+80",
                           "host:80:80", "host:8 0",   "[::1",
                           "[::1]x",     "[1.2.3.4]",  "[]",
                           "[::1]:x",    "a/b",        "a\\b",
                           "a,b",        "a:80,b",     "b\xc3\xbc.example"}) {
    EXPECT_EQ(host_of(text), "(refused)") << text;
  }
  EXPECT_EQ(host_of(std::string(64, 'a') + ".example"), "(refused)");
  EXPECT_EQ(host_of(std::string(63, 'a') + ".example"), std::string(63, 'a') + ".example");
  std::string longest;
  while (longest.size() < 252) longest += "a.";
  EXPECT_EQ(host_of(longest + "a").size(), 253U);
  EXPECT_EQ(host_of(longest + "aa"), "(refused)");
}

TEST(Authority, ComparesWithDefaultPort) {
  Authority a;
  Authority b;
  ASSERT_TRUE(parse_authority("example.com", a));
  ASSERT_TRUE(parse_authority("EXAMPLE.com:80", b));
  EXPECT_TRUE(same_authority(a, b, 80));
  EXPECT_FALSE(same_authority(a, b, 8080));
}

class HopByHop : public ::testing::Test {
 protected:
  void add(std::string_view name, std::string_view value) {
    Field& f = fields_.entries[fields_.count++];
    f = Field{static_cast<std::uint32_t>(text_.size()),
              static_cast<std::uint32_t>(text_.size() + name.size()),
              static_cast<std::uint32_t>(value.size()),
              static_cast<std::uint16_t>(name.size()),
              field_name_of(name),
              0};
    text_.append(name).append(value);
    fields_.base = text_.data();
  }
  bool forwarded(std::size_t i) const { return (fields_.entries[i].flags & kFieldHopByHop) == 0; }
  std::string text_ = std::string();
  Fields fields_;
};

TEST_F(HopByHop, FixedSetAndListedFieldsStop) {
  text_.reserve(4096);
  add("Accept", "*/*");
  add("Connection", "close, x-secret ,, Keep-Alive");
  add("X-Secret", "1");
  add("TE", "trailers");
  add("X-Secrets", "2");
  add("Upgrade", "h2c");
  const ConnectionOptions options = mark_hop_by_hop(fields_);
  EXPECT_TRUE(options.valid);
  EXPECT_TRUE(options.close);
  EXPECT_TRUE(options.keep_alive);
  EXPECT_TRUE(forwarded(0));
  EXPECT_FALSE(forwarded(1));
  EXPECT_FALSE(forwarded(2));
  EXPECT_FALSE(forwarded(3));
  EXPECT_TRUE(forwarded(4));
  EXPECT_FALSE(forwarded(5));
}

TEST_F(HopByHop, OptionsMustBeTokensAndFew) {
  text_.reserve(4096);
  add("Connection", "a b");
  EXPECT_FALSE(mark_hop_by_hop(fields_).valid);
  fields_.count = 0;
  std::string many = "a";
  for (std::size_t i = 1; i < kMaxConnectionOptions; ++i) many += ",a";
  add("Connection", many);
  EXPECT_TRUE(mark_hop_by_hop(fields_).valid);
  add("Connection", "b");
  EXPECT_FALSE(mark_hop_by_hop(fields_).valid);
}

TEST(Status, ContentRules) {
  EXPECT_TRUE(forbids_content(103));
  EXPECT_TRUE(forbids_content(204));
  EXPECT_TRUE(forbids_content(304));
  EXPECT_FALSE(forbids_content(200));
  EXPECT_EQ(reason_of(522), "Origin Connection Timeout");
  EXPECT_EQ(reason_of(299), "Unknown");
}

}  // namespace
}  // namespace brink::l7::http
