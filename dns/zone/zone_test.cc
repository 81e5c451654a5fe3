#include "dns/zone/zone.h"

#include <gtest/gtest.h>

#include "dns/zone/text.h"
#include "dns/zone/zone_file.h"

namespace brink::dns::zone {
namespace {

Wire name(const std::string& text) {
  return name_from_text(text).value();
}

struct Parsed {
  std::vector<ZoneFileRecord> records;
  std::string error;
};

Parsed parse(std::string_view text) {
  Parsed out;
  const auto result = parse_zone_file(text, name("example.com."), 300, [&](const auto& record) {
    out.records.push_back(record);
    return base::Result<void>{};
  });
  if (!result) out.error = result.error().message();
  return out;
}

constexpr std::string_view kZone =
    "$TTL 3600\n"
    "@ IN SOA ns1 hostmaster 7 10000 2400 604800 1800\n"
    "@ IN NS ns1\n"
    "ns1 A 192.0.2.1 ; the first server\n"
    "www 60 IN A 192.0.2.2\n"
    "    IN A 192.0.2.3\n"
    "text TXT \"a;b\" \"c\"\n"
    "sub NS ns.sub\n"
    "ns.sub A 192.0.2.9\n";

base::Result<Zone> build(std::string_view text) {
  std::vector<ResourceRecord> records;
  for (const auto& r : parse(text).records) records.push_back(r.record);
  return Zone::build(name("example.com."), records);
}

TEST(Names, GoFromTextToWireAndBack) {
  for (const char* text : {"www.example.com.", ".", "a\\.b.example.", "\\000x.example.", "*.x."}) {
    EXPECT_EQ(name_to_text(name_from_text(text).value()), text);
  }
  EXPECT_EQ(name_from_text("www", name("example.com.")).value(), name("www.example.com."));
  EXPECT_EQ(name_from_text("@", name("example.com.")).value(), name("example.com."));
  EXPECT_EQ(name_from_text("a\\.", name("example.com.")).value(), name("a\\..example.com."));
}

TEST(Names, MalformedOnesAreRefused) {
  for (const std::string& text : {std::string(), std::string("a..b."), std::string("a b."),
                                  std::string(64, 'x') + ".", std::string("a\n.")}) {
    EXPECT_FALSE(name_from_text(text).ok()) << text;
  }
  std::string tall;
  for (int i = 0; i < 126; ++i) tall += "a.";
  EXPECT_TRUE(name_from_text(tall).ok());
  EXPECT_FALSE(name_from_text(tall + "a.b.").ok());
  EXPECT_FALSE(name_from_text(tall.substr(0, tall.size() - 1), name("example.com.")).ok());
}

TEST(Names, AncestryIsByLabels) {
  EXPECT_TRUE(is_at_or_below(name("a.example.com."), name("example.com.")));
  EXPECT_TRUE(is_at_or_below(name("example.com."), name(".")));
  EXPECT_FALSE(is_at_or_below(name("xexample.com."), name("example.com.")));
  EXPECT_FALSE(is_at_or_below(name("com."), name("example.com.")));
}

TEST(Types, KnownUnknownAndMeta) {
  EXPECT_EQ(type_from_text("aaaa"), 28);
  EXPECT_EQ(type_from_text("TYPE65534"), 65534);
  EXPECT_EQ(type_to_text(65534), "TYPE65534");
  for (const char* text : {"ANY", "AXFR", "OPT", "TYPE0", "TYPE", "TYPE70000", "NOSUCH", ""}) {
    EXPECT_FALSE(type_from_text(text).has_value()) << text;
  }
}

TEST(Rdata, GoesFromTextToWireAndBack) {
  const struct {
    std::uint16_t type;
    const char* text;
  } cases[] = {{1, "192.0.2.1"},
               {28, "2001:db8::1"},
               {15, "10 mail.example.com."},
               {16, "\"hello; world\" \"x\""},
               {33, "1 2 443 srv.example.com."},
               {6, "ns1.example.com. hostmaster.example.com. 7 10000 2400 604800 1800"},
               {257, "0 issue \"ca.example.net\""},
               {257, "0 issue \"\""}};
  for (const auto& c : cases) {
    const auto wire = rdata_from_text(c.type, c.text, {});
    ASSERT_TRUE(wire.ok()) << wire.error().message();
    EXPECT_EQ(rdata_to_text(c.type, wire.value()).value(), c.text);
  }
  EXPECT_EQ(rdata_from_text(5, "www", name("example.com.")).value(), name("www.example.com."));
  EXPECT_EQ(rdata_from_text(65534, "\\# 3 010203", {}).value(), Wire("\1\2\3", 3));
  EXPECT_EQ(rdata_from_text(15, "(10)mail.(", name("example.com.")).value(),
            rdata_from_text(15, "10 mail.", {}).value());
  EXPECT_FALSE(rdata_from_text(37, "0)", {}).ok());
  EXPECT_EQ(rdata_from_text(16, "a \\# 1 00", {}).value(), Wire("\1a\1#\0011\00200", 9));
  for (const std::uint16_t may_be_empty :
       std::initializer_list<std::uint16_t>{65534, 10, 42}) {  // unknown, NULL, APL
    EXPECT_EQ(rdata_from_text(may_be_empty, "\\# 0", {}).value(), Wire());
    EXPECT_EQ(rdata_to_text(may_be_empty, {}).value(), "\\# 0");
  }
}

// RFC 4025 3.2.
TEST(Rdata, AnIpsecKeyHasAGatewayOfItsType) {
  const Wire origin = name("example.com.");
  const std::string key = "AQNRU3mG7TVTO2BkR47usntb102uFJtugbo6BSGvgqt4AQ==";
  for (const char* fields : {"10 1 2 192.0.2.38 ", "10 0 2 . ", "10 2 2 2001:db8::38 ",
                             "10 3 2 gateway.example.com. ", "10 3 2 a\\\"b. "}) {
    const auto rdata = rdata_from_text(45, fields + key, origin);
    ASSERT_TRUE(rdata.ok()) << rdata.error().message();
    EXPECT_EQ(rdata_to_text(45, rdata.value()).value(), fields + key);
  }
  EXPECT_EQ(rdata_from_text(45, "10 3 2 gateway AQ N\tRU3mG", origin).value(),
            rdata_from_text(45, "10 3 2 gateway.example.com. AQNRU3mG", {}).value());
  EXPECT_EQ(rdata_from_text(45, "1 0 0 .", {}).value(), Wire("\1\0\0", 3));
  EXPECT_EQ(rdata_from_text(45, "\\# 3 010000", {}).value(), Wire("\1\0\0", 3));
  EXPECT_EQ(rdata_to_text(45, Wire("\1\0\0", 3)).value(), "\\# 3 010000");
  for (const char* bad :
       {"", "10", "10 1 2", "10 1 2 192.0.2.38", "x 0 2 . AQNR", "256 0 2 . AQNR", "10 0 2x . AQNR",
        "10 4 2 . AQNR", "10 0 2 x. AQNR", "10 1 2 2001:db8::1 AQNR", "10 2 2 192.0.2.1 AQNR",
        "10 3 2 a..b. AQNR", "10 0 2 . -", "10 0 2 . %%", "10 1 2 192.0.2.38 AQNR %%"}) {
    EXPECT_FALSE(rdata_from_text(45, bad, origin).ok()) << bad;
  }
}

TEST(Rdata, AQuoteInANameIsEscaped) {
  const Wire rdata = rdata_from_text(5, "a\\\"b\\\\\\\"\\\".c.", {}).value();
  const std::string text = rdata_to_text(5, rdata).value();
  EXPECT_EQ(text, "a\\\"b\\\\\\\"\\\".c.");
  EXPECT_EQ(rdata_from_text(5, text, {}).value(), rdata);
}

TEST(Rdata, NonsenseIsRefusedWithAReason) {
  for (const auto& [type, text] :
       std::vector<std::pair<std::uint16_t, std::string>>{{1, "192.0.2"},
                                                          {1, "192.0.2.1 192.0.2.2"},
                                                          {28, "192.0.2.1"},
                                                          {15, "mail"},
                                                          {1, ""},
                                                          {1, "\\# 0"},
                                                          {1, "\\# 5 0102030405"},
                                                          {5, "\\# 0"},
                                                          {15, "\\# 2 0001"},
                                                          {33, "\\# 6 000000000000"},
                                                          {256, "10 1 \"\""},
                                                          {37, "32 0 0 0"},
                                                          {34, "."},
                                                          {29, "\\# 1 1c"},
                                                          {1, "\\# 4 zzzzzzzz"},
                                                          {1, "\\# 4 0102030"},
                                                          {1, "\\# 4x 01020304"},
                                                          {1, "\\#"},
                                                          {5, "\\# 2 c000"},
                                                          {65534, "\\# 2 0x01"},
                                                          {257, "0 \\# 3 010203"},
                                                          {61, "0"},
                                                          {257, "0 issue"},
                                                          {257, "\\# 1 00"},
                                                          {6, "\\# 10 00000000000000000000"},
                                                          {16, "\\# 0"},
                                                          {16, "a\nb"},
                                                          {16, "a ; b"},
                                                          {37, "0 1 8 AAAA"},
                                                          {37, "( 65536 1 8 AAAA )"},
                                                          {1, "2001:db8::1"}}) {
    const auto wire = rdata_from_text(type, text, name("example.com."));
    EXPECT_FALSE(wire.ok()) << type << " " << text;
  }
}

TEST(ZoneFile, GivesRecordsWithLinesCommentsAndTtls) {
  const Parsed parsed = parse(kZone);
  ASSERT_EQ(parsed.error, "");
  ASSERT_EQ(parsed.records.size(), 8U);
  EXPECT_EQ(parsed.records[2].line, 4U);
  EXPECT_EQ(parsed.records[2].comment, "the first server");
  EXPECT_FALSE(parsed.records[2].ttl_given);
  EXPECT_EQ(parsed.records[2].record.ttl, 3600U);
  EXPECT_TRUE(parsed.records[3].ttl_given);
  EXPECT_EQ(parsed.records[3].record.ttl, 60U);
  EXPECT_EQ(parsed.records[4].record.owner, name("www.example.com."));
  EXPECT_EQ(parsed.records[5].comment, "");
  EXPECT_EQ(parsed.records[5].record.rdata, Wire("\3a;b\1c"));
}

// Every line twice: as it is, and in parentheses, which only the whole grammar knows.
TEST(ZoneFile, PlainLinesSayWhatTheGrammarSays) {
  const std::string label(63, 'l');
  for (const std::string& line : std::vector<std::string>{
           "a 60 A 192.0.2.1", "a 60 IN A 192.0.2.1", "a\t0\tIN\tA\t192.0.2.1\t",
           "A.b 60 A 192.0.2.1", "*.a 60 AAAA 2001:DB8::1",
           "a.example.net. 60 AAAA ::ffff:192.0.2.1", "a. 60 A 192.0.2.1",
           "a-_0 999999999 IN A 192.0.2.1", "a 60 NS b", "a 60 IN NS ns1.Example.net.",
           "a 60 CNAME *.b.c", "a 60 PTR b._c.", label + "." + label + " 60 A 192.0.2.1",
           // Wrong ones, and what is not as plain as it looks.
           "a..b 60 A 192.0.2.1", ".a 60 A 192.0.2.1", ". 60 A 192.0.2.1",
           "l" + label + " 60 A 192.0.2.1",
           label + "." + label + "." + label + "." + label + " 60 A 192.0.2.1", "a 60 A 192.0.2",
           "a 60 A 192.0.2.256", "a 60 A 2001:db8::1", "a 60 AAAA 192.0.2.1",
           "a 60 A 192.0.2.1 192.0.2.2", "a 60 A", "a 60", "a", "a 1h A 192.0.2.1",
           "a IN 60 A 192.0.2.1", "a 60 in a 192.0.2.1", "@ 60 A 192.0.2.1", "a\\.b 60 A 192.0.2.1",
           "60 A 192.0.2.1", "A 192.0.2.1", "a 60 CH A 192.0.2.1",
           "a 60 NS", "a 60 NS b c", "a 60 NS b..c", "a 60 NS .", "a 60 NS @", "a 60 NS b\\.c",
           "a 60 NS \"b\"", "a 60 NS l" + label, "a 60 NS 192.0.2.1", "a 60 CNAME .b",
           "a 60 NS " + label + "." + label + "." + label + "." + label}) {
    const Parsed as_is = parse("$ORIGIN x.example.\n" + line + "\n");
    const Parsed in_full = parse("$ORIGIN x.example.\n" + line + " ( )\n");
    EXPECT_EQ(as_is.error.empty(), in_full.error.empty()) << line << ": " << as_is.error;
    ASSERT_EQ(as_is.records.size(), in_full.records.size()) << line;
    if (as_is.records.empty()) continue;
    EXPECT_EQ(as_is.records[0].record.owner, in_full.records[0].record.owner) << line;
    EXPECT_EQ(as_is.records[0].record.type, in_full.records[0].record.type) << line;
    EXPECT_EQ(as_is.records[0].record.ttl, in_full.records[0].record.ttl) << line;
    EXPECT_EQ(as_is.records[0].record.rdata, in_full.records[0].record.rdata) << line;
    EXPECT_EQ(as_is.records[0].line, 2U);
  }
}

TEST(ZoneFile, PlainLinesStandAmongOthers) {
  const Parsed parsed = parse(
      "a 60 A 192.0.2.1 ; one\n"
      " 60 A 192.0.2.2\n"
      "\n"
      "b 60 A 192.0.2.3\n"
      "c 60 TXT ( \"x\"\n"
      "d 60 A 192.0.2.4 )\n"
      "$ORIGIN x.\n"
      "$TTL 7\n"
      "e 60 A 192.0.2.5;two\n"
      "f A 192.0.2.6\n"
      "g 60 A 192.0.2.7");
  ASSERT_EQ(parsed.records.size(), 7U) << parsed.error;
  const auto owner = [&](std::size_t at) { return name_to_text(parsed.records[at].record.owner); };
  EXPECT_EQ(parsed.records[0].comment, "one");
  EXPECT_EQ(owner(1), owner(0)) << "of the plain line before";
  EXPECT_EQ(parsed.records[2].line, 4U);
  EXPECT_EQ(parsed.records[3].record.rdata, Wire("\1x\1d\00260\1A\011192.0.2.4"));
  EXPECT_EQ(owner(4), "e.x.");
  EXPECT_EQ(parsed.records[4].comment, "two");
  EXPECT_EQ(parsed.records[5].record.ttl, 7U);
  EXPECT_EQ(owner(6), "g.x.");
  EXPECT_EQ(parsed.records[6].line, 11U);
  EXPECT_NE(parse("a 60 A 192.0.2.1\nb 60 A 192.0.2.300\n").error.find("line 2"),
            std::string::npos);
}

TEST(ZoneFile, GeneratesRecords) {
  const auto owners = [](const std::string& line) {
    std::string text;
    for (const auto& each : parse("$ORIGIN x.\n" + line + "\n").records) {
      text += name_to_text(each.record.owner) + " ";
    }
    return text;
  };
  EXPECT_EQ(owners("$GENERATE 1-3 h$ A 192.0.2.$"), "h1.x. h2.x. h3.x. ");
  EXPECT_EQ(owners("$generate 0-4/2 h$ 60 IN A 192.0.2.$"), "h0.x. h2.x. h4.x. ");
  EXPECT_EQ(owners("$GENERATE 9-10 h${-8,3}-${0,2,x} A 192.0.2.1"), "h001-09.x. h002-0a.x. ");
  const Parsed texts = parse("a 60 A 192.0.2.1\n$GENERATE 1-2 t TXT \"\\$$\"\nb 60 A 192.0.2.2\n");
  ASSERT_EQ(texts.records.size(), 4U) << texts.error;
  EXPECT_EQ(texts.records[2].record.rdata, std::string("\2$2", 3));
  EXPECT_EQ(texts.records[2].line, 2U);
  EXPECT_EQ(texts.records[3].line, 3U);
  for (const char* bad :
       {"$GENERATE 2-1 h$ A 192.0.2.1", "$GENERATE 1- h$ A 192.0.2.1",
        "$GENERATE 1-2/0 h$ A 192.0.2.1", "$GENERATE 0-65536 h$ A 192.0.2.1",
        "$GENERATE 1-2 h${x} A 192.0.2.1", "$GENERATE 1-2 h${-5} A 192.0.2.1",
        "$GENERATE 1-2 h${0,64} A 192.0.2.1", "$GENERATE 1-2 h${0,1,n} A 192.0.2.1",
        "$GENERATE 1-2", "$GENERATE 1-2 h$ A nonsense"}) {
    EXPECT_NE(parse(std::string("\n") + bad).error.find("line 2"), std::string::npos) << bad;
  }
  const std::string half = "$GENERATE 1-40000 h$ TXT x\n";
  EXPECT_NE(parse(half + half).error.find("line 2"), std::string::npos) << "in all";
}

TEST(ZoneFile, ErrorsNameTheLine) {
  EXPECT_NE(parse("a A 192.0.2.1\n\n; x\nb A 192.0.2.300\n").error.find("line 4"),
            std::string::npos);
  EXPECT_NE(parse("$INCLUDE other.zone\n").error.find("$INCLUDE directive not allowed"),
            std::string::npos);
  EXPECT_NE(parse("a CH TXT x\n").error.find("class"), std::string::npos);
  EXPECT_FALSE(parse("a NOSUCHTYPE x\n").error.empty());
  EXPECT_EQ(parse("").error, "");
}

// RFC 3597 5. What is read must be there: data is taken apart by its type later on.
TEST(ZoneFile, DataInItsGenericFormIsWhole) {
  for (const char* text :
       {"a A \\# 0\n", "a A \\# 5 0102030405\n", "a 60 IN CNAME \\# 0\n", "a MX \\# 2 0001",
        "a 60 IN SRV (\n \\# 6 000000000000 )\n", "@ SOA \\# 10 00000000000000000000\n"}) {
    EXPECT_NE(parse(text).error.find("data: "), std::string::npos) << text;
  }
  for (const char* text :
       {"a A \\# 4 c0000201\n", "a TYPE65534 \\# 0\n", "a APL\n", "\\# 60 IN A 192.0.2.1\n",
        "a A ( ; where\n \\# 4 c0000201 )\n", "a TXT \"\\# 9\"\n"}) {
    EXPECT_EQ(parse(text).error, "") << text;
  }
}

TEST(ZoneFile, RefusalByTheTakerStopsWithItsLine) {
  const auto result = parse_zone_file("a A 192.0.2.1\nb A 192.0.2.2\n", name("example.com."), 300,
                                      [](const ZoneFileRecord& r) -> base::Result<void> {
                                        if (r.line == 2) return base::Error{"no", "field", ""};
                                        return {};
                                      });
  ASSERT_FALSE(result.ok());
  EXPECT_EQ(result.error().message(), "line 2, field: no");
}

TEST(Zone, FindsSetsCutsAndOcclusion) {
  const auto zone = build(kZone);
  ASSERT_TRUE(zone.ok()) << zone.error().message();
  EXPECT_EQ(zone.value().serial(), 7U);
  const Node* www = zone.value().find(name("www.example.com."));
  ASSERT_NE(www, nullptr);
  EXPECT_EQ(www->find(1)->rdata.size(), 2U);
  EXPECT_EQ(www->find(1)->ttl, 60U) << "the smallest of the set";
  EXPECT_TRUE(zone.value().find(name("sub.example.com."))->cut);
  EXPECT_TRUE(zone.value().find(name("ns.sub.example.com."))->occluded);
  EXPECT_FALSE(zone.value().find(name("example.com."))->cut);
}

TEST(Zone, RefusesWhatCannotBeServed) {
  const std::string soa = "@ SOA ns1 h 1 2 3 4 5\n";
  const std::string ns = "@ NS ns1\n";
  EXPECT_FALSE(build(ns).ok()) << "no SOA";
  EXPECT_FALSE(build(soa).ok()) << "no NS";
  EXPECT_FALSE(build(soa + ns + "@ SOA ns2 h 1 2 3 4 5\n").ok());
  EXPECT_FALSE(build(soa + ns + "a CNAME b\na A 192.0.2.1\n").ok());
  EXPECT_FALSE(build(soa + ns + "a CNAME b\na CNAME c\n").ok());
  EXPECT_FALSE(build(soa + ns + "a.example.org. A 192.0.2.1\n").ok());
  EXPECT_FALSE(build(soa + ns + "a SOA ns1 h 1 2 3 4 5\n").ok());
  const auto duplicate = build(soa + ns + "a A 192.0.2.1\nA A 192.0.2.1\n");
  ASSERT_TRUE(duplicate.ok());
  EXPECT_EQ(duplicate.value().find(name("a.example.com."))->find(1)->rdata.size(), 1U);
}

}  // namespace
}  // namespace brink::dns::zone
