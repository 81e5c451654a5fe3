// Bytes through two streams: segmentation, back-pressure, ends, limits, failures.
#include <gtest/gtest.h>

#include "dataplane/tls/pair_fixture.h"

namespace brink::tls::test {
namespace {

constexpr std::string_view kName = "www.example.com";

Bytes pattern(std::size_t size) {
  Bytes bytes(size);
  for (std::size_t i = 0; i < size; ++i) bytes[i] = static_cast<std::uint8_t>(i * 7 + (i >> 8));
  return bytes;
}

class StreamTest : public testing::TestWithParam<Version> {
 protected:
  StreamTest() {
    certificate_bytes_ = certificate_.bytes();
    hosts_.fallback = {
        .key = {1, 1}, .certificates = {&certificate_bytes_, 1}, .max_version = GetParam()};
    begin(pair_);
  }

  void begin(Pair& pair) {
    ASSERT_EQ(server_engine_->accept(pair.server.stream, hosts_, 7), Failure::kNone);
    ASSERT_EQ(client_engine_->connect(pair.client.stream, {.server_name = kName, .verify = false}),
              Failure::kNone);
  }

  void shaken() {
    pair_.shake();
    ASSERT_TRUE(pair_.established());
    ASSERT_EQ(pair_.client.stream.info().version, GetParam());
  }

  Certificate authority_ = authority();
  Certificate certificate_ = leaf(authority_, {std::string(kName)});
  CertificateBytes certificate_bytes_;
  Hosts hosts_;
  std::unique_ptr<Engine> server_engine_ = make_engine();
  std::unique_ptr<Engine> client_engine_ = make_engine();
  Pair pair_;
};

std::string version_of(const testing::TestParamInfo<Version>& tested) {
  return tested.param == Version::kTls12 ? "Tls12" : "Tls13";
}
INSTANTIATE_TEST_SUITE_P(Versions, StreamTest, testing::Values(Version::kTls12, Version::kTls13),
                         version_of);

TEST_P(StreamTest, TellsWhatWasAgreed) {
  shaken();
  const ConnectionInfo info = pair_.server.stream.info();
  EXPECT_EQ(info.version, GetParam());
  EXPECT_EQ(info.server_name, kName);
  EXPECT_EQ(info.cipher_name, GetParam() == Version::kTls13
                                  ? "TLS_AES_128_GCM_SHA256"
                                  : "TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256");
  EXPECT_EQ(info.protocol, Alpn::kNone);
  EXPECT_FALSE(info.resumed);
  EXPECT_EQ(info.verification, Verification::kNotAsked);
  EXPECT_EQ(hosts_.last_user, 7U);
}

TEST_P(StreamTest, AnySegmentationCarriesTheSameBytes) {
  const Bytes sent = pattern(60'000);
  for (unsigned seed = 0; seed < 12; ++seed) {
    SCOPED_TRACE(seed);
    std::mt19937 random(seed);
    Pair pair;
    begin(pair);
    std::size_t to_server = 0, to_client = 0;
    Bytes at_server, at_client;
    const auto some = [&random](std::size_t max) {
      return random() % 3 == 0 ? 1 : random() % max + 1;
    };
    const auto turn = [&](End& end, std::size_t& written, Bytes& received) {
      end.in_piece = seed == 0 ? 1 : some(3000);
      end.out_room = seed == 1 ? 1 : some(20'000);
      if (random() % 2 == 0) {
        Bytes plain(some(20'000));
        const Moved moved = end.read(plain);
        ASSERT_NE(moved.status, Status::kFailed) << name_of(end.stream.failure());
        received.insert(received.end(), plain.begin(),
                        plain.begin() + static_cast<std::ptrdiff_t>(moved.size));
      }
      if (seed == 1) end.out_room = some(3000);  // else no record ever fits
      const std::size_t size = std::min(some(30'000), sent.size() - written);
      const Moved moved = end.write(std::span(sent).subspan(written, size));
      ASSERT_NE(moved.status, Status::kFailed) << name_of(end.stream.failure());
      written += moved.size;
    };
    for (int i = 0; i < 400'000; ++i) {
      turn(pair.client, to_server, at_client);
      turn(pair.server, to_client, at_server);
      if (testing::Test::HasFatalFailure()) return;
      if (at_server.size() == sent.size() && at_client.size() == sent.size()) break;
    }
    ASSERT_EQ(at_client, sent);
    ASSERT_EQ(at_server, sent);
  }
}

TEST_P(StreamTest, ByteByByteHandshakeWithoutRoomQueuesOneFlight) {
  pair_.client.in_piece = pair_.server.in_piece = 1;
  pair_.client.out_room = pair_.server.out_room = 1;
  shaken();
  EXPECT_EQ(pair_.client.stream.queued(), 0U);
}

TEST_P(StreamTest, AWriterWithoutRoomTakesNothing) {
  shaken();
  pair_.server.out_room = kRecordOverheadMax;
  const Bytes plain = pattern(5000);
  const Moved refused = pair_.server.write(plain);
  EXPECT_EQ(refused.status, Status::kNeedsRoom);
  EXPECT_EQ(refused.size, 0U);
  pair_.server.out_room = kEnoughRoom;
  const Moved part = pair_.server.write(plain);
  EXPECT_EQ(part.status, Status::kNeedsRoom);
  EXPECT_EQ(part.size, kEnoughRoom - kRecordOverheadMax);
  EXPECT_EQ(pair_.server.stream.queued(), 0U);
  EXPECT_EQ(pair_.client.read_all().size(), part.size);
}

TEST_P(StreamTest, AReaderThatTakesLittleLeavesCiphertextWhereItIs) {
  shaken();
  pair_.client.read_all();
  pair_.server.write(pattern(16'000));
  pair_.server.write(pattern(16'000));
  const std::size_t waiting = pair_.client.in.size();
  Bytes few(100);
  EXPECT_EQ(pair_.client.read(few).status, Status::kDone);
  EXPECT_TRUE(pair_.client.stream.readable());
  EXPECT_GT(pair_.client.in.size(), waiting / 2 - kRecordOverheadMax);
  EXPECT_EQ(pair_.client.read_all().size(), 31'900U);
  EXPECT_FALSE(pair_.client.stream.readable());
}

TEST_P(StreamTest, OneRecordTakesAsMuchAsItCan) {
  shaken();
  pair_.server.out_room = kRecordMax;
  const Moved moved = pair_.server.write(pattern(100'000));
  EXPECT_EQ(moved.size, kRecordPlaintextMax);
  EXPECT_EQ(moved.status, Status::kNeedsRoom);
}

TEST_P(StreamTest, CloseNotifyEndsEachDirectionAlone) {
  shaken();
  pair_.client.write("the request");
  EXPECT_EQ(pair_.client.close(), Status::kDone);
  EXPECT_EQ(pair_.client.write("late").size, 0U);
  Status status;
  EXPECT_EQ(pair_.server.read_all(&status), "the request");
  EXPECT_EQ(status, Status::kPeerClosed);
  EXPECT_EQ(pair_.server.write("the response").status, Status::kDone);
  EXPECT_EQ(pair_.client.read_all(&status), "the response");
  EXPECT_EQ(status, Status::kNeedsInput);
  EXPECT_EQ(pair_.server.close(), Status::kDone);
  pair_.server.stream.end_input();
  EXPECT_EQ(pair_.client.read_all(&status), "");
  EXPECT_EQ(status, Status::kPeerClosed);
  pair_.server.read_all(&status);
  EXPECT_EQ(status, Status::kPeerClosed);
  EXPECT_EQ(pair_.server.stream.failure(), Failure::kNone);
  EXPECT_FALSE(pair_.client.stream.alert());
}

TEST_P(StreamTest, CloseNotifyWaitsForRoom) {
  shaken();
  pair_.client.out_room = 3;
  int turns = 0;
  while (pair_.client.close() == Status::kNeedsRoom) ++turns;
  EXPECT_GE(turns, 7);
  Status status;
  pair_.server.read_all(&status);
  EXPECT_EQ(status, Status::kPeerClosed);
}

TEST_P(StreamTest, AnEndWithoutCloseNotifyIsTruncationAndCanBeAnswered) {
  shaken();
  pair_.client.write("half");
  pair_.server.stream.end_input();
  Status status;
  EXPECT_EQ(pair_.server.read_all(&status), "half");
  EXPECT_EQ(status, Status::kFailed);
  EXPECT_EQ(pair_.server.stream.failure(), Failure::kTruncated);
  EXPECT_EQ(pair_.server.write("answer").status, Status::kDone);
  EXPECT_EQ(pair_.client.read_all(), "answer");
  EXPECT_EQ(pair_.server.close(), Status::kDone);
}

TEST_P(StreamTest, AnEndWithinTheHandshakeIsTruncation) {
  pair_.client.advance();
  pair_.server.in.resize(pair_.server.in.size() / 2);
  EXPECT_EQ(pair_.server.advance(), Status::kNeedsInput);
  pair_.server.stream.end_input();
  EXPECT_EQ(pair_.server.advance(), Status::kFailed);
  EXPECT_EQ(pair_.server.stream.failure(), Failure::kTruncated);
}

TEST_P(StreamTest, AChangedRecordIsFoundAndAlerted) {
  shaken();
  pair_.client.write("payload");
  pair_.server.in.back() ^= 1;
  Status status;
  EXPECT_EQ(pair_.server.read_all(&status), "");
  EXPECT_EQ(status, Status::kFailed);
  EXPECT_EQ(pair_.server.stream.failure(), Failure::kRecordForged);
  EXPECT_EQ(pair_.server.stream.alert(), 20);  // bad_record_mac
  EXPECT_EQ(pair_.server.write("x").status, Status::kFailed);
  pair_.client.read_all(&status);
  EXPECT_EQ(status, Status::kFailed);
  EXPECT_EQ(pair_.client.stream.failure(), Failure::kPeerAlert);
  EXPECT_EQ(pair_.client.stream.alert(), 20);
}

TEST_P(StreamTest, PlainHttpIsNoTls) {
  const std::string_view request = "GET / HTTP/1.1\r\nHost: www.example.com\r\n\r\n";
  pair_.server.in.assign(request.begin(), request.end());
  EXPECT_EQ(pair_.server.advance(), Status::kFailed);
  EXPECT_EQ(pair_.server.stream.failure(), Failure::kMalformed);
}

TEST_P(StreamTest, RestingBetweenAnyTwoBytesLosesNothing) {
  shaken();
  pair_.client.read_all();
  const Bytes sent = pattern(700);
  for (int record = 0; record < 3; ++record) {
    pair_.server.write(sent);
    pair_.client.in_piece = 1;
    Bytes received;
    while (!pair_.client.in.empty()) {
      Bytes few(5);
      const Moved moved = pair_.client.read(few);
      received.insert(received.end(), few.begin(),
                      few.begin() + static_cast<std::ptrdiff_t>(moved.size));
      pair_.client.stream.rest();
      pair_.server.stream.rest();
    }
    const std::string rest = pair_.client.read_all();
    received.insert(received.end(), rest.begin(), rest.end());
    ASSERT_EQ(received, sent);
  }
}

TEST_P(StreamTest, AHandshakeTakesNoMoreBytesThanAllowed) {
  const auto engine = make_engine({.handshake_bytes_max = 200});
  Pair pair;
  ASSERT_EQ(engine->accept(pair.server.stream, hosts_, 0), Failure::kNone);
  ASSERT_EQ(client_engine_->connect(pair.client.stream, {.server_name = kName, .verify = false}),
            Failure::kNone);
  pair.shake();
  EXPECT_EQ(pair.server.stream.failure(), Failure::kHandshakeTooLong);
  EXPECT_FALSE(pair.server.stream.established());
}

TEST_P(StreamTest, AnObjectCanBeginAgain) {
  for (int i = 0; i < 3; ++i) {
    shaken();
    pair_.client.write("hello");
    EXPECT_EQ(pair_.server.read_all(), "hello");
    pair_.client.stream.reset();
    pair_.server.stream.reset();
    EXPECT_FALSE(pair_.client.stream.active());
    pair_.client.in.clear();
    pair_.server.in.clear();
    begin(pair_);
  }
}

TEST_P(StreamTest, EndsAtAnyPointOfAHandshakeLeaveNothingBehind) {
  for (std::size_t cut = 0; cut < 1500; cut += 37) {
    Pair pair;
    begin(pair);
    pair.client.advance();
    pair.server.in.resize(std::min(cut, pair.server.in.size()));
    pair.server.advance();
    pair.client.in.resize(std::min(cut, pair.client.in.size()));
    pair.client.advance();
    pair.client.stream.reset();
    EXPECT_EQ(ERR_peek_error(), 0U);
  }
}

TEST_P(StreamTest, KeyUpdatesAreAnsweredButNotForEver) {
  if (GetParam() != Version::kTls13) GTEST_SKIP() << "TLS 1.3 has them";
  RawClient client;
  client.talk(pair_.server);
  ASSERT_TRUE(pair_.server.stream.established());
  const auto update = [&client] {
    SSL_key_update(client.ssl.get(), SSL_KEY_UPDATE_REQUESTED);
    SSL_do_handshake(client.ssl.get());
  };
  update();
  SSL_write(client.ssl.get(), "after", 5);
  client.talk(pair_.server);
  EXPECT_EQ(client.received, "after");
  for (int i = 0; i < 10'000 && pair_.server.stream.failure() == Failure::kNone; ++i) {
    update();
    client.talk(pair_.server);
  }
  EXPECT_EQ(pair_.server.stream.failure(), Failure::kNoProgress);
}

TEST_P(StreamTest, RenegotiationIsRefusedAndTheClientGivesUp) {
  if (GetParam() != Version::kTls12) GTEST_SKIP() << "TLS 1.2 has it";
  RawClient client;
  client.talk(pair_.server);
  ASSERT_TRUE(pair_.server.stream.established());
  SSL_renegotiate(client.ssl.get());
  SSL_do_handshake(client.ssl.get());
  client.talk(pair_.server);
  EXPECT_EQ(pair_.server.stream.failure(), Failure::kPeerAlert);
  EXPECT_EQ(pair_.server.stream.alert(), 40);  // the client's answer to no_renegotiation
  EXPECT_EQ(hosts_.asked.size(), 1U);
}

}  // namespace
}  // namespace brink::tls::test
