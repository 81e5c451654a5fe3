#include "dataplane/ipc/traffic.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <atomic>
#include <cstring>
#include <filesystem>
#include <string>
#include <thread>
#include <vector>

#include "dataplane/ipc/stats_segment.h"

namespace brink::ipc {
namespace {

constexpr std::size_t kSlots = 16;

class TrafficTest : public ::testing::Test {
 protected:
  void SetUp() override {
    path_ = "/tmp/brink-traffic-" + std::to_string(::getpid());
    auto made = StatsSegment::create(path_, 1, 1, {.zones = kSlots, .origins = 8});
    ASSERT_TRUE(made.ok()) << made.error().message();
    segment_ = std::move(made).value();
    ways_.resize(kSlots);
    table_ = {segment_->zone_slots(0), ways_};
  }

  // Every hash that is a multiple of kSlots falls into the first set of ways.
  TrafficSlot& find(std::uint64_t who, base::Time now) {
    return table_.find(who * kSlots, now, [who](std::span<char, kTrafficNameMax> room) {
      const std::string name = "zone-" + std::to_string(who);
      std::memcpy(room.data(), name.data(), name.size());
      return name.size();
    });
  }
  std::vector<TrafficSample> zones() const {
    const auto sample = read_stats(path_);
    EXPECT_TRUE(sample.ok());
    return sample.value().workers[0].zones;
  }
  static std::uint64_t requests(const TrafficSample& sample) {
    return sample.counters[static_cast<std::size_t>(ZoneCounter::kRequests)];
  }

  std::string path_;
  std::unique_ptr<StatsSegment> segment_;
  std::vector<TrafficTable::Way> ways_;
  TrafficTable table_;
  base::Time now_{std::chrono::seconds(1000)};
};

TEST_F(TrafficTest, AReaderSeesWhatWasCountedByName) {
  find(1, now_).add(ZoneCounter::kRequests, 2);
  find(2, now_).add(ZoneCounter::kBytesOut, 700);
  find(1, now_).add(ZoneCounter::kRequests);
  find(1, now_).add_time(1500);
  const auto sample = read_stats(path_);
  ASSERT_TRUE(sample.ok()) << sample.error().message();
  EXPECT_EQ(sample.value().zone_names[0], "requests");
  EXPECT_EQ(sample.value().origin_names[0], "connects");
  const auto& zones = sample.value().workers[0].zones;
  ASSERT_EQ(zones.size(), 3U);
  EXPECT_EQ(zones[0].name, "");
  EXPECT_EQ(zones[1].name, "zone-1");
  EXPECT_EQ(requests(zones[1]), 3U);
  EXPECT_EQ(zones[1].time_sum_us, 1500U);
  EXPECT_EQ(zones[1].times[TrafficScale::bucket_of(1500)], 1U);
  EXPECT_EQ(zones[2].counters[static_cast<std::size_t>(ZoneCounter::kBytesOut)], 700U);
  EXPECT_EQ(sample.value().workers[0].origins.size(), 1U);
}

TEST_F(TrafficTest, ANewcomerIsOtherWhileEverybodyIsBusy) {
  for (std::uint64_t who = 1; who <= TrafficTable::kWays; ++who) {
    find(who, now_).add(ZoneCounter::kRequests);
  }
  find(99, now_ + TrafficTable::kColdAfter / 2).add(ZoneCounter::kRequests, 5);
  const auto seen = zones();
  ASSERT_EQ(seen.size(), 1 + TrafficTable::kWays);
  EXPECT_EQ(requests(seen[0]), 5U);
  for (const auto& zone : seen) EXPECT_NE(zone.name, "zone-99");
}

TEST_F(TrafficTest, TheColdestMakesRoomAndIsAddedToOther) {
  for (std::uint64_t who = 1; who <= TrafficTable::kWays; ++who) {
    TrafficSlot& slot = find(who, now_ + std::chrono::seconds(who == 3 ? 0 : who));
    slot.add(ZoneCounter::kRequests, 10 * who);
    slot.add_time(who);
  }
  find(99, now_ + TrafficTable::kColdAfter).add(ZoneCounter::kRequests);
  const auto seen = zones();
  std::uint64_t sum = 0;
  std::vector<std::string> names;
  for (const auto& zone : seen) {
    names.push_back(zone.name);
    sum += requests(zone);
  }
  EXPECT_EQ(sum, 361U) << "nothing is lost";
  EXPECT_EQ(std::count(names.begin(), names.end(), "zone-3"), 0);
  EXPECT_EQ(std::count(names.begin(), names.end(), "zone-99"), 1);
  EXPECT_EQ(requests(seen[0]), 30U);
  EXPECT_EQ(seen[0].times[TrafficScale::bucket_of(3)], 1U);
  EXPECT_EQ(seen[0].time_sum_us, 3U);
}

TEST_F(TrafficTest, WithoutSlotsNothingIsCounted) {
  EXPECT_FALSE(TrafficTable().counts());
  auto none = StatsSegment::create(path_ + "-none", 2, 1);
  ASSERT_TRUE(none.ok());
  EXPECT_TRUE(none.value()->zone_slots(1).empty());
  const auto sample = read_stats(path_ + "-none");
  ASSERT_TRUE(sample.ok()) << sample.error().message();
  EXPECT_TRUE(sample.value().workers[1].zones.empty());
}

// Each owner counts as many requests as its number says: a slot read while it changes hands would
// show a number that is not its owner's.
TEST_F(TrafficTest, ASlotThatChangesHandsIsNeverReadHalf) {
  std::atomic<bool> stop{false};
  std::thread worker([&] {
    base::Time now = now_;
    for (std::uint64_t round = 0; !stop.load(); ++round) {
      const std::uint64_t who = 1000 + round % 50;
      // One store a slot: what is seen of it is all or nothing.
      TrafficSlot& slot = find(who, now);
      if (std::atomic_ref(slot.counters[0]).load(std::memory_order_relaxed) == 0) {
        slot.add(ZoneCounter::kRequests, who);
      }
      now += TrafficTable::kColdAfter;
    }
  });
  int looked_at = 0;
  for (int i = 0; i < 3000; ++i) {
    for (const auto& zone : zones()) {
      if (zone.name.empty() || requests(zone) == 0) continue;
      ++looked_at;
      EXPECT_EQ(zone.name, "zone-" + std::to_string(requests(zone)));
    }
  }
  stop = true;
  worker.join();
  EXPECT_GT(looked_at, 0);
}

TEST(TrafficScaleTest, ReachesAMinuteInEighths) {
  using Scale = TrafficScale;
  EXPECT_GE(Scale::upper_bound(Scale::kBuckets - 1), 60'000'000U);
  for (std::uint64_t us = 1; us < 60'000'000; us += us / 17 + 1) {
    const std::uint64_t bound = Scale::upper_bound(Scale::bucket_of(us));
    ASSERT_LE(us, bound);
    ASSERT_LE(bound - us, us / 8);
  }
}

}  // namespace
}  // namespace brink::ipc
