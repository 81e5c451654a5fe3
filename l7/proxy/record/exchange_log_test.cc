// What the access log says of requests that end in every way.
#include <vector>

#include "l7/log/entry.h"
#include "l7/log/ring.h"
#include "l7/proxy/stage_test_world.h"

namespace brink::l7::proxy::testing {
namespace {

class StageLogTest : public FailureFixture {
 protected:
  static constexpr std::size_t kRing = 64 * 1024;

  StageLogTest() : ring_({memory_.span().data(), kRing}) {
    StageConfig config;
    config.access_log = &ring_;
    rebuild(config, stack_config(256 * 1024), stack_config(256 * 1024));
  }

  // The only entry that there is, texts included.
  log::EntryView only_entry() {
    const auto packed = ring_.front();
    EXPECT_FALSE(packed.empty());
    if (packed.empty()) return {};
    kept_.assign(packed.begin(), packed.end());
    ring_.pop();
    EXPECT_TRUE(ring_.front().empty());
    return log::unpack(kept_);
  }

  Memory memory_{kRing};
  log::Ring ring_;
  std::vector<std::byte> kept_;
};

TEST_F(StageLogTest, ARelayedRequestIsLoggedWhenItIsOver) {
  Peer& client = connect();
  send(client, get("/path?q=1", "User-Agent: tester\r\nReferer: http://a.example/\r\n"));
  Peer& server = origin(0);
  settle(20);
  EXPECT_TRUE(ring_.front().empty());
  send(server, ok("0123456789"));
  ASSERT_TRUE(receives(client, "0123456789"));
  settle(5);
  const log::EntryView view = only_entry();
  EXPECT_EQ(view.text(log::Text::method), "GET");
  EXPECT_EQ(view.text(log::Text::host), "one.example.com");
  EXPECT_EQ(view.text(log::Text::target), "/path?q=1");
  EXPECT_EQ(view.text(log::Text::user_agent), "tester");
  EXPECT_EQ(view.text(log::Text::referer), "http://a.example/");
  EXPECT_EQ(view.text(log::Text::zone), "example.com");
  EXPECT_EQ(view.entry.status, 200);
  EXPECT_EQ(view.entry.origin_status, 200);
  EXPECT_EQ(view.entry.error_type, 0);
  EXPECT_EQ(view.entry.origin, ip("203.0.113.1"));
  EXPECT_EQ(view.entry.origin_port, 80);
  EXPECT_EQ(view.entry.client, ip("198.51.100.7"));
  EXPECT_EQ(view.entry.client_port, client.local.port);
  EXPECT_EQ(view.entry.edge_port, 80);
  EXPECT_GE(view.entry.first_byte_us, 20'000U);
  EXPECT_GE(view.entry.duration_us, view.entry.first_byte_us);
  EXPECT_GT(view.entry.connect_us, 0U);
  EXPECT_EQ(view.entry.response_bytes, client.received.size());
  EXPECT_EQ(view.entry.flags, 0);
  EXPECT_NE(client.received.find(std::string_view(view.entry.ray.data(), view.entry.ray.size())),
            std::string::npos);
}

TEST_F(StageLogTest, AReusedConnectionAndABodyAreSaid) {
  Peer& client = connect();
  send(client, get());
  send(origin(0), ok("first"));
  ASSERT_TRUE(receives(client, "first"));
  settle(5);
  only_entry();
  const std::string post =
      "POST /form HTTP/1.1\r\nHost: one.example.com\r\nContent-Length: 1000\r\n\r\n" +
      std::string(1000, 'b');
  send(client, post);
  settle(10);
  send(origin(0), ok("second"));
  ASSERT_TRUE(receives(client, "second"));
  settle(5);
  const log::EntryView view = only_entry();
  EXPECT_EQ(view.entry.request_bytes, post.size());
  EXPECT_EQ(view.entry.flags, log::kOriginReused);
  EXPECT_EQ(view.entry.connect_us, 0U);
}

TEST_F(StageLogTest, ErrorsOfTheEdgeCarryTheirType) {
  refusing_.insert(ip("203.0.113.1"));
  Peer& client = connect();
  send(client, get());
  expect_error(client, 521, 521);
  settle(5);
  const log::EntryView view = only_entry();
  EXPECT_EQ(view.entry.status, 521);
  EXPECT_EQ(view.entry.error_type, 521);
  EXPECT_EQ(view.entry.origin_status, 0);
}

TEST_F(StageLogTest, WhatIsNoRequestIsLoggedWithItsStatus) {
  Peer& client = connect();
  send(client, "GET / HTTP/1.1\r\nHost : one.example.com\r\n\r\n");
  ASSERT_TRUE(receives(client, "400 Bad Request"));
  settle(5);
  const log::EntryView view = only_entry();
  EXPECT_EQ(view.entry.status, 400);
  EXPECT_EQ(view.text(log::Text::target), "");
  EXPECT_EQ(view.entry.client, ip("198.51.100.7"));
}

TEST_F(StageLogTest, AClientThatGoesBeforeItsAnswerIs499) {
  Peer& client = connect();
  send(client, get());
  origin(0);
  abort_peer(*client_, client);
  settle(5);
  const log::EntryView view = only_entry();
  EXPECT_EQ(view.entry.status, 499);
  EXPECT_EQ(view.entry.flags, log::kAborted);
}

TEST_F(StageLogTest, AResponseThatTheOriginCutsShortIsSaid) {
  Peer& client = connect();
  send(client, get());
  send(origin(0), "HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nshort");
  ASSERT_TRUE(receives(client, "short"));
  abort_peer(*origin_, origin(0));
  settle(5);
  const log::EntryView view = only_entry();
  EXPECT_EQ(view.entry.status, 200);
  EXPECT_EQ(view.entry.flags, log::kTruncated);
}

TEST_F(StageLogTest, AConnectionWithoutARequestIsNone) {
  Peer& client = connect();
  client.close_when_sent = true;
  settle(20);
  EXPECT_TRUE(ring_.front().empty());
}

TEST_F(StageLogTest, AFullRingDropsTheEntryAndCountsItButServes) {
  while (!ring_.reserve(1000).empty()) ring_.commit();
  Peer& client = connect();
  send(client, get());
  send(origin(0), ok("served"));
  ASSERT_TRUE(receives(client, "served"));
  settle(5);
  EXPECT_EQ(count(ipc::Counter::kAccessLogDropped), 1U);
}

}  // namespace
}  // namespace brink::l7::proxy::testing
