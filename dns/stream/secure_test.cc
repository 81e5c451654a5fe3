// DNS over TLS (RFC 7858): what the stage does beyond DNS over TCP.
#include <gtest/gtest.h>

#include <optional>
#include <vector>

#include "dns/stream/stage_fixture.h"

namespace brink::dns::stream {
namespace {

using ipc::Counter;

class SecureTest : public StreamTest, public ::testing::Test {
 protected:
  SecureTest() : StreamTest(true) {}
};

Bytes padded_question() {
  Bytes query = test::question("www.example.com.", 1, {.edns = true});
  base::store_be16(query.data() + query.size() - 2, 4);
  query.insert(query.end(), {0, 12, 0, 0});  // RFC 7830: the padding option, empty
  return framed(query);
}

TEST_F(SecureTest, CountsConnectionsQueriesAndResumptionsApart) {
  const auto first = connect();
  send(first, ask("www.example.com."));
  EXPECT_EQ(responses(first).size(), 1U);
  close(first);
  const auto second = connect();
  EXPECT_EQ(client_->transport->security(second)->info().protocol, tls::Alpn::kNone);
  send(second, ask("www.example.com."));
  EXPECT_EQ(responses(second).size(), 1U);
  EXPECT_EQ(count(Counter::kDotConnections), 2U);
  EXPECT_EQ(count(Counter::kDotResumed), 1U);
  EXPECT_EQ(count(Counter::kDotQueries), 2U);
  EXPECT_EQ(count(Counter::kDotFailed), 0U);
  EXPECT_EQ(count(Counter::kDnsStreamQueries), 0U);
}

TEST_F(SecureTest, PadsWhereTheClientDoes) {  // RFC 7830, 8467 4.1
  const auto id = connect();
  send(id, padded_question());
  EXPECT_EQ(receive(id).size(), 2U + answer::kPaddingBlock);
  send(id, ask("www.example.com."));
  EXPECT_LT(receive(id).size(), 100U);
}

TEST_F(SecureTest, AgreesOnDotAndOnNothingElse) {
  const tls::Alpn dot[] = {tls::Alpn::kDot};
  origin_.protocols = dot;
  const auto id = connect();
  EXPECT_EQ(client_->transport->security(id)->info().protocol, tls::Alpn::kDot);
  const tls::Alpn http[] = {tls::Alpn::kHttp11};
  origin_.protocols = http;
  EXPECT_FALSE(is_open(connect()));
  EXPECT_EQ(count(Counter::kDotFailed), 1U);
  EXPECT_EQ(stage_->connection_count(), 1U);
}

TEST_F(SecureTest, WhatIsNoTlsEndsItsConnection) {
  const auto id = connect_raw();
  send(id, ask("www.example.com."));
  settle();
  EXPECT_FALSE(is_open(id));
  EXPECT_EQ(count(Counter::kDotFailed), 1U);
  EXPECT_EQ(count(Counter::kDotQueries), 0U);
  EXPECT_EQ(stage_->connection_count(), 0U);
}

TEST_F(SecureTest, WhoGoesDuringTheHandshakeIsCountedOnce) {
  const auto closed = connect_raw();
  close(closed);
  const auto aborted = connect_raw();
  client_->transport->abort(aborted, now_);
  settle();
  EXPECT_EQ(count(Counter::kDotFailed), 2U);
  EXPECT_EQ(stage_->connection_count(), 0U);
}

TEST_F(SecureTest, AHandshakeHasItsTime) {
  StageConfig config = small();
  config.handshake_timeout = seconds(3);
  make(config);
  const auto silent = connect_raw();
  const auto good = connect();
  pass(seconds(2));
  EXPECT_TRUE(is_open(silent));
  pass(milliseconds(1100));
  EXPECT_FALSE(is_open(silent));
  EXPECT_TRUE(is_open(good)) << "it may be idle for longer";
  EXPECT_EQ(count(Counter::kDotFailed), 1U);
}

TEST_F(SecureTest, ClientsThatOnlyConnectTakeNoPlacesFromThoseThatAsk) {
  std::vector<tcp::ConnectionId> asking;
  for (int i = 0; i < 4; ++i) asking.push_back(connect("198.51.100." + std::to_string(1 + i)));
  for (int i = 0; i < 30; ++i) connect_raw("203.0.113." + std::to_string(1 + i));
  for (const auto id : asking) {
    ASSERT_TRUE(is_open(id));
    send(id, ask("www.example.com."));
    EXPECT_EQ(responses(id).size(), 1U);
  }
  const auto fresh = connect("198.51.100.99");
  send(fresh, ask("www.example.com."));
  EXPECT_EQ(responses(fresh).size(), 1U);
  EXPECT_LE(stage_->connection_count(), 16U);
}

TEST_F(SecureTest, HalfAQueryOfEverybodyKeepsNobodyWaiting) {
  const Bytes query = ask("www.example.com.");
  std::vector<tcp::ConnectionId> holding;
  for (int i = 0; i < 7; ++i) {
    holding.push_back(connect());
    send(holding.back(), {query.begin(), query.begin() + 5});
  }
  for (int i = 0; i < 3; ++i) {
    const auto id = connect("198.51.100." + std::to_string(2 + i));
    send(id, query);
    EXPECT_EQ(responses(id).size(), 1U);
  }
  for (const auto id : holding) {
    send(id, {query.begin() + 5, query.end()});
    EXPECT_EQ(responses(id).size(), 1U);
  }
}

TEST_F(SecureTest, ManyQueriesInOneRecordAndOneQueryInMany) {  // RFC 7858 3.3
  const auto id = connect();
  const int count = 300;  // some 10 KiB: more than a buffer of plaintext
  send(id, repeated(ask("www.example.com."), count));
  std::vector<std::string> got;
  for (int i = 0; i < 20 && got.size() < count; ++i) {
    for (std::string& one : responses(id)) got.push_back(std::move(one));
    settle();
  }
  EXPECT_EQ(got.size(), static_cast<std::size_t>(count));
  for (const std::uint8_t octet : ask("www.example.com.")) write(id, {octet});
  settle();
  EXPECT_EQ(responses(id).size(), 1U);
}

TEST_F(SecureTest, TheLongestQueryFitsAndALongerOneEndsItsConnection) {
  const auto id = connect();
  Bytes longest = test::question("www.example.com.", 1, {.edns = true});
  const std::size_t option = kQueryMax - longest.size() - 4;
  base::store_be16(longest.data() + longest.size() - 2, static_cast<std::uint16_t>(option + 4));
  longest.insert(longest.end(), {0, 12, static_cast<std::uint8_t>(option >> 8),
                                 static_cast<std::uint8_t>(option)});
  longest.resize(kQueryMax);
  send(id, repeated(framed(longest), 3));
  EXPECT_EQ(responses(id).size(), 3U);
  longest.push_back(0);
  send(id, framed(longest));
  EXPECT_FALSE(is_open(id));
}

TEST_F(SecureTest, WithoutACertificateNoHandshakeIsDone) {
  hosts_.fallback.reset();
  EXPECT_FALSE(is_open(connect()));
  EXPECT_EQ(count(Counter::kDotFailed), 1U);
}

TEST_F(SecureTest, ACertificateIsReplacedForWhoComesAfterwards) {
  const auto before = connect();
  const tls::test::Certificate other({.names = {"ns1.example.com"}});
  bytes_ = other.bytes();
  hosts_.fallback->key.version = 2;
  const auto after = connect("198.51.100.2");
  for (const auto id : {before, after}) {
    send(id, ask("www.example.com."));
    EXPECT_EQ(responses(id).size(), 1U);
  }
  EXPECT_EQ(server_->engine->stats().hosts_made, 2U);
}

TEST_F(SecureTest, HandshakesKeepToTheBudgetThatIsShared) {
  transport::HandshakeBudget none(1);
  none.take();
  server_ = std::make_unique<Host>(16, true, &none);
  StageConfig config = small();
  config.certificates = &hosts_;
  const auto at = (reinterpret_cast<std::uintptr_t>(memory_.data()) + 63) / 64 * 64;
  stage_ = std::make_unique<Stage>(
      config, std::span(reinterpret_cast<std::byte*>(at), Stage::memory_size(config)),
      *server_->transport, engine_, counters_);
  connect();
  EXPECT_EQ(count(Counter::kDotConnections), 0U) << "others have used it up";
  for (int turn = 0; turn < 3; ++turn) {
    none.begin_turn();
    settle();
  }
  EXPECT_EQ(count(Counter::kDotConnections), 1U);
}

TEST_F(SecureTest, DrainingEndsHandshakes) {
  const auto silent = connect_raw();
  stage_->drain();
  settle();
  EXPECT_FALSE(is_open(silent));
  EXPECT_EQ(stage_->connection_count(), 0U);
}

}  // namespace
}  // namespace brink::dns::stream
