#include "dns/zone/parse_ahead.h"

#include <gtest/gtest.h>

#include <stdexcept>

namespace brink::dns::zone {
namespace {

const Wire kOrigin("\4test", 6);

// Larger than what is parsed without a thread, with all kinds of lines.
std::string large_file() {
  std::string text = "$TTL 60\n$GENERATE 1-3 g$ A 192.0.2.$\n";
  for (int i = 0; i < 30'000; ++i) {
    text += "h" + std::to_string(i) + " 300 IN A 192.0.2.1 ; comment " + std::to_string(i) + "\n" +
            "  MX 10 mail\n";
  }
  return text;
}

using Texts = std::vector<std::string>;

std::string text_of(const ZoneFileRecord& record) {
  return std::to_string(record.line) + " " + record.record.owner + " " +
         std::to_string(record.record.type) + " " + std::to_string(record.record.ttl) + " " +
         record.record.rdata + " " + std::string(record.comment) +
         (record.ttl_given ? " given" : "");
}

TEST(ParseAhead, TakesTheSameInTheSameOrder) {
  const std::string text = large_file();
  Texts ahead, plain;
  ASSERT_TRUE(parse_ahead(text, kOrigin, 1, [&](const ZoneFileRecord& record) {
    ahead.push_back(text_of(record));
    return base::Result<void>();
  }));
  ASSERT_TRUE(parse_zone_file(text, kOrigin, 1, [&](const ZoneFileRecord& record) {
    plain.push_back(text_of(record));
    return base::Result<void>();
  }));
  EXPECT_EQ(ahead.size(), 60'003U);
  EXPECT_TRUE(ahead == plain);
}

TEST(ParseAhead, TellsOfTheLineThatIsNone) {
  const std::string text = large_file() + "x 60 IN NOTHING y\n" + large_file();
  std::size_t count = 0;
  const auto taken = parse_ahead(text, kOrigin, 1, [&](const ZoneFileRecord&) {
    ++count;
    return base::Result<void>();
  });
  EXPECT_EQ(count, 60'003U);
  ASSERT_FALSE(taken);
  EXPECT_NE(taken.error().message().find("line 60003"), std::string::npos)
      << taken.error().message();
}

TEST(ParseAhead, EndsWithTheFirstThatIsNotTaken) {
  const std::string text = large_file();
  std::size_t count = 0;
  const auto taken = parse_ahead(text, kOrigin, 1, [&](const ZoneFileRecord&) {
    return ++count == 10 ? base::Result<void>(base::Error{"enough", "here", ""})
                         : base::Result<void>();
  });
  EXPECT_EQ(count, 10U);
  ASSERT_FALSE(taken);
  EXPECT_EQ(taken.error().where, "line 9, here");
}

TEST(ParseAhead, PassesOnWhatIsThrown) {
  const std::string text = large_file();
  const auto parse = [&] {
    return parse_ahead(text, kOrigin, 1, [](const ZoneFileRecord&) -> base::Result<void> {
      throw std::runtime_error("the disk is full");
    });
  };
  EXPECT_THROW(static_cast<void>(parse()), std::runtime_error);
}

}  // namespace
}  // namespace brink::dns::zone
