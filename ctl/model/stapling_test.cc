#include "ctl/model/stapling.h"

#include <gtest/gtest.h>

namespace brink::ctl::model {
namespace {

TEST(Stapling, TheNextLookIsHalfWayGiveOrTakeATenth) {
  for (std::uint32_t random = 0; random < 5000; random += 7) {
    const std::int64_t look = next_look(1000, 1000 + 20'000, random);
    EXPECT_GE(look, 1000 + 9000);
    EXPECT_LT(look, 1000 + 11'000);
  }
  EXPECT_NE(next_look(0, 20'000, 1), next_look(0, 20'000, 2));
}

TEST(Stapling, AResponseThatEndsSoonIsNotAskedForWithoutRest) {
  EXPECT_EQ(next_look(1000, 1002, 0), 1010);
  EXPECT_EQ(next_look(1000, 900, 5), 1010);
}

TEST(Stapling, FailuresAreFollowedByLongerAndLongerRest) {
  EXPECT_EQ(retry_look(1000, 1, 0), 1010);
  EXPECT_EQ(retry_look(1000, 2, 0), 1020);
  EXPECT_EQ(retry_look(1000, 5, 0), 1160);
  EXPECT_EQ(retry_look(1000, 1000, 0), 1000 + 3600);
  EXPECT_LE(retry_look(1000, 1000, 901), 1000 + 3600 + 900);
}

}  // namespace
}  // namespace brink::ctl::model
