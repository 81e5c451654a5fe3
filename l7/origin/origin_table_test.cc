// What is known of an origin address: budget, circuit, idle time, and the table of all of them.
#include "l7/origin/origin_table.h"

#include <gtest/gtest.h>

#include <vector>

namespace brink::l7::origin {
namespace {

using std::chrono::milliseconds;
using std::chrono::minutes;
using std::chrono::seconds;

constexpr base::Time kStart = base::Time(seconds(1000));

base::Endpoint address_of(std::uint32_t n) {
  return {base::IpAddress::v4(0xcb007100 + n), 80};
}

// ---- retries ----

int take_all(RetryBudget& budget, const RetrySettings& settings, base::Time now) {
  int taken = 0;
  while (taken < 10'000 && budget.take(settings, now)) ++taken;
  return taken;
}

TEST(Retries, AreAShareOfTheRequestsAboveAFloor) {
  const RetrySettings settings{.percent = 20, .floor = 3};
  RetryBudget budget;
  for (int i = 0; i < 100; ++i) budget.note_request(settings, kStart);
  EXPECT_EQ(take_all(budget, settings, kStart), 23);
  RetryBudget few;
  EXPECT_EQ(take_all(few, settings, kStart), 3);
}

TEST(Retries, OfAWindowThatHasPassedAreForgotten) {
  const RetrySettings settings{.percent = 0, .floor = 10, .window = seconds(10)};
  RetryBudget budget;
  EXPECT_EQ(take_all(budget, settings, kStart), 10);
  EXPECT_EQ(take_all(budget, settings, kStart + seconds(9)), 0);
  EXPECT_EQ(take_all(budget, settings, kStart + seconds(15)), 5) << "half of the window is past";
  EXPECT_EQ(take_all(budget, settings, kStart + seconds(60)), 10);
}

TEST(Retries, CanBeForbidden) {
  const RetrySettings settings{.percent = 0, .floor = 0};
  RetryBudget budget;
  budget.note_request(settings, kStart);
  EXPECT_FALSE(budget.take(settings, kStart));
}

// ---- circuits ----

TEST(CircuitTest, OpensAfterFailuresInARow) {
  const CircuitSettings settings{.failures = 3};
  Circuit circuit;
  EXPECT_FALSE(circuit.report_failure(settings, 1, kStart));
  EXPECT_FALSE(circuit.report_failure(settings, 1, kStart));
  circuit.report_success();
  EXPECT_FALSE(circuit.report_failure(settings, 1, kStart));
  EXPECT_FALSE(circuit.report_failure(settings, 1, kStart));
  EXPECT_TRUE(circuit.admit(settings, kStart));
  EXPECT_TRUE(circuit.report_failure(settings, 7, kStart));
  EXPECT_FALSE(circuit.admit(settings, kStart));
  EXPECT_EQ(circuit.reason(), 7);
  EXPECT_FALSE(circuit.report_failure(settings, 1, kStart)) << "it has opened only once";
}

TEST(CircuitTest, LetsOneProbeThroughAndClosesByASuccess) {
  const CircuitSettings settings{
      .failures = 1, .open_first = seconds(1), .open_max = seconds(4), .probe_wait = seconds(3)};
  Circuit circuit;
  base::Time now = kStart;
  for (const int open_s : {1, 2, 4, 4}) {
    circuit.report_failure(settings, 1, now);
    EXPECT_FALSE(circuit.admit(settings, now + seconds(open_s) - milliseconds(1))) << open_s;
    now += seconds(open_s);
    EXPECT_TRUE(circuit.admit(settings, now)) << open_s;
    EXPECT_FALSE(circuit.admit(settings, now)) << "a probe is on its way";
  }
  EXPECT_TRUE(circuit.admit(settings, now + seconds(3))) << "nothing was heard of it";
  circuit.report_success();
  EXPECT_TRUE(circuit.admit(settings, now));
  EXPECT_TRUE(circuit.admit(settings, now));
  circuit.report_failure(settings, 1, now);
  EXPECT_TRUE(circuit.admit(settings, now + seconds(1))) << "it begins anew";
}

TEST(CircuitTest, CanBeSwitchedOff) {
  const CircuitSettings settings{.failures = 0};
  Circuit circuit;
  for (int i = 0; i < 1000; ++i) EXPECT_FALSE(circuit.report_failure(settings, 1, kStart));
  EXPECT_TRUE(circuit.admit(settings, kStart));
}

// ---- idle times ----

TEST(Idle, IsUnknownAtFirst) {
  EXPECT_EQ(IdleEstimate().usable(kStart), base::Duration::max());
}

TEST(Idle, IsFourFifthsOfWhatTheOriginClosedAfter) {
  IdleEstimate idle;
  idle.note_closed(seconds(2), kStart);
  EXPECT_EQ(idle.usable(kStart), milliseconds(1600));
  idle.note_closed(seconds(5), kStart);
  EXPECT_EQ(idle.usable(kStart), milliseconds(1600));
  idle.note_closed(seconds(1), kStart);
  EXPECT_EQ(idle.usable(kStart), milliseconds(800));
}

TEST(Idle, OneCloseIsBelievedForLessThanTwo) {
  IdleEstimate one;
  one.note_closed(seconds(2), kStart);
  EXPECT_EQ(one.usable(kStart + minutes(1)), base::Duration::max());
  IdleEstimate two;
  two.note_closed(seconds(2), kStart);
  two.note_closed(seconds(2) + milliseconds(30), kStart);
  EXPECT_EQ(two.usable(kStart + minutes(9)), milliseconds(1600));
  EXPECT_EQ(two.usable(kStart + minutes(10)), base::Duration::max());
  IdleEstimate apart;
  apart.note_closed(seconds(2), kStart);
  apart.note_closed(seconds(3), kStart);
  EXPECT_EQ(apart.usable(kStart + minutes(1)), base::Duration::max());
}

TEST(Idle, ACloseBehindAResponseIsNoTimeout) {
  IdleEstimate idle;
  idle.note_closed(milliseconds(100), kStart);
  EXPECT_EQ(idle.usable(kStart), base::Duration::max());
  idle.note_closed(milliseconds(500), kStart);
  EXPECT_EQ(idle.usable(kStart), milliseconds(400));
}

TEST(Idle, WhatTheOriginSaysCounts) {
  IdleEstimate idle;
  idle.note_stated(seconds(5), kStart);
  EXPECT_EQ(idle.usable(kStart), seconds(4));
  idle.note_closed(seconds(1), kStart);
  EXPECT_EQ(idle.usable(kStart), milliseconds(800));
  idle.note_stated(seconds(0), kStart);
  EXPECT_EQ(idle.usable(kStart), seconds(0));
}

TEST(Idle, ReadsKeepAlive) {
  EXPECT_EQ(keep_alive_timeout("timeout=5"), seconds(5));
  EXPECT_EQ(keep_alive_timeout("max=100, Timeout = 15"), seconds(15));
  EXPECT_EQ(keep_alive_timeout("timeout=0, max=1"), seconds(0));
  for (const char* none : {"", "max=5", "timeout", "timeout=", "timeout=-1", "timeout=5s",
                           "timeout=99999999999", "xtimeout=5", ",,="}) {
    EXPECT_EQ(keep_alive_timeout(none), std::nullopt) << none;
  }
}

// ---- the table ----

class Table : public ::testing::Test {
 protected:
  std::vector<OriginRecord> records_ = std::vector<OriginRecord>(OriginTable::record_count(1));
  OriginTable table_{records_, base::HashKey{}};
};

TEST_F(Table, RemembersAnAddress) {
  const std::uint32_t one = table_.find(address_of(1), kStart);
  const std::uint32_t two = table_.find(address_of(2), kStart);
  ASSERT_NE(one, kNone);
  EXPECT_NE(one, two);
  table_[one].requests = 5;
  EXPECT_EQ(table_.find(address_of(1), kStart), one);
  EXPECT_EQ(table_[one].requests, 5U);
  EXPECT_EQ(table_[two].requests, 0U);
}

TEST_F(Table, ForgetsWhatNothingGoesOnWith) {
  for (std::uint32_t n = 0; n < 1000; ++n) {
    const std::uint32_t index = table_.find(address_of(n), kStart + seconds(n));
    ASSERT_NE(index, kNone);
    EXPECT_EQ(table_[index].circuit.reason(), 0) << "of another";
    table_[index].circuit.report_failure({}, 9, kStart);
  }
}

TEST_F(Table, KeepsWhatSomethingGoesOnWith) {
  std::uint32_t made = 0, refused = 0;
  for (std::uint32_t n = 0; n < 1000; ++n) {
    const std::uint32_t index = table_.find(address_of(n), kStart);
    if (index == kNone) {
      ++refused;
      continue;
    }
    ++made;
    table_[index].connections = 1;
  }
  EXPECT_EQ(made, records_.size());
  EXPECT_EQ(refused, 1000 - made);
  records_[3].connections = 0;
  const base::Endpoint left = records_[3].endpoint;
  std::uint32_t index = kNone;
  for (std::uint32_t n = 1000; index == kNone && n < 2000; ++n) {
    index = table_.find(address_of(n), kStart);
  }
  EXPECT_EQ(index, 3U);
  EXPECT_NE(records_[3].endpoint, left);
}

}  // namespace
}  // namespace brink::l7::origin
