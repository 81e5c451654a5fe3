// Response bodies that are encoded and decoded on their way, in every framing and at every pace.
#include <algorithm>

#include "l7/compress/test_codings.h"
#include "l7/proxy/stage_test_world.h"

namespace brink::l7::proxy::testing {
namespace {

using compress::br_whole;
using compress::Coding;
using compress::decode_part;
using compress::decode_whole;
using compress::gzip_whole;
using compress::PoolSizes;
using compress::text_body;
using ipc::Counter;

constexpr PoolSizes kTwoOfEach = {2, 2, 2, 1, 1};
constexpr const char* kHtml = "Content-Type: text/html\r\n";

bool has(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

class StageCompress : public FailureFixture {
 protected:
  StageCompress() { use_coders(kTwoOfEach); }

  void use_coders(const PoolSizes& sizes, std::uint32_t edge_limit = 256 * 1024,
                  std::uint32_t peer_limit = 256 * 1024) {
    auto pool = std::make_unique<compress::Pool>(sizes);
    StageConfig config;
    config.coders = pool.get();
    rebuild(config, stack_config(edge_limit), stack_config(peer_limit));
    std::swap(pool_, pool);
  }
  static std::string html(const std::string& body, const std::string& lines = "") {
    return "HTTP/1.1 200 OK\r\n" + (kHtml + lines) +
           "Content-Length: " + std::to_string(body.size()) + "\r\n\r\n" + body;
  }
  static std::string accepts(const std::string& codings) {
    return "Accept-Encoding: " + codings + "\r\n";
  }
  static std::string head_of(const std::string& message) {
    return message.substr(0, message.find("\r\n\r\n") + 2);
  }
  // The origin's connection that gets the client's request.
  Peer& ask(Peer& client, const std::string& lines) {
    for (auto& peer : origin_->peers) peer->received.clear();
    send(client, get("/", lines));
    Peer* found = nullptr;
    settle_until([&] {
      for (auto& peer : origin_->peers) {
        if (peer->received.ends_with("\r\n\r\n")) found = peer.get();
      }
      return found != nullptr;
    });
    if (found == nullptr) throw std::runtime_error("the request reached no origin");
    asked_ = found->received;
    return *found;
  }
  // What a client of these lines gets for an origin's response: all of a chunked message.
  std::string fetch(const std::string& lines, const std::string& response) {
    Peer& client = connect();
    send(ask(client, lines), response);
    EXPECT_TRUE(has_all(client)) << client.received.substr(0, 500);
    settle(5);
    return client.received;
  }
  bool has_all(Peer& client) {
    return settle_until([&] { return client.received.ends_with("\r\n0\r\n\r\n"); }, 60000);
  }
  void expect_all_given_back(const PoolSizes& sizes = kTwoOfEach) {
    expect_clean();
    EXPECT_EQ(pool_->gzip_encoders.free(), sizes.gzip_encoders);
    EXPECT_EQ(pool_->br_encoders.free(), sizes.br_encoders);
    EXPECT_EQ(pool_->zstd_encoders.free(), sizes.zstd_encoders);
    EXPECT_EQ(pool_->gzip_decoders.free(), sizes.gzip_decoders);
    EXPECT_EQ(pool_->br_decoders.free(), sizes.br_decoders);
  }

  std::unique_ptr<compress::Pool> pool_;
  std::string asked_;  // of the origin
};

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

TEST_F(StageCompress, APauseOfTheOriginFlushes) {
  for (const auto& [name, coding] :
       {std::pair{"gzip", Coding::gzip}, {"br", Coding::br}, {"zstd", Coding::zstd}}) {
    Peer& client = connect();
    send(client, get("/", accepts(name)));
    ASSERT_TRUE(receives(origin(0), "\r\n\r\n"));
    origin(0).received.clear();
    send(origin(0),
         std::string("HTTP/1.1 200 OK\r\n") + kHtml + "Transfer-Encoding: chunked\r\n\r\n");
    std::string body;
    for (int i = 0; i < 5; ++i) {
      const std::string line = "line " + std::to_string(i) + " of an answer that takes its time\n";
      body += line;
      const std::string chunk = chunked(line, line.size());
      send(origin(0), chunk.substr(0, chunk.size() - 5));
      settle(60);
      bool whole = false;
      const std::string there = unchunked(body_of(client.received) + "0\r\n\r\n");
      EXPECT_EQ(decode_part(coding, there, body.size() + 100, whole), body) << name;
    }
    const std::size_t size = client.received.size();
    settle(100);
    EXPECT_EQ(client.received.size(), size) << "nothing is said twice";
    send(origin(0), "0\r\n\r\n");
    ASSERT_TRUE(has_all(client));
    EXPECT_EQ(decode_whole(coding, unchunked(body_of(client.received)), body.size()), body);
  }
  expect_all_given_back();
}

TEST_F(StageCompress, WhatComesInASteadyTrickleIsNotHeldForLong) {
  Peer& client = connect();
  send(client, get("/", accepts("gzip")));
  ASSERT_TRUE(receives(origin(0), "\r\n\r\n"));
  send(origin(0),
       std::string("HTTP/1.1 200 OK\r\n") + kHtml + "Transfer-Encoding: chunked\r\n\r\n");
  int lines = 0;
  on_turn_ = [&] {
    if (++lines % 5 == 0) send(origin(0), "4\r\nabc\n\r\n");
  };
  settle(400);
  on_turn_ = nullptr;
  bool whole = false;
  const std::string there = unchunked(body_of(client.received) + "0\r\n\r\n");
  EXPECT_GT(decode_part(Coding::gzip, there, 4000, whole).size(), 100U);
  send(origin(0), "0\r\n\r\n");
  ASSERT_TRUE(has_all(client));
  expect_all_given_back();
}

TEST_F(StageCompress, TinyBuffersChangeNothing) {
  const std::string body = text_body(300'000, 3);
  for (const auto& [name, coding] :
       {std::pair{"gzip", Coding::gzip}, {"br", Coding::br}, {"zstd", Coding::zstd}}) {
    use_coders(kTwoOfEach, 4096, 4096);
    const std::string got = fetch(accepts(name), html(body));
    EXPECT_TRUE(decode_whole(coding, unchunked(body_of(got)), body.size()) == body) << name;
    const std::string recoded = coding == Coding::gzip
                                    ? html(br_whole(body), "Content-Encoding: br\r\n")
                                    : html(gzip_whole(body), "Content-Encoding: gzip\r\n");
    const std::string again = fetch(accepts(name), recoded);
    const std::string passed = unchunked(body_of(again));
    EXPECT_TRUE(decode_whole(coding, passed, body.size()) == body) << name;
    const std::string plain = fetch("", html(br_whole(body), "Content-Encoding: br\r\n"));
    EXPECT_TRUE(unchunked(body_of(plain)) == body) << name;
    expect_all_given_back();
  }
}

TEST_F(StageCompress, ASlowClientHoldsTheOriginBack) {
  use_coders(kTwoOfEach, 16 * 1024, 16 * 1024);
  const std::string body = compress::noise_body(1'000'000);
  Peer& client = connect();
  send(client, get("/", accepts("gzip")));
  ASSERT_TRUE(receives(origin(0), "GET "));
  client.reading = false;
  send(origin(0), html(body));
  settle(3000);
  const std::size_t unsent = origin(0).to_send.size();
  EXPECT_GT(unsent, body.size() - 8 * 16 * 1024 - compress::kBlockBytes);
  settle(500);
  EXPECT_EQ(origin(0).to_send.size(), unsent) << "it must stand still";
  EXPECT_GT(stage_->next_deadline(), now_) << "nothing goes round in circles";
  client.reading = true;
  ASSERT_TRUE(has_all(client));
  EXPECT_TRUE(decode_whole(Coding::gzip, unchunked(body_of(client.received)), body.size()) == body);
  expect_all_given_back();
}

TEST_F(StageCompress, ABombIsDecodedAsFastAsTheClientTakesIt) {
  use_coders(kTwoOfEach, 16 * 1024, 16 * 1024);
  const std::string coded = gzip_whole(std::string(20'000'000, 'a'));
  Peer& client = connect();
  send(client, get("/"));
  ASSERT_TRUE(receives(origin(0), "GET "));
  client.reading = false;
  send(origin(0), html(coded, "Content-Encoding: gzip\r\n"));
  settle(2000);
  EXPECT_LT(client.received.size(), 1000U);
  EXPECT_EQ(pool_->gzip_decoders.free(), 0U);
  client.reading = true;
  ASSERT_TRUE(settle_until([&] { return client.received.size() > 1'000'000; }, 60000));
  abort_peer(*client_, client);
  expect_all_given_back();
}

TEST_F(StageCompress, WithoutAFreeEncoderTheBodyPasses) {
  use_coders({1, 1, 1, 1, 1});
  const std::string body = text_body(20'000);
  Peer& first = connect();
  send(first, get("/", accepts("gzip")));
  const std::string whole = html(body);
  send(origin(0), whole.substr(0, 1000));
  settle(20);
  Peer& second = connect();
  send(second, get("/", accepts("gzip")));
  send(origin(1), html(body, "ETag: \"a\"\r\n"));
  ASSERT_TRUE(receives(second, "\r\n\r\n" + body));
  EXPECT_TRUE(has(second.received, "\r\nETag: \"a\"\r\n"));
  EXPECT_TRUE(has(second.received, "\r\nContent-Length: 20000\r\n"));
  EXPECT_TRUE(has(second.received, "\r\nVary: Accept-Encoding\r\n"));
  EXPECT_EQ(count(Counter::kHttpNoEncoder), 1U);
  EXPECT_EQ(count(Counter::kHttpEncoded), 1U);
  send(origin(0), whole.substr(1000));
  ASSERT_TRUE(has_all(first));
  EXPECT_TRUE(decode_whole(Coding::gzip, unchunked(body_of(first.received)), body.size()) == body);
  expect_all_given_back({1, 1, 1, 1, 1});
}

TEST_F(StageCompress, WithoutAFreeDecoderOriginsAreAskedForWhatTheClientTakes) {
  const std::string coded = gzip_whole(text_body(20'000));
  const std::string whole = html(coded, "Content-Encoding: gzip\r\n");
  Peer& first = connect();
  send(first, get("/"));
  send(origin(0), whole.substr(0, whole.size() - 10));
  settle(20);
  ASSERT_EQ(pool_->gzip_decoders.free(), 0U);
  Peer& second = connect();
  send(second, get("/"));
  ASSERT_TRUE(receives(origin(1), "\r\nAccept-Encoding: identity\r\n"));
  send(origin(1), whole);
  expect_error(second, 503, 503);
  EXPECT_EQ(count(Counter::kHttpNoDecoder), 1U);
  Peer& third = connect();
  send(third, get("/", accepts("gzip, zstd")));
  ASSERT_TRUE(receives(origin(2), "\r\nAccept-Encoding: gzip\r\n"));
  send(origin(2), whole);
  ASSERT_TRUE(receives(third, coded));
  send(origin(0), whole.substr(whole.size() - 10));
  ASSERT_TRUE(has_all(first));
  expect_all_given_back();
}

TEST_F(StageCompress, ADecoderIsPromisedBeforeTheResponseIsThere) {
  const std::string body = text_body(20'000);
  Peer& first = connect();
  Peer& asked_for_more = ask(first, "");
  EXPECT_TRUE(has(asked_, "\r\nAccept-Encoding: br, gzip\r\n"));
  Peer& second = connect();
  Peer& lost = ask(second, "");
  EXPECT_TRUE(has(asked_, "\r\nAccept-Encoding: identity\r\n")) << "the only one is promised";
  Peer& third = connect();
  ask(third, accepts("br, gzip"));
  EXPECT_TRUE(has(asked_, "\r\nAccept-Encoding: br, gzip\r\n")) << "it needs none";
  send(lost, html(body));
  ASSERT_TRUE(receives(second, body));
  send(asked_for_more, html(br_whole(body), "Content-Encoding: br\r\n"));
  ASSERT_TRUE(has_all(first));
  EXPECT_TRUE(unchunked(body_of(first.received)) == body);
  // Promises end with their exchanges, too.
  for (int i = 0; i < 3; ++i) {
    Peer& client = connect();
    ask(client, "");
    EXPECT_TRUE(has(asked_, "\r\nAccept-Encoding: br, gzip\r\n")) << i;
    abort_peer(*client_, client);
  }
  abort_peer(*client_, third);
  EXPECT_EQ(count(Counter::kHttpNoDecoder), 0U);
  expect_all_given_back();
}

TEST_F(StageCompress, EitherKindMayBeOff) {
  const std::string body = text_body(20'000);
  const std::string coded = gzip_whole(body);
  use_coders({0, 0, 0, 1, 1});
  Peer& plain = connect();
  send(plain, get("/", accepts("gzip")));
  send(origin(0), html(body));
  ASSERT_TRUE(receives(plain, "\r\n\r\n" + body));
  EXPECT_EQ(count(Counter::kHttpNoEncoder), 0U);
  expect_all_given_back({0, 0, 0, 1, 1});
  use_coders({1, 1, 1, 0, 0});
  Peer& client = connect();
  send(client, get("/"));
  ASSERT_TRUE(receives(origin(0), "\r\nAccept-Encoding: identity\r\n"));
  send(origin(0), html(coded, "Content-Encoding: gzip\r\n"));
  ASSERT_TRUE(receives(client, "\r\n\r\n" + coded));
  EXPECT_TRUE(has(client.received, "\r\nContent-Encoding: gzip\r\n"));
  EXPECT_EQ(count(Counter::kHttpNoDecoder), 0U);
  expect_all_given_back({1, 1, 1, 0, 0});
}

TEST_F(StageCompress, ALostClientGivesItsCoderBack) {
  Peer& client = connect();
  send(client, get("/", accepts("br")));
  send(origin(0), html(text_body(50'000)).substr(0, 20'000));
  settle(5);
  EXPECT_EQ(pool_->br_encoders.free(), 1U);
  abort_peer(*client_, client);
  settle(50);
  expect_all_given_back();
}

TEST_F(StageCompress, ManyTurnsAreSharedByManyBodies) {
  const PoolSizes sizes = {20, 20, 20, 20, 20};
  use_coders(sizes);
  const std::string body = text_body(400'000);
  std::vector<Peer*> clients;
  constexpr Coding kCodings[] = {Coding::gzip, Coding::br, Coding::zstd};
  for (std::size_t i = 0; i < 12; ++i) {
    clients.push_back(&connect());
    Peer& server = ask(*clients.back(), accepts(std::string(compress::name_of(kCodings[i % 3]))));
    const bool is_coded = kCodings[i % 3] == Coding::zstd && i % 2 == 0;
    send(server, is_coded ? html(br_whole(body), "Content-Encoding: br\r\n") : html(body));
  }
  for (std::size_t i = 0; i < clients.size(); ++i) {
    ASSERT_TRUE(has_all(*clients[i])) << i;
    const std::string coded = unchunked(body_of(clients[i]->received));
    EXPECT_TRUE(decode_whole(kCodings[i % 3], coded, body.size()) == body) << i;
  }
  expect_all_given_back(sizes);
}

}  // namespace
}  // namespace brink::l7::proxy::testing
