#include "ctl/model/activation.h"

#include <gtest/gtest.h>

namespace brink::ctl::model {
namespace {

constexpr std::int64_t kSecond = 1'000'000;

std::vector<DomainName> names(const std::vector<std::string>& texts) {
  std::vector<DomainName> list;
  for (const auto& text : texts) list.push_back(DomainName::parse(text).value());
  return list;
}

const DelegationFound kRight{names({"ns1.brink.test", "ns2.brink.test"}), {}};
const DelegationFound kOthers{names({"ns.elsewhere.test"}), {}};
const DelegationFound kSome{names({"ns1.brink.test"}), {}};
const DelegationFound kNone{names({}), {}};
const DelegationFound kUnknown{std::nullopt, "timeout"};

class ActivationTest : public ::testing::Test {
 protected:
  ActivationTest() { rules_.name_servers = names({"ns2.brink.test", "ns1.brink.test"}); }
  // Checks when the next check is due; returns the status.
  ZoneStatus check(const DelegationFound& found) {
    now_ = std::max(now_, activation_.next_on);
    status_ = judge(rules_, status_, found, now_, activation_);
    return status_;
  }
  std::int64_t pause_s() { return (activation_.next_on.micros - now_.micros) / kSecond; }

  ActivationRules rules_;
  Activation activation_;
  ZoneStatus status_ = ZoneStatus::kPending;
  Timestamp now_{kSecond};
};

TEST_F(ActivationTest, PendingBecomesActiveWhenTheDelegationIsRight) {
  EXPECT_EQ(check(kNone), ZoneStatus::kPending);
  EXPECT_EQ(check(kOthers), ZoneStatus::kPending);
  EXPECT_EQ(check(kSome), ZoneStatus::kPending);
  EXPECT_EQ(check(kUnknown), ZoneStatus::kPending);
  EXPECT_EQ(check(kRight), ZoneStatus::kActive);
  EXPECT_EQ(activation_.result, "the parent delegates the zone to its name servers");
}

TEST_F(ActivationTest, ServersOfOtherProvidersBesideOurs) {
  DelegationFound more = kRight;
  more.servers->push_back(DomainName::parse("ns3.elsewhere.test").value());
  EXPECT_EQ(check(more), ZoneStatus::kPending);
  rules_.others_too = true;
  EXPECT_EQ(check(kSome), ZoneStatus::kPending);
  EXPECT_EQ(check(kNone), ZoneStatus::kPending);
  EXPECT_EQ(check(more), ZoneStatus::kActive);
}

TEST_F(ActivationTest, ChecksComeAtGrowingIntervals) {
  std::vector<std::int64_t> pauses;
  for (int i = 0; i < 11; ++i) {
    check(kNone);
    pauses.push_back(pause_s());
  }
  EXPECT_EQ(pauses, (std::vector<std::int64_t>{60, 120, 240, 480, 960, 1920, 3840, 7680, 15360,
                                               21600, 21600}));
  check(kRight);
  EXPECT_EQ(pause_s(), 60);
  check(kRight);
  EXPECT_EQ(pause_s(), 21600);
}

TEST_F(ActivationTest, ActiveMovesAfterSeveralFailuresAndComesBack) {
  check(kRight);
  check(kRight);
  EXPECT_EQ(check(kOthers), ZoneStatus::kActive);
  EXPECT_EQ(pause_s(), 60);
  EXPECT_EQ(check(kNone), ZoneStatus::kActive);
  EXPECT_EQ(check(kUnknown), ZoneStatus::kActive);
  EXPECT_EQ(check(kOthers), ZoneStatus::kActive);
  EXPECT_EQ(check(kOthers), ZoneStatus::kMoved);
  EXPECT_EQ(check(kRight), ZoneStatus::kActive);
}

TEST_F(ActivationTest, OneGoodCheckForgivesFailures) {
  check(kRight);
  for (int i = 0; i < 10; ++i) {
    for (int k = 0; k < 3; ++k) EXPECT_EQ(check(kOthers), ZoneStatus::kActive);
    EXPECT_EQ(check(kRight), ZoneStatus::kActive);
  }
}

TEST_F(ActivationTest, SilenceNeverMovesAZone) {
  check(kRight);
  for (int i = 0; i < 100; ++i) ASSERT_EQ(check(kUnknown), ZoneStatus::kActive);
  EXPECT_EQ(activation_.result, "not known: timeout");
}

TEST_F(ActivationTest, WhatAnOperatorVouchesForStaysUntilACheckAgrees) {
  status_ = ZoneStatus::kActive;
  activation_.forced = true;
  for (int i = 0; i < 20; ++i) ASSERT_EQ(check(kNone), ZoneStatus::kActive);
  EXPECT_TRUE(activation_.forced);
  check(kRight);
  EXPECT_FALSE(activation_.forced);
}

}  // namespace
}  // namespace brink::ctl::model
