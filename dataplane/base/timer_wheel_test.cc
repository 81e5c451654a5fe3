#include "dataplane/base/timer_wheel.h"

#include <gtest/gtest.h>

#include <map>
#include <random>
#include <vector>

namespace brink::base {
namespace {

using std::chrono::hours;
using std::chrono::microseconds;
using std::chrono::milliseconds;
using std::chrono::seconds;

Time at(Duration d) {
  return Time(d);
}

std::vector<std::uint32_t> fire(TimerWheel& wheel, Time now) {
  std::vector<std::uint32_t> owners;
  wheel.advance(now, [&](TimerNode& node) { owners.push_back(node.owner); });
  return owners;
}

TEST(TimerWheel, FiresAtItsTickAndNotBefore) {
  TimerWheel wheel;
  TimerNode node;
  node.owner = 7;
  wheel.arm(node, at(milliseconds(5)));
  EXPECT_TRUE(fire(wheel, at(microseconds(4999))).empty());
  EXPECT_EQ(fire(wheel, at(milliseconds(5))), std::vector<std::uint32_t>{7});
  EXPECT_FALSE(node.armed());
  EXPECT_TRUE(fire(wheel, at(seconds(1))).empty());
}

TEST(TimerWheel, RoundsUpToTheTick) {
  TimerWheel wheel;
  TimerNode node;
  wheel.arm(node, at(microseconds(4001)));
  EXPECT_TRUE(fire(wheel, at(milliseconds(4))).empty());
  EXPECT_EQ(fire(wheel, at(milliseconds(5))).size(), 1U);
}

TEST(TimerWheel, ATimeInThePastFiresAtTheNextTick) {
  TimerWheel wheel;
  fire(wheel, at(seconds(10)));
  TimerNode node;
  wheel.arm(node, at(seconds(3)));
  EXPECT_EQ(wheel.next_deadline(), at(seconds(10) + milliseconds(1)));
  EXPECT_EQ(fire(wheel, at(seconds(11))).size(), 1U);
}

TEST(TimerWheel, CancelledTimersDoNotFireAndLeaveNoDeadline) {
  TimerWheel wheel;
  TimerNode a;
  TimerNode b;
  wheel.arm(a, at(seconds(100)));
  wheel.arm(b, at(seconds(100)));
  wheel.cancel(a);
  EXPECT_NE(wheel.next_deadline(), Time::max());
  wheel.cancel(b);
  wheel.cancel(b);
  EXPECT_EQ(wheel.next_deadline(), Time::max());
  EXPECT_TRUE(fire(wheel, at(hours(1))).empty());
}

TEST(TimerWheel, ATimerArmedWhileFiringWaitsForTheNextAdvance) {
  TimerWheel wheel;
  TimerNode node;
  wheel.arm(node, at(milliseconds(1)));
  unsigned fired = 0;
  const auto again = [&](TimerNode& n) {
    ++fired;
    wheel.arm(n, at(milliseconds(1)));
  };
  wheel.advance(at(seconds(1)), again);
  EXPECT_EQ(fired, 1U);
  EXPECT_EQ(wheel.next_deadline(), at(milliseconds(1001)));
  wheel.advance(at(seconds(2)), again);
  EXPECT_EQ(fired, 2U);
}

TEST(TimerWheel, AFiringTimerMayCancelItsNeighbour) {
  TimerWheel wheel;
  TimerNode a;
  TimerNode b;
  wheel.arm(a, at(milliseconds(70)));
  wheel.arm(b, at(milliseconds(70)));
  unsigned fired = 0;
  wheel.advance(at(milliseconds(70)), [&](TimerNode&) {
    ++fired;
    wheel.cancel(a);
    wheel.cancel(b);
  });
  EXPECT_EQ(fired, 1U);
}

TEST(TimerWheel, DeadlineIsNeverLateAndExactWhenNear) {
  TimerWheel wheel;
  TimerNode node;
  fire(wheel, at(milliseconds(64 * 100)));
  wheel.arm(node, at(milliseconds(64 * 100 + 40)));
  EXPECT_EQ(wheel.next_deadline(), at(milliseconds(64 * 100 + 40)));
  wheel.arm(node, at(hours(5)));
  EXPECT_LE(wheel.next_deadline(), at(hours(5)));
}

TEST(TimerWheel, ATimerBeyondTheHorizonIsHeldWithinIt) {
  TimerWheel wheel;
  TimerNode node;
  wheel.arm(node, Time::max());
  EXPECT_TRUE(node.armed());
  EXPECT_TRUE(fire(wheel, at(hours(24 * 365))).empty());
}

// Against an ordered map: random arms, moves and cancels, advances of every size.
TEST(TimerWheel, AgreesWithAnOrderedMap) {
  for (unsigned seed = 1; seed <= 20; ++seed) {
    std::mt19937_64 random(seed);
    TimerWheel wheel;
    std::vector<TimerNode> nodes(200);
    std::map<std::uint32_t, std::int64_t> due;  // owner -> tick
    for (std::uint32_t i = 0; i < nodes.size(); ++i) nodes[i].owner = i;
    std::int64_t now = static_cast<std::int64_t>(random() % 1'000'000'000);
    fire(wheel, at(milliseconds(now)));
    for (unsigned step = 0; step < 3000; ++step) {
      const auto owner = static_cast<std::uint32_t>(random() % nodes.size());
      const auto range = std::int64_t{1} << (random() % 24);
      const auto delta =
          1 + static_cast<std::int64_t>(random() % static_cast<std::uint64_t>(range));
      switch (random() % 3) {
        case 0:
          wheel.arm(nodes[owner], at(milliseconds(now + delta)));
          due[owner] = now + delta;
          break;
        case 1:
          wheel.cancel(nodes[owner]);
          due.erase(owner);
          break;
        case 2: {
          now += delta;
          std::int64_t last = 0;
          wheel.advance(at(milliseconds(now)), [&](TimerNode& node) {
            ASSERT_TRUE(due.contains(node.owner)) << "seed " << seed;
            EXPECT_LE(due[node.owner], now);
            EXPECT_GE(due[node.owner], last);
            last = due[node.owner];
            due.erase(node.owner);
          });
          for (const auto& [o, tick] : due) ASSERT_GT(tick, now) << "seed " << seed;
          break;
        }
      }
      std::int64_t earliest = INT64_MAX;
      for (const auto& [o, tick] : due) earliest = std::min(earliest, tick);
      if (due.empty()) {
        ASSERT_EQ(wheel.next_deadline(), Time::max());
      } else {
        ASSERT_LE(wheel.next_deadline(), at(milliseconds(earliest)));
        ASSERT_GT(wheel.next_deadline(), at(milliseconds(now)));
      }
    }
  }
}

}  // namespace
}  // namespace brink::base
