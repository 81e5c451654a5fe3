// What the stage does when somebody fails: clients, origins, the network, the configuration.
#include "l7/proxy/stage_test_world.h"

namespace brink::l7::proxy::testing {
namespace {

using ipc::Counter;

class Failure : public FailureFixture {};

// ---- refusals by the edge ----

TEST_F(Failure, UnknownAndDnsOnlyHostsAre1001) {
  for (const char* host : {"nope.example.com", "mail.example.com", "other.test"}) {
    Peer& client = connect();
    send(client, get("/", "", host));
    expect_error(client, 409, 1001);
  }
  EXPECT_EQ(count(Counter::kHttpUnknownHost), 3U);
  EXPECT_EQ(origin_->peers.size(), 0U);
}

TEST_F(Failure, HostThatIsAnAddressIs1003) {
  Peer& client = connect();
  send(client, get("/", "", "192.0.2.1"));
  expect_error(client, 403, 1003);
}

TEST_F(Failure, OriginThatIsThisEdgeIs1000) {
  Peer& client = connect();
  send(client, get("/", "", "self.example.com"));
  expect_error(client, 403, 1000);
}

TEST_F(Failure, RouteWithoutOriginIs1016) {
  Peer& client = connect();
  send(client, get("/", "", "none.example.com"));
  expect_error(client, 530, 1016);
}

TEST_F(Failure, LoopAndClientSuppliedConnectingIpAre1000) {
  for (const char* line :
       {"CDN-Loop: brink; zone=example.com\r\n", "CF-Connecting-IP: 1.1.1.1\r\n"}) {
    Peer& client = connect();
    send(client, get("/", line));
    expect_error(client, 403, 1000);
  }
  Peer& client = connect();
  send(client, get("/", "CDN-Loop: a b\r\n"));
  expect_error(client, 400, 400);
  EXPECT_EQ(origin_->peers.size(), 0U);
}

TEST_F(Failure, ProtocolErrorsHaveTheirStatusAndClose) {
  const struct {
    std::string request;
    int status;
  } cases[] = {
      {"GET / HTTP/1.1\r\n\r\n", 400},
      {"POST / HTTP/1.1\r\nHost: one.example.com\r\nContent-Length: 1\r\nTransfer-Encoding: "
       "chunked\r\n\r\n",
       400},
      {"GET /" + std::string(17000, 'a'), 414},
      {"GET / HTTP/1.1\r\nHost: one.example.com\r\nX: " + std::string(40000, 'a'), 431},
      {"POST / HTTP/1.1\r\nHost: one.example.com\r\nTransfer-Encoding: gzip\r\n\r\n", 501},
      {"GET / HTTP/2.5\r\nHost: one.example.com\r\n\r\n", 505},
      {get("/", "Expect: miracles\r\n"), 417},
      {"POST / HTTP/1.1\r\nHost: one.example.com\r\nContent-Length: 999999999999\r\n\r\n", 413},
  };
  for (const auto& c : cases) {
    Peer& client = connect();
    send(client, c.request + get("/smuggled"));
    expect_error(client, c.status, c.status);
    EXPECT_NE(client.received.find("Connection: close\r\n"), std::string::npos) << c.status;
    EXPECT_TRUE(settle_until([&] { return client.peer_closed; })) << c.status;
  }
  EXPECT_EQ(origin_->peers.size(), 0U) << "nothing of it may reach an origin";
  expect_clean();
}

TEST_F(Failure, TraceMethodIsRefused) {
  Peer& client = connect();
  send(client, "TRACE / HTTP/1.1\r\nHost: one.example.com\r\n\r\n");
  expect_error(client, 405, 405);
}

TEST_F(Failure, ErrorPageWithoutABodyToSkipKeepsTheConnection) {
  Peer& client = connect();
  send(client, get("/", "", "nope.example.com") + get("/good"));
  expect_error(client, 409, 1001);
  EXPECT_TRUE(receives(origin(0), "GET /good "));
}

TEST_F(Failure, ClientOverTheLimitIsResetAndCounted) {
  max_clients_ = 2;
  rebuild({}, stack_config(65536), stack_config(65536));
  Peer& a = connect();
  connect();
  Peer& c = connect();
  settle_until([&] { return c.closed; });
  EXPECT_TRUE(c.was_reset());
  EXPECT_EQ(count(Counter::kDropHttpClientLimit), 1U);
  a.close_when_sent = true;
  settle_until([&] { return stage_->client_count() == 1; });
  Peer& d = connect();
  send(d, get("/d"));
  EXPECT_TRUE(receives(origin(0), "GET /d "));
  EXPECT_EQ(count(Counter::kDropHttpClientLimit), 1U);
}

TEST_F(Failure, OverloadIs503AndRecovers) {
  max_exchanges_ = 2;
  rebuild({}, stack_config(65536), stack_config(65536));
  Peer& a = connect();
  Peer& b = connect();
  Peer& c = connect();
  send(a, get("/a"));
  send(b, get("/b"));
  settle(30);
  send(c, get("/c"));
  expect_error(c, 503, 503);
  EXPECT_EQ(count(Counter::kHttpOverloaded), 1U);
  settle_until([&] { return origin_->peers.size() == 2; });
  for (auto& peer : origin_->peers) send(*peer, ok("fine"));
  EXPECT_TRUE(receives(a, "fine"));
  EXPECT_TRUE(receives(b, "fine"));
  Peer& d = connect();
  send(d, get("/d"));
  settle(30);
  EXPECT_EQ(stage_->exchange_count(), 1U);
}

// ---- the client fails ----

TEST_F(Failure, HeaderTimeoutIs408) {
  Peer& client = connect();
  send(client, "GET / HTTP/1.1\r\nHost: one");
  pass(seconds(61));
  expect_error(client, 408, 408);
  expect_clean();
}

TEST_F(Failure, IdleClientIsClosedAfterItsKeepAlive) {
  Peer& client = connect();
  pass(seconds(390));
  EXPECT_FALSE(client.peer_closed);
  pass(seconds(12));
  EXPECT_TRUE(client.peer_closed);
  EXPECT_EQ(stage_->client_count(), 0U);
}

TEST_F(Failure, StalledRequestBodyIs408) {
  Peer& client = connect();
  send(client, "POST / HTTP/1.1\r\nHost: one.example.com\r\nContent-Length: 10\r\n\r\nabc");
  ASSERT_TRUE(receives(origin(0), "abc"));
  pass(seconds(62));
  expect_error(client, 408, 408);
  EXPECT_TRUE(settle_until([&] { return origin(0).closed; }));
}

TEST_F(Failure, BrokenChunkedRequestBodyIs400AndTheOriginSeesNoEnd) {
  Peer& client = connect();
  send(client,
       "POST / HTTP/1.1\r\nHost: one.example.com\r\nTransfer-Encoding: chunked\r\n\r\n"
       "3\r\nabc\r\n");
  ASSERT_TRUE(receives(origin(0), "abc"));
  send(client, "0x2\r\nde\r\n0\r\n\r\n" + get("/smuggled"));
  expect_error(client, 400, 400);
  ASSERT_TRUE(settle_until([&] { return origin(0).closed; }));
  EXPECT_EQ(origin(0).received.find("\r\n0\r\n\r\n"), std::string::npos);
  EXPECT_EQ(origin(0).received.find("smuggled"), std::string::npos);
}

TEST_F(Failure, ChunkedRequestBodyOverTheLimitIs413) {
  StageConfig config;
  config.body_max = 1000;
  rebuild(config, stack_config(65536), stack_config(65536));
  Peer& client = connect();
  send(client,
       "POST / HTTP/1.1\r\nHost: one.example.com\r\nTransfer-Encoding: chunked\r\n\r\n3e8\r\n" +
           std::string(1000, 'a') + "\r\n1\r\nb\r\n0\r\n\r\n");
  expect_error(client, 413, 413);
}

TEST_F(Failure, AZoneHasALimitOfItsOwnWithinTheEdges) {
  route::SettingsLayout settings;
  settings.max_upload_mb = 1;
  image_ = make_image(settings);
  StageConfig config;
  config.body_max = 2 << 20;
  rebuild(config, stack_config(65536), stack_config(65536));
  const std::string post = "POST / HTTP/1.1\r\nHost: one.example.com\r\n";
  Peer& client = connect();
  send(client, post + "Content-Length: 1048577\r\n\r\n");
  expect_error(client, 413, 413);
  Peer& within = connect();
  send(within, post + "Content-Length: 1048576\r\n\r\n");
  ASSERT_TRUE(receives(origin(0), "POST / "));
  abort_peer(*client_, within);
  settings.max_upload_mb = 5000;
  image_ = make_image(settings);
  rebuild(config, stack_config(65536), stack_config(65536));
  Peer& over = connect();
  send(over, post + "Content-Length: 2097153\r\n\r\n");
  expect_error(over, 413, 413);
}

TEST_F(Failure, ClientResetAbortsTheOrigin) {
  Peer& client = connect();
  send(client, get());
  ASSERT_TRUE(receives(origin(0), "GET "));
  abort_peer(*client_, client);
  EXPECT_TRUE(settle_until([&] { return origin(0).closed; }));
  EXPECT_EQ(stage_->client_count(), 0U);
  EXPECT_EQ(stage_->origin_count(), 0U);
  EXPECT_EQ(count(Counter::kHttpClientAborts), 1U);
  expect_clean();
}

TEST_F(Failure, ClientThatClosesWithinItsBodyAbortsTheOrigin) {
  Peer& client = connect();
  send(client, "POST / HTTP/1.1\r\nHost: one.example.com\r\nContent-Length: 10\r\n\r\nabc");
  ASSERT_TRUE(receives(origin(0), "abc"));
  client.close_when_sent = true;
  ASSERT_TRUE(settle_until([&] { return origin(0).closed; }));
  EXPECT_TRUE(origin(0).was_reset()) << "half a body must not look like a whole one";
  expect_clean();
}

TEST_F(Failure, HalfClosedClientStillGetsItsResponse) {
  Peer& client = connect();
  send(client, get());
  client.close_when_sent = true;
  ASSERT_TRUE(receives(origin(0), "GET "));
  settle(50);
  send(origin(0), ok("still here"));
  ASSERT_TRUE(receives(client, "\r\n\r\nstill here"));
  EXPECT_TRUE(settle_until([&] { return stage_->client_count() == 0; }));
}

TEST_F(Failure, ClientThatTakesNothingIsReset) {
  rebuild({}, stack_config(8192), stack_config(8192));
  Peer& client = connect();
  send(client, get());
  ASSERT_TRUE(receives(origin(0), "GET "));
  client.reading = false;
  send(origin(0), ok(std::string(200'000, 'x')));
  pass(seconds(65));
  EXPECT_EQ(stage_->client_count(), 0U);
  EXPECT_EQ(stage_->origin_count(), 0U);
  expect_clean();
}

// ---- the origin fails ----

TEST_F(Failure, RefusedConnectionIs521) {
  refusing_.insert(ip("203.0.113.1"));
  Peer& client = connect();
  send(client, get());
  expect_error(client, 521, 521);
  EXPECT_EQ(count(Counter::kHttpOriginRefused), 1U);
  EXPECT_EQ(count(Counter::kHttpEdgeErrors), 1U);
  EXPECT_EQ(stage_->origin_count(), 0U);
}

TEST_F(Failure, NoSynAckWithin19SecondsIs522) {
  swallowed_.insert(ip("203.0.113.1"));
  Peer& client = connect();
  send(client, get());
  pass(seconds(18));
  EXPECT_EQ(client.received, "");
  pass(seconds(2));
  expect_error(client, 522, 522);
  EXPECT_EQ(stage_->origin_count(), 0U);
}

TEST_F(Failure, RequestNotAcknowledgedWithin90SecondsIs522) {
  Peer& client = connect_and_get();
  swallowed_.insert(ip("203.0.113.1"));
  send(client, get("/2"));
  pass(seconds(85));
  EXPECT_EQ(client.received, "");
  pass(seconds(10));
  // The pooled connection is repeated once on a fresh one, whose SYN is lost too: 19 s more.
  pass(seconds(25));
  expect_error(client, 522, 522);
}

TEST_F(Failure, UnreachableIs523) {
  unreachable_.insert(ip("203.0.113.1"));
  Peer& client = connect();
  send(client, get());
  expect_error(client, 523, 523);
}

TEST_F(Failure, AddressFamilyWithoutASourceIs523) {
  Peer& client = connect();
  send(client, get("/", "", "six.example.com"));
  expect_error(client, 523, 523);
}

TEST_F(Failure, SilenceForTheReadTimeoutIs524) {
  Peer& client = connect();
  send(client, get());
  ASSERT_TRUE(receives(origin(0), "GET "));
  pass(seconds(118));
  EXPECT_EQ(client.received, "");
  pass(seconds(4));
  expect_error(client, 524, 524);
  EXPECT_TRUE(settle_until([&] { return origin(0).closed; }));
}

TEST_F(Failure, OriginThatTakesNoBodyFor30SecondsIs524) {
  rebuild({}, stack_config(8192), stack_config(8192));
  Peer& client = connect();
  send(client, "POST / HTTP/1.1\r\nHost: one.example.com\r\nContent-Length: 100000\r\n\r\n" +
                   std::string(100'000, 'x'));
  origin(0).reading = false;
  pass(seconds(35));
  expect_error(client, 524, 524);
}

TEST_F(Failure, EveryMalformedResponseIs520) {
  const std::string cases[] = {
      "garbage\r\n\r\n",
      "HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nab",
      "HTTP/1.1 200 OK\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
      "HTTP/1.1 200 OK\nX: y\n\n",
      "HTTP/1.1 200 OK\r\nX: y\r\n z\r\n\r\n",
      "HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\n\r\n",
      "HTTP/3.0 200 OK\r\n\r\n",
      "HTTP/1.1 200 OK\r\nX: " + std::string(40000, 'x'),
  };
  std::size_t n = 0;
  for (const std::string& response : cases) {
    Peer& client = connect();
    send(client, get());
    Peer& o = origin(n++);
    ASSERT_TRUE(receives(o, "GET "));
    send(o, response);
    expect_error(client, 520, 520);
  }
  EXPECT_EQ(stage_->idle_origin_count(), 0U) << "none of them may be used again";
  expect_clean();
}

TEST_F(Failure, TooManyInterimResponsesAre520) {
  Peer& client = connect();
  send(client, get());
  ASSERT_TRUE(receives(origin(0), "GET "));
  std::string hints;
  for (int i = 0; i < 17; ++i) hints += "HTTP/1.1 102 Processing\r\n\r\n";
  send(origin(0), hints);
  ASSERT_TRUE(receives(client, "HTTP/1.1 520 "));
}

TEST_F(Failure, EmptyResponseAndResetAfterConnectAre520) {
  Peer& a = connect();
  send(a, get());
  ASSERT_TRUE(receives(origin(0), "GET "));
  origin(0).close_when_sent = true;
  expect_error(a, 520, 520);
  Peer& b = connect();
  send(b, get());
  ASSERT_TRUE(receives(origin(1), "GET "));
  abort_peer(*origin_, origin(1));
  expect_error(b, 520, 520);
  Peer& c = connect();
  send(c, get());
  ASSERT_TRUE(receives(origin(2), "GET "));
  send(origin(2), "HTTP/1.1 200 OK\r\nContent-Le");
  origin(2).close_when_sent = true;
  expect_error(c, 520, 520);
}

TEST_F(Failure, OriginGoneWithinAChunkedBodyLeavesOutTheLastChunk) {
  for (const bool reset : {false, true}) {
    Peer& client = connect();
    send(client, get());
    Peer& o = origin(reset ? 1 : 0);
    ASSERT_TRUE(receives(o, "GET "));
    send(o, "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n5\r\nwo");
    ASSERT_TRUE(receives(client, "wo"));
    if (reset) {
      abort_peer(*origin_, o);
    } else {
      o.close_when_sent = true;
    }
    ASSERT_TRUE(settle_until([&] { return client.peer_closed || client.closed; }));
    EXPECT_EQ(client.received.find("\r\n0\r\n"), std::string::npos);
  }
  EXPECT_EQ(count(Counter::kHttpTruncated), 2U);
  expect_clean();
}

TEST_F(Failure, OriginGoneWithinALengthBodyEndsTheClientShort) {
  Peer& client = connect();
  send(client, get());
  ASSERT_TRUE(receives(origin(0), "GET "));
  send(origin(0), "HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhalf");
  origin(0).close_when_sent = true;
  ASSERT_TRUE(settle_until([&] { return client.peer_closed; }));
  EXPECT_EQ(body_of(client.received), "half");
}

TEST_F(Failure, TruncationTowardsAnOldClientIsAReset) {
  Peer& client = connect();
  send(client, "GET / HTTP/1.0\r\nHost: one.example.com\r\n\r\n");
  ASSERT_TRUE(receives(origin(0), "GET "));
  send(origin(0), "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhe");
  ASSERT_TRUE(receives(client, "he"));
  origin(0).close_when_sent = true;
  EXPECT_TRUE(settle_until([&] { return client.was_reset(); }));
}

TEST_F(Failure, ResponseBodyThatStallsIsCutShortAfterTheReadTimeout) {
  Peer& client = connect();
  send(client, get());
  ASSERT_TRUE(receives(origin(0), "GET "));
  send(origin(0), "HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhalf");
  ASSERT_TRUE(receives(client, "half"));
  pass(seconds(110));
  EXPECT_FALSE(client.peer_closed);
  pass(seconds(15));
  EXPECT_TRUE(client.peer_closed);
  EXPECT_EQ(body_of(client.received), "half");
  EXPECT_TRUE(origin(0).was_reset());
}

TEST_F(Failure, BrokenChunksFromTheOriginCutTheResponseShort) {
  Peer& client = connect();
  send(client, get());
  ASSERT_TRUE(receives(origin(0), "GET "));
  send(origin(0), "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\nzz\r\n");
  ASSERT_TRUE(settle_until([&] { return client.peer_closed; }));
  EXPECT_EQ(client.received.find("\r\n0\r\n"), std::string::npos);
  EXPECT_EQ(stage_->idle_origin_count(), 0U);
}

TEST_F(Failure, BytesBehindAResponsePoisonTheOriginConnection) {
  Peer& client = connect();
  send(client, get("/1"));
  ASSERT_TRUE(receives(origin(0), "GET /1 "));
  send(origin(0), ok("one") + ok("injected"));
  ASSERT_TRUE(receives(client, "\r\n\r\none"));
  settle(20);
  EXPECT_EQ(stage_->idle_origin_count(), 0U);
  send(client, get("/2"));
  ASSERT_TRUE(receives(origin(1), "GET /2 "));
  send(origin(1), ok("two"));
  ASSERT_TRUE(receives(client, "\r\n\r\ntwo"));
  EXPECT_EQ(client.received.find("injected"), std::string::npos);
}

TEST_F(Failure, BytesOnAnIdleOriginConnectionPoisonItToo) {
  connect_and_get();
  settle(20);
  EXPECT_EQ(stage_->idle_origin_count(), 1U);
  send(origin(0), ok("injected"));
  settle(20);
  EXPECT_EQ(stage_->idle_origin_count(), 0U);
}

}  // namespace
}  // namespace brink::l7::proxy::testing
