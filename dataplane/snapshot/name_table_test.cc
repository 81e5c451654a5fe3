#include "dataplane/snapshot/name_table.h"

#include <gtest/gtest.h>

#include <map>
#include <random>
#include <set>
#include <vector>

namespace brink::snapshot {
namespace {

class NameTableTest : public ::testing::Test {
 protected:
  NameTableTest() : table_({}, budget_), records_(1) { EXPECT_TRUE(table_.create(0)); }

  // A record of its own for each hash; returns its index.
  std::uint32_t add(std::uint64_t hash) {
    Record record{};
    record.name_hash = hash;
    records_.push_back(record);
    const auto index = static_cast<std::uint32_t>(records_.size() - 1);
    EXPECT_TRUE(table_.insert(records_.data(), index));
    present_.insert(index);
    return index;
  }
  void remove(std::uint32_t index) {
    table_.remove(records_[index].name_hash, index);
    present_.erase(index);
  }
  void maintain(std::uint32_t buckets) {
    static_cast<void>(table_.maintain(records_.data(), buckets));
  }

  // Each record is in one slot that a search from its home reaches; overflows are exact.
  void check() const {
    const BucketArray& array = table_.current();
    const std::uint32_t mask = array.count() - 1;
    std::vector<std::uint32_t> overflow(array.count());
    std::set<std::uint32_t> found;
    for (std::uint32_t at = 0; at < array.count(); ++at) {
      for (int slot = 0; slot < 8; ++slot) {
        const std::uint32_t index = array.data()[at].records[slot];
        if (index == 0) continue;
        ASSERT_TRUE(found.insert(index).second) << "twice";
        const std::uint64_t hash = records_[index].name_hash;
        ASSERT_EQ(array.data()[at].tags[slot], hash >> 48);
        const std::uint32_t distance = (at - static_cast<std::uint32_t>(hash)) & mask;
        ASSERT_LT(distance, kMaxProbes);
        for (std::uint32_t i = 0; i < distance; ++i) {
          ++overflow[(static_cast<std::uint32_t>(hash) + i) & mask];
        }
      }
    }
    ASSERT_EQ(found, present_);
    ASSERT_EQ(table_.names(), present_.size());
    for (std::uint32_t at = 0; at < array.count(); ++at) {
      ASSERT_EQ(array.data()[at].overflow, overflow[at]) << "bucket " << at;
    }
  }

  MemoryBudget budget_;
  NameTable table_;
  std::vector<Record> records_;
  std::set<std::uint32_t> present_;
  std::mt19937_64 random_{3};
};

TEST_F(NameTableTest, CrowdsSpillIntoTheBucketsBehindAndAreCounted) {
  std::vector<std::uint32_t> crowd;
  for (std::uint64_t i = 0; i < 20; ++i) crowd.push_back(add(i << 48 | 15));  // the last bucket
  check();
  EXPECT_EQ(table_.current().data()[15].overflow, 12U);
  EXPECT_EQ(table_.current().data()[0].overflow, 4U);
  // One in front goes: those behind stay where they are, and are found.
  remove(crowd[0]);
  check();
  for (std::size_t i = 1; i < crowd.size(); ++i) remove(crowd[i]);
  check();
}

TEST_F(NameTableTest, GrowsAtOnceWhereAHomeHasNoRoom) {
  // More of one home than sixteen buckets hold, but different further up.
  for (std::uint64_t i = 0; i < 200; ++i) add(i << 4 | 5);
  check();
  EXPECT_GT(table_.current().count(), 16U);
  EXPECT_GT(table_.epoch(), 0U);
  EXPECT_FALSE(table_.take_retired().empty());
}

TEST_F(NameTableTest, GrowsAndShrinksWhileItIsUsed) {
  std::uint32_t largest = 0;
  for (int round = 0; round < 3; ++round) {
    while (present_.size() < 5000) {
      add(random_());
      if (random_() % 3 == 0) maintain(1 + random_() % 4);
      if (random_() % 4 == 0) {
        const std::uint32_t old = *present_.lower_bound(
            static_cast<std::uint32_t>(random_() % (*present_.rbegin() + 1)));
        records_.push_back(records_[old]);
        const auto index = static_cast<std::uint32_t>(records_.size() - 1);
        table_.replace(records_[old].name_hash, old, index);
        present_.erase(old);
        present_.insert(index);
      }
      if (random_() % 512 == 0) check();
    }
    while (table_.rehashing()) maintain(7);
    maintain(1U << 20);
    check();
    largest = std::max(largest, table_.current().count());
    EXPECT_LE(present_.size(), std::size_t{table_.current().count()} * 6);
    while (present_.size() > 20) {
      remove(*present_.begin());
      if (random_() % 3 == 0) maintain(1 + random_() % 4);
      if (random_() % 512 == 0) check();
    }
    while (table_.current().count() > 16) maintain(64);
    check();
    static_cast<void>(table_.take_retired());
  }
  EXPECT_GE(largest, 1024U);
}

TEST_F(NameTableTest, WithoutMemoryAnInsertFailsAndLeavesNothing) {
  budget_.limit_bytes = budget_.used_bytes;
  std::uint64_t hash = 5;
  std::uint32_t refused = 0;
  for (std::uint32_t i = 0; i < 200; ++i, hash += 16) {
    Record record{};
    record.name_hash = hash;
    records_.push_back(record);
    const auto index = static_cast<std::uint32_t>(records_.size() - 1);
    if (table_.insert(records_.data(), index)) {
      present_.insert(index);
    } else {
      ++refused;
    }
  }
  EXPECT_EQ(present_.size(), 128U) << "every slot";
  EXPECT_EQ(refused, 72U);
  check();
  EXPECT_FALSE(table_.maintain(records_.data(), 8));
  check();
}

TEST(BucketCount, FillsTheTableByThreeQuartersAtMost) {
  EXPECT_EQ(bucket_count_for(0), 16U);
  EXPECT_EQ(bucket_count_for(96), 16U);
  EXPECT_EQ(bucket_count_for(97), 32U);
  EXPECT_EQ(bucket_count_for(1000000), 262144U);
}

}  // namespace
}  // namespace brink::snapshot
