// Rollovers against a model of the world: servers that lag, caches that keep everything as long as
// they may, a parent that acts on CDS when it likes, and a validator that must find a valid path
// with whatever mixture of old and new its caches hold.
#include "dns/dnssec/rollover.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <functional>
#include <map>
#include <random>
#include <set>

namespace brink::dns::dnssec {
namespace {

const Wire kApex("\7example\3com\0", 13);

using Random = std::mt19937_64;

std::int64_t below(Random& random, std::int64_t bound) {
  return bound <= 0 ? 0 : static_cast<std::int64_t>(random() % static_cast<std::uint64_t>(bound));
}

// DNSKEY data of a key that nobody has: the model counts who signs, it makes no signatures.
Wire some_dnskey(Random& random, const NewKey& wanted) {
  const std::uint16_t flags = flags_of(wanted.role);
  Wire rdata = {static_cast<char>(flags >> 8), static_cast<char>(flags), 3,
                static_cast<char>(wanted.algorithm)};
  for (int i = 0; i < 32; ++i) rdata += static_cast<char>(random());
  return rdata;
}

// The caller of step(): stores, makes the keys that are asked for.
struct Keeper {
  Random& random;
  KeySet set;
  int made = 0;
  std::map<Wire, Wire> key_of_ds{};  // every key that was made, by its DS

  Step step_at(const RolloverPolicy& policy, UnixTime now,
               const std::optional<std::vector<Wire>>& parent) {
    Step step = dnssec::step(set, policy, kApex, now, parent);
    set = step.set;
    if (step.create.empty()) return step;
    for (const NewKey& wanted : step.create) {
      const Wire dnskey = some_dnskey(random, wanted);
      key_of_ds[ds_rdata(kApex, dnskey, DigestType::kSha256)] = dnskey;
      set.keys.push_back(make_key(wanted, std::to_string(made++), dnskey, now));
    }
    Step again = dnssec::step(set, policy, kApex, now, parent);
    EXPECT_TRUE(again.create.empty());
    set = again.set;  // where every wait is 0, the new keys have moved on
    again.removed.insert(again.removed.begin(), step.removed.begin(), step.removed.end());
    return again;
  }

  [[nodiscard]] const Key* find(Role role, KeyState state) const {
    for (const Key& key : set.keys) {
      if (key.role == role && key.state == state) return &key;
    }
    return nullptr;
  }
};

// What a server serves, each key by its DNSKEY data.
struct ZoneVersion {
  std::set<Wire> dnskeys, dnskey_signers, cds_signers, zone_signers;

  bool operator==(const ZoneVersion&) const = default;
};

ZoneVersion version_of(const Step& step) {
  ZoneVersion version;
  for (std::size_t i = 0; i < step.set.keys.size(); ++i) {
    const Wire& key = step.set.keys[i].dnskey;
    const KeyUse& use = step.uses[i];
    if (use.in_dnskey) version.dnskeys.insert(key);
    if (use.signs_dnskey) version.dnskey_signers.insert(key);
    if (use.signs_cds) version.cds_signers.insert(key);
    if (use.signs_zone) version.zone_signers.insert(key);
  }
  EXPECT_EQ(version.dnskeys, std::set<Wire>(step.dnskey.rdata.begin(), step.dnskey.rdata.end()));
  return version;
}

// What was so, and until when it was.
template <typename T>
class History {
 public:
  void set(UnixTime now, const T& value) {
    if (!entries_.empty() && entries_.back().value == value) return;
    if (!entries_.empty()) entries_.back().until = now;
    entries_.push_back({value, INT64_MAX});
  }
  [[nodiscard]] const T& now() const { return entries_.back().value; }
  // Everything that a cache may hold which keeps things for `memory` after they were replaced.
  [[nodiscard]] std::vector<const T*> held(UnixTime now, UnixTime memory) const {
    std::vector<const T*> values;
    for (const Entry& entry : entries_) {
      if (entry.until == INT64_MAX || now < entry.until + memory) values.push_back(&entry.value);
    }
    return values;
  }
  void forget(UnixTime before) {
    while (entries_.size() > 1 && entries_.front().until < before) entries_.erase(entries_.begin());
  }

 private:
  struct Entry {
    T value;
    UnixTime until;
  };
  std::vector<Entry> entries_;
};

std::set<char> algorithms_of(const std::set<Wire>& keys) {
  std::set<char> algorithms;
  for (const Wire& key : keys) algorithms.insert(key[3]);
  return algorithms;
}

bool has_common(const std::set<Wire>& a, const std::set<Wire>& b, char algorithm) {
  return std::any_of(a.begin(), a.end(),
                     [&](const Wire& key) { return key[3] == algorithm && b.contains(key); });
}

// A strict validator (RFC 4035 2.2, 5): each algorithm that the DS RRset has leads to the DNSKEY
// RRset, and each algorithm that this has proves the rest. Empty: valid, or insecure without DS.
std::string fault_of(const std::map<Wire, Wire>& key_of_ds, const std::vector<Wire>& ds_set,
                     const ZoneVersion& dnskey, const ZoneVersion& cds, const ZoneVersion& data) {
  if (ds_set.empty()) return "";
  std::set<char> ds_algorithms;
  for (const Wire& ds : ds_set) ds_algorithms.insert(ds[2]);
  for (const char algorithm : ds_algorithms) {
    const bool leads = std::any_of(ds_set.begin(), ds_set.end(), [&](const Wire& ds) {
      const Wire& key = key_of_ds.at(ds);
      return ds[2] == algorithm && dnskey.dnskeys.contains(key) &&
             dnskey.dnskey_signers.contains(key);
    });
    if (!leads) return "no DS leads to the DNSKEY RRset";
  }
  for (const char algorithm : algorithms_of(dnskey.dnskeys)) {
    if (!has_common(dnskey.dnskeys, dnskey.dnskey_signers, algorithm)) return "DNSKEY unsigned";
    if (!has_common(dnskey.dnskeys, data.zone_signers, algorithm))
      return "the zone's data unproven";
    if (!has_common(dnskey.dnskeys, cds.cds_signers, algorithm)) return "CDS unproven";
  }
  return "";
}

struct World {
  Random random;
  RolloverPolicy policy;   // how the world is
  RolloverPolicy assumed;  // what the keeper thinks of it
  UnixTime now = 1'700'000'000;
  Keeper keeper{random, {}};
  History<ZoneVersion> zone;
  History<std::vector<Wire>> parent;
  Step last;
  std::string fault;
  bool went_back = false;  // the parent did: the keeper looks before that can happen twice
  int combinations = 0;

  explicit World(std::uint64_t seed) : random(seed) {
    const auto some = [&] { return static_cast<std::uint32_t>(below(random, 5) * 900); };
    policy.dnskey_ttl_s = some();
    policy.zone_ttl_max_s = some();
    policy.propagation_s = some() / 4;
    policy.resign_s = some() / 2;
    policy.parent_ds_ttl_s = some() * 2;
    policy.parent_propagation_s = some() / 3;
    policy.split = below(random, 2) == 0;
    policy.zsk_lifetime_s = static_cast<std::uint32_t>(below(random, 3) * 40'000);
    policy.ksk_lifetime_s = static_cast<std::uint32_t>(below(random, 3) * 90'000);
    assumed = policy;
    zone.set(now, {});
    parent.set(now, {});
  }

  void step(bool looks) {
    last = keeper.step_at(assumed, now,
                          looks ? std::optional(parent.now()) : std::optional<std::vector<Wire>>());
    zone.set(now, version_of(last));
    validate();
  }

  // Every mixture that caches may hold at this moment. After a change there are most of them.
  void validate() {
    const UnixTime lag = policy.propagation_s;
    const auto ds_sets = parent.held(now, policy.parent_propagation_s + policy.parent_ds_ttl_s);
    const auto keys = zone.held(now, lag + policy.dnskey_ttl_s);
    const auto data = zone.held(
        now, lag + policy.resign_s + std::max(policy.zone_ttl_max_s, policy.dnskey_ttl_s));
    for (const auto* ds : ds_sets) {
      for (const auto* dnskey : keys) {
        for (const auto* rest : data) {
          // CDS has the TTL of DNSKEY, and comes with it.
          for (const auto* cds : keys) {
            ++combinations;
            if (fault.empty()) fault = fault_of(keeper.key_of_ds, *ds, *dnskey, *cds, *rest);
          }
        }
      }
    }
    zone.forget(now - 1'000'000);
    parent.forget(now - 1'000'000);
  }

  void set_parent(std::vector<Wire> ds) {
    parent.set(now, std::move(ds));
    validate();
  }

  [[nodiscard]] std::vector<Wire> asked_of_parent() const {
    if (last.cds.rdata == std::vector{cds_delete_rdata()}) return {};
    return last.cds.rdata;
  }

  // A parent that does as CDS says: at once, by way of both, or with a way back while nothing rests
  // on the new DS yet.
  void parent_acts() {
    if (last.cds.rdata.empty()) return;
    const std::vector<Wire> wanted = asked_of_parent();
    const bool may_go_back =
        std::any_of(keeper.set.keys.begin(), keeper.set.keys.end(), [&](const Key& key) {
          return !wanted.empty() && key.state == KeyState::kReady && key.role != Role::kZsk &&
                 ds_rdata(kApex, key.dnskey, DigestType::kSha256) == wanted.at(0);
        });
    std::vector<Wire> both = parent.now();
    switch (below(random, 4)) {
      case 0:
        for (const Wire& ds : wanted) {
          if (std::find(both.begin(), both.end(), ds) == both.end()) both.push_back(ds);
        }
        return set_parent(both);
      case 1: {
        const Key* active = keeper.find(policy.split ? Role::kKsk : Role::kCsk, KeyState::kActive);
        if (!wanted.empty() && may_go_back && active != nullptr && active->ds_shown) {
          went_back = true;
          return set_parent({ds_rdata(kApex, active->dnskey, DigestType::kSha256)});
        }
        return;
      }
      default:
        return set_parent(wanted);
    }
  }

  // The operator changes their mind now and then.
  void operator_acts() {
    switch (below(random, 6)) {
      case 0:
        keeper.set.roll_ksk = true;
        break;
      case 1:
        keeper.set.roll_zsk = true;
        break;
      case 2:
        assumed.sign = !assumed.sign;
        break;
      case 3:
        assumed.split = !assumed.split;
        break;
      case 4:
        assumed.algorithm = assumed.algorithm == Algorithm::kEd25519 ? Algorithm::kEcdsaP256Sha256
                                                                     : Algorithm::kEd25519;
        break;
      default:
        assumed.sign = true;
        break;
    }
  }

  void run(int turns) {
    for (int i = 0; i < turns && fault.empty(); ++i) {
      // Half of the time exactly when something is due, which is when haste would be found.
      const UnixTime next = last.next_event.value_or(now + 3'600);
      now = below(random, 2) == 0 && next > now && next < now + 100'000
                ? next
                : now + 1 + below(random, 3'000);
      if (below(random, 3) == 0) parent_acts();
      if (below(random, 40) == 0) operator_acts();
      step(below(random, 4) != 0 || went_back);
      went_back = false;
    }
  }

  // With an obedient parent everything comes to its end.
  void settle() {
    assumed.zsk_lifetime_s = assumed.ksk_lifetime_s = 0;
    for (int i = 0; i < 300 && fault.empty(); ++i) {
      now += 3'000;
      if (!last.cds.rdata.empty()) set_parent(asked_of_parent());
      step(true);
    }
  }
};

TEST(Rollover, CachesOfAnyAgeAlwaysFindAValidPath) {
  std::size_t finished = 0;
  for (std::uint64_t seed = 1; seed <= 200; ++seed) {
    World world(seed);
    world.run(600);
    ASSERT_EQ(world.fault, "") << "seed " << seed << " at " << world.now;
    EXPECT_GT(world.combinations, 600);
    world.settle();
    ASSERT_EQ(world.fault, "") << "seed " << seed << " settling at " << world.now;
    const auto& keys = world.keeper.set.keys;
    ASSERT_EQ(keys.size(), !world.assumed.sign ? 0 : world.assumed.split ? 2 : 1) << seed;
    for (const Key& key : keys) {
      EXPECT_EQ(key.state, KeyState::kActive) << seed;
      EXPECT_EQ(key.dnskey[3], static_cast<char>(world.assumed.algorithm)) << seed;
    }
    EXPECT_FALSE(world.last.waits_for_parent) << seed;
    EXPECT_EQ(world.parent.now().empty(), !world.assumed.sign) << seed;
    finished += static_cast<std::size_t>(world.keeper.made);
  }
  EXPECT_GT(finished, 500U);  // the simulation did roll keys
}

// The model can fail: a keeper that thinks one of the times shorter than it is gets caught.
TEST(Rollover, HasteIsFoundByTheModel) {
  const std::vector<std::pair<std::string, std::function<void(RolloverPolicy&)>>> mistakes = {
      {"dnskey", [](RolloverPolicy& policy) { policy.dnskey_ttl_s = 0; }},
      {"zone", [](RolloverPolicy& policy) { policy.zone_ttl_max_s = policy.dnskey_ttl_s = 0; }},
      {"ds", [](RolloverPolicy& policy) { policy.parent_ds_ttl_s = 0; }},
      {"propagation", [](RolloverPolicy& policy) { policy.propagation_s = 0; }},
      {"resign", [](RolloverPolicy& policy) { policy.resign_s = 0; }},
      {"parent", [](RolloverPolicy& policy) { policy.parent_propagation_s = 0; }},
  };
  for (const auto& [name, mistake] : mistakes) {
    int found = 0;
    for (std::uint64_t seed = 1; seed <= 100; ++seed) {
      World world(seed);
      mistake(world.assumed);
      world.run(600);
      if (!world.fault.empty()) ++found;
    }
    EXPECT_GT(found, 0) << name;
  }
}

struct Rollovers : testing::Test {
  Random random{1};
  Keeper keeper{random, {}};
  RolloverPolicy policy;
  UnixTime now = 1'700'000'000;
  std::vector<Wire> parent;

  Step step() { return keeper.step_at(policy, now, parent); }
  // Steps as next_event says, with a parent that follows CDS, until `done` or nothing is to come.
  Step until(const std::function<bool(const Step&)>& done) {
    Step out = step();
    for (int i = 0; i < 50 && !done(out); ++i) {
      if (!out.cds.rdata.empty()) {
        parent = out.cds.rdata;
        if (parent.at(0) == cds_delete_rdata()) parent.clear();
      }
      out = step();
      if (!done(out) && out.next_event.has_value()) now = std::max(now + 1, *out.next_event);
    }
    return out;
  }
  Step until_active() {
    return until([](const Step& out) {
      return !out.set.keys.empty() &&
             std::all_of(out.set.keys.begin(), out.set.keys.end(),
                         [](const Key& key) { return key.state == KeyState::kActive; });
    });
  }
};

TEST_F(Rollovers, TheDsIsAskedForWhenNoCacheHoldsTheZoneUnsigned) {
  const Step first = step();
  ASSERT_EQ(first.set.keys.size(), 1U);
  EXPECT_TRUE(first.uses[0].signs_zone);
  EXPECT_EQ(first.dnskey.rdata.size(), 1U);
  EXPECT_TRUE(first.cds.rdata.empty());
  EXPECT_EQ(first.next_event, now + policy.zone_ttl_max_s + policy.propagation_s);
  now = *first.next_event - 1;
  EXPECT_TRUE(step().cds.rdata.empty());
  ++now;
  const Step ready = step();
  EXPECT_EQ(ready.cds.rdata,
            std::vector{ds_rdata(kApex, keeper.set.keys[0].dnskey, DigestType::kSha256)});
  EXPECT_EQ(ready.cdnskey.rdata, std::vector{keeper.set.keys[0].dnskey});
  EXPECT_TRUE(ready.waits_for_parent);
  EXPECT_FALSE(ready.next_event.has_value());
}

TEST_F(Rollovers, AZskIsPublishedBeforeItSignsAndStaysAfterwards) {
  policy.split = true;
  until_active();
  keeper.set.roll_zsk = true;
  Step out = step();
  EXPECT_EQ(out.dnskey.rdata.size(), 3U);
  const Wire successor = keeper.find(Role::kZsk, KeyState::kPublished)->dnskey;
  EXPECT_FALSE(out.set.roll_zsk);
  EXPECT_FALSE(out.uses[2].signs_zone);
  now += policy.dnskey_ttl_s + policy.propagation_s;
  out = step();
  EXPECT_EQ(keeper.find(Role::kZsk, KeyState::kActive)->dnskey, successor);
  EXPECT_TRUE(out.uses[2].signs_zone);
  EXPECT_FALSE(out.uses[1].signs_zone);
  EXPECT_EQ(out.dnskey.rdata.size(), 3U);
  now += policy.zone_ttl_max_s + policy.propagation_s - 1;
  EXPECT_EQ(step().dnskey.rdata.size(), 3U);
  ++now;
  out = step();
  EXPECT_EQ(out.dnskey.rdata.size(), 2U);
  EXPECT_EQ(out.removed, std::vector<std::string>{"1"});
}

TEST_F(Rollovers, AKskStaysUntilTheParentHasItsSuccessor) {
  policy.split = true;
  until_active();
  keeper.set.roll_ksk = true;
  step();
  now += policy.dnskey_ttl_s + policy.propagation_s;
  Step out = step();
  const Key* successor = keeper.find(Role::kKsk, KeyState::kReady);
  ASSERT_NE(successor, nullptr);
  EXPECT_EQ(out.cdnskey.rdata, std::vector{successor->dnskey});
  EXPECT_TRUE(out.waits_for_parent);
  now += 365 * 86'400;  // a parent that sleeps
  out = step();
  EXPECT_NE(keeper.find(Role::kKsk, KeyState::kReady), nullptr);
  EXPECT_TRUE(out.uses[0].signs_dnskey && out.uses[2].signs_dnskey);
  parent.push_back(out.cds.rdata.at(0));  // added, the old one kept
  out = step();
  EXPECT_EQ(out.next_event, now + policy.parent_ds_ttl_s + policy.parent_propagation_s);
  now = *out.next_event;
  out = step();
  EXPECT_NE(keeper.find(Role::kKsk, KeyState::kRetired), nullptr);
  EXPECT_TRUE(out.waits_for_parent);
  parent = {parent.at(1)};
  now = *(out = step()).next_event;
  out = step();
  EXPECT_EQ(out.removed, std::vector<std::string>{"0"});
  EXPECT_FALSE(out.waits_for_parent);
}

TEST_F(Rollovers, WhatRestsOnTheDsIsDoneOnlyByAStepThatLooked) {
  step();
  now += 200'000;
  const Step ready = step();
  parent = ready.cds.rdata;
  now = *step().next_event;
  EXPECT_EQ(keeper.step_at(policy, now, std::nullopt).set.keys[0].state, KeyState::kReady);
  EXPECT_EQ(step().set.keys[0].state, KeyState::kActive);
}

TEST_F(Rollovers, AnotherAlgorithmComesSignaturesFirstAndGoesSignaturesLast) {
  policy.split = true;
  until_active();
  policy.algorithm = Algorithm::kEd25519;
  Step out = step();
  ASSERT_EQ(out.set.keys.size(), 4U);
  EXPECT_EQ(out.dnskey.rdata.size(), 2U);
  EXPECT_TRUE(out.uses[1].signs_zone && out.uses[3].signs_zone);
  now += policy.zone_ttl_max_s + policy.propagation_s;
  out = step();
  EXPECT_EQ(out.dnskey.rdata.size(), 4U);
  EXPECT_TRUE(out.uses[0].signs_dnskey && out.uses[2].signs_dnskey);
  out = until([](const Step& at) { return at.set.keys[0].state == KeyState::kWithdrawn; });
  EXPECT_EQ(out.dnskey.rdata.size(), 2U);
  EXPECT_TRUE(out.uses[1].signs_zone && out.uses[3].signs_zone);
  now += policy.dnskey_ttl_s + policy.propagation_s;
  out = step();
  EXPECT_EQ(out.set.keys.size(), 2U);
  EXPECT_EQ(out.removed.size(), 2U);
  EXPECT_EQ(dnskey_algorithm(out.dnskey.rdata.at(0)), 15);
}

TEST_F(Rollovers, TheDsGoesBeforeTheSignaturesDo) {
  until_active();
  policy.sign = false;
  Step out = step();
  EXPECT_EQ(out.cds.rdata, std::vector{cds_delete_rdata()});
  EXPECT_EQ(out.cdnskey.rdata, std::vector{cdnskey_delete_rdata()});
  EXPECT_TRUE(out.waits_for_parent);
  now += 1'000'000;
  EXPECT_EQ(step().set.keys.size(), 1U);
  parent.clear();
  out = step();
  EXPECT_TRUE(out.uses[0].signs_zone);
  EXPECT_EQ(out.next_event, now + policy.parent_ds_ttl_s + policy.parent_propagation_s);
  now = *out.next_event;
  out = step();
  EXPECT_TRUE(out.set.keys.empty());
  EXPECT_EQ(out.removed, std::vector<std::string>{"0"});
  EXPECT_TRUE(out.dnskey.rdata.empty() && out.cds.rdata.empty());
  EXPECT_FALSE(step().next_event.has_value());
}

TEST_F(Rollovers, ALifetimeStartsARolloverInTime) {
  policy.split = true;
  policy.zsk_lifetime_s = 30 * 86'400;
  const Step active = until_active();
  const UnixTime since = active.set.keys[1].since;
  now = *step().next_event;
  EXPECT_EQ(now, since + policy.zsk_lifetime_s - policy.dnskey_ttl_s - policy.propagation_s);
  now = *step().next_event;
  step();
  EXPECT_EQ(keeper.find(Role::kZsk, KeyState::kActive)->since, since + policy.zsk_lifetime_s);
}

TEST_F(Rollovers, AClockThatWentBackOnlyWaitsLonger) {
  step();
  now -= 1'000'000;
  EXPECT_EQ(step().set.keys[0].state, KeyState::kPublished);
}

TEST_F(Rollovers, ATakenTagIsSeen) {
  const Step out = step();
  EXPECT_TRUE(is_tag_taken(out.set, keeper.set.keys[0].dnskey));
  EXPECT_FALSE(is_tag_taken(out.set, some_dnskey(random, {})));
}

}  // namespace
}  // namespace brink::dns::dnssec
