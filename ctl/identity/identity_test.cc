// Who may do what: policies, networks, limits.
#include <gtest/gtest.h>

#include <set>

#include "ctl/identity/policy_json.h"
#include "ctl/identity/principal.h"
#include "ctl/identity/rate_limiter.h"

namespace brink::ctl::identity {
namespace {

using enum Permission;
using Kind = Resource::Kind;

model::Id id_of(std::uint8_t number) {
  model::Id id;
  id.bytes.fill(number);
  return id;
}

const model::Id kHome = id_of(1), kElsewhere = id_of(2), kZoneA = id_of(10), kZoneB = id_of(11);

model::Entropy zeros() {
  return [](std::span<std::uint8_t> out) { std::fill(out.begin(), out.end(), std::uint8_t{0}); };
}

Token token_with(std::initializer_list<Permission> permissions, std::vector<Resource> resources) {
  Token token;
  token.id = id_of(99);
  token.account = kHome;
  token.name = "t";
  Policy policy;
  for (const Permission permission : permissions) {
    policy.permissions.set(static_cast<std::size_t>(permission));
  }
  policy.resources = std::move(resources);
  token.policies = {policy};
  return token;
}

Principal holder(std::initializer_list<Permission> permissions, std::vector<Resource> resources) {
  return Principal::of(token_with(permissions, std::move(resources)), std::nullopt);
}

Target zone_target(const model::Id& zone, const model::Id& account = kHome) {
  return {account, zone, std::nullopt};
}

TEST(Permission, GroupsHaveIdsAndNamesOfTheirOwn) {
  std::set<std::string_view> ids, names;
  for (const PermissionGroup& group : permission_groups()) {
    EXPECT_EQ(&group_of(group.permission), &group);
    EXPECT_TRUE(model::Id::parse(group.id)) << group.name;
    EXPECT_TRUE(ids.insert(group.id).second) << group.name;
    EXPECT_TRUE(names.insert(group.name).second) << group.name;
    EXPECT_EQ(group_by_id(group.id), &group);
    EXPECT_EQ(group_by_name(group.name), &group);
    EXPECT_EQ(group_of(group.implies.value_or(group.permission)).scope, group.scope);
  }
  EXPECT_EQ(group_by_name("DNS Edit"), &group_of(kDnsEdit));
  EXPECT_EQ(group_by_name("DNS"), nullptr);
}

TEST(Principal, NobodyMayDoNothing) {
  const Principal nobody;
  for (const PermissionGroup& group : permission_groups()) {
    EXPECT_FALSE(nobody.allows(group.permission, zone_target(kZoneA, {}))) << group.name;
  }
  EXPECT_FALSE(nobody.is_operator());
}

TEST(Principal, AnOperatorMayDoEverything) {
  for (const Principal& principal :
       {Principal::local_operator(0), holder({kNodeEdit}, {{Kind::kNode, {}}})}) {
    for (const PermissionGroup& group : permission_groups()) {
      EXPECT_TRUE(principal.allows(group.permission, zone_target(kZoneA, kElsewhere)));
    }
  }
}

TEST(Principal, ATokenMayDoWhatItsPolicySaysAndNoMore) {
  const Principal one = holder({kDnsEdit}, {{Kind::kZone, kZoneA}});
  EXPECT_TRUE(one.allows(kDnsEdit, zone_target(kZoneA)));
  EXPECT_TRUE(one.allows(kDnsRead, zone_target(kZoneA))) << "write includes read";
  EXPECT_FALSE(one.allows(kDnsEdit, zone_target(kZoneB)));
  EXPECT_FALSE(one.allows(kZoneRead, zone_target(kZoneA)));
  EXPECT_FALSE(one.allows(kDnsEdit, {kHome, std::nullopt, std::nullopt}));
  EXPECT_FALSE(one.allows(kDnsEdit, zone_target(kZoneA, kElsewhere))) << "the zone moved away";
  EXPECT_TRUE(one.sees(zone_target(kZoneA)));
  EXPECT_FALSE(one.sees(zone_target(kZoneB)));
  const Principal reader = holder({kDnsRead}, {{Kind::kZone, kZoneA}});
  EXPECT_FALSE(reader.allows(kDnsEdit, zone_target(kZoneA)));
}

TEST(Principal, WiderResourcesStayWithinTheAccount) {
  for (const Kind kind : {Kind::kAllZones, Kind::kAllAccounts, Kind::kAccount}) {
    const Principal all = holder({kZoneEdit, kAccountSettingsEdit}, {{kind, kHome}});
    EXPECT_TRUE(all.allows(kZoneRead, zone_target(kZoneA)));
    EXPECT_TRUE(all.allows_all_zones(kZoneRead, kHome));
    EXPECT_FALSE(all.allows(kZoneRead, zone_target(kZoneA, kElsewhere)));
    EXPECT_FALSE(all.allows(kNodeRead, zone_target(kZoneA)));
    EXPECT_FALSE(all.is_operator());
    EXPECT_EQ(all.allows(kAccountSettingsRead, {kHome, {}, {}}), kind != Kind::kAllZones);
    EXPECT_FALSE(all.allows(kAccountSettingsRead, {kElsewhere, {}, {}}));
  }
  const Principal stranger = holder({kZoneEdit}, {{Kind::kAccount, kElsewhere}});
  EXPECT_FALSE(stranger.allows(kZoneRead, zone_target(kZoneA, kElsewhere)))
      << "a policy that names another account gives nothing there";
}

TEST(Principal, NodePermissionsNeedTheNodeAsTheirResource) {
  EXPECT_FALSE(holder({kNodeEdit}, {{Kind::kAccount, kHome}}).is_operator());
  EXPECT_FALSE(holder({kNodeRead}, {{Kind::kAllAccounts, {}}}).allows(kNodeRead, {kHome, {}, {}}));
  const Principal watcher = holder({kNodeRead}, {{Kind::kNode, {}}});
  EXPECT_TRUE(watcher.allows(kNodeRead, {}));
  EXPECT_FALSE(watcher.allows(kZoneRead, zone_target(kZoneA)));
  EXPECT_FALSE(watcher.is_operator());
}

TEST(Principal, AUserHasAllOfTheAccountButNotTheNode) {
  User user;
  user.id = id_of(50);
  user.account = kHome;
  user.email = "a@example.com";
  const Principal principal = Principal::of(user);
  for (const PermissionGroup& group : permission_groups()) {
    const bool expected = group.scope != Scope::kNode;
    EXPECT_EQ(principal.allows(group.permission, {kHome, kZoneA, user.id}), expected) << group.name;
    EXPECT_FALSE(principal.allows(group.permission, {kElsewhere, kZoneA, user.id})) << group.name;
  }
  EXPECT_FALSE(principal.allows(kUserTokensEdit, {kHome, {}, id_of(51)}))
      << "another user's tokens";
}

TEST(Principal, CoversOnlyTokensWithNoMoreThanItHas) {
  const Principal maker = holder({kDnsEdit, kAccountTokensEdit}, {{Kind::kAccount, kHome}});
  EXPECT_TRUE(maker.covers(token_with({kDnsEdit}, {{Kind::kZone, kZoneA}})));
  EXPECT_TRUE(maker.covers(token_with({kDnsRead}, {{Kind::kAllZones, {}}})));
  EXPECT_FALSE(maker.covers(token_with({kZoneEdit}, {{Kind::kZone, kZoneA}})));
  EXPECT_FALSE(maker.covers(token_with({kDnsEdit}, {{Kind::kAccount, kElsewhere}})));
  EXPECT_FALSE(maker.covers(token_with({kNodeEdit}, {{Kind::kNode, {}}})));
  Token foreign = token_with({kDnsEdit}, {{Kind::kZone, kZoneA}});
  foreign.account = kElsewhere;
  EXPECT_FALSE(maker.covers(foreign));
  const Principal narrow = holder({kDnsEdit}, {{Kind::kZone, kZoneA}});
  EXPECT_FALSE(narrow.covers(token_with({kDnsEdit}, {{Kind::kAllZones, {}}})));
}

TEST(Token, IsExpiredFromTheMomentOn) {
  Token token;
  token.expires_on = model::Timestamp{100};
  EXPECT_EQ(token.status({99}), TokenStatus::kActive);
  EXPECT_EQ(token.status({100}), TokenStatus::kExpired);
  token.disabled = true;
  EXPECT_EQ(token.status({0}), TokenStatus::kDisabled);
}

TEST(Network, ContainsItsAddresses) {
  const auto v4 = Network::parse("192.0.2.77/24");
  ASSERT_TRUE(v4);
  EXPECT_EQ(v4->text(), "192.0.2.0/24");
  EXPECT_TRUE(v4->contains(*base::IpAddress::parse("192.0.2.255")));
  EXPECT_FALSE(v4->contains(*base::IpAddress::parse("192.0.3.0")));
  EXPECT_FALSE(v4->contains(*base::IpAddress::parse("2001:db8::1")));
  EXPECT_TRUE(Network::parse("0.0.0.0/0")->contains(*base::IpAddress::parse("9.9.9.9")));
  EXPECT_FALSE(Network::parse("::/0")->contains(*base::IpAddress::parse("9.9.9.9")));
  EXPECT_TRUE(Network::parse("2001:db8::/33")->contains(*base::IpAddress::parse("2001:db8::1")));
  EXPECT_FALSE(
      Network::parse("2001:db8::/33")->contains(*base::IpAddress::parse("2001:db8:8000::1")));
  EXPECT_EQ(Network::parse("192.0.2.1")->text(), "192.0.2.1/32");
  for (const char* bad : {"", "/24", "192.0.2.0/33", "192.0.2.0/", "192.0.2.0/-1", "::/129",
                          "192.0.2.0/8x", "192.0.2.0/8/8", "x"}) {
    EXPECT_FALSE(Network::parse(bad)) << bad;
  }
}

TEST(ClientCondition, ExcludesBeforeItIncludes) {
  ClientCondition condition;
  const auto address = *base::IpAddress::parse("192.0.2.7");
  EXPECT_TRUE(condition.admits(address));
  condition.in = {*Network::parse("192.0.2.0/24")};
  EXPECT_TRUE(condition.admits(address));
  EXPECT_FALSE(condition.admits(*base::IpAddress::parse("198.51.100.1")));
  condition.not_in = {*Network::parse("192.0.2.7")};
  EXPECT_FALSE(condition.admits(address));
}

TEST(PolicyJson, ComesBackAsItWas) {
  Policy policy;
  policy.id = id_of(3);
  policy.permissions.set(static_cast<std::size_t>(kDnsEdit));
  policy.permissions.set(static_cast<std::size_t>(kNodeRead));
  policy.resources = {{Kind::kZone, kZoneA},    {Kind::kAllZones, {}}, {Kind::kAccount, kHome},
                      {Kind::kAllAccounts, {}}, {Kind::kUser, kZoneB}, {Kind::kNode, {}}};
  const auto back = policies_from_json(to_json(std::vector{policy}), zeros());
  ASSERT_TRUE(back.ok()) << back.error().message;
  EXPECT_EQ(back.value(), std::vector{policy});
  ClientCondition condition{{*Network::parse("192.0.2.0/24")}, {*Network::parse("2001:db8::/32")}};
  EXPECT_EQ(condition_from_json(to_json(condition)).value(), condition);
  EXPECT_EQ(condition_from_json(to_json(ClientCondition{})).value(), ClientCondition{});
}

TEST(PolicyJson, AnAccountMayNameItsZonesAlone) {
  const auto read = policies_from_json(
      Json::parse(R"([{"effect":"allow","permission_groups":[{"name":"DNS Edit"}],"resources":
        {"com.cloudflare.api.account.01010101010101010101010101010101":
          {"com.cloudflare.api.account.zone.*":"*"}}}])"),
      zeros());
  ASSERT_TRUE(read.ok()) << read.error().message;
  EXPECT_EQ(read.value()[0].resources, (std::vector<Resource>{{Kind::kAllZones, {}}}));
}

TEST(PolicyJson, WhatIsNoneIsRefused) {
  const std::string groups = R"("permission_groups":[{"name":"DNS Read"}])";
  const std::string resources = R"("resources":{"com.cloudflare.api.account.zone.*":"*"})";
  for (const std::string& text : std::vector<std::string>{
           "{}", "[]", "[1]", "[{}]", "[{" + groups + "," + resources + "}]",
           R"([{"effect":"deny",)" + groups + "," + resources + "}]",
           R"([{"effect":"allow",)" + resources + "}]", R"([{"effect":"allow",)" + groups + "}]",
           R"([{"effect":"allow","permission_groups":[],)" + resources + "}]",
           R"([{"effect":"allow","permission_groups":[{"name":"All"}],)" + resources + "}]",
           R"([{"effect":"allow","permission_groups":[{"id":"x"}],)" + resources + "}]",
           R"([{"effect":"allow",)" + groups + R"(,"resources":{}}])",
           R"([{"effect":"allow",)" + groups + R"(,"resources":{"planet":"*"}}])",
           R"([{"effect":"allow",)" + groups +
               R"(,"resources":{"com.cloudflare.api.account.zone.x":"*"}}])",
           R"([{"effect":"allow",)" + groups +
               R"(,"resources":{"com.cloudflare.api.account.zone.*":"read"}}])",
           R"([{"effect":"allow",)" + groups +
               R"(,"resources":{"com.cloudflare.api.account.*":{"brink.node":"*"}}}])"}) {
    EXPECT_FALSE(policies_from_json(Json::parse(text), zeros()).ok()) << text;
  }
  for (const char* text :
       {"[]", R"({"time":{}})", R"({"request_ip":[]})", R"({"request_ip":{"in":"192.0.2.1"}})",
        R"({"request_ip":{"in":["192.0.2.1/99"]}})", R"({"request_ip":{"not_in":[7]}})"}) {
    EXPECT_FALSE(condition_from_json(Json::parse(text)).ok()) << text;
  }
}

class RateLimiterTest : public ::testing::Test {
 protected:
  RateLimiter::Time at(int ms) { return RateLimiter::Time(std::chrono::milliseconds(ms)); }
};

TEST_F(RateLimiterTest, ABucketEmptiesAndFillsAgain) {
  RateLimiter limiter({.burst = 3, .period = std::chrono::seconds(6)}, 10);
  for (std::uint32_t left = 3; left-- > 0;) {
    const auto verdict = limiter.take("a", at(0));
    EXPECT_TRUE(verdict.allowed);
    EXPECT_EQ(verdict.remaining, left);
    EXPECT_EQ(verdict.limit, 3U);
  }
  const auto refused = limiter.take("a", at(500));
  EXPECT_FALSE(refused.allowed);
  EXPECT_EQ(refused.retry_s, 2U);
  EXPECT_EQ(refused.reset_s, 6U);
  EXPECT_FALSE(limiter.look("a", at(1999)).allowed);
  EXPECT_TRUE(limiter.take("b", at(500)).allowed) << "others have buckets of their own";
  EXPECT_TRUE(limiter.take("a", at(2001)).allowed);
  EXPECT_FALSE(limiter.take("a", at(2001)).allowed);
  EXPECT_EQ(limiter.look("a", at(60'000)).remaining, 3U) << "it holds no more than its size";
}

TEST_F(RateLimiterTest, LookingTakesNothing) {
  RateLimiter limiter({.burst = 1, .period = std::chrono::seconds(1)}, 10);
  EXPECT_TRUE(limiter.look("a", at(0)).allowed);
  EXPECT_TRUE(limiter.look("a", at(0)).allowed);
  EXPECT_EQ(limiter.keys(), 0U);
  EXPECT_TRUE(limiter.take("a", at(0)).allowed);
  EXPECT_FALSE(limiter.look("a", at(0)).allowed);
}

TEST_F(RateLimiterTest, ForgetsTheLeastRecentlyUsedBeyondItsSize) {
  RateLimiter limiter({.burst = 1, .period = std::chrono::hours(1)}, 2);
  limiter.take("a", at(0));
  limiter.take("b", at(0));
  EXPECT_FALSE(limiter.take("a", at(1)).allowed);
  limiter.take("c", at(1));  // in place of b
  EXPECT_EQ(limiter.keys(), 2U);
  EXPECT_FALSE(limiter.take("a", at(2)).allowed);
  EXPECT_TRUE(limiter.look("b", at(2)).allowed);
  for (int i = 0; i < 1000; ++i) limiter.take(std::to_string(i), at(3));
  EXPECT_EQ(limiter.keys(), 2U);
}

}  // namespace
}  // namespace brink::ctl::identity
