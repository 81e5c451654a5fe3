#include "dataplane/base/prefix_rates.h"

#include <gtest/gtest.h>

namespace brink::base {
namespace {

IpAddress ip(const char* text) {
  return *IpAddress::parse(text);
}

constexpr PrefixRates::Subject kAny{};

int taken(PrefixRates& rates, const char* client, Rate rate, std::uint32_t second, int tries) {
  int count = 0;
  for (int i = 0; i < tries; ++i) count += rates.take(ip(client), kAny, rate, second);
  return count;
}

TEST(PrefixRates, ABurstIsOutAtOnceAndComesBackByTheSecond) {
  PrefixRates rates({.lines = 16});
  const Rate rate{.per_second = 5, .burst = 20};
  EXPECT_EQ(taken(rates, "192.0.2.1", rate, 100, 50), 20);
  EXPECT_EQ(taken(rates, "192.0.2.1", rate, 100, 50), 0);
  EXPECT_EQ(taken(rates, "192.0.2.1", rate, 101, 50), 5);
  EXPECT_EQ(taken(rates, "192.0.2.1", rate, 103, 50), 10);
  EXPECT_EQ(taken(rates, "192.0.2.1", rate, 200, 50), 20) << "no more than a burst gathers";
}

TEST(PrefixRates, ANetworkIsOneAndOthersDoNotFeelIt) {
  PrefixRates rates({.lines = 16});
  const Rate rate{.per_second = 5, .burst = 5};
  EXPECT_EQ(taken(rates, "192.0.2.1", rate, 100, 50), 5);
  EXPECT_EQ(taken(rates, "192.0.2.254", rate, 100, 50), 0) << "the same /24";
  EXPECT_EQ(taken(rates, "192.0.3.1", rate, 100, 50), 5);
  EXPECT_EQ(taken(rates, "2001:db8:0:1::1", rate, 100, 50), 5);
  EXPECT_EQ(taken(rates, "2001:db8:0:ff::2", rate, 100, 50), 0) << "the same /56";
  EXPECT_EQ(taken(rates, "2001:db8:0:100::1", rate, 100, 50), 5);
}

TEST(PrefixRates, WhatWasTakenNeedlesslyIsGivenBack) {
  PrefixRates rates({.lines = 16});
  const Rate rate{.per_second = 4, .burst = 8};
  ASSERT_TRUE(rates.take(ip("192.0.2.1"), kAny, rate, 1, 4));
  ASSERT_TRUE(rates.take(ip("192.0.2.1"), kAny, rate, 1, 4));
  EXPECT_FALSE(rates.take(ip("192.0.2.1"), kAny, rate, 1, 1));
  rates.give_back(ip("192.0.2.9"), kAny, 3);
  EXPECT_FALSE(rates.take(ip("192.0.2.1"), kAny, rate, 1, 4));
  EXPECT_TRUE(rates.take(ip("192.0.2.1"), kAny, rate, 1, 3));
  rates.give_back(ip("192.0.2.1"), kAny, 1000);
  EXPECT_TRUE(rates.take(ip("192.0.2.1"), kAny, rate, 1, 8)) << "never more than was out";
  EXPECT_FALSE(rates.take(ip("192.0.2.1"), kAny, rate, 1, 1));
  rates.give_back(ip("198.51.100.1"), kAny, 8);  // a stranger
  EXPECT_FALSE(rates.take(ip("192.0.2.1"), kAny, rate, 1, 1));
}

TEST(PrefixRates, SubjectsAreCountedApart) {
  PrefixRates rates({.lines = 16});
  const Rate rate{.per_second = 1, .burst = 1};
  EXPECT_TRUE(rates.take(ip("192.0.2.1"), {.number = 1}, rate, 1));
  EXPECT_TRUE(rates.take(ip("192.0.2.1"), {.number = 2}, rate, 1));
  EXPECT_TRUE(rates.take(ip("192.0.2.1"), {.number = 1, .kind = 1}, rate, 1));
  EXPECT_FALSE(rates.take(ip("192.0.2.1"), {.number = 1}, rate, 1));
}

TEST(PrefixRates, ManyNetworksTakeNoMoreMemory) {
  PrefixRates rates({.lines = 1});
  const Rate rate{.per_second = 1, .burst = 1};
  EXPECT_FALSE(taken(rates, "192.0.2.1", rate, 1, 2) == 2);
  for (int i = 0; i < 8; ++i) {
    const std::string other = "198.51." + std::to_string(i) + ".1";
    EXPECT_EQ(taken(rates, other.c_str(), rate, 2, 2), 1) << other;
  }
  EXPECT_TRUE(rates.take(ip("192.0.2.1"), kAny, rate, 2)) << "forgotten: let through";
}

}  // namespace
}  // namespace brink::base
