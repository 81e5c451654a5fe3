#include "ctl/model/zone_line.h"

#include <gtest/gtest.h>

namespace brink::ctl::model {
namespace {

TEST(RecordComment, ComesBackAsItWas) {
  Record record;
  record.type = kTypeA;
  record.proxied = true;
  record.comment = "web; front";
  record.tags = {"team:dns, mail", "urgent", "say:\"hi\""};
  const ParsedComment parsed = parse_comment(comment_of(record));
  EXPECT_EQ(parsed.comment, record.comment);
  EXPECT_EQ(parsed.tags, record.tags);
  EXPECT_EQ(parsed.proxied, true);
}

TEST(RecordComment, MayBePlain) {
  const ParsedComment parsed = parse_comment("just words");
  EXPECT_EQ(parsed.comment, "just words");
  EXPECT_FALSE(parsed.proxied);
  EXPECT_TRUE(parsed.tags.empty());
  EXPECT_TRUE(parse_comment("cf_tags=cf-flatten-cname").flatten_cname);
}

TEST(ZoneLine, HasItsFieldsBetweenTabs) {
  const DomainName owner = DomainName::parse("www.example.com").value();
  const Rdata rdata = {203, 0, 113, 1};
  EXPECT_EQ(zone_line(owner, 300, kTypeA, rdata, "the shop"),
            "www.example.com.\t300\tIN\tA\t203.0.113.1 ; the shop\n");
  EXPECT_EQ(zone_line(owner, 1, kTypeA, rdata, ""), "www.example.com.\t1\tIN\tA\t203.0.113.1\n");
}

}  // namespace
}  // namespace brink::ctl::model
