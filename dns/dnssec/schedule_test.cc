#include "dns/dnssec/schedule.h"

#include <gtest/gtest.h>

#include <array>
#include <random>
#include <string>

namespace brink::dns::dnssec {
namespace {

Wire host(int number) {
  const std::string label = "host" + std::to_string(number);
  return static_cast<char>(label.size()) + label + Wire("\7example\3com\0", 13);
}

// A keeper that sweeps at random moments, and a cache that takes the last copy at the worst one.
TEST(Schedule, NoCacheEverHoldsAnExpiredSignature) {
  std::mt19937_64 random(11);
  const auto below = [&](std::uint32_t bound) {
    return static_cast<std::uint32_t>(random() % bound);
  };
  int policies = 0;
  while (policies < 300) {
    const std::uint32_t sweep = 1 + below(20'000), ttl = below(100'000);
    SignaturePolicy policy;
    policy.period_s = 1 + below(800'000);
    policy.jitter_s = below(policy.period_s + 1);
    policy.early_s = below(10'000);
    policy.validity_s = policy.period_s + sweep + ttl + below(3);
    if (!check_policy(policy, sweep, ttl).ok()) continue;
    ++policies;
    const Wire owner = host(static_cast<int>(below(1'000'000)));
    UnixTime swept = 1'700'000'000 + below(1'000'000);
    Validity served = validity_at(policy, owner, swept);
    for (int i = 0; i < 200; ++i) {
      const UnixTime now = swept + 1 + below(sweep);  // at most `sweep` later
      // Until this sweep the old one was served; caches keep it on.
      EXPECT_LE(now + ttl, served.expiration);
      if (slot_ended(policy, owner, swept, now)) served = validity_at(policy, owner, now);
      EXPECT_EQ(served, validity_at(policy, owner, now));
      EXPECT_LE(served.inception + policy.early_s, now);
      swept = now;
    }
  }
}

TEST(Schedule, APolicyThatLeavesTooLittleIsRefused) {
  SignaturePolicy policy;
  EXPECT_TRUE(check_policy(policy, 3'600, 86'400).ok());
  const auto fault = [](const SignaturePolicy& bad, std::uint32_t ttl) {
    const auto result = check_policy(bad, 3'600, ttl);
    return result.ok() ? std::string() : result.error().message();
  };
  EXPECT_NE(fault(policy, 8 * 86'400).find("signature validity"), std::string::npos);
  policy.jitter_s = policy.period_s + 1;
  EXPECT_NE(fault(policy, 0).find("jitter"), std::string::npos);
  policy = {};
  policy.period_s = 0;
  EXPECT_NE(fault(policy, 0).find("period"), std::string::npos);
  policy = {};
  policy.validity_s = 0x7fffffff;
  EXPECT_NE(fault(policy, 0).find("34 years"), std::string::npos);
}

TEST(Schedule, SlotsMeetWithoutGapOrOverlap) {
  const SignaturePolicy policy;
  for (int i = 0; i < 1'000; ++i) {
    const UnixTime now = 1'700'000'000 + i * 7'919;
    const UnixTime begin = slot_begin(policy, host(i), now), end = slot_end(policy, host(i), now);
    EXPECT_LE(begin, now);
    EXPECT_LT(now, end);
    EXPECT_EQ(slot_begin(policy, host(i), end), end);
    EXPECT_EQ(slot_begin(policy, host(i), end - 1), begin);
    EXPECT_FALSE(slot_ended(policy, host(i), begin, end - 1));
    EXPECT_TRUE(slot_ended(policy, host(i), end - 1, end));
    EXPECT_TRUE(slot_ended(policy, host(i), begin, now + 10LL * policy.period_s));
    EXPECT_FALSE(slot_ended(policy, host(i), end, begin));
  }
}

TEST(Schedule, NamesAreSpreadEvenlyOverThePeriod) {
  const SignaturePolicy policy;
  const UnixTime start = 1'700'000'000;
  std::array<int, 7> days{};
  for (int i = 0; i < 70'000; ++i) {
    for (std::size_t day = 0; day < days.size(); ++day) {
      const UnixTime morning = start + static_cast<UnixTime>(day) * 86'400;
      if (slot_ended(policy, host(i), morning, morning + 86'400)) ++days[day];
    }
  }
  for (const int count : days) {
    EXPECT_GT(count, 9'500);
    EXPECT_LT(count, 10'500);
  }
}

TEST(Schedule, WithoutJitterAllNamesGoTogether) {
  SignaturePolicy policy;
  policy.jitter_s = 0;
  EXPECT_EQ(slot_begin(policy, host(1), 1'700'000'000), slot_begin(policy, host(2), 1'700'000'000));
}

TEST(Schedule, TimesBeforeTheEpochHaveSlotsToo) {
  const SignaturePolicy policy;
  for (UnixTime now : {-1, 0, 1, -700'000}) {
    EXPECT_LE(slot_begin(policy, host(1), now), now);
    EXPECT_LT(now, slot_end(policy, host(1), now));
  }
}

}  // namespace
}  // namespace brink::dns::dnssec
