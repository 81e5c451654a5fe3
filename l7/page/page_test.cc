#include "l7/page/page.h"

#include <gtest/gtest.h>

#include <array>

namespace brink::l7::page {
namespace {

const Facts kFacts{.code = 1020,
                   .status = 403,
                   .title = "Forbidden",
                   .message = "A rule does not let it through.",
                   .ray = "0123456789abcdef-AMS",
                   .address = "2001:db8::1",
                   .host = "www.example.com",
                   .time = "Sun, 22 Nov 2026 08:37:43 GMT"};

std::string written(std::string_view text, const Facts& facts = kFacts) {
  std::array<char, kPageMax> room;
  return std::string(write_page(text, facts, room));
}

std::string fault(std::string_view text) {
  const auto found = page_fault(text);
  return found ? found->message() : "";
}

TEST(Page, HasItsFactsWhereThePlaceholdersStand) {
  EXPECT_EQ(
      written("{{code}}|{{status}}|{{title}}|{{message}}|{{ray}}|{{address}}|{{host}}|{{time}}"),
      "1020|403|Forbidden|A rule does not let it through.|0123456789abcdef-AMS|2001:db8::1|"
      "www.example.com|Sun, 22 Nov 2026 08:37:43 GMT");
  EXPECT_EQ(written("<p>{{ray}}</p>{{ray}}"), "<p>0123456789abcdef-AMS</p>0123456789abcdef-AMS");
  EXPECT_EQ(written("no placeholder"), "no placeholder");
}

TEST(Page, EscapesWhatItPutsIn) {
  Facts facts = kFacts;
  facts.host = "<script>'\"&{{ray}}";
  EXPECT_EQ(written("<a title='{{host}}'>", facts),
            "<a title='&lt;script&gt;&#39;&quot;&amp;{{ray}}'>");
}

TEST(Page, WhatIsNoPlaceholderStandsAsItIs) {
  EXPECT_EQ(written("{{nonsense}} {{code"), "{{nonsense}} {{code");
  EXPECT_EQ(written("{{{code}}"), "{1020");
  EXPECT_EQ(written("{{}}{"), "{{}}{");
}

TEST(Page, WithoutRoomThereIsNone) {
  std::array<char, 16> room;
  EXPECT_EQ(write_page("{{code}} and {{ray}}", kFacts, room), "");
  EXPECT_EQ(write_page("{{code}}", kFacts, room), "1020");
}

TEST(Page, TheLargestThatIsGoodHasRoom) {
  const std::string host(253, 'h');
  Facts facts = kFacts;
  facts.host = host;
  std::string text = "{{ray}}";
  for (std::size_t i = 1; i < kPlaceholdersMax; ++i) text += "{{host}}";
  text += std::string(kTextMax - text.size(), 'x');
  EXPECT_EQ(fault(text), "");
  EXPECT_FALSE(written(text, facts).empty());
}

TEST(PageFault, NamesLineAndRemedy) {
  EXPECT_EQ(fault("<html>{{ray}}</html>"), "");
  EXPECT_NE(fault("a\nb {{rya}}").find("line 2: {{rya}} is not known"), std::string::npos);
  EXPECT_NE(fault("a\nb {{rya}}").find("{{ray}}"), std::string::npos) << "and which there are";
  EXPECT_NE(fault("{{ray}}\n\n{{code").find("line 3: {{ without its }}"), std::string::npos);
  EXPECT_NE(fault("").find("empty"), std::string::npos);
  EXPECT_NE(fault("no placeholder").find("has no {{ray}}"), std::string::npos);
  EXPECT_NE(fault(std::string(kTextMax + 1, 'x')).find("more than 8192 octets"), std::string::npos);
  std::string many;
  for (std::size_t i = 0; i <= kPlaceholdersMax; ++i) many += "{{ray}}";
  EXPECT_NE(fault(many).find("more than 16 placeholders"), std::string::npos);
}

TEST(PageFault, TakesUtf8Alone) {
  EXPECT_EQ(fault("Schl\xc3\xbcssel \xe2\x82\xac \xf0\x9f\x94\x91 {{ray}}"), "");
  EXPECT_NE(fault(std::string_view("{{ray}}\0", 8)).find("UTF-8"), std::string::npos);
  for (const char* bad : {"\xfc {{ray}}", "{{ray}} \xc3", "\xc3( {{ray}}", "\xc0\x80{{ray}}"}) {
    EXPECT_NE(fault(bad).find("UTF-8"), std::string::npos);
  }
}

}  // namespace
}  // namespace brink::l7::page
