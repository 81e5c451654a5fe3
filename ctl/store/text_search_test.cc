#include "ctl/store/text_search.h"

#include <gtest/gtest.h>

#include <random>
#include <string>

namespace brink::ctl::store {
namespace {

// Two letters, so that much is alike; the text at every place within its blocks, and at its end.
TEST(TextSearch, FindsWhatFindFinds) {
  std::mt19937 random(1);
  const auto letters = [&random](std::size_t size) {
    std::string text(size, 'a');
    for (char& c : text) c = random() % 2 == 0 ? 'a' : 'b';
    return text;
  };
  for (int round = 0; round < 20'000; ++round) {
    const std::string text = letters(random() % 100);
    const std::string wanted = letters(1 + random() % 20);
    const std::size_t from = random() % (text.size() + 1);
    ASSERT_EQ(find_text(text, wanted, from), text.find(wanted, from))
        << text << ' ' << wanted << ' ' << from;
  }
}

TEST(TextSearch, FindsOctetsAboveAscii) {
  EXPECT_EQ(find_text(std::string(40, 'x') + "\xff\x80y", "\xff\x80", 0), 40U);
}

}  // namespace
}  // namespace brink::ctl::store
