#include "dataplane/steer/worker_set.h"

#include <gtest/gtest.h>

#include <map>
#include <random>

namespace brink::steer {
namespace {

TEST(PortPartition, EveryPortOfTheRangeHasOneWorkerAndComesBackToIt) {
  for (std::uint8_t count = 1; count <= kWorkersMax; ++count) {
    const auto partition = PortPartition::split(32768, count);
    std::uint32_t next = 32768;
    for (std::uint8_t i = 0; i < count; ++i) {
      const auto range = partition.range_of(i);
      EXPECT_EQ(range.first, next) << "ranges touch";
      next = range.last + 1U;
      EXPECT_EQ(partition.index_of(range.first), i);
      EXPECT_EQ(partition.index_of(range.last), i);
    }
    EXPECT_LE(next, 65536U);
    EXPECT_GT(next, 65536U - count) << "less than one port a worker is lost";
    EXPECT_FALSE(partition.contains(32767));
    if (next < 65536) {
      EXPECT_FALSE(partition.contains(static_cast<std::uint16_t>(next)));
    }
  }
}

TEST(PortPartition, WithoutWorkersContainsNothing) {
  const auto partition = PortPartition::split(32768, 0);
  EXPECT_FALSE(partition.contains(0));
  EXPECT_FALSE(partition.contains(32768));
  EXPECT_FALSE(partition.contains(65535));
}

TEST(WorkerSet, SharesHashesEvenly) {
  WorkerSet set;
  for (const std::uint32_t worker : {4U, 7U, 9U}) set.add(worker);
  EXPECT_TRUE(set.contains(7));
  EXPECT_FALSE(set.contains(8));
  std::map<int, int> shares;
  std::mt19937_64 random(1);
  for (int i = 0; i < 30000; ++i) ++shares[set.by_hash(random())];
  ASSERT_EQ(shares.size(), 3U);
  for (const auto& [worker, share] : shares) EXPECT_NEAR(share, 10000, 500) << worker;
}

}  // namespace
}  // namespace brink::steer
