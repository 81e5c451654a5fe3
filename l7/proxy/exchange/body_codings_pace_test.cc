// Response bodies that are encoded and decoded at every pace, and with too few coders.
#include <algorithm>

#include "l7/proxy/exchange/body_codings_test_world.h"

namespace brink::l7::proxy::testing {
namespace {

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
