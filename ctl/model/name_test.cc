#include "ctl/model/name.h"

#include <gtest/gtest.h>

#include "ctl/model/id.h"
#include "ctl/model/timestamp.h"

namespace brink::ctl::model {
namespace {

DomainName name(std::string_view text) {
  return DomainName::parse(text).value();
}

std::string owner(std::string_view text) {
  const auto result = owner_name(text, name("example.com"));
  return result ? result.value().text() : "refused: " + result.error().detail();
}

TEST(DomainName, IsLowerCaseWithoutTheFinalDot) {
  EXPECT_EQ(name("WWW.Example.COM.").text(), "www.example.com");
  EXPECT_EQ(name("www.example.com"), name("WWW.example.com."));
}

TEST(DomainName, SurvivesTheWayToWireAndBack) {
  for (const char* text : {"example.com", "*.example.com", "a\\.b.example.com", "a\\032b.test",
                           "_sip._tcp.example.com", "\\255x.test"}) {
    const DomainName parsed = name(text);
    EXPECT_EQ(DomainName::from_wire(parsed.wire()), parsed) << text;
    EXPECT_EQ(parsed.text(), text);
  }
}

TEST(DomainName, WritesEqualNamesEqually) {
  EXPECT_EQ(name("\\119ww.example.com"), name("www.example.com"));
  EXPECT_EQ(name("\\087ww.example.com"), name("www.example.com"));
}

TEST(DomainName, RefusesWhatIsNotAName) {
  const std::string label64(64, 'a');
  std::string long_name;
  for (int i = 0; i < 64; ++i) long_name += "abc.";
  for (const std::string& text :
       {std::string(""), std::string("a..b"), std::string(".a"), std::string("a b.test"),
        label64 + ".test", long_name, std::string("b\xc3\xbc.test"), std::string("a\\25.test"),
        std::string("a\\256.test"), std::string("a\\")}) {
    const auto result = DomainName::parse(text);
    ASSERT_FALSE(result.ok()) << text;
    EXPECT_EQ(result.error().code, kCodeValidation);
    EXPECT_EQ(result.error().chain.at(0).code, kCodeNameInvalid);
  }
}

TEST(DomainName, RefusesBrokenWire) {
  EXPECT_FALSE(DomainName::from_wire({}));
  const std::uint8_t overrun[] = {5, 'a', 'b', 0};
  EXPECT_FALSE(DomainName::from_wire(overrun));
  const std::uint8_t pointer[] = {0xc0, 0x0c};
  EXPECT_FALSE(DomainName::from_wire(pointer));
  const std::uint8_t trailing[] = {1, 'a', 0, 0};
  EXPECT_FALSE(DomainName::from_wire(trailing));
}

TEST(DomainName, IsWithinItselfAndItsAncestorsOnly) {
  EXPECT_TRUE(name("a.example.com").is_within(name("example.com")));
  EXPECT_TRUE(name("example.com").is_within(name("example.com")));
  EXPECT_TRUE(name("example.com").is_within(DomainName()));
  EXPECT_FALSE(name("badexample.com").is_within(name("example.com")));
  EXPECT_FALSE(name("com").is_within(name("example.com")));
  EXPECT_FALSE(name("a\\.example.com").is_within(name("example.com")));
}

TEST(DomainName, ParentIsTheNameWithoutItsFirstLabel) {
  EXPECT_EQ(name("a.b.test").parent(), name("b.test"));
  EXPECT_EQ(name("a\\.b.test").parent(), name("test"));
  EXPECT_TRUE(name("test").parent().is_root());
  EXPECT_TRUE(DomainName().parent().is_root());
}

TEST(OwnerName, AcceptsApexRelativeAndAbsoluteForms) {
  EXPECT_EQ(owner("@"), "example.com");
  EXPECT_EQ(owner(""), "example.com");
  EXPECT_EQ(owner("www"), "www.example.com");
  EXPECT_EQ(owner("WWW.example.com"), "www.example.com");
  EXPECT_EQ(owner("www.example.com."), "www.example.com");
  EXPECT_EQ(owner("*"), "*.example.com");
  EXPECT_EQ(owner("www.example.org"), "www.example.org.example.com");
}

TEST(OwnerName, RefusesAnAbsoluteNameOfAnotherZone) {
  EXPECT_NE(owner("www.example.org.").find("does not lie in zone example.com"), std::string::npos);
}

TEST(Id, IsThirtyTwoHexDigits) {
  std::uint8_t next = 0xf0;
  const Id id = Id::random([&](std::span<std::uint8_t> out) {
    for (auto& byte : out) byte = next++;
  });
  EXPECT_EQ(id.hex(), "f0f1f2f3f4f5f6f7f8f9fafbfcfdfeff");
  EXPECT_EQ(Id::parse(id.hex()), id);
  EXPECT_FALSE(Id::parse("f0"));
  EXPECT_FALSE(Id::parse("g0f1f2f3f4f5f6f7f8f9fafbfcfdfeff"));
  EXPECT_NE(Id::random(system_entropy()), Id::random(system_entropy()));
}

TEST(Timestamp, IsRfc3339WithSixDigits) {
  EXPECT_EQ(Timestamp{0}.rfc3339(), "1970-01-01T00:00:00.000000Z");
  EXPECT_EQ(Timestamp{1'767'225'600'000'042}.rfc3339(), "2026-01-01T00:00:00.000042Z");
  EXPECT_EQ(Timestamp{-1}.rfc3339(), "1969-12-31T23:59:59.999999Z");
  EXPECT_EQ(Timestamp{1'767'225'600'000'042}.yyyymmdd(), 20260101U);
}

}  // namespace
}  // namespace brink::ctl::model
