// The stage's ordinary work: requests through the edge and back, in every framing.
#include "l7/proxy/stage_test_world.h"

namespace brink::l7::proxy::testing {
namespace {

using ipc::Counter;

// Bytes that differ from place to place, so that loss, repetition and reordering all show.
std::string pattern(std::size_t size, std::uint32_t seed = 1) {
  std::string out(size, '\0');
  std::uint32_t x = seed * 2654435761U + 1;
  for (char& c : out) {
    x = x * 1664525 + 1013904223;
    c = static_cast<char>(x >> 24);
  }
  return out;
}

bool starts_with(const std::string& text, std::string_view start) {
  return text.compare(0, start.size(), start) == 0;
}

TEST_F(StageFixture, ProxiesAGetWithTheEdgeFieldsBothWays) {
  Peer& client = connect();
  send(client, get("/hello?x=1", "Accept: */*\r\n"));
  Peer& o = origin(0);
  ASSERT_TRUE(receives(o, "\r\n\r\n"));
  EXPECT_TRUE(starts_with(o.received, "GET /hello?x=1 HTTP/1.1\r\nHost: one.example.com\r\n"));
  EXPECT_NE(o.received.find("CF-Connecting-IP: 198.51.100.7\r\n"), std::string::npos);
  EXPECT_NE(o.received.find("CDN-Loop: brink; zone=example.com\r\n"), std::string::npos);
  EXPECT_EQ(o.local.port, 80);
  send(o, ok("hello"));
  ASSERT_TRUE(receives(client, "\r\n\r\nhello"));
  EXPECT_TRUE(starts_with(client.received, "HTTP/1.1 200 OK\r\n"));
  EXPECT_NE(client.received.find("Server: brink\r\n"), std::string::npos);
  EXPECT_NE(client.received.find("CF-Cache-Status: DYNAMIC\r\n"), std::string::npos);
  const auto ray = [](const std::string& text) {
    const std::size_t at = text.find("CF-Ray: ");
    return at == std::string::npos ? "" : text.substr(at + 8, 20);
  };
  EXPECT_EQ(ray(o.received), ray(client.received));
  EXPECT_EQ(ray(o.received).substr(16), "-TST");
  EXPECT_EQ(count(Counter::kHttpRequests), 1U);
  EXPECT_EQ(count(Counter::kHttpResponses), 1U);
}

TEST_F(StageFixture, OriginPortFollowsTheClientPort) {
  Peer& client = connect(8080);
  send(client, get());
  EXPECT_EQ(origin(0).local.port, 8080);
}

TEST_F(StageFixture, KeepsBothConnectionsAliveAndReusesThem) {
  Peer& client = connect();
  for (int i = 0; i < 5; ++i) {
    const std::string body = "answer" + std::to_string(i);
    send(client, get("/" + std::to_string(i)));
    ASSERT_TRUE(receives(origin(0), "GET /" + std::to_string(i) + " "));
    send(origin(0), ok(body));
    ASSERT_TRUE(receives(client, body));
  }
  settle(5);
  EXPECT_EQ(origin_->peers.size(), 1U);
  EXPECT_EQ(stage_->idle_origin_count(), 1U);
  EXPECT_EQ(stage_->exchange_count(), 0U);
  EXPECT_EQ(count(Counter::kHttpOriginReused), 4U);
  EXPECT_FALSE(client.peer_closed);
}

TEST_F(StageFixture, AnswersPipelinedRequestsInOrderOneAtATime) {
  Peer& client = connect();
  send(client, get("/a") + get("/b") + get("/c"));
  std::size_t seen = 0;
  for (const char* name : {"/a", "/b", "/c"}) {
    ASSERT_TRUE(receives(origin(0), std::string("GET ") + name + " "));
    settle(20);
    // The next request stays with the edge until this one is answered.
    EXPECT_EQ(origin(0).received.find("GET ", origin(0).received.find(name)), std::string::npos);
    send(origin(0), ok(std::string("body of ") + name));
    ASSERT_TRUE(receives(client, std::string("body of ") + name));
    EXPECT_GT(client.received.size(), seen);
    seen = client.received.size();
  }
  EXPECT_EQ(origin_->peers.size(), 1U);
}

TEST_F(StageFixture, ReadsARequestThatDripsInByteByByte) {
  Peer& client = connect();
  for (const char c : get("/slow", "X-A: b\r\n")) {
    send(client, std::string(1, c));
    settle(2);
  }
  ASSERT_TRUE(receives(origin(0), "GET /slow HTTP/1.1\r\n"));
  for (const char c : ok("dripped")) {
    send(origin(0), std::string(1, c));
    settle(2);
  }
  EXPECT_TRUE(receives(client, "\r\n\r\ndripped"));
}

TEST_F(StageFixture, HeadHasALengthButNoBody) {
  Peer& client = connect();
  send(client, "HEAD / HTTP/1.1\r\nHost: one.example.com\r\n\r\n" + get("/next"));
  ASSERT_TRUE(receives(origin(0), "HEAD / "));
  send(origin(0), "HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n");
  ASSERT_TRUE(receives(client, "Content-Length: 1000\r\n"));
  ASSERT_TRUE(receives(origin(0), "GET /next ")) << "nothing of a body was waited for";
  send(origin(0), ok("next"));
  EXPECT_TRUE(receives(client, "\r\n\r\nnext"));
}

TEST_F(StageFixture, NoContentAndNotModifiedHaveNoBody) {
  Peer& client = connect();
  send(client, get("/1") + get("/2") + get("/3"));
  ASSERT_TRUE(receives(origin(0), "GET /1 "));
  send(origin(0), "HTTP/1.1 204 No Content\r\n\r\n");
  ASSERT_TRUE(receives(origin(0), "GET /2 "));
  send(origin(0), "HTTP/1.1 304 Not Modified\r\nContent-Length: 77\r\nETag: x\r\n\r\n");
  ASSERT_TRUE(receives(origin(0), "GET /3 "));
  send(origin(0), ok("three"));
  ASSERT_TRUE(receives(client, "\r\n\r\nthree"));
  EXPECT_NE(client.received.find("304 Not Modified"), std::string::npos);
}

TEST_F(StageFixture, Http10ClientGetsNoChunksAndAClose) {
  Peer& client = connect();
  send(client, "GET / HTTP/1.0\r\nHost: one.example.com\r\n\r\n");
  ASSERT_TRUE(receives(origin(0), " HTTP/1.1\r\n"));
  send(origin(0),
       "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n" + chunked("old client", 3));
  ASSERT_TRUE(receives(client, "\r\n\r\nold client"));
  EXPECT_TRUE(settle_until([&] { return client.peer_closed; }));
  EXPECT_EQ(client.received.find("chunked"), std::string::npos);
  EXPECT_NE(client.received.find("Connection: close\r\n"), std::string::npos);
  EXPECT_EQ(body_of(client.received), "old client");
  EXPECT_EQ(stage_->idle_origin_count(), 1U) << "the origin spoke 1.1 and may be used again";
}

TEST_F(StageFixture, Http10KeepAliveIsHonouredAndConfirmed) {
  Peer& client = connect();
  send(client, "GET /1 HTTP/1.0\r\nHost: one.example.com\r\nConnection: keep-alive\r\n\r\n");
  ASSERT_TRUE(receives(origin(0), "GET /1 "));
  send(origin(0), ok("one"));
  ASSERT_TRUE(receives(client, "Connection: keep-alive\r\n"));
  send(client, "GET /2 HTTP/1.0\r\nHost: one.example.com\r\n\r\n");
  EXPECT_TRUE(receives(origin(0), "GET /2 "));
}

TEST_F(StageFixture, AbsoluteAndAsteriskTargetsBecomeWhatTheOriginExpects) {
  Peer& client = connect();
  send(client, "GET http://ONE.example.com:80/abs HTTP/1.1\r\nHost: one.example.com\r\n\r\n");
  ASSERT_TRUE(receives(origin(0), "GET /abs HTTP/1.1\r\nHost: one.example.com\r\n"));
  send(origin(0), "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n");
  ASSERT_TRUE(receives(client, "Content-Length: 0\r\n"));
  send(client, "OPTIONS * HTTP/1.1\r\nHost: one.example.com\r\n\r\n");
  EXPECT_TRUE(receives(origin(0), "OPTIONS * HTTP/1.1\r\nHost: one.example.com\r\n"));
}

TEST_F(StageFixture, ATargetOfTheOtherSchemeIsRefused) {
  Peer& client = connect();
  send(client, "GET https://one.example.com/ HTTP/1.1\r\nHost: one.example.com\r\n\r\n");
  EXPECT_TRUE(receives(client, "HTTP/1.1 400 "));
  EXPECT_TRUE(origin_->peers.empty());
}

TEST_F(StageFixture, EdgeAnswersToHeadHaveNoBody) {
  Peer& client = connect();
  send(client, "HEAD / HTTP/1.1\r\nHost: nope.example.com\r\n\r\n" + get("/next"));
  ASSERT_TRUE(receives(origin(0), "GET /next "));
  EXPECT_NE(client.received.find("HTTP/1.1 409 "), std::string::npos);
  EXPECT_EQ(body_of(client.received), "");
}

TEST_F(StageFixture, ConnectionCloseEndsTheClientAfterTheResponse) {
  Peer& client = connect();
  send(client, get("/", "Connection: close\r\n"));
  ASSERT_TRUE(receives(origin(0), "GET "));
  send(origin(0), ok("bye"));
  ASSERT_TRUE(receives(client, "bye"));
  EXPECT_TRUE(settle_until([&] { return client.peer_closed; }));
  EXPECT_NE(client.received.find("Connection: close\r\n"), std::string::npos);
  client.close_when_sent = true;
  EXPECT_TRUE(settle_until([&] { return stage_->client_count() == 0; }));
}

TEST_F(StageFixture, OriginCloseKeepsTheClientAndForgetsTheOrigin) {
  Peer& client = connect();
  send(client, get("/1"));
  ASSERT_TRUE(receives(origin(0), "GET /1 "));
  send(origin(0), "HTTP/1.1 200 OK\r\nContent-Length: 1\r\nConnection: close\r\n\r\nx");
  ASSERT_TRUE(receives(client, "\r\n\r\nx"));
  settle(10);
  EXPECT_EQ(stage_->idle_origin_count(), 0U);
  send(client, get("/2"));
  ASSERT_TRUE(receives(origin(1), "GET /2 "));
}

TEST_F(StageFixture, CloseDelimitedResponseBecomesChunked) {
  Peer& client = connect();
  send(client, get("/"));
  ASSERT_TRUE(receives(origin(0), "GET "));
  send(origin(0), "HTTP/1.0 200 OK\r\n\r\nuntil the end");
  settle(20);
  origin(0).close_when_sent = true;
  ASSERT_TRUE(receives(client, "0\r\n\r\n"));
  EXPECT_NE(client.received.find("Transfer-Encoding: chunked\r\n"), std::string::npos);
  EXPECT_EQ(unchunked(body_of(client.received)), "until the end");
  send(client, get("/next"));
  EXPECT_TRUE(receives(origin(1), "GET /next ")) << "the client connection went on";
}

TEST_F(StageFixture, ChunkedBodiesAreFramedAnewInBothDirections) {
  const std::string upload = pattern(10'000, 1);
  const std::string download = pattern(20'000, 2);
  Peer& client = connect();
  send(client, "POST /up HTTP/1.1\r\nHost: one.example.com\r\nTransfer-Encoding: chunked\r\n\r\n" +
                   chunked(upload, 777));
  Peer& o = origin(0);
  ASSERT_TRUE(receives(o, "\r\n0\r\n\r\n"));
  EXPECT_NE(o.received.find("Transfer-Encoding: chunked\r\n"), std::string::npos);
  EXPECT_EQ(unchunked(body_of(o.received)), upload);
  send(o, "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n" + chunked(download, 1234));
  ASSERT_TRUE(receives(client, "\r\n0\r\n\r\n"));
  EXPECT_EQ(unchunked(body_of(client.received)), download);
  settle(5);
  EXPECT_EQ(stage_->idle_origin_count(), 1U);
}

TEST_F(StageFixture, TrailersAndChunkExtensionsEndAtTheEdge) {
  Peer& client = connect();
  send(client, get());
  ASSERT_TRUE(receives(origin(0), "GET "));
  send(origin(0),
       "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nTrailer: X-T\r\n\r\n"
       "3;ext=1\r\nabc\r\n0\r\nX-T: evil\r\n\r\n");
  ASSERT_TRUE(receives(client, "0\r\n\r\n"));
  EXPECT_EQ(unchunked(body_of(client.received)), "abc");
  EXPECT_EQ(client.received.find("X-T"), std::string::npos);
  EXPECT_EQ(client.received.find("ext"), std::string::npos);
}

TEST_F(StageFixture, ExpectationIsForwardedAndAnsweredByTheOrigin) {
  Peer& client = connect();
  send(client,
       "POST / HTTP/1.1\r\nHost: one.example.com\r\nContent-Length: 4\r\n"
       "Expect: 100-continue\r\n\r\n");
  ASSERT_TRUE(receives(origin(0), "Expect: 100-continue\r\n"));
  settle(50);
  EXPECT_EQ(client.received, "") << "the edge does not invite the body by itself";
  send(origin(0), "HTTP/1.1 100 Continue\r\n\r\n");
  ASSERT_TRUE(receives(client, "HTTP/1.1 100 Continue\r\n\r\n"));
  send(client, "body");
  ASSERT_TRUE(receives(origin(0), "\r\n\r\nbody"));
  send(origin(0), ok("done"));
  EXPECT_TRUE(receives(client, "\r\n\r\ndone"));
  EXPECT_EQ(client.received.find("Connection: close"), std::string::npos);
}

TEST_F(StageFixture, RefusedExpectationClosesBecauseTheBodyMayOrMayNotCome) {
  Peer& client = connect();
  send(client,
       "POST / HTTP/1.1\r\nHost: one.example.com\r\nContent-Length: 4\r\n"
       "Expect: 100-continue\r\n\r\n");
  ASSERT_TRUE(receives(origin(0), "Expect: 100-continue\r\n"));
  send(origin(0), "HTTP/1.1 417 No\r\nContent-Length: 0\r\n\r\n");
  ASSERT_TRUE(receives(client, "417 No"));
  EXPECT_NE(client.received.find("Connection: close\r\n"), std::string::npos);
  settle(20);
  EXPECT_EQ(stage_->idle_origin_count(), 0U);
}

TEST_F(StageFixture, EarlyHintsGoToNewClientsOnly) {
  Peer& client = connect();
  send(client, get());
  ASSERT_TRUE(receives(origin(0), "GET "));
  send(origin(0), "HTTP/1.1 103 Early Hints\r\nLink: </a.css>\r\n\r\n");
  ASSERT_TRUE(receives(client, "HTTP/1.1 103 Early Hints\r\nLink: </a.css>\r\n\r\n"));
  send(origin(0), "HTTP/1.1 100 Continue\r\n\r\n" + ok("final"));
  ASSERT_TRUE(receives(client, "\r\n\r\nfinal"));
  EXPECT_EQ(client.received.find("100 Continue"), std::string::npos) << "nobody expected it";
  Peer& old = connect();
  send(old, "GET / HTTP/1.0\r\nHost: one.example.com\r\n\r\n");
  ASSERT_TRUE(settle_until([&] { return origin(0).received.rfind("GET ") > 10; }));
  send(origin(0), "HTTP/1.1 103 Early Hints\r\nLink: </a.css>\r\n\r\n" + ok("old"));
  ASSERT_TRUE(receives(old, "\r\n\r\nold"));
  EXPECT_EQ(old.received.find("103"), std::string::npos);
}

TEST_F(StageFixture, EarlyFinalResponseEndsTheClientAndTheOriginConnection) {
  Peer& client = connect();
  send(client, "POST / HTTP/1.1\r\nHost: one.example.com\r\nContent-Length: 1000\r\n\r\npart");
  ASSERT_TRUE(receives(origin(0), "\r\n\r\npart"));
  send(origin(0), "HTTP/1.1 403 No\r\nContent-Length: 2\r\n\r\nno");
  ASSERT_TRUE(receives(client, "\r\n\r\nno"));
  EXPECT_NE(client.received.find("Connection: close\r\n"), std::string::npos);
  // What the client still sends, even a request, reaches nobody.
  send(client, get("/smuggled"));
  settle(50);
  EXPECT_EQ(stage_->idle_origin_count(), 0U);
  EXPECT_EQ(origin(0).received.find("smuggled"), std::string::npos);
  EXPECT_EQ(origin_->peers.size(), 1U);
}

TEST_F(StageFixture, BigBodiesPassTinyBuffersUnchanged) {
  rebuild({}, stack_config(4096), stack_config(4096));
  const std::string upload = pattern(300'000, 3);
  const std::string download = pattern(400'000, 4);
  Peer& client = connect();
  send(client,
       "POST /big HTTP/1.1\r\nHost: one.example.com\r\nContent-Length: 300000\r\n\r\n" + upload);
  Peer& o = origin(0);
  ASSERT_TRUE(settle_until([&] { return body_of(o.received).size() == upload.size(); }, 60000));
  EXPECT_TRUE(body_of(o.received) == upload);
  send(o, "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n" + chunked(download, 5000));
  ASSERT_TRUE(settle_until(
      [&] {
        const std::string& r = client.received;
        return r.size() > 7 && r.compare(r.size() - 7, 7, "\r\n0\r\n\r\n") == 0;
      },
      60000));
  EXPECT_TRUE(unchunked(body_of(client.received)) == download);
}

TEST_F(StageFixture, SlowReaderHoldsTheOriginBackInsteadOfFillingMemory) {
  rebuild({}, stack_config(16 * 1024), stack_config(16 * 1024));
  Peer& client = connect();
  send(client, get());
  ASSERT_TRUE(receives(origin(0), "GET "));
  client.reading = false;
  const std::string body = pattern(1'000'000, 5);
  send(origin(0), "HTTP/1.1 200 OK\r\nContent-Length: 1000000\r\n\r\n" + body);
  settle(3000);
  const std::size_t unsent = origin(0).to_send.size();
  // Four windows at most: two queues at the edge, one at each end.
  EXPECT_GT(unsent, body.size() - 5 * 16 * 1024);
  settle(500);
  EXPECT_EQ(origin(0).to_send.size(), unsent) << "it must stand still";
  client.reading = true;
  ASSERT_TRUE(settle_until([&] { return body_of(client.received).size() == body.size(); }, 60000));
  EXPECT_TRUE(body_of(client.received) == body);
}

TEST_F(StageFixture, ServesManyClientsAtOnceWithoutMixingThem) {
  // Every origin connection answers with the path it was asked for.
  std::map<Peer*, std::size_t> answered;
  on_turn_ = [&] {
    for (auto& peer : origin_->peers) {
      std::size_t& at = answered[peer.get()];
      const std::size_t end = peer->received.find("\r\n\r\n", at);
      if (end == std::string::npos) continue;
      const std::size_t start = peer->received.find("GET ", at) + 4;
      peer->to_send +=
          ok("for " + peer->received.substr(start, peer->received.find(' ', start) - start));
      at = end + 4;
    }
  };
  std::vector<Peer*> clients;
  for (int i = 0; i < 20; ++i) clients.push_back(&connect());
  for (int round = 0; round < 5; ++round) {
    for (int i = 0; i < 20; ++i) {
      send(*clients[i], get("/c" + std::to_string(i) + "r" + std::to_string(round)));
    }
    settle(30);
  }
  for (int i = 0; i < 20; ++i) {
    std::size_t at = 0;
    for (int round = 0; round < 5; ++round) {
      const std::string body = "for /c" + std::to_string(i) + "r" + std::to_string(round);
      at = clients[i]->received.find(body, at);
      ASSERT_NE(at, std::string::npos) << body;
    }
  }
  EXPECT_EQ(count(Counter::kHttpResponses), 100U);
  EXPECT_EQ(stage_->exchange_count(), 0U);
}

TEST_F(StageFixture, TraceIsAnsweredByTheEdge) {
  Peer& client = connect();
  send(client, get("/cdn-cgi/trace", "User-Agent: tester/1\r\n"));
  ASSERT_TRUE(receives(client, "gateway=off\n"));
  for (const char* line :
       {"\nh=one.example.com\n", "\nip=198.51.100.7\n", "\nuag=tester/1\n", "\ncolo=TST\n",
        "\nvisit_scheme=http\n", "\nhttp=http/1.1\n", "\nts=1700000000.", "\ntls=off\n"}) {
    EXPECT_NE(client.received.find(line), std::string::npos) << line << client.received;
  }
  send(client, get("/cdn-cgi/other"));
  ASSERT_TRUE(receives(client, "HTTP/1.1 404 "));
  settle(10);
  EXPECT_EQ(origin_->peers.size(), 0U);
  EXPECT_EQ(stage_->exchange_count(), 0U);
}

TEST_F(StageFixture, IdleOriginConnectionsAreClosedByUsFirst) {
  Peer& client = connect();
  send(client, get());
  ASSERT_TRUE(receives(origin(0), "GET "));
  send(origin(0), ok("x"));
  ASSERT_TRUE(receives(client, "\r\n\r\nx"));
  pass(seconds(50));
  EXPECT_EQ(stage_->idle_origin_count(), 1U);
  pass(seconds(12));
  EXPECT_EQ(stage_->idle_origin_count(), 0U);
  EXPECT_TRUE(origin(0).peer_closed);
}

TEST_F(StageFixture, DrainingEndsEverythingOrderly) {
  Peer& idle = connect();
  Peer& busy = connect();
  send(busy, get());
  ASSERT_TRUE(receives(origin(0), "GET "));
  stage_->drain();
  pass(seconds(1));
  EXPECT_TRUE(idle.peer_closed);
  send(origin(0), ok("last"));
  ASSERT_TRUE(receives(busy, "\r\n\r\nlast"));
  EXPECT_NE(busy.received.find("Connection: close\r\n"), std::string::npos);
  pass(seconds(6));
  EXPECT_EQ(stage_->client_count(), 0U);
  EXPECT_EQ(stage_->origin_count(), 0U);
}

}  // namespace
}  // namespace brink::l7::proxy::testing
