// Malformed zone files, as a table: each is refused with its line, the value and a remedy.
#include "dns/zone/zone_file.h"

#include <gtest/gtest.h>

#include "dns/zone/text.h"
#include "dns/zone/ttl_text.h"

namespace brink::dns::zone {
namespace {

struct Parsed {
  std::size_t records = 0;
  std::string error;
};

Parsed parse(const std::string& text) {
  Parsed out;
  const auto result =
      parse_zone_file(text, name_from_text("example.com.").value(), 300, [&](const auto&) {
        ++out.records;
        return base::Result<void>{};
      });
  if (!result) out.error = result.error().message();
  return out;
}

struct Malformed {
  const char* description;
  std::string file;
  const char* line;
  std::string said;  // of the fault and its value
};

const std::string kLabel64(64, 'a');
const std::string kLongName = std::string(63, 'a') + "." + std::string(63, 'b') + "." +
                              std::string(63, 'c') + "." + std::string(60, 'd');

const Malformed kMalformed[] = {
    {"a quote open at the end of its line", "a TXT \"open\nb A 192.0.2.1\n", "line 1",
     "\"\"open\""},
    {"a quote open at the end of the file", "a A 192.0.2.1\nb TXT \"open", "line 2", "quote"},
    {"a quote over two lines", "a TXT \"one\ntwo\"\n", "line 1", "quote"},
    {"a quote within parentheses", "a TXT (\n \"x\"\n \"open\n)\n", "line 3", "quote"},
    {"an escaped end of a quote", "a TXT \"open\\\"\n", "line 1", "quote"},
    {"a quote within a word", "a TXT x\"y\n", "line 1", "quote"},
    {"a parenthesis that stays open", "a A 192.0.2.1\nb TXT ( x\nc A 192.0.2.1\n", "line 2",
     "\"(\""},
    {"a parenthesis that nothing opened", "a TXT x )\n", "line 1", "\")\""},
    {"a TTL with a wrong unit", "a 12x A 192.0.2.1\n", "line 1", "not a TTL: \"12x\""},
    {"a TTL with two units", "a 12hh A 192.0.2.1\n", "line 1", "\"12hh\""},
    {"a fraction as TTL", "a 1.5 A 192.0.2.1\n", "line 1", "\"1.5\""},
    {"a negative TTL", "a -5 A 192.0.2.1\n", "line 1", "\"-5\""},
    {"a hexadecimal TTL", "a 0x10 A 192.0.2.1\n", "line 1", "\"0x10\""},
    {"a TTL of 32 bits", "a 2147483648 A 192.0.2.1\n", "line 1", "\"2147483648\""},
    {"a TTL of many digits", "a 99999999999999999999 A 192.0.2.1\n", "line 1", "999\""},
    {"too many weeks", "a 3551w A 192.0.2.1\n", "line 1", "\"3551w\""},
    {"a bad TTL behind the class", "a IN 12x A 192.0.2.1\n", "line 1", "\"12x\""},
    {"a bad TTL on a line without owner", "a A 192.0.2.1\n  12x A 192.0.2.2\n", "line 2",
     "\"12x\""},
    {"two TTLs", "a 60 IN 60 A 192.0.2.1\n", "line 1", "neither a class nor a type: \"60\""},
    {"two classes", "a IN 60 IN A 192.0.2.1\n", "line 1", "neither a class nor a type: \"IN\""},
    {"another class", "a CH A 192.0.2.1\n", "line 1", "class other than IN"},
    {"no class", "a XX A 192.0.2.1\n", "line 1", "neither a class nor a type: \"XX\""},
    {"an unknown type", "a NONESUCH 1\n", "line 1", "neither a class nor a type: \"NONESUCH\""},
    {"a type for questions only", "a 60 IN ANY 1\n", "line 1", "\"ANY\""},
    {"no type", "a IN\n", "line 1", "\"a IN\""},
    {"no data", "a A\n", "line 1", "\"a A\""},
    {"half of the data", "a MX 10\n", "line 1", "\"a MX 10\""},
    {"wrong data", "a A 192.0.2.256\n", "line 1", "\"a A 192.0.2.256\""},
    {"too much data", "a A 192.0.2.1 x\n", "line 1", "superfluous"},
    {"a label of 64 octets", kLabel64 + " A 192.0.2.1\n", "line 1", "aaa"},
    {"a name of 256 octets", kLongName + " A 192.0.2.1\n", "line 1", "aaa"},
    {"an empty label", "a..b A 192.0.2.1\n", "line 1", "\"a..b A"},
    {"an escape above 255 in a name", "a\\300 A 192.0.2.1\n", "line 1", "a\\300"},
    {"half an escape in a name", "a\\30 A 192.0.2.1\n", "line 1", "a\\30"},
    {"an escape above 255 in a text", "a TXT \"\\300\"\n", "line 1", "\\300"},
    {"half an escape in a text", "a TXT \"\\30\"\n", "line 1", "\\30"},
    {"an escape of nothing", "a TXT x\\", "line 1", "x\\"},
    {"a file to include", "a A 192.0.2.1\n$INCLUDE /etc/passwd\n", "line 2", "$INCLUDE"},
    {"a file to include, in small letters", "$include x\n", "line 1", "$INCLUDE"},
    {"an unknown directive", "$NONESUCH x\n", "line 1", "unknown directive \"$NONESUCH\""},
    {"a directive in small letters", "$ttl 7\n", "line 1", "unknown directive \"$ttl\""},
    {"$TTL without a value", "$TTL\n", "line 1", "$TTL without a TTL"},
    {"$TTL with a comment alone", "$TTL ; 7\n", "line 1", "$TTL without a TTL"},
    {"$TTL of a word", "$TTL abc\n", "line 1", "not a TTL: \"abc\""},
    {"$TTL with a wrong unit", "$TTL 12x\n", "line 1", "\"12x\""},
    {"a negative $TTL", "$TTL -1\n", "line 1", "\"-1\""},
    {"$TTL with two values", "$TTL 5 6\n", "line 1", "\"6\""},
    {"$ORIGIN without a value", "$ORIGIN\n", "line 1", "$ORIGIN without a name"},
    {"$ORIGIN with an empty label", "$ORIGIN a..b.\n", "line 1", "$ORIGIN a..b."},
    {"$ORIGIN of two names", "$ORIGIN a. b.\n", "line 1", "\"b.\""},
    {"$GENERATE without a range", "$GENERATE x a A 192.0.2.1\n", "line 1", "$GENERATE"},
    {"$GENERATE alone", "$GENERATE\n", "line 1", "$GENERATE"},
    {"$GENERATE of a bad TTL", "\n$GENERATE 1-2 a$ 12x A 192.0.2.$\n", "line 2", "\"12x\""},
    {"NUL", std::string("a A 192.0.2.1\0\n", 15), "", "NUL"},
    {"an image", "\x89PNG\r\n\x1a\nIHDR\xff\xd8\n", "line 1", "PNG"},
    {"octets at random", "\x01\xfe\xc0\x0c \x7f\x80\n", "line 1", "?"},
    {"a line of a million words", "a A " + std::string(1'000'000, 'x') + "\n", "line 1",
     "xxx...\""},
    {"a line without an end", std::string(1'000'000, 'x'), "line 1", "xxx...\""},
    {"many parentheses", std::string(100'000, '('), "line 1", "\"(\""},
};

TEST(MalformedZoneFile, IsRefusedWithLineValueAndRemedy) {
  for (const Malformed& each : kMalformed) {
    const std::string said = parse(each.file).error;
    EXPECT_NE(said.find(each.line), std::string::npos) << each.description << ": " << said;
    EXPECT_NE(said.find(each.said), std::string::npos) << each.description << ": " << said;
    EXPECT_TRUE(said.ends_with(")")) << each.description << " has no remedy: " << said;
    EXPECT_LT(said.size(), 400U) << each.description;
  }
}

TEST(WellFormedZoneFile, IsNotRefused) {
  const std::pair<std::string, std::size_t> files[] = {
      {"", 0},
      {"; a comment with \" and (\n", 0},
      {"a A 192.0.2.1", 1},
      {"a A 192.0.2.1\r\nb A 192.0.2.2\r\n", 2},
      {"a TXT \"x ; y ( z\" \"\\\"\"\n", 1},
      {"a TXT \\\"x \\( \\)\n", 1},
      {"a TXT ( \"x\" ; a comment with \" and )\n \"y\" )\nb A 192.0.2.1\n", 2},
      {"a ( 1h ) IN A 192.0.2.1\n", 1},
      {"a IN 1h A 192.0.2.1\n  IN 60 A 192.0.2.2\n", 2},
      {"a CLASS1 A 192.0.2.1\n", 1},
      {"$ORIGIN sub\na MX 1 b\n", 1},
      {"a 1w2d3h4m5s IN A 192.0.2.1\n", 1},
      {"a 2147483647 IN A 192.0.2.1\n", 1},
      {"7 A 192.0.2.1\n", 1},
      {"$TTL 1h ; an hour\n$ORIGIN sub.example.com.\na A 192.0.2.1\n", 1},
      {"\\$a A 192.0.2.1\n", 1},
      {"$GENERATE 1-3 a$ 1h A 192.0.2.$\n", 3},
      {"a TYPE65280 \\# 2 abcd\n", 1},
  };
  for (const auto& [file, records] : files) {
    const Parsed parsed = parse(file);
    EXPECT_EQ(parsed.error, "") << file;
    EXPECT_EQ(parsed.records, records) << file;
  }
}

// Four characters an octet: as text a name may have more than a thousand.
TEST(WellFormedZoneFile, HasOwnersOfAnyOctets) {
  std::string escaped, plain;
  for (int octet = 0x80; octet < 0x80 + 63; ++octet) {
    escaped += "\\" + std::to_string(octet);
    plain += static_cast<char>(octet);
  }
  const std::string name = escaped + "." + escaped + "." + escaped;
  for (const std::string& line :
       {name + " 60 IN A 192.0.2.1\n", name + " 60 IN MX 1 " + name + "\n",
        plain + " 60 IN A 192.0.2.1\n", "$ORIGIN " + name + "\n@ A 192.0.2.1\n"}) {
    const Parsed parsed = parse(line);
    EXPECT_EQ(parsed.error, "") << line;
    EXPECT_LE(parsed.records, 1U) << line;
  }
  std::vector<Wire> owners;
  const auto take = [&](const ZoneFileRecord& record) {
    owners.push_back(record.record.owner);
    return base::Result<void>{};
  };
  const Wire origin = name_from_text("example.com.").value();
  ASSERT_TRUE(parse_zone_file(escaped + " A 192.0.2.1\n" + plain + " TXT x\n", origin, 300, take));
  ASSERT_EQ(owners.size(), 2U);
  EXPECT_EQ(owners[0], "\x3f" + plain + origin);
  EXPECT_EQ(owners[1], owners[0]);
}

TEST(Ttl, IsANumberOrUnits) {
  for (const char* text : {"0", "1", "2147483647", "1s", "1M", "2h30m", "3550w", "0w"}) {
    EXPECT_TRUE(ttl_from_text(text)) << text;
  }
  for (const char* text : {"", "h", "1h30", "1y", "1 ", "-1", "+1", "2147483648", "1h2147483647s",
                           "18446744073709551616", "18446744073709551615w"}) {
    EXPECT_FALSE(ttl_from_text(text)) << text;
  }
}

}  // namespace
}  // namespace brink::dns::zone
