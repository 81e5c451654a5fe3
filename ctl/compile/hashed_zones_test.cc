// What is kept of NSEC3 chains follows the zones, and a change hashes what it changes.
#include "ctl/compile/hashed_zones.h"

#include <gtest/gtest.h>

#include <random>

#include "ctl/compile/compile.h"
#include "ctl/compile/compile_fixture.h"
#include "ctl/compile/map_sink.h"

namespace brink::ctl::compile {
namespace {

using store::Transaction;

std::vector<std::string> told(const Nsec3Names& names) {
  std::vector<std::string> texts;
  for (const auto& [hash, each] : names.names()) {
    texts.push_back(each.name.text() + (each.is_owner ? "" : " empty") +
                    (names.empty_non_terminals().contains(hash) ? " listed" : ""));
  }
  return texts;
}

TEST(Nsec3Names, AreTheSameHoweverTheyCameToBe) {
  std::mt19937_64 random(1);
  const model::DomainName apex = name("test");
  Nsec3Names names(apex);
  std::set<model::DomainName> owners;
  for (int step = 0; step < 3000; ++step) {
    std::string text;
    for (std::uint64_t i = random() % 4; i > 0; --i)
      text += std::string(1, "abc"[random() % 3]) + ".";
    const model::DomainName one = name(text + "test");
    const bool is_owner = random() % 2 == 0;
    names.set(one, is_owner);
    if (is_owner) {
      owners.insert(one);
    } else {
      owners.erase(one);
    }
    Nsec3Names fresh(apex);
    for (const model::DomainName& owner : owners) fresh.set(owner, true);
    ASSERT_EQ(told(names), told(fresh)) << "step " << step;
  }
}

TEST(Nsec3Names, AnEmptyNonTerminalStaysAsLongAsSomethingIsBelow) {
  Nsec3Names names(name("test"));
  names.set(name("test"), true);
  names.set(name("x.a.test"), true);
  names.set(name("y.a.test"), true);
  EXPECT_EQ(names.names().size(), 4U);
  names.set(name("x.a.test"), false);
  EXPECT_EQ(names.empty_non_terminals().size(), 1U);
  names.set(name("y.a.test"), false);
  EXPECT_EQ(names.names().size(), 1U) << "the apex";
  EXPECT_TRUE(names.empty_non_terminals().empty());
}

model::Zone zone_of(const std::string& text, std::int64_t row = 1) {
  model::Zone zone;
  zone.name = name(text);
  zone.row = row;
  return zone;
}

Nsec3Names names_of(const std::string& apex, int count) {
  Nsec3Names names(name(apex));
  for (int i = 0; i < count; ++i) names.set(name("n" + std::to_string(i) + "." + apex), true);
  return names;
}

class HashedZonesTest : public testing::Test {
 protected:
  // As a compilation does it.
  void put(const model::Zone& zone, int count) {
    hashed_.begin(1);
    hashed_.put(zone, names_of(zone.name.text(), count));
    hashed_.end(1);
  }
  HashedZones hashed_{HashedZones::Limits{.names_max = 10, .zone_names_min = 2}};
};

TEST_F(HashedZonesTest, KeepsAZoneThatIsHashedTheSameWay) {
  const model::Zone zone = zone_of("a.test");
  put(zone, 3);
  ASSERT_NE(hashed_.find(zone), nullptr);
  EXPECT_EQ(hashed_.find(zone)->names().size(), 3U);
  model::Zone other = zone;
  other.dnssec.opt_out = true;
  EXPECT_EQ(hashed_.find(other), nullptr);
  EXPECT_EQ(hashed_.find(zone), nullptr) << "it is gone with that";
  put(zone, 3);
  EXPECT_EQ(hashed_.find(zone_of("a.test", 2)), nullptr) << "deleted and made anew";
  put(zone, 3);
  hashed_.drop(zone.name);
  EXPECT_EQ(hashed_.find(zone), nullptr);
}

TEST_F(HashedZonesTest, SmallZonesAndTooManyNamesAreNotKept) {
  const model::Zone a = zone_of("a.test"), b = zone_of("b.test"), c = zone_of("c.test");
  put(a, 1);
  EXPECT_EQ(hashed_.find(a), nullptr);
  put(a, 4);
  put(b, 4);
  EXPECT_NE(hashed_.find(a), nullptr);
  put(c, 4);
  EXPECT_EQ(hashed_.find(b), nullptr) << "asked for longest ago";
  EXPECT_NE(hashed_.find(a), nullptr);
  EXPECT_NE(hashed_.find(c), nullptr);
  put(b, 11);
  EXPECT_EQ(hashed_.find(b), nullptr);
}

TEST_F(HashedZonesTest, ForgetsWhatItCannotFollow) {
  const model::Zone zone = zone_of("a.test");
  put(zone, 3);
  hashed_.begin(1);
  hashed_.end(5);
  EXPECT_NE(hashed_.find(zone), nullptr);
  hashed_.begin(3);
  hashed_.end(6);
  EXPECT_NE(hashed_.find(zone), nullptr) << "the same changes again, and one more";
  hashed_.begin(7);
  hashed_.end(8);
  EXPECT_EQ(hashed_.find(zone), nullptr) << "what was done to it meanwhile is not known";
  put(zone, 3);
  hashed_.pass(1, 7);
  hashed_.begin(7);
  hashed_.end(8);
  EXPECT_NE(hashed_.find(zone), nullptr) << "nothing was done to it";
  hashed_.begin(8);  // and fails
  hashed_.begin(8);
  EXPECT_EQ(hashed_.find(zone), nullptr);
  put(zone, 3);
  hashed_.begin(std::nullopt);
  EXPECT_EQ(hashed_.find(zone), nullptr);
}

// A large signed zone that is changed by and by, and compiled after each change.
class LargeChainTest : public testing::TestWithParam<bool> {
 protected:
  static constexpr int kNames = 5000;

  LargeChainTest() {
    zone_.id = ids_.next();
    zone_.name = name("test");
    zone_.status = model::ZoneStatus::kActive;
    zone_.dnssec.status = model::DnssecStatus::kActive;
    zone_.dnssec.denial = model::ZoneDenial::kNsec3;
    zone_.dnssec.opt_out = GetParam();
    options_.signers = &signers_;
    store_->insert_zone(zone_);
    {
      Transaction fill(*store_, Transaction::Kind::kWrite);
      for (int i = 0; i < kNames; ++i) {
        // Two thirds delegations, half of them signed.
        const std::string host = "n" + std::to_string(i);
        if (i % 3 == 0) add(host, "A", "203.0.113.1");
        if (i % 3 != 0) add(host, "NS", "ns.example");
        if (i % 3 == 1) add(host, "DS", "1 13 2 " + std::string(64, '0'));
      }
      fill.commit();
    }
    version_ = store_->version();
    const Transaction view(*store_, Transaction::Kind::kRead);
    EXPECT_TRUE(compile_all(*store_, options_, sink_).ok());
    EXPECT_TRUE(sink_.finish().ok());
    options_.hashed = &hashed_;
  }
  void add(const std::string& host, const std::string& type, const std::string& content) {
    auto made = model::make_record({}, zone_, {.name = host, .type = type, .content = content});
    ASSERT_TRUE(made) << made.error().detail();
    made.value().id = ids_.next();
    store_->insert_record(zone_, made.value());
  }
  void remove(const std::string& host) {
    for (const model::Record& record : store_->records_at(zone_, name(host + ".test"))) {
      store_->delete_record(record);
    }
  }
  // One change; returns how many names were hashed for it.
  std::uint64_t change(const std::function<void()>& steps) {
    {
      Transaction transaction(*store_, Transaction::Kind::kWrite);
      steps();
      ++zone_.serial;
      store_->update_zone(zone_);
      transaction.commit();
    }
    const std::uint64_t before = hashed_.hashed();
    const Transaction view(*store_, Transaction::Kind::kRead);
    const auto changes = store::History(*store_).changes_between(version_, store_->version());
    const auto counts = compile_changes(*store_, *changes, options_, sink_);
    EXPECT_TRUE(counts.ok());
    EXPECT_TRUE(sink_.finish().ok());
    version_ = store_->version();
    return hashed_.hashed() - before;
  }
  std::string difference() {
    Options anew = options_;
    anew.hashed = nullptr;
    MapSink fresh;
    const Transaction view(*store_, Transaction::Kind::kRead);
    EXPECT_TRUE(compile_all(*store_, anew, fresh).ok());
    EXPECT_TRUE(fresh.finish().ok());
    return sink_.difference(fresh);
  }

  Ids ids_;
  TestSigners signers_;
  Options options_ = test_options();
  HashedZones hashed_;
  std::unique_ptr<store::Store> store_ = empty_store();
  model::Zone zone_;
  MapSink sink_;
  std::uint64_t version_ = 0;
};

TEST_P(LargeChainTest, AChangeHashesWhatItChanges) {
  EXPECT_GE(change([this] { add("first", "A", "203.0.113.2"); }), std::uint64_t{kNames})
      << "nothing is known yet";
  constexpr std::uint64_t kFew = 12;  // the name, those above it, and the apex; some of them twice
  EXPECT_LE(change([this] { add("fresh", "A", "203.0.113.2"); }), kFew);
  EXPECT_LE(change([this] { add("deep.below.fresh", "A", "203.0.113.2"); }), kFew);
  EXPECT_LE(change([this] { remove("deep.below.fresh"); }), kFew);
  EXPECT_LE(change([this] { remove("n0"); }), kFew);
  EXPECT_LE(change([this] { remove("n1"); }), kFew) << "a delegation";
  EXPECT_LE(change([this] { add("n2", "DS", "1 13 2 " + std::string(64, '1')); }), kFew)
      << "one that is signed from now on";
  EXPECT_LE(change([this] { add("new", "NS", "ns.example"); }), kFew);
  EXPECT_LE(change([] {}), kFew) << "of the serial";
  EXPECT_EQ(difference(), "");
}

TEST_P(LargeChainTest, AnotherChainIsHashedAnew) {
  change([this] { add("first", "A", "203.0.113.2"); });
  EXPECT_GE(change([this] { zone_.dnssec.opt_out = !zone_.dnssec.opt_out; }),
            std::uint64_t{kNames});
  EXPECT_EQ(difference(), "");
  change([this] { zone_.dnssec.status = model::DnssecStatus::kDisabled; });
  change([this] { remove("n0"); });
  change([this] { zone_.dnssec.status = model::DnssecStatus::kActive; });
  change([this] { add("second", "A", "203.0.113.2"); });
  EXPECT_EQ(difference(), "");
}

INSTANTIATE_TEST_SUITE_P(OptOut, LargeChainTest, testing::Bool());

}  // namespace
}  // namespace brink::ctl::compile
