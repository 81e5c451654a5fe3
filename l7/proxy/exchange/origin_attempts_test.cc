// Second attempts: dead pooled connections, zero-downtime failover, passive health.
#include "l7/proxy/stage_test_world.h"

namespace brink::l7::proxy::testing {
namespace {

using ipc::Counter;

class Retry : public FailureFixture {};

// ---- pooled connections that die ----

TEST_F(Retry, ClosedIdleConnectionIsNotUsedAgain) {
  Peer& client = connect_and_get();
  origin(0).close_when_sent = true;
  settle(20);
  EXPECT_EQ(stage_->idle_origin_count(), 0U);
  send(client, get("/2"));
  EXPECT_TRUE(receives(origin(1), "GET /2 "));
}

TEST_F(Retry, ConnectionThatSpokeUnaskedIsNotUsedAgain) {
  Peer& client = connect();
  Peer& other = connect();
  send(client, get("/1"));
  ASSERT_TRUE(receives(origin(0), "GET /1 "));
  send(origin(0), ok("one"));
  ASSERT_TRUE(receives(client, "\r\n\r\none"));
  // Both arrive in one turn, and the request is handled first.
  send(other, get("/2"));
  send(origin(0), ok("stray"));
  ASSERT_TRUE(receives(origin(1), "GET /2 "));
  send(origin(1), ok("two"));
  EXPECT_TRUE(receives(other, "\r\n\r\ntwo"));
  EXPECT_EQ(other.received.find("stray"), std::string::npos);
}

TEST_F(Retry, ConnectionOfAnInterimHeadThatAnnouncedABodyIsNotUsedAgain) {
  for (const char* line : {"Content-Length: 43\r\n", "Transfer-Encoding: chunked\r\n"}) {
    Peer& client = connect();
    send(client, get("/1"));
    const std::size_t n = origin_->peers.size();
    ASSERT_TRUE(receives(origin(n), "GET /1 "));
    send(origin(n), "HTTP/1.1 103 Early Hints\r\n" + std::string(line) + "\r\n" + ok("one"));
    ASSERT_TRUE(receives(client, "\r\n\r\none"));
    settle(20);
    EXPECT_EQ(stage_->idle_origin_count(), 0U) << line;
  }
}

TEST_F(Retry, DeadPooledConnectionIsReplacedForARepeatableRequest) {
  Peer& client = connect_and_get();
  send(client, get("/2"));
  ASSERT_TRUE(receives(origin(0), "GET /2 "));  // the origin's close crosses the request
  origin(0).close_when_sent = true;
  ASSERT_TRUE(receives(origin(1), "GET /2 "));
  send(origin(1), ok("two"));
  EXPECT_TRUE(receives(client, "\r\n\r\ntwo"));
  EXPECT_EQ(count(Counter::kHttpOriginRetries), 1U);
}

TEST_F(Retry, DeadPooledConnectionIsRepeatedOnlyOnce) {
  Peer& client = connect_and_get();
  send(client, get("/2"));
  ASSERT_TRUE(receives(origin(0), "GET /2 "));
  abort_peer(*origin_, origin(0));
  ASSERT_TRUE(receives(origin(1), "GET /2 "));
  abort_peer(*origin_, origin(1));
  expect_error(client, 520, 520);
  EXPECT_EQ(origin_->peers.size(), 2U);
}

TEST_F(Retry, PostIsNeverRepeatedOnceSent) {
  Peer& client = connect_and_get();
  send(client, "POST /pay HTTP/1.1\r\nHost: one.example.com\r\nContent-Length: 0\r\n\r\n");
  ASSERT_TRUE(receives(origin(0), "POST /pay "));
  abort_peer(*origin_, origin(0));
  expect_error(client, 520, 520);
  EXPECT_EQ(origin_->peers.size(), 1U);
}

TEST_F(Retry, PostAvoidsAConnectionThatWasIdleForLong) {
  Peer& client = connect_and_get();
  pass(seconds(10));
  send(client, "POST /pay HTTP/1.1\r\nHost: one.example.com\r\nContent-Length: 0\r\n\r\n");
  EXPECT_TRUE(receives(origin(1), "POST /pay "));
}

// ---- zero-downtime failover ----

TEST_F(Retry, FailsOverToTheOtherAddressOn521And523) {
  for (std::set<base::IpAddress>* broken : {&refusing_, &unreachable_}) {
    for (int i = 0; i < 8; ++i) {
      broken->clear();
      broken->insert(ip("203.0.113.1"));
      Peer& client = connect();
      send(client, get("/" + std::to_string(i), "Connection: close\r\n", "www.example.com"));
      on_turn_ = [&] {
        for (auto& peer : origin_->peers) {
          if (!peer->received.empty()) {
            peer->received.clear();
            peer->to_send += ok("alive");
          }
        }
      };
      ASSERT_TRUE(receives(client, "alive"));
      EXPECT_EQ(client.received.rfind("HTTP/1.1 200 ", 0), 0U);
    }
    broken->clear();
  }
  EXPECT_GT(count(Counter::kHttpOriginRetries), 0U);
}

TEST_F(Retry, FailsOverAfterAConnectTimeoutAndKeepsTheBody) {
  swallowed_.insert(ip("203.0.113.1"));
  swallowed_.insert(ip("203.0.113.2"));
  Peer& client = connect();
  send(client, "POST / HTTP/1.1\r\nHost: www.example.com\r\nContent-Length: 4\r\n\r\nbody");
  pass(seconds(15));
  EXPECT_EQ(origin_->peers.size(), 0U);
  swallowed_.clear();
  // The first address never answers again: only its successor may.
  swallowed_.insert(ip("203.0.113.1"));
  pass(seconds(10));
  ASSERT_TRUE(receives(origin(0), "\r\n\r\nbody"));
  send(origin(0), ok("saved"));
  EXPECT_TRUE(receives(client, "\r\n\r\nsaved"));
}

TEST_F(Retry, FailsOverExactlyOnce) {
  refusing_.insert(ip("203.0.113.1"));
  refusing_.insert(ip("203.0.113.2"));
  Peer& client = connect();
  send(client, get("/", "", "www.example.com"));
  expect_error(client, 521, 521);
  EXPECT_EQ(count(Counter::kHttpOriginRetries), 1U);
  expect_clean();
}

TEST_F(Retry, AvoidsAnAddressThatFailedLately) {
  refusing_.insert(ip("203.0.113.1"));
  on_turn_ = [&] {
    for (auto& peer : origin_->peers) {
      if (!peer->received.empty()) {
        peer->received.clear();
        peer->to_send += "HTTP/1.1 200 OK\r\nContent-Length: 5\r\nConnection: close\r\n\r\nalive";
      }
    }
  };
  for (int i = 0; i < 12; ++i) {
    Peer& client = connect();
    send(client, get("/", "", "www.example.com"));
    ASSERT_TRUE(receives(client, "alive"));
  }
  EXPECT_EQ(count(Counter::kHttpOriginRetries), 1U) << "only the first request met the dead one";
}

}  // namespace
}  // namespace brink::l7::proxy::testing
