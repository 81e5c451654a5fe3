// Origins with addresses of both families, one of which is slow or silent.
#include "l7/proxy/stage_test_world.h"

namespace brink::l7::proxy::testing {
namespace {

using ipc::Counter;

class Race : public FailureFixture {
 protected:
  static constexpr milliseconds kDelay{250};

  void begin(std::uint64_t seed, base::Duration delay = kDelay) {
    StageConfig config;
    config.source_v6 = ip("2001:db8:e::2");
    config.random_seed = seed;
    config.race_delay = delay;
    swallowed_.clear();
    refusing_.clear();
    rebuild(config, stack_config(256 * 1024), stack_config(256 * 1024));
  }
  Peer& ask(const std::string& host = "both.example.com") {
    Peer& client = connect();
    send(client, get("/", "", host));
    settle(5);
    return client;
  }
  // Which address the stage of that seed tries first.
  base::IpAddress first_of(std::uint64_t seed) {
    begin(seed);
    swallowed_ = {kV6};
    ask();
    return origin_->peers.empty() ? kV6 : kV4;
  }
  base::IpAddress other_than(const base::IpAddress& address) const {
    return address == kV4 ? kV6 : kV4;
  }
  // A seed with which `first` is tried first.
  std::uint64_t seed_for(const base::IpAddress& first) {
    for (std::uint64_t seed = 0; seed < 64; ++seed) {
      if (first_of(seed) == first) return seed;
    }
    ADD_FAILURE() << "no seed";
    return 0;
  }
  void expect_answer(Peer& client) {
    ASSERT_TRUE(receives(origin(0), "\r\n\r\n"));
    send(origin(0), ok("here"));
    EXPECT_TRUE(receives(client, "\r\n\r\nhere"));
    EXPECT_EQ(count(Counter::kHttpOriginRetries), 0U);
  }
  const base::IpAddress kV4 = ip("203.0.113.1"), kV6 = ip("2001:db8::1");
};

TEST_F(Race, TheOtherFamilyIsTriedAfterTheDelayAndNotBefore) {
  for (const base::IpAddress& silent : {kV4, kV6}) {
    const std::uint64_t seed = seed_for(silent);
    begin(seed);
    const std::uint64_t races = count(Counter::kHttpOriginRacesWon);
    swallowed_ = {silent};
    Peer& client = ask();
    settle(240);
    EXPECT_EQ(stage_->origin_count(), 1U);
    EXPECT_TRUE(origin_->peers.empty());
    settle(20);
    ASSERT_EQ(origin_->peers.size(), 1U);
    expect_answer(client);
    EXPECT_EQ(origin(0).local.address, other_than(silent));
    EXPECT_EQ(count(Counter::kHttpOriginRacesWon), races + 1);
    EXPECT_EQ(stage_->origin_count(), 1U) << "the slow one was given up";
  }
}

TEST_F(Race, TheStageAsksForItsTurnInTime) {
  begin(seed_for(kV6));
  swallowed_ = {kV6};
  ask();
  EXPECT_LE(stage_->next_deadline(), now_ + kDelay);
}

TEST_F(Race, TheFirstIsNotAbandonedForTheSecond) {
  begin(seed_for(kV6));
  swallowed_ = {kV4, kV6};
  Peer& client = ask();
  settle(300);
  EXPECT_EQ(stage_->origin_count(), 2U);
  swallowed_ = {kV4};
  expect_answer(client);
  EXPECT_EQ(origin(0).local.address, kV6);
  EXPECT_EQ(stage_->origin_count(), 1U);
}

TEST_F(Race, AnOvertakenAddressIsTheLastChoiceForAWhile) {
  begin(seed_for(kV6));
  swallowed_ = {kV6};
  expect_answer(ask());
  const std::uint64_t races = count(Counter::kHttpOriginRaces);
  for (int i = 0; i < 8; ++i) {
    Peer& client = connect();
    send(client, get("/", "Connection: close\r\n", "both.example.com"));
    settle(30);
  }
  EXPECT_EQ(count(Counter::kHttpOriginRaces), races);
}

TEST_F(Race, WhenOneFailsTheOtherGoesOn) {
  for (const base::IpAddress& broken : {kV4, kV6}) {
    begin(seed_for(kV6));
    swallowed_ = {kV4, kV6};
    Peer& client = ask();
    settle(300);
    ASSERT_EQ(stage_->origin_count(), 2U);
    refusing_ = {broken};
    swallowed_ = {other_than(broken)};
    pass(seconds(4));
    EXPECT_EQ(stage_->origin_count(), 1U);
    EXPECT_EQ(client.received, "");
    swallowed_.clear();
    expect_answer(client);
    EXPECT_EQ(origin(0).local.address, other_than(broken));
  }
}

TEST_F(Race, BothFailing) {
  begin(seed_for(kV4));
  swallowed_ = {kV4, kV6};
  Peer& client = ask();
  pass(seconds(20));
  expect_error(client, 522, 522);
  expect_clean();
  EXPECT_EQ(stage_->origin_count(), 0U);
}

TEST_F(Race, EndsWithItsClient) {
  begin(seed_for(kV4));
  swallowed_ = {kV4, kV6};
  Peer& client = ask();
  settle(300);
  ASSERT_EQ(stage_->origin_count(), 2U);
  abort_peer(*client_, client);
  expect_clean();
  EXPECT_EQ(stage_->origin_count(), 0U);
}

TEST_F(Race, NeedsTwoFamiliesAndADelay) {
  begin(1);
  swallowed_ = {kV4, ip("203.0.113.2")};
  ask("www.example.com");
  settle(600);
  EXPECT_EQ(stage_->origin_count(), 1U);
  begin(1, {});
  swallowed_ = {kV4, kV6};
  ask();
  settle(600);
  EXPECT_EQ(stage_->origin_count(), 1U);
}

}  // namespace
}  // namespace brink::l7::proxy::testing
