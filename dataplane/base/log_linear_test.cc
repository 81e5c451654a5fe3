#include "dataplane/base/log_linear.h"

#include <gtest/gtest.h>

#include <vector>

namespace brink::base {
namespace {

TEST(LogLinear, EveryValueLiesInItsBucket) {
  std::size_t last = 0;
  for (std::uint64_t value = 0; value < std::uint64_t{1} << 36; value += value / 37 + 1) {
    const std::size_t bucket = LogLinear::bucket_of(value);
    ASSERT_LE(value, LogLinear::upper_bound(bucket));
    ASSERT_TRUE(bucket == 0 || value > LogLinear::upper_bound(bucket - 1)) << value;
    ASSERT_GE(bucket, last);
    ASSERT_LE(LogLinear::upper_bound(bucket) - value, value / 16);
    last = bucket;
  }
  EXPECT_EQ(last, LogLinear::kBuckets - 1);
  EXPECT_EQ(LogLinear::bucket_of(~std::uint64_t{0}), LogLinear::kBuckets - 1);
}

TEST(Percentiles, AreRanksInTheOrderOfValues) {
  std::vector<std::uint64_t> counts(LogLinear::kBuckets);
  EXPECT_EQ(percentiles_of(counts).max, 0U);
  for (const auto& [value, count] : {std::pair{3, 500}, {10, 400}, {12, 90}, {14, 9}, {15, 1}}) {
    counts[LogLinear::bucket_of(static_cast<std::uint64_t>(value))] =
        static_cast<std::uint64_t>(count);
  }
  const Percentiles told = percentiles_of(counts);
  EXPECT_EQ(told.count, 1000U);
  EXPECT_EQ(told.p50, 3U);
  EXPECT_EQ(told.p90, 10U);
  EXPECT_EQ(told.p99, 12U);
  EXPECT_EQ(told.p999, 14U);
  EXPECT_EQ(told.max, 15U);
}

TEST(Percentiles, AreNeverAboveTheLargestValue) {
  std::vector<std::uint64_t> counts(LogLinear::kBuckets);
  counts[LogLinear::bucket_of(1000)] = 1;
  EXPECT_EQ(percentiles_of(counts, 1000).p50, 1000U);
  EXPECT_EQ(percentiles_of(counts).p50, LogLinear::upper_bound(LogLinear::bucket_of(1000)));
}

}  // namespace
}  // namespace brink::base
