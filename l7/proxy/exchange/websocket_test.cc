// WebSockets through the edge: the handshake, what is carried, and every way in which it ends.
#include "l7/proxy/stage_test_world.h"

namespace brink::l7::proxy::testing {
namespace {

using ipc::Counter;

const std::string kOpening =
    "Connection: keep-alive, Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n"
    "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n";
const std::string kGranted =
    "HTTP/1.1 101 Switching Protocols\r\nUpgrade: WebSocket\r\nConnection: Upgrade\r\n"
    "Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n\r\n";

bool has(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

class WebSocket : public StageFixture {
 protected:
  // A granted one; both ends have received its heads alone.
  void open() {
    client_end_ = &connect();
    send(*client_end_, get("/chat", kOpening));
    origin_end_ = &origin(0);
    ASSERT_TRUE(receives(*origin_end_, "\r\n\r\n"));
    send(*origin_end_, kGranted);
    ASSERT_TRUE(receives(*client_end_, "\r\n\r\n"));
  }

  Peer* client_end_ = nullptr;
  Peer* origin_end_ = nullptr;
};

TEST_F(WebSocket, TheHandshakePassesWithItsFields) {
  open();
  EXPECT_EQ(origin_end_->received.rfind("GET /chat HTTP/1.1\r\n", 0), 0U);
  EXPECT_TRUE(has(origin_end_->received, "\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"));
  EXPECT_TRUE(has(origin_end_->received, "\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"));
  EXPECT_FALSE(has(origin_end_->received, "Keep-Alive"));
  EXPECT_EQ(client_end_->received.rfind("HTTP/1.1 101 ", 0), 0U) << client_end_->received;
  EXPECT_TRUE(has(client_end_->received, "\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"));
  EXPECT_TRUE(
      has(client_end_->received, "\r\nSec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n"));
  EXPECT_EQ(count(Counter::kHttpTunnels), 1U);
}

TEST_F(WebSocket, CarriesBytesBothWaysAsTheyAre) {
  open();
  const std::size_t before = client_end_->received.size();
  const std::size_t origin_before = origin_end_->received.size();
  const std::string to_origin("\x81\x05hello\0GET / HTTP/1.1\r\n\r\n", 31);
  std::string to_client(300'000, '\0');
  for (std::size_t i = 0; i < to_client.size(); ++i) to_client[i] = static_cast<char>(i * 7 >> 3);
  send(*client_end_, to_origin);
  send(*origin_end_, to_client);
  ASSERT_TRUE(settle_until(
      [&] { return client_end_->received.size() >= before + to_client.size(); }));
  EXPECT_EQ(client_end_->received.substr(before), to_client);
  EXPECT_EQ(origin_end_->received.substr(origin_before), to_origin);
}

TEST_F(WebSocket, BytesBehindTheHeadsWaitForTheGrant) {
  Peer& client = connect();
  send(client, get("/", kOpening) + "early");
  Peer& o = origin(0);
  ASSERT_TRUE(receives(o, "\r\n\r\n"));
  settle();
  EXPECT_FALSE(has(o.received, "early"));
  send(o, kGranted + "first");
  ASSERT_TRUE(receives(client, "\r\n\r\nfirst"));
  ASSERT_TRUE(receives(o, "\r\n\r\nearly"));
}

TEST_F(WebSocket, AnOriginThatEndsEndsTheClient) {
  open();
  send(*origin_end_, "last");
  origin_end_->close_when_sent = true;
  ASSERT_TRUE(settle_until([&] { return client_end_->peer_closed; }));
  EXPECT_EQ(body_of(client_end_->received), "last");
  EXPECT_EQ(stage_->exchange_count(), 0U);
  EXPECT_EQ(stage_->idle_origin_count(), 0U);
}

TEST_F(WebSocket, AHalfClosedClientStillReceives) {
  open();
  send(*client_end_, "bye");
  client_end_->close_when_sent = true;
  ASSERT_TRUE(settle_until([&] { return origin_end_->peer_closed; }));
  EXPECT_EQ(body_of(origin_end_->received), "bye");
  EXPECT_EQ(stage_->exchange_count(), 1U);
  send(*origin_end_, "bye too");
  origin_end_->close_when_sent = true;
  ASSERT_TRUE(receives(*client_end_, "bye too"));
  settle(20);
  EXPECT_EQ(stage_->exchange_count(), 0U);
  EXPECT_EQ(count(Counter::kHttpClientAborts), 0U);
}

TEST_F(WebSocket, AResetOnEitherSideReachesTheOther) {
  open();
  abort_peer(*origin_, *origin_end_);
  ASSERT_TRUE(settle_until([&] { return client_end_->was_reset(); }));
  EXPECT_EQ(stage_->exchange_count(), 0U);
}

TEST_F(WebSocket, AClientThatResetsFreesTheOrigin) {
  open();
  abort_peer(*client_, *client_end_);
  ASSERT_TRUE(settle_until([&] { return origin_end_->closed; }));
  EXPECT_EQ(stage_->exchange_count(), 0U);
  EXPECT_EQ(count(Counter::kHttpClientAborts), 1U);
}

TEST_F(WebSocket, SilenceEndsItAfterItsTimeout) {
  open();
  pass(seconds(500));
  EXPECT_EQ(stage_->exchange_count(), 1U);
  send(*client_end_, "x");
  pass(seconds(500));
  EXPECT_EQ(stage_->exchange_count(), 1U);
  pass(seconds(110));
  EXPECT_EQ(stage_->exchange_count(), 0U);
  EXPECT_TRUE(client_end_->was_reset());
}

TEST_F(WebSocket, ARefusalIsAnOrdinaryResponse) {
  Peer& client = connect();
  send(client, get("/", kOpening));
  Peer& o = origin(0);
  ASSERT_TRUE(receives(o, "\r\n\r\n"));
  send(o, "HTTP/1.1 403 Forbidden\r\nContent-Length: 2\r\n\r\nno");
  ASSERT_TRUE(receives(client, "\r\n\r\nno"));
  send(client, get("/next"));
  ASSERT_TRUE(receives(o, "GET /next"));
}

TEST_F(WebSocket, ASwitchThatWasNotAskedForIsAFault) {
  const std::string plain = get("/");
  const std::string other = "HTTP/1.1 101 Switching Protocols\r\nUpgrade: h2c\r\nConnection: Upgrade\r\n\r\n";
  const std::string unsaid = "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\n\r\n";
  std::size_t n = 0;
  for (const auto& [request, answer] :
       {std::pair{plain, kGranted}, {get("/", kOpening), other}, {get("/", kOpening), unsaid}}) {
    Peer& client = connect();
    send(client, request);
    Peer& o = origin(n++);
    ASSERT_TRUE(receives(o, "\r\n\r\n"));
    send(o, answer);
    ASSERT_TRUE(receives(client, "cf-error-type: 520"));
  }
  EXPECT_EQ(count(Counter::kHttpTunnels), 0U);
}

TEST_F(WebSocket, OtherUpgradesAndHalfHandshakesAreOrdinaryRequests) {
  std::size_t n = 0;
  for (const std::string lines :
       {"Connection: Upgrade\r\nUpgrade: h2c\r\n", "Upgrade: websocket\r\n",
        "Connection: Upgrade, close\r\n"}) {
    Peer& client = connect();
    send(client, get("/", lines));
    Peer& o = origin(n++);
    ASSERT_TRUE(receives(o, "\r\n\r\n"));
    EXPECT_FALSE(has(o.received, "Upgrade")) << o.received;
    EXPECT_TRUE(has(o.received, "Connection: Keep-Alive"));
    send(o, ok("plain"));
    o.close_when_sent = true;
    ASSERT_TRUE(receives(client, "plain"));
  }
}

}  // namespace
}  // namespace brink::l7::proxy::testing
