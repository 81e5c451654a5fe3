// Two hosts with a stack and a transport each, joined by a wire in memory. What one writes the
// other reads, secured or not, whatever the sizes of windows and the number of buffers.
#include "dataplane/transport/transport.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <memory>
#include <random>
#include <string>
#include <vector>

#include "dataplane/tcp/simulator.h"
#include "dataplane/tls/pair_fixture.h"

namespace brink::transport {
namespace {

using std::chrono::milliseconds;

const base::Endpoint kServer{base::IpAddress::v4(0xc0000201), 443};
const base::IpAddress kClient = base::IpAddress::v4(0xc6336401);

std::span<const std::uint8_t> as_bytes(std::string_view text) {
  return {reinterpret_cast<const std::uint8_t*>(text.data()), text.size()};
}

std::string pattern(std::size_t size, unsigned seed) {
  std::minstd_rand random(seed);
  std::string text(size, '\0');
  for (char& c : text) c = static_cast<char>(random());
  return text;
}

// One end of a connection as its user sees it.
struct User {
  ConnectionId id;
  std::string received, to_send;
  bool reading = true;
  bool close_when_sent = false, closed_by_us = false;
  bool secured = false, peer_closed = false, truncated = false, failed = false, closed = false;
};

class Host {
 public:
  Host(const tcp::StackConfig& config, std::uint32_t buffers, std::uint32_t handshake_steps = 4)
      : stack_(config),
        engine_(tls::test::make_engine()),
        transport(stack_.stack, engine_.get(), {config.max_connections, buffers, handshake_steps}) {
  }

  tcp::Stack& stack() { return stack_.stack; }
  tls::Engine& engine() { return *engine_; }

  User& add(ConnectionId id) {
    users.push_back(std::make_unique<User>());
    users.back()->id = id;
    transport.set_user(id, users.size());
    return *users.back();
  }

  void work(base::Time now) {
    Event event;
    while (transport.next_event(event, now)) {
      if (event.kind == EventKind::kAccepted) {
        User& user = add(event.id);
        if (accept_from != nullptr) {
          ASSERT_EQ(transport.secure_accept(event.id, *accept_from, users.size(), now),
                    tls::Failure::kNone);
        } else {
          user.secured = true;
        }
        continue;
      }
      User& user = *users.at(event.user - 1);
      switch (event.kind) {
        case EventKind::kConnected:
          if (connect_to == nullptr) {
            user.secured = true;
            break;
          }
          ASSERT_EQ(transport.secure_connect(event.id, *connect_to, now), tls::Failure::kNone);
          break;
        case EventKind::kSecured:
          EXPECT_FALSE(user.secured);
          user.secured = true;
          ++secured_count;
          break;
        case EventKind::kPeerClosed:
          EXPECT_FALSE(user.peer_closed);
          user.peer_closed = true;
          user.truncated = event.truncated;
          break;
        case EventKind::kFailed:
          EXPECT_FALSE(user.failed);
          user.failed = true;
          failures.push_back(transport.security(event.id)->failure());
          transport.release(event.id, now);
          user.closed = true;
          break;
        case EventKind::kClosed:
          user.closed = true;
          break;
        default:
          break;
      }
    }
    for (auto& user : users) serve(*user, now);
  }

  std::vector<std::unique_ptr<User>> users;
  std::vector<tls::Failure> failures;
  std::uint32_t secured_count = 0;
  tls::CertificateSource* accept_from = nullptr;
  const tls::OriginSettings* connect_to = nullptr;

 private:
  void serve(User& user, base::Time now) {
    if (user.closed || !user.secured) return;
    while (user.reading) {
      const auto bytes = transport.readable(user.id, now);
      if (bytes.empty()) break;
      const std::size_t some = std::max<std::size_t>(1, bytes.size() / 2);
      user.received.append(reinterpret_cast<const char*>(bytes.data()), some);
      transport.consume(user.id, some, now);
    }
    if (!user.to_send.empty()) {
      user.to_send.erase(0, transport.write(user.id, as_bytes(user.to_send), now));
    }
    if (user.to_send.empty() && user.close_when_sent && !user.closed_by_us) {
      user.closed_by_us = true;
      transport.close(user.id, now);
    }
  }

  tcp::sim::OwnedStack stack_;
  std::unique_ptr<tls::Engine> engine_;

 public:
  Transport transport;
};

class TransportTest : public ::testing::Test {
 protected:
  TransportTest() {
    bytes_ = certificate_.bytes();
    tls::HostSettings host;
    host.key = {1, 1};
    host.certificates = {&bytes_, 1};
    hosts_.fallback = host;
    origin_.origin = 7;
    origin_.server_name = "www.example.com";
    origin_.verify = false;
    make();
  }

  void make(std::uint32_t client_buffers = 8, std::uint32_t server_buffers = 8,
            std::uint32_t limit = 64 * 1024, std::uint32_t server_steps = 4) {
    tcp::StackConfig config;
    config.receive_limit = config.send_limit = limit;
    client_ = std::make_unique<Host>(config, client_buffers);
    server_ = std::make_unique<Host>(config, server_buffers, server_steps);
    client_->connect_to = &origin_;
    server_->accept_from = &hosts_;
  }
  void plain() {
    client_->connect_to = nullptr;
    server_->accept_from = nullptr;
  }

  User& connect() {
    const base::Endpoint local{kClient, static_cast<std::uint16_t>(40000 + next_port_++)};
    const auto result = client_->transport.connect(local, kServer, 0, now_);
    EXPECT_TRUE(result.ok());
    return client_->add(result.id);
  }

  void deliver(tcp::Stack& from, tcp::Stack& to) {
    tcp::SegmentOut out;
    while (from.next_segment(out, now_)) {
      std::vector<std::uint8_t> bytes(out.header_bytes().begin(), out.header_bytes().end());
      for (int i = 0; i < out.span_count; ++i) {
        bytes.insert(bytes.end(), out.spans[i].begin(), out.spans[i].end());
      }
      if (loss_percent_ > 0 && random_() % 100 < loss_percent_) continue;
      to.receive({out.source, out.destination, bytes}, now_);
    }
  }
  void turn() {
    now_ += milliseconds(1);
    client_->stack().advance(now_);
    server_->stack().advance(now_);
    client_->work(now_);
    server_->work(now_);
    deliver(client_->stack(), server_->stack());
    deliver(server_->stack(), client_->stack());
  }
  template <typename Condition>
  bool until(Condition condition, int turns = 60'000) {
    for (int i = 0; i < turns; ++i) {
      if (condition()) return true;
      turn();
    }
    return condition();
  }
  User& accepted(std::size_t n = 0) {
    until([&] { return server_->users.size() > n; }, 100);
    return *server_->users.at(n);
  }

  tls::test::Certificate certificate_ =
      tls::test::leaf(tls::test::authority(), {"www.example.com"});
  tls::CertificateBytes bytes_;
  tls::test::Hosts hosts_;
  tls::OriginSettings origin_;
  base::Time now_ = base::Time(std::chrono::seconds(1000));
  std::unique_ptr<Host> client_, server_;
  std::minstd_rand random_{5};
  unsigned loss_percent_ = 0;
  std::uint16_t next_port_ = 0;
};

TEST_F(TransportTest, PlainConnectionsAreTheStacks) {
  plain();
  User& client = connect();
  User& server = accepted();
  client.to_send = pattern(300'000, 1);
  const std::string sent = client.to_send;
  EXPECT_TRUE(until([&] { return server.received == sent; }));
  EXPECT_EQ(client_->transport.security(client.id), nullptr);
  client.close_when_sent = true;
  EXPECT_TRUE(until([&] { return server.peer_closed; }));
  EXPECT_FALSE(server.truncated);
}

TEST_F(TransportTest, SecuredConnectionsCarryBytesBothWaysAndEndInOrder) {
  User& client = connect();
  User& server = accepted();
  const std::string up = pattern(1'000'000, 2), down = pattern(700'000, 3);
  client.to_send = up;
  server.to_send = down;
  client.close_when_sent = server.close_when_sent = true;
  EXPECT_TRUE(until([&] { return client.closed && server.closed; }));
  EXPECT_TRUE(server.received == up);
  EXPECT_TRUE(client.received == down);
  for (const User* user : {&client, &server}) {
    EXPECT_TRUE(user->peer_closed);
    EXPECT_FALSE(user->truncated);
    EXPECT_FALSE(user->failed);
  }
  EXPECT_EQ(hosts_.asked, std::vector<std::string>{"www.example.com"});
  EXPECT_EQ(hosts_.last_user, 1U);
}

TEST_F(TransportTest, AReaderThatStopsHoldsTheWriterBackAndLosesNothing) {
  make(8, 8, 8 * 1024);
  User& client = connect();
  User& server = accepted();
  until([&] { return server.secured; });
  server.reading = false;
  const std::string sent = pattern(400'000, 4);
  client.to_send = sent;
  client.close_when_sent = true;
  until([] { return false; }, 500);
  EXPECT_GT(client.to_send.size(), 200'000U);
  EXPECT_FALSE(server.peer_closed);
  server.reading = true;
  EXPECT_TRUE(until([&] { return server.peer_closed; }));
  EXPECT_TRUE(server.received == sent);
}

TEST_F(TransportTest, FewBuffersServeManyConnections) {
  make(1, 1);
  std::map<User*, std::string> sent;
  std::vector<User*> clients;
  for (unsigned i = 0; i < 12; ++i) {
    clients.push_back(&connect());
    clients.back()->to_send = pattern(100'000, i);
  }
  ASSERT_TRUE(until([&] { return server_->users.size() == 12; }));
  for (auto& user : server_->users) user->to_send = pattern(50'000, 99);
  // One that never reads holds its bytes as ciphertext, not the only buffer.
  EXPECT_TRUE(until([&] {
    return std::all_of(server_->users.begin(), server_->users.end(),
                       [](const auto& user) { return user->received.size() == 100'000; }) &&
           std::all_of(clients.begin(), clients.end(),
                       [](const User* user) { return user->received.size() == 50'000; });
  }));
}

TEST_F(TransportTest, LossAndTinyWindowsChangeNothing) {
  make(2, 2, 4096);
  loss_percent_ = 5;
  User& client = connect();
  ASSERT_TRUE(until([&] { return !server_->users.empty(); }));
  User& server = *server_->users[0];
  const std::string up = pattern(60'000, 7), down = pattern(60'000, 8);
  client.to_send = up;
  server.to_send = down;
  EXPECT_TRUE(until([&] { return server.received == up && client.received == down; }, 400'000));
}

TEST_F(TransportTest, AnEndWithoutCloseNotifyIsTruncation) {
  User& client = connect();
  User& server = accepted();
  client.to_send = "some";
  EXPECT_TRUE(until([&] { return server.received == "some"; }));
  client_->stack().close(client.id, now_);  // below TLS
  EXPECT_TRUE(until([&] { return server.peer_closed; }, 200));
  EXPECT_TRUE(server.truncated);
  EXPECT_FALSE(server.failed);
}

TEST_F(TransportTest, WhoDoesNotReadLearnsOfTcpsEndAllTheSame) {
  User& client = connect();
  User& server = accepted();
  ASSERT_TRUE(until([&] { return client.secured && server.secured; }));
  turn();
  server.reading = false;
  client_->stack().close(client.id, now_);
  EXPECT_TRUE(until([&] { return server.peer_closed; }, 200));
  EXPECT_TRUE(server.truncated);
}

TEST_F(TransportTest, CloseNotifyIsFoundByReading) {
  User& client = connect();
  User& server = accepted();
  ASSERT_TRUE(until([&] { return client.secured && server.secured; }));
  server.reading = false;
  client.to_send = "last";
  client.close_when_sent = true;
  until([] { return false; }, 50);
  EXPECT_FALSE(server.peer_closed);
  server.reading = true;
  EXPECT_TRUE(until([&] { return server.peer_closed; }, 200));
  EXPECT_EQ(server.received, "last");
  EXPECT_FALSE(server.truncated);
}

TEST_F(TransportTest, WhatIsNoTlsFailsAndTheOthersGoOn) {
  User& good = connect();
  User& server = accepted();
  ASSERT_TRUE(until([&] { return good.secured; }));
  client_->connect_to = nullptr;
  User& bad = connect();
  bad.to_send = "GET / HTTP/1.1\r\n\r\n";
  ASSERT_TRUE(until([&] { return server_->failures.size() == 1; }));
  EXPECT_EQ(server_->failures[0], tls::Failure::kMalformed);
  EXPECT_TRUE(until([&] { return bad.peer_closed || bad.closed; }));
  good.to_send = "still there";
  EXPECT_TRUE(until([&] { return server.received == "still there"; }));
}

TEST_F(TransportTest, AnUnknownNameFailsBothEnds) {
  hosts_.fallback.reset();
  connect();
  ASSERT_TRUE(until([&] { return !server_->failures.empty() && !client_->failures.empty(); }));
  EXPECT_EQ(server_->failures[0], tls::Failure::kUnknownName);
}

TEST_F(TransportTest, AbortedAndReleasedConnectionsLeaveTheirPlaceClean) {
  for (int round = 0; round < 50; ++round) {
    User& client = connect();
    const std::size_t n = server_->users.size();
    until([&] { return server_->users.size() > n; }, 50);
    User& server = *server_->users.back();
    client.to_send = pattern(50'000, static_cast<unsigned>(round));
    for (int i = 0; i < round % 12; ++i) turn();
    if (round % 3 == 0) {
      client_->transport.abort(client.id, now_);
    } else {
      client_->transport.release(client.id, now_);
    }
    client.closed = true;
    if (round % 2 == 0) {
      server_->transport.release(server.id, now_);
      server.closed = true;
    } else {
      server.close_when_sent = true;
    }
    for (int i = 0; i < 5; ++i) turn();
  }
  User& client = connect();
  client.to_send = "works";
  EXPECT_TRUE(until([&] { return server_->users.back()->received == "works"; }));
}

TEST_F(TransportTest, TransferMovesBetweenPlainAndSecured) {
  // Client under TLS -> server -> another connection of the server, plain, and back.
  User& client = connect();
  User& front = accepted();
  ASSERT_TRUE(until([&] { return front.secured; }));
  server_->accept_from = nullptr;
  client_->connect_to = nullptr;
  User& sink = connect();
  User& inside = accepted(1);
  ASSERT_TRUE(until([&] { return inside.secured; }));
  front.reading = inside.reading = false;
  const std::string up = pattern(300'000, 9), down = pattern(300'000, 10);
  client.to_send = up;
  sink.to_send = down;
  EXPECT_TRUE(until([&] {
    server_->transport.transfer(front.id, inside.id, 5000, now_);
    server_->transport.transfer(inside.id, front.id, 7000, now_);
    return sink.received == up && client.received == down;
  }));
}

TEST_F(TransportTest, WhatLiesInManyChunksIsSentInFewLongRecords) {
  User& client = connect();
  User& front = accepted();
  ASSERT_TRUE(until([&] { return front.secured; }));
  server_->accept_from = nullptr;
  client_->connect_to = nullptr;
  User& source = connect();
  User& inside = accepted(1);
  ASSERT_TRUE(until([&] { return inside.secured; }));
  front.reading = inside.reading = false;
  const std::string sent = pattern(50'000, 11);
  source.to_send = sent;
  tcp::Stack& stack = server_->stack();
  ASSERT_TRUE(until([&] { return stack.readable_bytes(inside.id) > 30'000; }));
  const std::size_t queued = stack.info(front.id).queued;
  const std::size_t moved = server_->transport.transfer(inside.id, front.id, 50'000, now_);
  const std::size_t overhead = stack.info(front.id).queued - queued - moved;
  ASSERT_GT(moved, 10'000U);
  constexpr std::size_t kOverhead = 22;  // of a record of TLS 1.3
  // Where the room ends, a short one may follow.
  EXPECT_LE(overhead, (moved / tls::kRecordPlaintextMax + 2) * kOverhead);
  EXPECT_TRUE(until([&] {
    server_->transport.transfer(inside.id, front.id, 50'000, now_);
    return client.received == sent;
  }));
}

TEST_F(TransportTest, ATurnDoesItsShareOfHandshakesAndAllAreDone) {
  make(8, 8, 64 * 1024, 1);
  for (int i = 0; i < 20; ++i) connect().to_send = "hello";
  int turns_that_wait = 0;
  std::uint32_t before = 0;
  ASSERT_TRUE(until([&] {
    EXPECT_LE(server_->secured_count - before, 1U) << "one step a turn secures at most one";
    before = server_->secured_count;
    turns_that_wait += server_->transport.has_waiting() ? 1 : 0;
    return server_->secured_count == 20;
  }));
  EXPECT_GE(turns_that_wait, 19);
  EXPECT_TRUE(until([&] {
    return std::all_of(server_->users.begin(), server_->users.end(),
                       [](const auto& user) { return user->received == "hello"; });
  }));
  EXPECT_FALSE(server_->transport.has_waiting());
}

TEST_F(TransportTest, AConnectionThatEndsWhileItsHandshakeWaitsIsForgotten) {
  make(8, 8, 64 * 1024, 1);
  for (int i = 0; i < 10; ++i) connect();
  for (int i = 0; i < 3; ++i) turn();
  for (std::size_t i = 0; i < 10; i += 2) {
    client_->transport.abort(client_->users[i]->id, now_);
    client_->users[i]->closed = true;
  }
  User& late = connect();
  late.to_send = "works";
  EXPECT_TRUE(until([&] { return server_->users.back()->received == "works"; }));
  EXPECT_TRUE(until([&] { return !server_->transport.has_waiting(); }));
}

TEST_F(TransportTest, PeekSeesMessagesThatLieInSeveralRecords) {
  User& client = connect();
  User& server = accepted();
  ASSERT_TRUE(until([&] { return server.secured; }));
  server.reading = false;
  for (int i = 0; i < 10; ++i) {
    client.to_send += std::string(100, static_cast<char>('a' + i));
    turn();
  }
  ASSERT_TRUE(
      until([&] { return server_->transport.readable_bytes(server.id, now_) == 1000; }, 100));
  std::array<std::uint8_t, 200> out{};
  EXPECT_EQ(server_->transport.peek(server.id, 850, out), 150U);
  EXPECT_EQ(out[0], 'i');
  EXPECT_EQ(out[149], 'j');
  server_->transport.consume(server.id, 850, now_);
  EXPECT_EQ(server_->transport.readable_bytes(server.id, now_), 150U);
}

}  // namespace
}  // namespace brink::transport
