// Trailers that come on a stream, on their way to who speaks HTTP/1.1 and to who does not.
#include "l7/compress/pool.h"
#include "l7/proxy/stage_streams_test_world.h"

namespace brink::l7::proxy::testing {
namespace {

using http2::StreamId;

class Trailers : public SessionFixture {
 protected:
  // What a client over HTTP/1.1 gets for a request with these lines, when the origin says `body`
  // and trailers over HTTP/2.
  std::string answer_to(const std::string& lines, const std::string& version = "HTTP/1.1") {
    use_http2_origins();
    protocols_ = kHttp11;
    Peer& client = connect_tls();
    send(client, "GET /t " + version + "\r\nHost: one.example.com\r\n" + lines + "\r\n");
    SessionOrigin& origin = session_origin(0);
    const StreamId id = await_request(origin, "/t");
    origin.streams[id].trailers = {{"x-sum", "42"}, {"content-type", "evil/x"}, {"cf-ray", "evil"}};
    origin.respond(id);
    origin.send(id, "some body", true);
    settle(20);
    EXPECT_EQ(stage_->exchange_count(), 0U);
    return client.received;
  }
};

TEST_F(Trailers, OfAResponseGoBehindTheChunksOfWhoTakesThem) {
  const std::string got = answer_to("TE: trailers\r\n");
  EXPECT_TRUE(got.ends_with("9\r\nsome body\r\n0\r\nx-sum: 42\r\n\r\n")) << got;
  EXPECT_EQ(got.find("evil"), std::string::npos);
}

TEST_F(Trailers, OfAResponseAreNotForWhoDoesNot) {
  EXPECT_TRUE(answer_to("TE: gzip\r\n").ends_with("some body\r\n0\r\n\r\n"));
}

TEST_F(Trailers, OfAResponseAreNotForOldClients) {
  EXPECT_TRUE(answer_to("TE: trailers\r\n", "HTTP/1.0").ends_with("\r\n\r\nsome body"));
}

TEST_F(Trailers, TheClientsConnectionGoesOnBehindThem) {
  answer_to("TE: trailers\r\n");
  Peer& client = *client_->peers.back();
  client.received.clear();
  send(client, get("/cdn-cgi/trace"));
  EXPECT_TRUE(receives(client, "HTTP/1.1 200 OK\r\n"));
}

TEST_F(Trailers, OfAResponseGoToAStream) {
  use_http2_origins();
  SessionClient& client = connect_session();
  const StreamId id = client.request("GET", "/t");
  SessionOrigin& origin = session_origin(0);
  const StreamId there = await_request(origin, "/t");
  origin.streams[there].trailers = {{"grpc-status", "0"}, {"set-cookie", "evil"}};
  origin.respond(there);
  origin.send(there, "some body", true);
  ASSERT_TRUE(ends(client, id));
  const std::vector<std::pair<std::string, std::string>> expected = {{"grpc-status", "0"}};
  EXPECT_EQ(client.streams[id].trailers, expected);
}

class CodedTrailers : public Trailers {
 protected:
  CodedTrailers() {
    stage_.reset();
    transport_.reset();
    StageConfig config;
    config.http2 = &edge_codec_;
    config.coders = &pool_;
    rebuild_secure(config);
  }
  ~CodedTrailers() override {
    clients_.clear();
    session_origins_.clear();
    stage_.reset();
  }

 private:
  compress::Pool pool_{compress::PoolSizes{2, 2, 2, 1, 1}};
};

TEST_F(CodedTrailers, GoBehindTheChunksOfACoder) {
  use_http2_origins();
  protocols_ = kHttp11;
  Peer& client = connect_tls();
  send(client, get("/t", "TE: trailers\r\nAccept-Encoding: gzip\r\n"));
  SessionOrigin& origin = session_origin(0);
  const StreamId id = await_request(origin, "/t");
  char text[256];
  http2::HeadWriter head(text);
  head.status_line(200);
  head.field("content-type", "text/html");
  origin.streams[id].open = true;
  origin.streams[id].trailers = {{"x-sum", "42"}};
  ASSERT_TRUE(origin.session.respond(id, head, http2::Body::source));
  origin.send(id, std::string(5000, 'a'), true);
  ASSERT_TRUE(receives(client, "\r\n0\r\nx-sum: 42\r\n\r\n"));
  EXPECT_NE(client.received.find("Content-Encoding: gzip\r\n"), std::string::npos);
}

TEST_F(Trailers, OfARequestGoBehindItsChunks) {
  SessionClient& client = connect_session();
  const StreamId id = client.request("POST", "/t", true);
  client.streams[id].trailers = {
      {"x-sum", "42"}, {"authorization", "evil"}, {"x-forwarded-for", "evil"}, {"x-more", "1"}};
  client.send(id, "some body", true);
  ASSERT_TRUE(receives(origin(0), "9\r\nsome body\r\n0\r\nx-sum: 42\r\nx-more: 1\r\n\r\n"));
  EXPECT_EQ(origin(0).received.find("evil"), std::string::npos);
  send(origin(0), ok("answer"));
  ASSERT_TRUE(ends(client, id));
  EXPECT_EQ(client.streams[id].body, "answer");
  settle(5);
  EXPECT_EQ(stage_->idle_origin_count(), 1U) << "the message ended cleanly";
}

TEST_F(Trailers, OfARequestGoToAStream) {
  use_http2_origins();
  SessionClient& client = connect_session();
  const StreamId id = client.request("POST", "/t", true);
  client.streams[id].trailers = {{"x-sum", "42"}, {"authorization", "evil"}, {"x-empty", ""}};
  client.send(id, "some body", true);
  SessionOrigin& origin = session_origin(0);
  const StreamId there = await_request(origin, "/t");
  ASSERT_TRUE(settle_until([&] { return origin.streams[there].ended; }, 3000));
  EXPECT_EQ(origin.streams[there].body, "some body");
  const std::vector<std::pair<std::string, std::string>> expected = {{"x-sum", "42"},
                                                                     {"x-empty", ""}};
  EXPECT_EQ(origin.streams[there].trailers, expected);
}

TEST_F(Trailers, ThatMayAllNotStandThereLeaveAnOrdinaryEnd) {
  SessionClient& client = connect_session();
  const StreamId id = client.request("POST", "/t", true);
  client.streams[id].trailers = {{"authorization", "evil"}};
  client.send(id, "some body", true);
  ASSERT_TRUE(receives(origin(0), "some body\r\n0\r\n\r\n"));
}

}  // namespace
}  // namespace brink::l7::proxy::testing
