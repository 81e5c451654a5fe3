// The resolver's thread with its sockets, against a name server of the test's own on loopback.
#include "ctl/resolve/resolver.h"

#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <poll.h>
#include <sys/socket.h>

#include <atomic>
#include <future>
#include <thread>

#include "ctl/resolve/message_fixture.h"
#include "dataplane/base/unique_fd.h"

namespace brink::ctl::resolve {
namespace {

// Answers A questions for any name with 203.0.113.9, others with nothing; keeps silent on demand.
class NameServer {
 public:
  NameServer() : socket_(::socket(AF_INET, SOCK_DGRAM, 0)) {
    sockaddr_in place{};
    place.sin_family = AF_INET;
    place.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    EXPECT_EQ(::bind(socket_.get(), reinterpret_cast<sockaddr*>(&place), sizeof place), 0);
    socklen_t size = sizeof place;
    ::getsockname(socket_.get(), reinterpret_cast<sockaddr*>(&place), &size);
    port_ = ntohs(place.sin_port);
    thread_ = std::thread([this] { run(); });
  }
  ~NameServer() {
    stopping_ = true;
    thread_.join();
  }
  [[nodiscard]] base::Endpoint place() const { return {address("127.0.0.1"), port_}; }
  void be_silent() { silent_ = true; }

 private:
  void run() {
    while (!stopping_) {
      pollfd watched{socket_.get(), POLLIN, 0};
      if (::poll(&watched, 1, 20) == 1) serve();
    }
  }
  // The question is taken over as it stands; what follows it (EDNS) is left out.
  void serve() {
    std::uint8_t query[512];
    sockaddr_in peer{};
    socklen_t size = sizeof peer;
    const auto got = ::recvfrom(socket_.get(), query, sizeof query, 0,
                                reinterpret_cast<sockaddr*>(&peer), &size);
    if (got < 12 || silent_) return;
    std::size_t end = 12;
    while (query[end] != 0) end += query[end] + 1U;
    std::vector<std::uint8_t> reply(query, query + end + 5);
    const bool is_a = reply[reply.size() - 3] == 1;
    reply[2] = 0x81;
    reply[3] = 0x80;
    reply[7] = is_a ? 1 : 0;
    reply[9] = reply[11] = 0;
    if (is_a) {
      const std::uint8_t record[] = {0xc0, 12, 0, 1, 0, 1, 0, 0, 1, 0, 0, 4, 203, 0, 113, 9};
      reply.insert(reply.end(), std::begin(record), std::end(record));
    }
    ::sendto(socket_.get(), reply.data(), reply.size(), 0, reinterpret_cast<sockaddr*>(&peer),
             size);
  }

  base::UniqueFd socket_;
  std::uint16_t port_ = 0;
  std::atomic<bool> stopping_ = false, silent_ = false;
  std::thread thread_;
};

class ResolverTest : public ::testing::Test {
 protected:
  void start() {
    ResolverOptions options;
    options.exchange.servers = {server_.place()};
    options.filter = AddressFilter({*Prefix::parse("203.0.113.0/24")}, {});
    resolver_ = std::make_unique<Resolver>(options, [this](const auto& changes) {
      for (const Resolved& each : changes) told_.push_back(each);  // before settled() is answered
    });
  }
  void wait_for(const std::vector<model::DomainName>& names, std::chrono::milliseconds wait) {
    std::promise<void> done;
    resolver_->settled(names, wait, [&done] { done.set_value(); });
    done.get_future().wait();
  }

  NameServer server_;
  std::vector<Resolved> told_;
  std::unique_ptr<Resolver> resolver_;
};

TEST_F(ResolverTest, TellsAddressesBeforeItSaysThatNamesAreSettled) {
  start();
  std::vector<model::DomainName> names;
  for (int i = 0; i < 300; ++i) names.push_back(name("n" + std::to_string(i) + ".example.net"));
  resolver_->use(names);
  wait_for(names, std::chrono::minutes(1));
  ASSERT_EQ(told_.size(), 300U);
  for (const Resolved& each : told_) {
    EXPECT_EQ(each.addresses, std::vector{address("203.0.113.9")}) << each.name.text();
  }
}

TEST_F(ResolverTest, WaitsForASilentServerNoLongerThanItMay) {
  server_.be_silent();
  start();
  resolver_->use({name("shop.example.net")});
  wait_for({name("shop.example.net")}, std::chrono::milliseconds(50));
  EXPECT_TRUE(told_.empty());
}

TEST_F(ResolverTest, StopsWithQuestionsUnderWay) {
  server_.be_silent();
  start();
  resolver_->use({name("shop.example.net"), name("b.example.net")});
  wait_for({name("shop.example.net")}, std::chrono::milliseconds(50));
  std::atomic<int> called = 0;
  resolver_->delegation(name("example.com"), [&](const Delegation&) { ++called; });
  resolver_->settled({name("b.example.net")}, std::chrono::minutes(1), [&] { ++called; });
  resolver_->after(std::chrono::minutes(1), [&] { ++called; });
  std::promise<void> seen;
  resolver_->status([&](const ResolverStatus&) { seen.set_value(); });
  seen.get_future().wait();
  resolver_.reset();
  EXPECT_EQ(called, 0);
}

}  // namespace
}  // namespace brink::ctl::resolve
