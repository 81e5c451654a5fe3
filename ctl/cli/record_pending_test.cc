#include "ctl/cli/record_pending.h"

#include <gtest/gtest.h>

namespace brink::ctl::cli {
namespace {

const model::DomainName kZone = model::DomainName::parse("example.com").value();

Entries start() {
  return parse_zone_text("a 300 A 203.0.113.1 ; keep\na A 203.0.113.2\nm 300 MX 10 mail\n", kZone)
      .value();
}

RecordWish wish(const std::string& name, const std::string& type,
                std::optional<std::string> content = std::nullopt, Json options = Json::object()) {
  return {kZone, name, type, std::move(content), std::move(options)};
}

Exit code_of(Entries (*edit)(Entries, const RecordWish&), const RecordWish& wanted) {
  try {
    edit(start(), wanted);
  } catch (const Stop& stop) {
    return stop.code;
  }
  return Exit::kOk;
}

TEST(PendingRecord, IsAdded) {
  const Entries after = with_added(
      start(), wish("b.example.com", "A", "203.0.113.9", {{"ttl", 600}, {"comment", "new"}}));
  const model::Record& added = after.back().record;
  EXPECT_EQ(after.size(), 4U);
  EXPECT_EQ(added.name.text(), "b.example.com");
  EXPECT_EQ(added.ttl, 600U);
  EXPECT_EQ(added.comment, "new");
}

TEST(PendingRecord, IsNotAddedTwice) {
  EXPECT_EQ(code_of(with_added, wish("a.example.com", "A", "203.0.113.1")), Exit::kRefused);
  EXPECT_EQ(code_of(with_added, wish("a.example.com", "A", "203.0.113")), Exit::kUsage);
  EXPECT_EQ(code_of(with_added, wish("a.example.com", "NONE", "x")), Exit::kUsage);
  EXPECT_EQ(code_of(with_added, wish("b.example.com", "MX", "mail.example.com")), Exit::kUsage);
}

TEST(PendingRecord, BecomesTheOnlyOneAndKeepsWhatNobodyNamed) {
  const Entries after = with_set(start(), wish("a.example.com", "A", "203.0.113.9"));
  ASSERT_EQ(after.size(), 2U);
  EXPECT_EQ(after[0].record.content, "203.0.113.9");
  EXPECT_EQ(after[0].record.comment, "keep");
  EXPECT_EQ(after[0].record.ttl, 300U);
}

TEST(PendingRecord, WithTheContentIsTheOneThatIsKept) {
  const Entries after = with_set(start(), wish("a.example.com", "A", "203.0.113.2"));
  ASSERT_EQ(after.size(), 2U);
  EXPECT_EQ(after[0].record.content, "203.0.113.2");
  EXPECT_EQ(after[0].record.comment, "");
}

TEST(PendingRecord, TakesOptionsAlone) {
  const Entries after =
      with_set(start(), wish("a.example.com", "A", std::nullopt, {{"proxied", true}}));
  EXPECT_TRUE(after[0].record.proxied && after[1].record.proxied);
  EXPECT_EQ(after[0].record.ttl, model::kTtlAutomatic);
  EXPECT_EQ(code_of(with_set, wish("x.example.com", "A", std::nullopt, {{"ttl", 60}})),
            Exit::kNotFound);
}

TEST(PendingRecord, TakesAnotherPriority) {
  const Entries after =
      with_set(start(), wish("m.example.com", "MX", std::nullopt, {{"priority", 20}}));
  EXPECT_EQ(line_of(after[2]), "m.example.com.\t300\tIN\tMX\t20 mail.example.com.\n");
}

TEST(PendingRecord, IsRemovedByWhatIsNamed) {
  EXPECT_EQ(with_removed(start(), wish("a.example.com", "")).size(), 1U);
  EXPECT_EQ(with_removed(start(), wish("a.example.com", "A", "203.0.113.2")).size(), 2U);
  EXPECT_EQ(code_of(with_removed, wish("a.example.com", "AAAA")), Exit::kNotFound);
}

}  // namespace
}  // namespace brink::ctl::cli
