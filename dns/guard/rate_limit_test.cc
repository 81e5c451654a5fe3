#include "dns/guard/rate_limit.h"

#include <gtest/gtest.h>

#include <map>
#include <string>

namespace brink::dns::guard {
namespace {

constexpr std::uint32_t kNow = 1'700'000'000;

RateLimiterOptions options(std::uint16_t rate, std::uint16_t slip = 2) {
  RateLimiterOptions made;
  made.answers_per_second = rate;
  made.slip = slip;
  made.lines = 1024;
  return made;
}

base::IpAddress address(const std::string& text) {
  return *base::IpAddress::parse(text);
}

std::map<RateVerdict, int> ask(RateLimiter& limiter, const std::string& client, int times,
                               std::uint32_t now = kNow, std::uint64_t name = 7,
                               AnswerKind kind = AnswerKind::kData) {
  std::map<RateVerdict, int> verdicts;
  for (int i = 0; i < times; ++i) {
    ++verdicts[limiter.check(address(client), kind, name, now).verdict];
  }
  return verdicts;
}

TEST(RateLimiter, SendsSoManyASecondAndSlipsSome) {
  RateLimiter limiter(options(100, 4));
  for (const std::uint32_t second : {kNow, kNow + 1, kNow + 60}) {
    auto verdicts = ask(limiter, "198.51.100.1", 500, second);
    EXPECT_EQ(verdicts[RateVerdict::kSend], 100);
    EXPECT_EQ(verdicts[RateVerdict::kSlip], 100);
    EXPECT_EQ(verdicts[RateVerdict::kDrop], 300);
  }
}

TEST(RateLimiter, SlipsAllOrNone) {
  RateLimiter all(options(1, 1));
  EXPECT_EQ(ask(all, "198.51.100.1", 11)[RateVerdict::kSlip], 10);
  RateLimiter none(options(1, 0));
  EXPECT_EQ(ask(none, "198.51.100.1", 11)[RateVerdict::kDrop], 10);
}

TEST(RateLimiter, CountsNetworksNotAddresses) {
  RateLimiter limiter(options(10, 0));
  EXPECT_EQ(ask(limiter, "198.51.100.1", 10)[RateVerdict::kSend], 10);
  EXPECT_EQ(ask(limiter, "198.51.100.254", 1)[RateVerdict::kDrop], 1);
  EXPECT_EQ(ask(limiter, "198.51.101.1", 1)[RateVerdict::kSend], 1);
  EXPECT_EQ(ask(limiter, "2001:db8:0:ff01::1", 10)[RateVerdict::kSend], 10);
  EXPECT_EQ(ask(limiter, "2001:db8:0:ffff:1::9", 1)[RateVerdict::kDrop], 1);
  EXPECT_EQ(ask(limiter, "2001:db8:1:ff01::1", 1)[RateVerdict::kSend], 1);
}

TEST(RateLimiter, CountsKindsAndNamesApart) {
  RateLimiter limiter(options(10, 0));
  ask(limiter, "198.51.100.1", 20);
  EXPECT_EQ(ask(limiter, "198.51.100.1", 1, kNow, 8)[RateVerdict::kSend], 1);
  EXPECT_EQ(ask(limiter, "198.51.100.1", 1, kNow, 7, AnswerKind::kNxDomain)[RateVerdict::kSend], 1);
}

// More networks than there is room for are let through sooner, never later.
TEST(RateLimiter, ForgetsTheOldestWhenThereAreTooMany) {
  RateLimiterOptions small = options(1, 0);
  small.lines = 1;
  RateLimiter limiter(small);
  for (int i = 0; i < 8; ++i) {
    const std::string client = "198.51." + std::to_string(i) + ".1";
    ask(limiter, client, 1, kNow + static_cast<std::uint32_t>(i));
  }
  EXPECT_EQ(ask(limiter, "203.0.113.1", 1, kNow + 7)[RateVerdict::kSend], 1);
  EXPECT_EQ(ask(limiter, "198.51.7.1", 1, kNow + 7)[RateVerdict::kDrop], 1) << "not the newest";
}

// One answer a name, as a random-subdomain flood over many zones asks for.
std::map<RateLimit, int> flood(RateLimiter& limiter, const std::string& network, int times,
                               AnswerKind kind, std::uint32_t now = kNow) {
  std::map<RateLimit, int> limits;
  for (int i = 0; i < times; ++i) {
    const std::string client = network + std::to_string(i % 200);
    const auto name = static_cast<std::uint64_t>(i) * 7919;
    ++limits[limiter.check(address(client), kind, name, now).limit];
  }
  return limits;
}

TEST(RateLimiter, ANetworkHasACeilingOfAllItsAnswers) {
  RateLimiterOptions ceiling = options(5, 0);
  ceiling.source_per_second = 50;
  RateLimiter limiter(ceiling);
  auto limits = flood(limiter, "198.51.100.", 80, AnswerKind::kData);
  EXPECT_EQ(limits[RateLimit::kNone], 50);
  EXPECT_EQ(limits[RateLimit::kSource], 30);
  EXPECT_EQ(flood(limiter, "198.51.101.", 50, AnswerKind::kData)[RateLimit::kNone], 50);
  EXPECT_EQ(flood(limiter, "198.51.100.", 50, AnswerKind::kData, kNow + 1)[RateLimit::kNone], 50);
}

// What is over the limit of its kind takes nothing from the network's other answers.
TEST(RateLimiter, LikeAnswersDoNotFillTheNetworksCeiling) {
  RateLimiterOptions ceiling = options(5, 0);
  ceiling.source_per_second = 10;
  RateLimiter limiter(ceiling);
  ask(limiter, "198.51.100.1", 100);
  EXPECT_EQ(ask(limiter, "198.51.100.1", 5, kNow, 8)[RateVerdict::kSend], 5);
  EXPECT_EQ(ask(limiter, "198.51.100.1", 1, kNow, 9)[RateVerdict::kDrop], 1);
}

TEST(RateLimiter, NegativeAnswersHaveACeilingThatOthersDoNotFeel) {
  RateLimiterOptions ceiling = options(0, 2);
  ceiling.negative_per_second = 100;
  RateLimiter limiter(ceiling);
  auto limits = flood(limiter, "198.51.100.", 150, AnswerKind::kNxDomain);
  EXPECT_EQ(limits[RateLimit::kNone], 100);
  EXPECT_EQ(limits[RateLimit::kNegative], 50);
  EXPECT_EQ(flood(limiter, "203.0.113.", 10, AnswerKind::kNoData)[RateLimit::kNegative], 10);
  EXPECT_EQ(flood(limiter, "203.0.113.", 5000, AnswerKind::kData)[RateLimit::kNone], 5000);
  EXPECT_EQ(flood(limiter, "203.0.113.", 5000, AnswerKind::kReferral)[RateLimit::kNone], 5000);
  EXPECT_EQ(flood(limiter, "203.0.113.", 1, AnswerKind::kNxDomain, kNow + 1)[RateLimit::kNone], 1);
}

TEST(RateLimiter, NothingSlipsAboveTheCeilingOfAll) {
  RateLimiterOptions ceiling = options(0, 1);
  ceiling.total_per_second = 100;
  ceiling.exempt = {*base::IpPrefix::parse("203.0.113.0/24")};
  RateLimiter limiter(ceiling);
  for (int i = 0; i < 100; ++i) {
    const auto kind = i % 2 == 0 ? AnswerKind::kData : AnswerKind::kNoData;
    EXPECT_EQ(ask(limiter, "198.51.100.1", 1, kNow, 7, kind)[RateVerdict::kSend], 1);
  }
  EXPECT_EQ(ask(limiter, "198.51.100.1", 10)[RateVerdict::kDrop], 10);
  EXPECT_EQ(ask(limiter, "192.0.2.77", 10)[RateVerdict::kDrop], 10);
  EXPECT_EQ(ask(limiter, "203.0.113.5", 10)[RateVerdict::kSend], 10) << "never limited";
  EXPECT_EQ(ask(limiter, "192.0.2.77", 10, kNow + 1)[RateVerdict::kSend], 10);
}

}  // namespace
}  // namespace brink::dns::guard
