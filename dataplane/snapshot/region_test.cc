#include "dataplane/snapshot/region.h"

#include <gtest/gtest.h>

namespace brink::snapshot {
namespace {

constexpr std::size_t kMebibyte = std::size_t{1} << 20;

TEST(Region, GrowsInPlaceAndNewBytesAreZero) {
  MemoryBudget budget;
  auto reserved = Region::reserve(64 * kMebibyte, {}, budget);
  ASSERT_TRUE(reserved.ok());
  Region region = std::move(reserved).value();
  EXPECT_EQ(budget.used_bytes, 0U);
  ASSERT_TRUE(region.grow(1));
  std::uint8_t* const at = region.data();
  at[0] = 7;
  for (std::size_t size = 4096; size <= 64 * kMebibyte; size *= 2) {
    ASSERT_TRUE(region.grow(size));
    EXPECT_EQ(region.data(), at);
    EXPECT_EQ(at[0], 7);
    EXPECT_EQ(at[size - 1], 0);
    EXPECT_GE(region.size(), size);
    EXPECT_EQ(budget.used_bytes, region.size());
  }
  EXPECT_FALSE(region.grow(64 * kMebibyte + 1)) << "no more was reserved";
}

TEST(Region, StopsAtTheLimitAndStaysAsItWas) {
  MemoryBudget budget{kMebibyte, 0};
  Region one = Region::reserve(8 * kMebibyte, {}, budget).value();
  Region two = Region::reserve(8 * kMebibyte, {}, budget).value();
  ASSERT_TRUE(one.grow(kMebibyte / 2));
  const std::size_t used = budget.used_bytes;
  EXPECT_FALSE(two.grow(kMebibyte));
  EXPECT_EQ(two.size(), 0U);
  EXPECT_EQ(budget.used_bytes, used);
  EXPECT_TRUE(two.grow(kMebibyte / 4));
}

TEST(Region, GivesBackWhatItTook) {
  MemoryBudget budget;
  {
    Region region = Region::reserve(kMebibyte, {}, budget).value();
    ASSERT_TRUE(region.grow(4096));
    Region moved = std::move(region);
    EXPECT_EQ(region.data(), nullptr);
    EXPECT_GT(budget.used_bytes, 0U);
  }
  EXPECT_EQ(budget.used_bytes, 0U);
}

TEST(Region, DoesWithoutHugePages) {
  MemoryBudget budget;
  Region region = Region::reserve(16 * kMebibyte, {true, 0}, budget).value();
  ASSERT_TRUE(region.grow(8 * kMebibyte));
  region.data()[8 * kMebibyte - 1] = 1;
}

}  // namespace
}  // namespace brink::snapshot
