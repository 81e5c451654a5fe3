#include "ctl/cli/zone_text.h"

#include <gtest/gtest.h>

namespace brink::ctl::cli {
namespace {

const model::DomainName kZone = model::DomainName::parse("example.com").value();

Entries entries_of(const std::string& text) {
  auto entries = parse_zone_text(text, kZone);
  EXPECT_TRUE(entries.ok()) << entries.error().message();
  return std::move(entries).value();
}

Difference differing(const std::string& before, const std::string& after) {
  return difference(entries_of(before), entries_of(after));
}

TEST(ZoneText, KeepsWhatStandsBehindARecord) {
  const std::string text =
      "www.example.com.\t1\tIN\tA\t203.0.113.1 ; the shop "
      "cf_tags=cf-proxied:true,team:\"a, b\"\n"
      "alias.example.com.\t300\tIN\tCNAME\tx.example.net. ; "
      "cf_tags=cf-proxied:false,cf-flatten-cname\n"
      "example.com.\t300\tIN\tMX\t10 mail.example.com.\n";
  const Entries entries = entries_of(text);
  ASSERT_EQ(entries.size(), 3U);
  EXPECT_TRUE(entries[0].record.proxied);
  EXPECT_EQ(entries[0].record.comment, "the shop");
  EXPECT_EQ(entries[0].record.tags, std::vector<std::string>{"team:a, b"});
  EXPECT_TRUE(entries[1].record.settings.flatten_cname);
  EXPECT_EQ(entries[2].record.priority, 10);
  EXPECT_EQ(entries[2].line, 3U);
  EXPECT_EQ(text_of(entries), text);
}

TEST(ZoneText, NamesTheLineThatIsWrong) {
  for (const auto& [text, line] : {std::pair{"a A 203.0.113.1\nb A nonsense\n", "line 2"},
                                   {"\n\na.example.org. A 203.0.113.1\n", "line 3"}}) {
    const auto entries = parse_zone_text(text, kZone);
    ASSERT_FALSE(entries.ok()) << text;
    EXPECT_NE(entries.error().message().find(line), std::string::npos) << entries.error().message();
  }
}

TEST(Difference, OfTheSameIsNone) {
  EXPECT_TRUE(differing("a A 203.0.113.1\nb A 203.0.113.1\n",
                        "; anything\nb 1 IN A 203.0.113.1\na A 203.0.113.1\n")
                  .empty());
}

TEST(Difference, ChangesInPlaceWhatKeepsItsData) {
  const Difference change = differing("a 300 A 203.0.113.1\na 300 A 203.0.113.2\n",
                                      "a 300 A 203.0.113.2\na 600 A 203.0.113.1\n");
  ASSERT_EQ(change.changed.size(), 1U);
  EXPECT_EQ(change.changed[0].after.record.ttl, 600U);
  EXPECT_EQ(change.changed[0].after.line, 2U);
  EXPECT_TRUE(change.removed.empty() && change.added.empty());
}

TEST(Difference, ChangesTheDataOfTheSameNameAndType) {
  const Difference change = differing("a A 203.0.113.1\na A 203.0.113.2\n",
                                      "a A 203.0.113.2\na A 203.0.113.3\nb A 203.0.113.1\n");
  ASSERT_EQ(change.changed.size(), 1U);
  EXPECT_EQ(change.changed[0].before.record.content, "203.0.113.1");
  EXPECT_EQ(change.changed[0].after.record.content, "203.0.113.3");
  ASSERT_EQ(change.added.size(), 1U);
  EXPECT_EQ(change.added[0].record.name.text(), "b.example.com");
}

TEST(Difference, RemovesAndAddsWhatIsOfAnotherType) {
  const Difference change = differing("a A 203.0.113.1\n", "a CNAME b\n");
  EXPECT_EQ(change.removed.size(), 1U);
  EXPECT_EQ(change.added.size(), 1U);
}

TEST(Difference, ShowsBothSides) {
  const Difference change = differing("a A 203.0.113.1\nb TXT x\n", "a 300 A 203.0.113.1\n");
  EXPECT_EQ(to_text(change, false),
            "- b.example.com.\t1\tIN\tTXT\t\"x\"\n"
            "- a.example.com.\t1\tIN\tA\t203.0.113.1 ; cf_tags=cf-proxied:false\n"
            "+ a.example.com.\t300\tIN\tA\t203.0.113.1 ; cf_tags=cf-proxied:false\n");
  EXPECT_NE(to_text(change, true).find("\x1b[31m- b"), std::string::npos);
}

}  // namespace
}  // namespace brink::ctl::cli
