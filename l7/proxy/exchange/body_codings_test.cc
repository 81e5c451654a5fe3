// Response bodies that are encoded and decoded on their way, in every framing.
#include <algorithm>

#include "l7/proxy/exchange/body_codings_test_world.h"

namespace brink::l7::proxy::testing {
namespace {

struct Choice {
  const char* accepts;
  Coding coding;
  const char* name;
};

class StageCompressChoices : public StageCompress, public ::testing::WithParamInterface<Choice> {};

TEST_P(StageCompressChoices, TheClientGetsTheCodingOfItsChoice) {
  const std::string body = text_body(100'000);
  const std::string got =
      fetch(accepts(GetParam().accepts), html(body, "ETag: \"a\"\r\nAccept-Ranges: bytes\r\n"));
  const std::string head = head_of(got);
  EXPECT_TRUE(has(head, std::string("\r\nContent-Encoding: ") + GetParam().name + "\r\n")) << head;
  EXPECT_TRUE(has(head, "\r\nETag: W/\"a\"\r\n")) << head;
  EXPECT_TRUE(has(head, "\r\nVary: Accept-Encoding\r\n")) << head;
  EXPECT_TRUE(has(head, "\r\nTransfer-Encoding: chunked\r\n")) << head;
  EXPECT_FALSE(has(head, "Content-Length")) << head;
  EXPECT_FALSE(has(head, "Accept-Ranges")) << head;
  const std::string coded = unchunked(body_of(got));
  EXPECT_LT(coded.size(), body.size() / 2);
  EXPECT_TRUE(decode_whole(GetParam().coding, coded, body.size()) == body);
  EXPECT_TRUE(has(asked_, "\r\nAccept-Encoding: br, gzip\r\n")) << asked_;
  EXPECT_EQ(count(Counter::kHttpEncoded), 1U);
  EXPECT_EQ(count(Counter::kHttpDecoded), 0U);
  EXPECT_EQ(stage_->idle_origin_count(), 1U) << "the origin's connection goes on";
  expect_all_given_back();
}

INSTANTIATE_TEST_SUITE_P(All, StageCompressChoices,
                         ::testing::Values(Choice{"gzip", Coding::gzip, "gzip"},
                                           Choice{"br, gzip", Coding::br, "br"},
                                           Choice{"gzip, deflate, br, zstd", Coding::zstd, "zstd"},
                                           Choice{"br;q=0, gzip;q=0.5", Coding::gzip, "gzip"},
                                           Choice{"zstd;q=0.1, br;q=0.9", Coding::br, "br"}));

TEST_F(StageCompress, WhoRefusesAllGetsTheBodyAsItIs) {
  const std::string body = text_body(5000);
  for (const char* lines :
       {"", "Accept-Encoding: gzip;q=0, br;q=0\r\n", "Accept-Encoding: identity\r\n"}) {
    Peer& client = connect();
    send(client, get("/", lines));
    ASSERT_TRUE(receives(origin(0), "\r\n\r\n"));
    origin(0).received.clear();
    send(origin(0), html(body, "ETag: \"a\"\r\n"));
    ASSERT_TRUE(receives(client, body));
    EXPECT_TRUE(has(client.received, "\r\nContent-Length: 5000\r\n"));
    EXPECT_TRUE(has(client.received, "\r\nETag: \"a\"\r\n"));
    EXPECT_TRUE(has(client.received, "\r\nVary: Accept-Encoding\r\n")) << "others get another";
    EXPECT_FALSE(has(client.received, "Content-Encoding"));
  }
  EXPECT_EQ(count(Counter::kHttpEncoded), 0U);
  expect_all_given_back();
}

TEST_F(StageCompress, WhatIsNoTextPassesUntouched) {
  Peer& client = connect();
  send(client, get("/", accepts("gzip, br, zstd")));
  const std::string body = text_body(5000);
  send(origin(0),
       "HTTP/1.1 200 OK\r\nContent-Type: image/png\r\nContent-Length: 5000\r\n\r\n" + body);
  ASSERT_TRUE(receives(client, "\r\n\r\n" + body));
  EXPECT_FALSE(has(client.received, "Vary"));
  EXPECT_TRUE(has(client.received, "\r\nContent-Length: 5000\r\n"));
}

TEST_F(StageCompress, ABodyIsDecodedForWhoDoesNotTakeItsCoding) {
  const std::string body = text_body(200'000);
  const std::string br = fetch("", html(br_whole(body), "Content-Encoding: br\r\nETag: \"a\"\r\n"));
  EXPECT_TRUE(unchunked(body_of(br)) == body);
  EXPECT_FALSE(has(head_of(br), "Content-Encoding"));
  EXPECT_TRUE(has(head_of(br), "\r\nETag: W/\"a\"\r\n"));
  EXPECT_TRUE(has(head_of(br), "\r\nVary: Accept-Encoding\r\n"));
  const std::string gzip = fetch("", html(gzip_whole(body), "Content-Encoding: gzip\r\n"));
  EXPECT_TRUE(unchunked(body_of(gzip)) == body);
  EXPECT_EQ(count(Counter::kHttpDecoded), 2U);
  EXPECT_EQ(count(Counter::kHttpEncoded), 0U);
  expect_all_given_back();
}

TEST_F(StageCompress, ABodyIsDecodedAndEncodedAgain) {
  const std::string body = text_body(300'000);
  const std::string got =
      fetch(accepts("zstd"), html(gzip_whole(body), "Content-Encoding: gzip\r\n"));
  EXPECT_TRUE(has(head_of(got), "\r\nContent-Encoding: zstd\r\n"));
  EXPECT_TRUE(decode_whole(Coding::zstd, unchunked(body_of(got)), body.size()) == body);
  EXPECT_EQ(count(Counter::kHttpDecoded), 1U);
  EXPECT_EQ(count(Counter::kHttpEncoded), 1U);
  expect_all_given_back();
}

TEST_F(StageCompress, ACodingThatTheClientTakesPasses) {
  const std::string coded = br_whole(text_body(5000));
  Peer& client = connect();
  send(client, get("/", accepts("gzip, br, zstd")));
  send(origin(0), html(coded, "Content-Encoding: br\r\nETag: \"a\"\r\n"));
  ASSERT_TRUE(receives(client, "\r\n\r\n" + coded));
  EXPECT_TRUE(has(client.received, "\r\nContent-Encoding: br\r\n"));
  EXPECT_TRUE(has(client.received, "\r\nETag: \"a\"\r\n"));
  expect_all_given_back();
}

TEST_F(StageCompress, BodiesOfUnknownLengthAreEncoded) {
  const std::string body = text_body(150'000);
  const std::string got =
      fetch(accepts("gzip"), std::string("HTTP/1.1 200 OK\r\n") + kHtml +
                                 "Transfer-Encoding: chunked\r\n\r\n" + chunked(body, 777));
  EXPECT_TRUE(decode_whole(Coding::gzip, unchunked(body_of(got)), body.size()) == body);
  // Until the origin closes.
  origin(0).received.clear();
  Peer& client = connect();
  send(client, get("/", accepts("br")));
  ASSERT_TRUE(receives(origin(0), "br, gzip\r\n"));
  send(origin(0), std::string("HTTP/1.1 200 OK\r\nConnection: close\r\n") + kHtml + "\r\n" + body);
  origin(0).close_when_sent = true;
  ASSERT_TRUE(has_all(client));
  EXPECT_TRUE(decode_whole(Coding::br, unchunked(body_of(client.received)), body.size()) == body);
  expect_all_given_back();
}

TEST_F(StageCompress, AnEmptyBodyOfUnknownLengthIsAnEmptyOne) {
  const std::string got = fetch(accepts("gzip"), std::string("HTTP/1.1 200 OK\r\n") + kHtml +
                                                     "Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n");
  EXPECT_EQ(decode_whole(Coding::gzip, unchunked(body_of(got)), 10), "");
  expect_all_given_back();
}

TEST_F(StageCompress, HeadGetsTheHeadOfGet) {
  Peer& client = connect();
  send(client, "HEAD / HTTP/1.1\r\nHost: one.example.com\r\nAccept-Encoding: gzip\r\n\r\n");
  send(origin(0),
       std::string("HTTP/1.1 200 OK\r\n") + kHtml + "ETag: \"a\"\r\nContent-Length: 5000\r\n\r\n");
  ASSERT_TRUE(receives(client, "\r\n\r\n"));
  settle(5);
  EXPECT_EQ(body_of(client.received), "");
  EXPECT_TRUE(has(client.received, "\r\nContent-Encoding: gzip\r\n"));
  EXPECT_TRUE(has(client.received, "\r\nETag: W/\"a\"\r\n"));
  EXPECT_FALSE(has(client.received, "Content-Length"));
  expect_all_given_back();
}

TEST_F(StageCompress, NotModifiedHasTheTagThatWasGiven) {
  for (const bool weak : {true, false}) {
    Peer& client = connect();
    send(client, get("/", accepts("gzip") + "If-None-Match: " + (weak ? "W/" : "") + "\"a\"\r\n"));
    ASSERT_TRUE(receives(origin(0), "\r\n\r\n"));
    origin(0).received.clear();
    send(origin(0), "HTTP/1.1 304 Not Modified\r\nETag: \"a\"\r\n\r\n");
    ASSERT_TRUE(receives(client, "\r\n\r\n"));
    EXPECT_TRUE(has(client.received, weak ? "\r\nETag: W/\"a\"\r\n" : "\r\nETag: \"a\"\r\n"))
        << client.received;
  }
  expect_all_given_back();
}

TEST_F(StageCompress, OldClientsGetPlainBytesUntilTheClose) {
  const std::string body = text_body(50'000);
  Peer& client = connect();
  send(client, "GET / HTTP/1.0\r\nHost: one.example.com\r\nConnection: keep-alive\r\n\r\n");
  send(origin(0), html(gzip_whole(body), "Content-Encoding: gzip\r\n"));
  ASSERT_TRUE(settle_until([&] { return client.peer_closed; }));
  EXPECT_TRUE(body_of(client.received) == body);
  EXPECT_TRUE(has(client.received, "\r\nConnection: close\r\n"));
  EXPECT_FALSE(has(head_of(client.received), "Content-Length"));
  EXPECT_FALSE(has(head_of(client.received), "chunked"));
  // They are not encoded for: nothing would mark a whole body.
  Peer& other = connect();
  send(other, "GET / HTTP/1.0\r\nHost: one.example.com\r\nAccept-Encoding: gzip\r\n\r\n");
  settle(5);
  send(origin(0), html(body));
  ASSERT_TRUE(receives(other, body));
  pass(seconds(10));
  expect_all_given_back();
}

TEST_F(StageCompress, ATruncatedBodyIsTruncatedForAnOldClient) {
  const std::string coded = gzip_whole(text_body(50'000));
  Peer& client = connect();
  send(client, "GET / HTTP/1.0\r\nHost: one.example.com\r\n\r\n");
  send(origin(0), html(coded.substr(0, coded.size() / 2), "Content-Encoding: gzip\r\n"));
  ASSERT_TRUE(settle_until([&] { return client.closed; }));
  EXPECT_TRUE(client.was_reset());
  EXPECT_EQ(count(Counter::kHttpTruncated), 1U);
  expect_all_given_back();
}

TEST_F(StageCompress, ATruncatedBodyHasNoLastChunk) {
  const std::string body = text_body(100'000);
  Peer& client = connect();
  send(client, get("/", accepts("gzip")));
  const std::string whole = html(body);
  send(origin(0), whole.substr(0, whole.size() - 1000));
  origin(0).close_when_sent = true;
  ASSERT_TRUE(settle_until([&] { return client.peer_closed || client.closed; }));
  EXPECT_FALSE(client.received.ends_with("0\r\n\r\n"));
  EXPECT_EQ(count(Counter::kHttpTruncated), 1U);
  // Damage in what is decoded.
  std::string damaged = br_whole(body);
  damaged[damaged.size() / 2] ^= 0x55;
  Peer& second = connect();
  send(second, get("/"));
  send(origin(1), html(damaged.substr(0, damaged.size() - 9), "Content-Encoding: br\r\n"));
  ASSERT_TRUE(settle_until([&] { return second.peer_closed || second.closed; }));
  EXPECT_FALSE(second.received.ends_with("0\r\n\r\n"));
  EXPECT_EQ(count(Counter::kHttpTruncated), 2U);
  pass(seconds(10));
  expect_all_given_back();
}

}  // namespace
}  // namespace brink::l7::proxy::testing
