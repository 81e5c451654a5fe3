// Every name of every signed zone is signed anew in time, whatever the pieces, and no other.
#include "ctl/dnssec/sweep.h"

#include <set>

#include "ctl/dnssec/dnssec_fixture.h"
#include "ctl/store/history.h"

namespace brink::ctl::dnssec {
namespace {

class SweepTest : public DnssecTest {
 protected:
  static Sweep::Options options(std::size_t names_max) {
    Sweep::Options options;
    options.names_max = names_max;
    return options;
  }
  // One walk from its beginning to its end; what it has found, by text.
  std::multiset<std::string> walk(Sweep& sweep) {
    const std::uint64_t before = store_->version();
    constexpr int kPiecesMax = 100;
    for (int i = 0; i < kPiecesMax; ++i) sweep.advance(now_);
    return found_since(before);
  }
  std::multiset<std::string> found_since(std::uint64_t version) {
    const auto changes = store::History(*store_).changes_between(version, store_->version());
    std::multiset<std::string> names;
    for (const auto& each : changes->resigned) names.insert(each.name.text());
    return names;
  }
  void fill() {
    const Zone a = add_signed_zone("a.test"), b = add_signed_zone("b.test");
    const Zone unsigned_zone = add_zone("c.test");
    for (const char* name : {"www.a.test", "x.y.z.a.test", "*.a.test", "m.z.a.test"}) {
      add(a, name, "A", "192.0.2.7");
    }
    add(b, "www.b.test", "A", "192.0.2.7");
    add(unsigned_zone, "www.c.test", "A", "192.0.2.7");
  }

  // With their empty non-terminals.
  const std::multiset<std::string> all_{"a.test",     "www.a.test",   "z.a.test",
                                        "y.z.a.test", "x.y.z.a.test", "*.a.test",
                                        "m.z.a.test", "b.test",       "www.b.test"};
};

TEST_F(SweepTest, AllNamesAreFoundOnceAPeriodHasPassed) {
  for (const std::size_t pieces : {1, 2, 3, 1000}) {
    SCOPED_TRACE(pieces);
    Sweep sweep(*store_, options(pieces));
    if (store_->zone_count() == 0) fill();
    walk(sweep);
    pass(8 * kDay);
    EXPECT_EQ(walk(sweep), all_);
  }
}

TEST_F(SweepTest, EachNameIsFoundWhenItsSlotHasEnded) {
  fill();
  Sweep sweep(*store_, options(1000));
  walk(sweep);
  std::multiset<std::string> found;
  for (int hours = 0; hours < 7 * 24; hours += 12) {
    pass(12 * kHour);
    const std::int64_t before = seconds_of(now_) - 12 * kHour;
    const auto names = walk(sweep);
    for (const std::string& name : names) {
      if (name == "a.test" || name == "b.test") continue;  // with every other, for the serial
      const Wire wire = wire_of(store::DomainName::parse(name).value());
      EXPECT_TRUE(dns::dnssec::slot_ended(policy_.signature, wire, before, seconds_of(now_)));
    }
    found.insert(names.begin(), names.end());
  }
  std::multiset<std::string> below = all_;
  for (const char* apex : {"a.test", "b.test"}) {
    EXPECT_GE(found.erase(apex), 1U);
    below.erase(apex);
  }
  EXPECT_EQ(found, below);
}

TEST_F(SweepTest, ASecondarySeesThatNamesWereSignedAnew) {
  fill();
  Sweep sweep(*store_, options(1000));
  walk(sweep);
  const auto serial = [this] {
    return store_->zone_by_name(store::DomainName::parse("a.test").value())->serial;
  };
  const std::uint32_t before = serial();
  pass(8 * kDay);
  walk(sweep);
  EXPECT_TRUE(model::is_newer_serial(serial(), before));
}

TEST_F(SweepTest, NothingHappensBeforeTheIntervalIsOver) {
  fill();
  Sweep sweep(*store_, options(1000));
  walk(sweep);
  pass(kHour - 1);
  const std::uint64_t version = store_->version();
  EXPECT_FALSE(sweep.advance(now_));
  EXPECT_EQ(store_->version(), version);
}

TEST_F(SweepTest, ARestartGoesOnWhereTheWalkWas) {
  fill();
  Sweep first(*store_, options(1000));
  walk(first);
  pass(8 * kDay);
  const std::uint64_t before = store_->version();
  for (int i = 0; i < 100; ++i) {
    store_.reset();
    store_ = open();
    Sweep again(*store_, options(1));
    again.advance(now_);
  }
  EXPECT_EQ(found_since(before), all_);
  EXPECT_LT(store_->version() - before, 100U);
}

TEST_F(SweepTest, AfterAClockThatWasAheadEverythingIsSignedAnew) {
  fill();
  Sweep sweep(*store_, options(2));
  walk(sweep);
  pass(-30 * kDay);
  EXPECT_EQ(walk(sweep), all_);
}

TEST_F(SweepTest, AZoneThatGoesMeanwhileIsPassed) {
  fill();
  Sweep sweep(*store_, options(2));
  walk(sweep);
  pass(8 * kDay);
  sweep.advance(now_);
  store_->delete_zone(*store_->zone_by_name(store::DomainName::parse("a.test").value()));
  const auto names = walk(sweep);
  EXPECT_TRUE(names.contains("www.b.test"));
}

}  // namespace
}  // namespace brink::ctl::dnssec
