// What keeps requests from an origin address: limits, circuits, retry budgets; and from an idle
// connection: its age.
#include "l7/proxy/stage_test_world.h"

namespace brink::l7::proxy::testing {
namespace {

using ipc::Counter;

class Choice : public FailureFixture {
 protected:
  void begin(const StageConfig& config) {
    rebuild(config, stack_config(256 * 1024), stack_config(256 * 1024));
  }
  Peer& ask(const std::string& path = "/", const std::string& host = "one.example.com") {
    Peer& client = connect();
    send(client, get(path, "", host));
    return client;
  }
};

// ---- circuits ----

class Ejection : public Choice {
 protected:
  void fail(int times) {
    for (int i = 0; i < times; ++i) expect_error(ask(), 521, 521);
  }
  // A request, answered by the origin connection that it makes.
  void succeed() {
    const std::size_t n = origin_->peers.size();
    Peer& client = ask();
    ASSERT_TRUE(receives(origin(n), "GET / "));
    send(origin(n), "HTTP/1.1 200 OK\r\nContent-Length: 5\r\nConnection: close\r\n\r\nalive");
    ASSERT_TRUE(receives(client, "alive"));
  }
};

TEST_F(Ejection, AnAddressThatFailsInARowIsTriedNoMoreForAWhile) {
  refusing_ = {ip("203.0.113.1")};
  fail(5);
  EXPECT_EQ(count(Counter::kHttpOriginEjections), 1U);
  EXPECT_EQ(count(Counter::kHttpOriginEjected), 0U);
  refusing_.clear();
  fail(1);
  EXPECT_EQ(count(Counter::kHttpOriginEjected), 1U);
  EXPECT_TRUE(origin_->peers.empty()) << "nobody has tried";
  pass(seconds(1));
  succeed();
  succeed();
}

TEST_F(Ejection, AFailingProbeKeepsItOutForLonger) {
  refusing_ = {ip("203.0.113.1")};
  fail(5);
  pass(milliseconds(1200));
  fail(1);
  refusing_.clear();
  pass(milliseconds(1200));
  fail(1);
  EXPECT_EQ(count(Counter::kHttpOriginEjections), 1U);
  EXPECT_EQ(count(Counter::kHttpOriginEjected), 1U);
  pass(seconds(1));
  succeed();
}

TEST_F(Ejection, ASuccessBetweenFailuresCounts) {
  for (int i = 0; i < 3; ++i) {
    refusing_ = {ip("203.0.113.1")};
    fail(4);
    refusing_.clear();
    succeed();
  }
  EXPECT_EQ(count(Counter::kHttpOriginEjections), 0U);
}

TEST_F(Ejection, CanBeSwitchedOff) {
  StageConfig config;
  config.circuit.failures = 0;
  begin(config);
  refusing_ = {ip("203.0.113.1")};
  fail(12);
  refusing_.clear();
  succeed();
}

// ---- limits ----

TEST_F(Choice, RequestsOverTheLimitOfAnOrigin) {
  StageConfig config;
  config.origin_limits.requests = 1;
  begin(config);
  Peer& first = ask("/1");
  ASSERT_TRUE(receives(origin(0), "GET /1 "));
  expect_error(ask("/2"), 530, 1200);
  EXPECT_EQ(count(Counter::kHttpOriginBusy), 1U);
  send(origin(0), ok("one"));
  ASSERT_TRUE(receives(first, "\r\n\r\none"));
  Peer& third = ask("/3");
  ASSERT_TRUE(receives(origin(0), "GET /3 "));
  send(origin(0), ok("three"));
  EXPECT_TRUE(receives(third, "\r\n\r\nthree"));
}

TEST_F(Choice, RequestsOverTheLimitGoToTheOtherAddress) {
  StageConfig config;
  config.origin_limits.requests = 1;
  begin(config);
  ask("/1", "www.example.com");
  ask("/2", "www.example.com");
  ASSERT_TRUE(receives(origin(0), "GET /"));
  ASSERT_TRUE(receives(origin(1), "GET /"));
  EXPECT_NE(origin(0).local.address, origin(1).local.address);
  expect_error(ask("/3", "www.example.com"), 530, 1200);
}

TEST_F(Choice, RequestsThatEndBeforeTheirAnswerCountNoMore) {
  StageConfig config;
  config.origin_limits.requests = 1;
  config.origin_limits.pending = 1;
  begin(config);
  swallowed_ = {ip("203.0.113.1")};
  for (int i = 0; i < 3; ++i) {
    Peer& client = ask();
    settle(20);
    expect_error(ask(), 530, 1200);
    abort_peer(*client_, client);
  }
  swallowed_.clear();
  ask("/last");
  EXPECT_TRUE(receives(origin(0), "GET /last "));
}

TEST_F(Choice, RequestsThatWaitForAConnectionAreLimited) {
  StageConfig config;
  config.origin_limits.pending = 1;
  begin(config);
  swallowed_ = {ip("203.0.113.1")};
  ask("/1");
  settle(20);
  expect_error(ask("/2"), 530, 1200);
  swallowed_.clear();
  ASSERT_TRUE(receives(origin(0), "GET /1 "));
  ask("/3");
  EXPECT_TRUE(receives(origin(1), "GET /3 "));
}

// The connection that is there is for another client alone.
TEST_F(Choice, AnIdleConnectionMakesRoomForAnother) {
  StageConfig config;
  config.origin_limits.connections = 1;
  begin(config);
  route::SettingsLayout settings;
  settings.origin_proxy = route::OriginProxy::kV1;
  image_ = make_image(settings);
  Peer& first = ask("/1");
  ASSERT_TRUE(receives(origin(0), "GET /1 "));
  expect_error(ask("/2"), 530, 1200);
  send(origin(0), ok("one"));
  ASSERT_TRUE(receives(first, "\r\n\r\none"));
  ask("/3");
  ASSERT_TRUE(receives(origin(1), "GET /3 "));
  EXPECT_TRUE(settle_until([&] { return origin(0).peer_closed; }, 50));
}

// ---- retries ----

TEST_F(Choice, RetriesAreWithinTheirBudget) {
  StageConfig config;
  config.retries = {.percent = 0, .floor = 3};
  config.circuit.failures = 0;
  config.suspect_time = {};
  begin(config);
  refusing_ = {ip("203.0.113.1")};
  on_turn_ = [&] {
    for (auto& peer : origin_->peers) {
      if (peer->received.empty()) continue;
      peer->received.clear();
      peer->to_send += "HTTP/1.1 200 OK\r\nContent-Length: 5\r\nConnection: close\r\n\r\nalive";
    }
  };
  int failed = 0;
  for (int i = 0; i < 40; ++i) {
    Peer& client = ask("/", "www.example.com");
    ASSERT_TRUE(
        settle_until([&] { return client.received.find("\r\n\r\n") != std::string::npos; }));
    failed += client.received.starts_with("HTTP/1.1 521 ");
  }
  EXPECT_EQ(count(Counter::kHttpOriginRetries), 3U);
  EXPECT_GT(failed, 0);
  EXPECT_EQ(count(Counter::kHttpRetriesRefused), static_cast<std::uint64_t>(failed));
}

// ---- idle connections ----

class IdleTime : public Choice {
 protected:
  // Has the n-th origin connection answer a request of a new client.
  void exchange(std::size_t n, const std::string& path, const std::string& fields = "") {
    Peer& client = ask(path);
    ASSERT_TRUE(receives(origin(n), "GET " + path + " ")) << path;
    send(origin(n), "HTTP/1.1 200 OK\r\n" + fields + "Content-Length: 2\r\n\r\nok");
    ASSERT_TRUE(receives(client, "\r\n\r\nok"));
  }
};

TEST_F(IdleTime, IsLearnedFromTheOriginsOwnClose) {
  exchange(0, "/1");
  pass(seconds(2));
  origin(0).close_when_sent = true;
  settle(5);
  exchange(1, "/2");
  pass(milliseconds(1000));
  exchange(1, "/3");
  pass(milliseconds(1400));
  exchange(1, "/4");
  pass(milliseconds(1800));
  settle(5);
  EXPECT_TRUE(origin(1).peer_closed) << "the edge closes first";
  exchange(2, "/5");
}

TEST_F(IdleTime, IsLearnedFromAConnectionThatWasFoundDead) {
  exchange(0, "/1");
  pass(seconds(2));
  Peer& client = ask("/2");
  ASSERT_TRUE(receives(origin(0), "GET /2 "));
  abort_peer(*origin_, origin(0));
  ASSERT_TRUE(receives(origin(1), "GET /2 "));
  send(origin(1), ok("two"));
  ASSERT_TRUE(receives(client, "\r\n\r\ntwo"));
  pass(milliseconds(1800));
  exchange(2, "/3");
  EXPECT_EQ(count(Counter::kHttpOriginRetries), 1U);
}

TEST_F(IdleTime, IsWhatTheOriginSays) {
  exchange(0, "/1", "Keep-Alive: timeout=5, max=9\r\n");
  pass(milliseconds(3600));
  exchange(0, "/2", "Keep-Alive: timeout=5, max=8\r\n");
  pass(milliseconds(4400));
  EXPECT_TRUE(origin(0).peer_closed);
  exchange(1, "/3", "Keep-Alive: timeout=0\r\n");
  settle(5);
  EXPECT_EQ(stage_->idle_origin_count(), 0U);
  EXPECT_TRUE(origin(1).peer_closed);
}

TEST_F(IdleTime, IsThePoolsOwnForOthers) {
  exchange(0, "/1");
  pass(seconds(55));
  exchange(0, "/2");
}

}  // namespace
}  // namespace brink::l7::proxy::testing
