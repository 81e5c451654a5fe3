// DNS over TCP as a client sees it: a stack of ours asks, the stage's stack answers, segments are
// carried between the two in virtual time.
#include "dns/stream/stage.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <memory>
#include <string>
#include <vector>

#include "dataplane/base/bytes.h"
#include "dataplane/tcp/simulator.h"
#include "tests/support/dns_image.h"

namespace brink::dns::stream {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using Bytes = std::vector<std::uint8_t>;

// big.example.com TXT: some 50 KiB in one response.
std::string zone_text() {
  std::string text =
      "@ 60 SOA ns1 h 1 2 3 4 5\n@ 60 NS ns1\nns1 60 A 192.0.2.1\nwww 60 A 192.0.2.3\n";
  for (int i = 0; i < 200; ++i) {
    text += "big 60 TXT \"" + std::to_string(i) + std::string(240, 'x') + "\"\n";
  }
  return text;
}

const snapshot::Image& image() {
  static const snapshot::Image built = test::image_of_zones({{"example.com.", zone_text()}});
  return built;
}

tcp::StackConfig stack_config(std::uint32_t connections) {
  tcp::StackConfig config;
  config.max_connections = connections;
  config.chunk_count = 1024;
  config.receive_limit = 16 * 1024;
  config.send_limit = config.ahead_of_window = 128 * 1024;
  config.delayed_ack = milliseconds(1);
  return config;
}

Bytes framed(const Bytes& message) {
  Bytes frame(2 + message.size());
  base::store_be16(frame.data(), static_cast<std::uint16_t>(message.size()));
  std::copy(message.begin(), message.end(), frame.begin() + 2);
  return frame;
}

Bytes ask(std::string_view name, std::uint16_t type = 1) {
  return framed(test::question(name, type));
}

class StageTest : public ::testing::Test {
 protected:
  explicit StageTest(StageConfig config = small()) : config_(config) {
    server_ = std::make_unique<tcp::sim::OwnedStack>(stack_config(config.max_connections));
    client_ = std::make_unique<tcp::sim::OwnedStack>(stack_config(64));
    memory_.resize(Stage::memory_size(config_) + 64);
    const auto at = (reinterpret_cast<std::uintptr_t>(memory_.data()) + 63) / 64 * 64;
    stage_ = std::make_unique<Stage>(
        config_, std::span(reinterpret_cast<std::byte*>(at), Stage::memory_size(config_)),
        server_->stack, engine_, counters_);
  }
  static StageConfig small() {
    StageConfig config;
    config.max_connections = 16;
    config.per_client_max = 8;
    return config;
  }

  // Carries segments both ways until nobody has any, then lets time pass.
  void settle(base::Duration passed = milliseconds(5)) {
    for (int turn = 0; turn < 200; ++turn) {
      bool moved = carry(client_->stack, server_->stack);
      moved |= stage_->run(image().view(), now_);
      moved |= carry(server_->stack, client_->stack);
      if (!moved) break;
    }
    now_ += passed;
    client_->stack.advance(now_);
    server_->stack.advance(now_);
  }
  void pass(base::Duration time) {
    for (const base::Time until = now_ + time; now_ < until;) settle(milliseconds(50));
  }
  bool carry(tcp::Stack& from, tcp::Stack& to) {
    bool moved = false;
    for (tcp::SegmentOut out; from.next_segment(out, now_); moved = true) {
      Bytes bytes(out.header.begin(), out.header.begin() + out.header_size);
      for (int i = 0; i < out.span_count; ++i) {
        bytes.insert(bytes.end(), out.spans[i].begin(), out.spans[i].end());
      }
      to.receive({out.source, out.destination, bytes}, now_);
    }
    return moved;
  }

  tcp::ConnectionId connect(const std::string& from = "198.51.100.1") {
    const base::Endpoint local{*base::IpAddress::parse(from), ++port_};
    const base::Endpoint remote{*base::IpAddress::parse("192.0.2.129"), 53};
    const auto opened = client_->stack.connect(local, remote, 0, now_);
    EXPECT_TRUE(opened.ok());
    settle();
    return opened.id;
  }
  void send(tcp::ConnectionId id, const Bytes& bytes) {
    EXPECT_EQ(client_->stack.write(id, bytes, now_), bytes.size());
    settle();
  }
  // Everything that came, up to `most` octets.
  Bytes receive(tcp::ConnectionId id, std::size_t most = SIZE_MAX) {
    Bytes all;
    while (all.size() < most) {
      auto bytes = client_->stack.readable(id);
      if (bytes.empty()) break;
      bytes = bytes.first(std::min(bytes.size(), most - all.size()));
      all.insert(all.end(), bytes.begin(), bytes.end());
      client_->stack.consume(id, bytes.size(), now_);
      settle();
    }
    return all;
  }
  // The responses in what came, as text.
  std::vector<std::string> responses(tcp::ConnectionId id) { return split(receive(id)); }
  static std::vector<std::string> split(const Bytes& all) {
    std::vector<std::string> texts;
    for (std::size_t at = 0; at + 2 <= all.size();) {
      const std::size_t size = base::load_be16(all.data() + at);
      EXPECT_LE(at + 2 + size, all.size());
      if (at + 2 + size > all.size()) break;
      texts.push_back(test::response_text(Bytes(all.begin() + static_cast<long>(at) + 2,
                                                all.begin() + static_cast<long>(at + 2 + size))));
      at += 2 + size;
    }
    return texts;
  }
  bool is_open(tcp::ConnectionId id) {
    const auto info = client_->stack.info(id);
    return info.state == tcp::State::kEstablished && !info.peer_closed;
  }
  std::uint64_t count(ipc::Counter counter) const { return counters_.get(counter); }

  StageConfig config_;
  base::Time now_{seconds(100)};
  std::uint16_t port_ = 1024;
  answer::Engine engine_;
  ipc::WorkerCounters counters_;
  std::unique_ptr<tcp::sim::OwnedStack> server_;
  std::unique_ptr<tcp::sim::OwnedStack> client_;
  Bytes memory_;
  std::unique_ptr<Stage> stage_;
};

TEST_F(StageTest, AnswersAQueryAndKeepsTheConnection) {  // RFC 7766 6.2.1
  const auto id = connect();
  for (int i = 0; i < 3; ++i) {
    send(id, ask("www.example.com."));
    const auto got = responses(id);
    ASSERT_EQ(got.size(), 1U);
    EXPECT_NE(got[0].find("an www.example.com. 60 IN A 192.0.2.3"), std::string::npos) << got[0];
  }
  EXPECT_TRUE(is_open(id));
}

TEST_F(StageTest, AnswersWhatIsLargerThanAnyDatagram) {  // RFC 7766 5
  const auto id = connect();
  send(id, ask("big.example.com.", 16));
  const auto got = responses(id);
  ASSERT_EQ(got.size(), 1U);
  EXPECT_EQ(got[0].substr(0, got[0].find('\n')).find("tc"), std::string::npos);
  std::size_t records = 0;
  for (std::size_t at = 0; (at = got[0].find("an big", at)) != std::string::npos; ++at) ++records;
  EXPECT_EQ(records, 200U);
}

TEST_F(StageTest, AnswersPipelinedQueriesInOrder) {  // RFC 7766 6.2.1.1
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

TEST_F(StageTest, PutsTogetherQueriesThatComeOctetByOctet) {  // RFC 7766 8
  const auto id = connect();
  Bytes two = ask("www.example.com.");
  const Bytes second = ask("ns1.example.com.");
  two.insert(two.end(), second.begin(), second.end());
  for (const std::uint8_t octet : two) send(id, {octet});
  EXPECT_EQ(responses(id).size(), 2U);
}

TEST_F(StageTest, AnswersWhoHasStoppedSendingAndCloses) {
  const auto id = connect();
  client_->stack.write(id, ask("www.example.com."), now_);
  client_->stack.close(id, now_);
  settle();
  EXPECT_EQ(responses(id).size(), 1U);
  EXPECT_TRUE(client_->stack.info(id).peer_closed || !is_open(id));
  EXPECT_EQ(stage_->connection_count(), 0U);
}

TEST_F(StageTest, ClosesBehindHalfAMessage) {
  const auto id = connect();
  Bytes half = ask("www.example.com.");
  half.resize(10);
  client_->stack.write(id, half, now_);
  client_->stack.close(id, now_);
  settle();
  settle();
  EXPECT_EQ(stage_->connection_count(), 0U);
}

TEST_F(StageTest, EndsConnectionsThatBreakTheFraming) {
  for (const Bytes& bad : {Bytes{0, 0}, Bytes{0, 11}, Bytes{0x10, 0x01}, Bytes{0xff, 0xff}}) {
    const auto id = connect();
    Bytes bytes = ask("www.example.com.");  // what came before is answered
    bytes.insert(bytes.end(), bad.begin(), bad.end());
    send(id, bytes);
    EXPECT_EQ(responses(id).size(), 1U);
    EXPECT_FALSE(is_open(id));
  }
  EXPECT_EQ(count(ipc::Counter::kDropDnsStreamFraming), 4U);
  EXPECT_EQ(stage_->connection_count(), 0U);
}

TEST_F(StageTest, EndsWhoSendsResponses) {
  const auto id = connect();
  Bytes response = ask("www.example.com.");
  response[4] |= 0x80;  // QR
  send(id, response);
  EXPECT_TRUE(receive(id).empty());
  EXPECT_FALSE(is_open(id));
}

TEST_F(StageTest, ClosesIdleConnectionsAndNoOthers) {
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

TEST_F(StageTest, OctetsThatNeverMakeAQueryDoNotKeepAConnection) {
  const auto id = connect();
  const Bytes query = ask("a-rather-long-name-for-a-slow-client.example.com.");
  for (std::size_t i = 0; i < 11 && is_open(id); ++i) {
    send(id, {query[i]});
    pass(seconds(1));
  }
  EXPECT_FALSE(is_open(id));
}

TEST_F(StageTest, OneClientGetsNoMoreThanItsShare) {
  std::vector<tcp::ConnectionId> open;
  for (int i = 0; i < 8; ++i) open.push_back(connect());
  const auto refused = connect();
  settle();
  EXPECT_FALSE(is_open(refused));
  EXPECT_EQ(count(ipc::Counter::kDropDnsStreamLimit), 1U);
  const auto other = connect("198.51.100.2");
  send(other, ask("www.example.com."));
  EXPECT_EQ(responses(other).size(), 1U);
  client_->stack.close(open[0], now_);
  settle();
  EXPECT_TRUE(is_open(connect()));
}

TEST_F(StageTest, ANewConnectionTakesThePlaceOfTheLongestIdle) {
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

TEST_F(StageTest, WaitsForWhoDoesNotReadAndLosesNothing) {
  const auto id = connect();
  Bytes many;
  for (int i = 0; i < 12; ++i) {
    const Bytes one = ask("big.example.com.", 16);
    many.insert(many.end(), one.begin(), one.end());
  }
  send(id, many);
  EXPECT_GT(count(ipc::Counter::kDnsStreamWaits), 0U);
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

TEST_F(StageTest, TellsHowLongAConnectionMayBeIdle) {  // RFC 7828 3.3.2
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

TEST_F(StageTest, DrainingAnswersWhatHasComeAndTakesNothingNew) {
  const auto asked = connect();
  const auto idle = connect();
  client_->stack.write(asked, ask("www.example.com."), now_);
  stage_->drain();
  settle();
  EXPECT_EQ(responses(asked).size(), 1U);
  EXPECT_FALSE(is_open(asked));
  EXPECT_FALSE(is_open(idle));
  EXPECT_EQ(stage_->connection_count(), 0U);
  EXPECT_FALSE(is_open(connect()));
}

}  // namespace
}  // namespace brink::dns::stream
