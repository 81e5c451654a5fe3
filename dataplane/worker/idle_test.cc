#include "dataplane/worker/idle.h"

#include <gtest/gtest.h>

#include "dataplane/worker/token_bucket.h"

namespace brink::worker {
namespace {

using std::chrono::microseconds;
using std::chrono::milliseconds;
using std::chrono::seconds;

constexpr base::Time kStart{seconds(100)};

TEST(IdlePolicy, SpinsThenSleepsLongerUpToItsBound) {
  IdlePolicy idle(IdleMode::kAdaptive, microseconds(500));
  for (std::uint32_t i = 0; i < kSpinTurns; ++i) {
    EXPECT_EQ(idle.after_turn(false, kStart, base::Time::max()).count(), 0);
  }
  base::Duration last{};
  for (int i = 0; i < 250; ++i) {
    const base::Duration sleep = idle.after_turn(false, kStart, base::Time::max());
    EXPECT_EQ(sleep, last + kSleepStep);
    last = sleep;
  }
  EXPECT_EQ(last, microseconds(500));
  EXPECT_EQ(idle.after_turn(false, kStart, base::Time::max()), microseconds(500));
}

TEST(IdlePolicy, APacketBringsPollingBack) {
  IdlePolicy idle(IdleMode::kAdaptive, microseconds(500));
  for (std::uint32_t i = 0; i < kSpinTurns + 100; ++i) {
    (void)idle.after_turn(false, kStart, base::Time::max());
  }
  EXPECT_EQ(idle.after_turn(true, kStart, base::Time::max()).count(), 0);
  for (std::uint32_t i = 0; i < kSpinTurns; ++i) {
    EXPECT_EQ(idle.after_turn(false, kStart, base::Time::max()).count(), 0);
  }
  EXPECT_EQ(idle.after_turn(false, kStart, base::Time::max()), kSleepStep);
}

TEST(IdlePolicy, NeverSleepsPastADeadline) {
  IdlePolicy idle(IdleMode::kAdaptive, microseconds(500));
  for (std::uint32_t i = 0; i < kSpinTurns + 300; ++i) {
    (void)idle.after_turn(false, kStart, base::Time::max());
  }
  EXPECT_EQ(idle.after_turn(false, kStart, kStart + microseconds(7)), microseconds(7));
  EXPECT_EQ(idle.after_turn(false, kStart, kStart - seconds(1)).count(), 0);
}

TEST(IdlePolicy, PollingNeverSleeps) {
  IdlePolicy idle(IdleMode::kPoll, microseconds(500));
  for (std::uint32_t i = 0; i < 2 * kSpinTurns; ++i) {
    EXPECT_EQ(idle.after_turn(false, kStart, base::Time::max()).count(), 0);
  }
}

TEST(TokenBucket, AllowsABurstThenTheRate) {
  TokenBucket bucket(1000, 10);
  int taken = 0;
  while (bucket.take(kStart)) ++taken;
  EXPECT_EQ(taken, 10);
  for (int i = 1; i <= 5; ++i) {
    EXPECT_TRUE(bucket.take(kStart + milliseconds(i)));
    EXPECT_FALSE(bucket.take(kStart + milliseconds(i)));
  }
  taken = 0;
  while (bucket.take(kStart + seconds(60))) ++taken;
  EXPECT_EQ(taken, 10) << "credit does not pile up over the burst";
}

TEST(TokenBucket, ZeroIsNoLimitAndTimeMayStandStill) {
  TokenBucket bucket(0, 0);
  for (int i = 0; i < 100000; ++i) ASSERT_TRUE(bucket.take(kStart));
  TokenBucket one(1, 1);
  EXPECT_TRUE(one.take(kStart));
  EXPECT_FALSE(one.take(kStart - seconds(5)));
  EXPECT_FALSE(one.take(kStart));
}

}  // namespace
}  // namespace brink::worker
