#include "l7/balancer/balancer.h"

#include <gtest/gtest.h>

#include <set>

namespace brink::l7::balancer {
namespace {

using std::chrono::seconds;

base::Endpoint origin(std::uint32_t n) {
  return {base::IpAddress::v4(0xc0000200 + n), 80};
}

class Balancer : public ::testing::Test {
 protected:
  base::Time now_ = base::Time(seconds(1000));
  PassiveHealth health_{base::HashKey{}, seconds(10)};
  const std::array<base::Endpoint, 3> origins_ = {origin(1), origin(2), origin(3)};
};

TEST_F(Balancer, SpreadsByTheRandomStart) {
  std::set<std::size_t> seen;
  for (std::uint64_t r = 0; r < 3; ++r) seen.insert(choose_origin(origins_, 0, r, health_, now_));
  EXPECT_EQ(seen.size(), 3U);
}

TEST_F(Balancer, SkipsTriedOnesAndGivesUpWhenAllWereTried) {
  EXPECT_EQ(choose_origin(origins_, 0b001, 0, health_, now_), 1U);
  EXPECT_EQ(choose_origin(origins_, 0b011, 0, health_, now_), 2U);
  EXPECT_EQ(choose_origin(origins_, 0b111, 0, health_, now_), kNoOrigin);
  EXPECT_EQ(choose_origin({}, 0, 0, health_, now_), kNoOrigin);
}

TEST_F(Balancer, AvoidsASuspectUntilItExpires) {
  health_.report_failure(origin(1), now_);
  EXPECT_EQ(choose_origin(origins_, 0, 0, health_, now_), 1U);
  EXPECT_EQ(choose_origin(origins_, 0, 0, health_, now_ + seconds(9)), 1U);
  EXPECT_EQ(choose_origin(origins_, 0, 0, health_, now_ + seconds(10)), 0U);
}

TEST_F(Balancer, SuccessClearsASuspect) {
  health_.report_failure(origin(1), now_);
  health_.report_success(origin(1));
  EXPECT_FALSE(health_.is_suspect(origin(1), now_));
}

TEST_F(Balancer, UsesASuspectWhenNothingElseIsLeft) {
  for (std::uint32_t i = 1; i <= 3; ++i) health_.report_failure(origin(i), now_);
  EXPECT_EQ(choose_origin(origins_, 0, 2, health_, now_), 2U);
  EXPECT_EQ(choose_origin(origins_, 0b100, 2, health_, now_), 0U);
}

TEST_F(Balancer, PortsAreDifferentOrigins) {
  health_.report_failure(origin(1), now_);
  base::Endpoint other = origin(1);
  other.port = 8080;
  EXPECT_FALSE(health_.is_suspect(other, now_));
}

TEST_F(Balancer, TableForgetsTheOldestOverItsCapacity) {
  const std::uint32_t many = kHealthSets * kHealthWays * 4;
  for (std::uint32_t i = 0; i < many; ++i) {
    health_.report_failure(origin(i), now_ + std::chrono::milliseconds(i));
  }
  std::uint32_t known = 0;
  for (std::uint32_t i = 0; i < many; ++i) {
    known += health_.is_suspect(origin(i), now_ + std::chrono::milliseconds(many)) ? 1 : 0;
  }
  EXPECT_LE(known, kHealthSets * kHealthWays);
  EXPECT_TRUE(health_.is_suspect(origin(many - 1), now_ + std::chrono::milliseconds(many)));
}

}  // namespace
}  // namespace brink::l7::balancer
