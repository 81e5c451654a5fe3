// DNS over TCP and over TLS as a client sees them: what both have in common.
#include "dns/stream/stage.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "dns/stream/stage_fixture.h"

namespace brink::dns::stream {
namespace {

class StageTest : public StreamTest, public ::testing::TestWithParam<bool> {
 protected:
  StageTest() : StreamTest(GetParam()) {}
};

TEST_P(StageTest, AnswersAQueryAndKeepsTheConnection) {  // RFC 7766 6.2.1
  const auto id = connect();
  for (int i = 0; i < 3; ++i) {
    send(id, ask("www.example.com."));
    const auto got = responses(id);
    ASSERT_EQ(got.size(), 1U);
    EXPECT_NE(got[0].find("an www.example.com. 60 IN A 192.0.2.3"), std::string::npos) << got[0];
  }
  EXPECT_TRUE(is_open(id));
}

TEST_P(StageTest, AnswersWhatIsLargerThanAnyDatagram) {  // RFC 7766 5
  const auto id = connect();
  send(id, ask("big.example.com.", 16));
  const auto got = responses(id);
  ASSERT_EQ(got.size(), 1U);
  EXPECT_EQ(got[0].substr(0, got[0].find('\n')).find("tc"), std::string::npos);
  std::size_t records = 0;
  for (std::size_t at = 0; (at = got[0].find("an big", at)) != std::string::npos; ++at) ++records;
  EXPECT_EQ(records, 200U);
}

TEST_P(StageTest, AnswersPipelinedQueriesInOrder) {  // RFC 7766 6.2.1.1
  const auto id = connect();
  Bytes many;
  for (int i = 0; i < 40; ++i) {
    const Bytes one = ask(i % 2 == 0 ? "www.example.com." : "missing.example.com.");
    many.insert(many.end(), one.begin(), one.end());
  }
  send(id, many);
  const auto got = responses(id);
  ASSERT_EQ(got.size(), 40U);
  for (std::size_t i = 0; i < got.size(); ++i) {
    EXPECT_EQ(got[i].starts_with(i % 2 == 0 ? "NOERROR" : "NXDOMAIN"), true) << i << got[i];
  }
}

TEST_P(StageTest, PutsTogetherQueriesThatComeOctetByOctet) {  // RFC 7766 8
  const auto id = connect();
  Bytes two = ask("www.example.com.");
  const Bytes second = ask("ns1.example.com.");
  two.insert(two.end(), second.begin(), second.end());
  for (const std::uint8_t octet : two) send(id, {octet});
  EXPECT_EQ(responses(id).size(), 2U);
}

TEST_P(StageTest, AnswersWhoHasStoppedSendingAndCloses) {
  const auto id = connect();
  write(id, ask("www.example.com."));
  close(id);
  EXPECT_EQ(responses(id).size(), 1U);
  EXPECT_FALSE(is_open(id));
  EXPECT_EQ(stage_->connection_count(), 0U);
}

TEST_P(StageTest, ClosesBehindHalfAMessage) {
  const auto id = connect();
  Bytes half = ask("www.example.com.");
  half.resize(10);
  write(id, half);
  close(id);
  settle();
  EXPECT_EQ(stage_->connection_count(), 0U);
}

TEST_P(StageTest, EndsConnectionsThatBreakTheFraming) {
  for (const Bytes& bad : {Bytes{0, 0}, Bytes{0, 11}, Bytes{0x10, 0x01}, Bytes{0xff, 0xff}}) {
    const auto id = connect();
    Bytes bytes = ask("www.example.com.");  // what came before is answered
    bytes.insert(bytes.end(), bad.begin(), bad.end());
    send(id, bytes);
    EXPECT_EQ(responses(id).size(), 1U);
    EXPECT_FALSE(is_open(id));
  }
  EXPECT_EQ(count(ipc::Counter::kDropDnsStreamFraming, ipc::Counter::kDropDotFraming), 4U);
  EXPECT_EQ(stage_->connection_count(), 0U);
}

TEST_P(StageTest, EndsWhoSendsResponses) {
  const auto id = connect();
  Bytes response = ask("www.example.com.");
  response[4] |= 0x80;  // QR
  send(id, response);
  EXPECT_TRUE(receive(id).empty());
  EXPECT_FALSE(is_open(id));
}

TEST_P(StageTest, ClosesIdleConnectionsAndNoOthers) {
  const auto idle = connect();
  const auto busy = connect();
  for (int i = 0; i < 12; ++i) {
    pass(seconds(1));
    send(busy, ask("www.example.com."));
    EXPECT_EQ(responses(busy).size(), 1U) << i;
  }
  EXPECT_FALSE(is_open(idle));
  EXPECT_TRUE(is_open(busy));
}

TEST_P(StageTest, OctetsThatNeverMakeAQueryDoNotKeepAConnection) {
  const auto id = connect();
  const Bytes query = ask("a-rather-long-name-for-a-slow-client.example.com.");
  for (std::size_t i = 0; i < 11 && is_open(id); ++i) {
    send(id, {query[i]});
    pass(seconds(1));
  }
  EXPECT_FALSE(is_open(id));
}

TEST_P(StageTest, OneClientGetsNoMoreThanItsShare) {
  std::vector<tcp::ConnectionId> open;
  for (int i = 0; i < 8; ++i) open.push_back(connect());
  const auto refused = connect();
  settle();
  EXPECT_FALSE(is_open(refused));
  EXPECT_EQ(count(ipc::Counter::kDropDnsStreamLimit, ipc::Counter::kDropDotLimit), 1U);
  const auto other = connect("198.51.100.2");
  send(other, ask("www.example.com."));
  EXPECT_EQ(responses(other).size(), 1U);
  close(open[0]);
  EXPECT_TRUE(is_open(connect()));
}

TEST_P(StageTest, ANewConnectionTakesThePlaceOfTheLongestIdle) {
  std::vector<tcp::ConnectionId> open;
  for (int i = 0; i < 15; ++i) {
    open.push_back(connect("198.51.100." + std::to_string(1 + i)));
    settle(milliseconds(10));
  }
  send(open[0], ask("www.example.com."));  // now the second is the longest idle
  EXPECT_EQ(responses(open[0]).size(), 1U);
  const auto fresh = connect("198.51.100.99");
  send(fresh, ask("www.example.com."));
  EXPECT_EQ(responses(fresh).size(), 1U);
  EXPECT_TRUE(is_open(open[0]));
  EXPECT_FALSE(is_open(open[1]));
}

TEST_P(StageTest, WaitsForWhoDoesNotReadAndLosesNothing) {
  const auto id = connect();
  send(id, repeated(ask("big.example.com.", 16), 12));
  EXPECT_GT(count(ipc::Counter::kDnsStreamWaits, ipc::Counter::kDotWaits), 0U);
  const auto other = connect("198.51.100.2");
  send(other, ask("www.example.com."));
  EXPECT_EQ(responses(other).size(), 1U) << "one slow reader must not hold up the others";
  Bytes all;
  for (int i = 0; i < 100; ++i) {
    const Bytes more = receive(id);
    all.insert(all.end(), more.begin(), more.end());
    settle();
  }
  EXPECT_EQ(split(all).size(), 12U);
}

TEST_P(StageTest, TellsHowLongAConnectionMayBeIdle) {  // RFC 7828 3.3.2
  Bytes query = test::question("www.example.com.", 1, {.edns = true});
  base::store_be16(query.data() + query.size() - 2, 4);
  query.insert(query.end(), {0, 11, 0, 0});
  const auto id = connect();
  send(id, framed(query));
  const Bytes got = receive(id);
  ASSERT_GT(got.size(), 6U);
  const Bytes option(got.end() - 6, got.end());
  EXPECT_EQ(option, (Bytes{0, 11, 0, 2, 0, 100}));
}

TEST_P(StageTest, DrainingAnswersWhatHasComeAndTakesNothingNew) {
  const auto asked = connect();
  const auto idle = connect();
  write(asked, ask("www.example.com."));
  stage_->drain();
  settle();
  EXPECT_EQ(responses(asked).size(), 1U);
  EXPECT_FALSE(is_open(asked));
  EXPECT_FALSE(is_open(idle));
  EXPECT_EQ(stage_->connection_count(), 0U);
  EXPECT_FALSE(is_open(connect()));
}

INSTANTIATE_TEST_SUITE_P(OverTcpAndTls, StageTest, ::testing::Bool(),
                         [](const auto& with) { return with.param ? "Tls" : "Tcp"; });

}  // namespace
}  // namespace brink::dns::stream
