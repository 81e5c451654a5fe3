#include <gtest/gtest.h>

#include <deque>
#include <random>
#include <set>
#include <vector>

#include "l7/origin/idle_pool.h"
#include "l7/origin/source_ports.h"

namespace brink::l7::origin {
namespace {

using std::chrono::seconds;

base::Endpoint address_of(std::uint32_t n, std::uint16_t port = 80) {
  return {base::IpAddress::v4(0xc0000200 + n), port};
}
OriginKey endpoint(std::uint32_t n, std::uint16_t port = 80) {
  return {address_of(n, port), 0};
}

class Pool : public ::testing::Test {
 protected:
  IdlePool make(std::uint32_t max_per_origin = 3) {
    return IdlePool(entries_, buckets_, base::HashKey{},
                    {.idle_timeout = seconds(60), .max_per_origin = max_per_origin});
  }
  using Slots = std::vector<std::uint32_t>;
  static Slots expired(IdlePool& pool, base::Time now) {
    Slots out(32);
    out.resize(pool.expire(now, out));
    return out;
  }
  std::vector<IdlePool::Entry> entries_ = std::vector<IdlePool::Entry>(32);
  std::vector<std::uint32_t> buckets_ = std::vector<std::uint32_t>(4);
  base::Time now_ = base::Time(seconds(100));
};

TEST_F(Pool, GivesBackTheWarmestOfThatOriginAndPort) {
  IdlePool pool = make();
  EXPECT_EQ(pool.put(1, endpoint(1), now_), kNone);
  EXPECT_EQ(pool.put(2, endpoint(1), now_ + seconds(1)), kNone);
  EXPECT_EQ(pool.put(3, endpoint(1, 8080), now_ + seconds(2)), kNone);
  EXPECT_EQ(pool.take(endpoint(2), now_, seconds(60)), kNone);
  EXPECT_EQ(pool.take(endpoint(1), now_ + seconds(3), seconds(60)), 2U);
  EXPECT_EQ(pool.take(endpoint(1), now_ + seconds(3), seconds(60)), 1U);
  EXPECT_EQ(pool.take(endpoint(1), now_ + seconds(3), seconds(60)), kNone);
  EXPECT_EQ(pool.size(), 1U);
}

TEST_F(Pool, NeverGivesWhatWasIdleForTooLong) {
  IdlePool pool = make();
  pool.put(1, endpoint(1), now_);
  EXPECT_EQ(pool.take(endpoint(1), now_ + seconds(6), seconds(5)), kNone);
  EXPECT_EQ(pool.take(endpoint(1), now_ + seconds(61), seconds(1000)), kNone);
  EXPECT_EQ(pool.take(endpoint(1), now_ + seconds(60), seconds(1000)), 1U);
}

TEST_F(Pool, EvictsTheOldestOverTheLimitPerOrigin) {
  IdlePool pool = make(2);
  EXPECT_EQ(pool.put(1, endpoint(1), now_), kNone);
  EXPECT_EQ(pool.put(2, endpoint(1), now_), kNone);
  EXPECT_EQ(pool.put(3, endpoint(2), now_), kNone);
  EXPECT_EQ(pool.put(4, endpoint(1), now_), 1U);
  EXPECT_FALSE(pool.is_idle(1));
  EXPECT_EQ(pool.size(), 3U);
}

TEST_F(Pool, ExpiresInOrderOfAge) {
  IdlePool pool = make();
  pool.put(5, endpoint(1), now_);
  pool.put(6, endpoint(2), now_ + seconds(10));
  EXPECT_EQ(expired(pool, now_ + seconds(60)), Slots{});
  EXPECT_EQ(expired(pool, now_ + seconds(61)), Slots{5});
  EXPECT_EQ(expired(pool, now_ + seconds(61)), Slots{});
  EXPECT_EQ(expired(pool, now_ + seconds(71)), Slots{6});
  EXPECT_EQ(pool.evict(), kNone);
}

TEST_F(Pool, ExpiresWhatIsToBeKeptForLess) {
  IdlePool pool = make();
  pool.put(5, endpoint(1), now_);
  pool.put(6, endpoint(1), now_, seconds(2));
  pool.put(7, endpoint(2), now_, seconds(1));
  EXPECT_EQ(pool.take(endpoint(2), now_ + seconds(2), seconds(60)), kNone);
  EXPECT_EQ(expired(pool, now_ + seconds(2)), Slots{7});
  EXPECT_EQ(pool.take(endpoint(1), now_ + seconds(3), seconds(60)), 5U) << "the warmest is too old";
  EXPECT_EQ(expired(pool, now_ + seconds(3)), Slots{6});
}

TEST_F(Pool, ExpiresAsManyAsThereIsRoomFor) {
  IdlePool pool = make(5);
  for (std::uint32_t slot = 0; slot < 5; ++slot) pool.put(slot, endpoint(1), now_);
  std::array<std::uint32_t, 2> out;
  EXPECT_EQ(pool.expire(now_ + seconds(61), out), 2U);
  EXPECT_EQ(pool.expire(now_ + seconds(61), out), 2U);
  EXPECT_EQ(pool.expire(now_ + seconds(61), out), 1U);
  EXPECT_EQ(pool.size(), 0U);
}

TEST_F(Pool, WhatIsForOneClientAloneIsNobodyElses) {
  IdlePool pool = make();
  OriginKey own = endpoint(1);
  own.client = 7;
  OriginKey elsewhere = endpoint(2);
  elsewhere.client = 7;
  OriginKey others = endpoint(1);
  others.client = 8;
  pool.put(1, own, now_);
  pool.put(2, elsewhere, now_);
  pool.put(3, others, now_);
  pool.put(4, endpoint(1), now_);
  EXPECT_EQ(pool.take(endpoint(1), now_, seconds(60)), 4U);
  EXPECT_EQ(pool.take(endpoint(1), now_, seconds(60)), kNone);
  EXPECT_EQ(pool.take(own, now_, seconds(60)), 1U);
  pool.put(1, own, now_);
  std::set<std::uint32_t> evicted = {pool.evict_of(7), pool.evict_of(7)};
  EXPECT_EQ(evicted, (std::set<std::uint32_t>{1, 2}));
  EXPECT_EQ(pool.evict_of(7), kNone);
  EXPECT_EQ(pool.take(others, now_, seconds(60)), 3U);
}

TEST_F(Pool, EvictsTheOldestAtAnAddress) {
  IdlePool pool = make();
  OriginKey secured = endpoint(1);
  secured.security = 5;
  pool.put(1, endpoint(2), now_);
  pool.put(2, secured, now_);
  pool.put(3, endpoint(1), now_);
  EXPECT_EQ(pool.evict_at(address_of(1)), 2U);
  EXPECT_EQ(pool.evict_at(address_of(1)), 3U);
  EXPECT_EQ(pool.evict_at(address_of(1)), kNone);
}

// Against a model: random operations, links must stay sound.
TEST_F(Pool, AgreesWithAModelOverRandomOperations) {
  IdlePool pool = make(3);
  std::deque<std::uint32_t> by_age;  // slots, oldest first
  std::mt19937 random(20);
  std::vector<std::uint32_t> origin_of(entries_.size());
  for (int step = 0; step < 20000; ++step) {
    now_ += std::chrono::milliseconds(1);
    const auto slot = static_cast<std::uint32_t>(random() % entries_.size());
    const auto o = static_cast<std::uint32_t>(random() % 5);
    switch (random() % 4) {
      case 0: {
        if (pool.is_idle(slot)) break;
        origin_of[slot] = o;
        by_age.push_back(slot);
        const std::uint32_t out = pool.put(slot, endpoint(o), now_);
        std::vector<std::uint32_t> same;
        for (const std::uint32_t s : by_age) {
          if (origin_of[s] == o) same.push_back(s);
        }
        ASSERT_EQ(out, same.size() > 3 ? same.front() : kNone);
        if (out != kNone) std::erase(by_age, out);
        break;
      }
      case 1: {
        std::uint32_t expected = kNone;
        for (const std::uint32_t s : by_age) {
          if (origin_of[s] == o) expected = s;
        }
        ASSERT_EQ(pool.take(endpoint(o), now_, seconds(60)), expected);
        if (expected != kNone) std::erase(by_age, expected);
        break;
      }
      case 2:
        ASSERT_EQ(pool.is_idle(slot), std::erase(by_age, slot) == 1);
        pool.remove(slot);
        break;
      default:
        if (random() % 8 != 0) break;
        ASSERT_EQ(pool.evict(), by_age.empty() ? kNone : by_age.front());
        if (!by_age.empty()) by_age.pop_front();
        break;
    }
    ASSERT_EQ(pool.size(), by_age.size());
  }
}

TEST(SourcePorts, WalksTheWholeRangeBeforeAPortComesAgain) {
  SourcePorts ports(20000, 100, base::HashKey{});
  std::set<std::uint16_t> seen;
  for (int i = 0; i < 100; ++i) {
    const std::uint16_t port = ports.next(address_of(9).address, address_of(1));
    EXPECT_GE(port, 20000);
    EXPECT_LT(port, 20100);
    EXPECT_TRUE(seen.insert(port).second);
  }
}

TEST(SourcePorts, StartDependsOnTheSecret) {
  base::HashKey key;
  key.bytes[0] = 1;
  SourcePorts a(1024, 60000, base::HashKey{});
  SourcePorts b(1024, 60000, key);
  EXPECT_NE(a.next(address_of(9).address, address_of(1)),
            b.next(address_of(9).address, address_of(1)));
}

}  // namespace
}  // namespace brink::l7::origin
