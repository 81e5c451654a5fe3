#include "ctl/publish/publisher.h"

#include <gtest/gtest.h>
#include <poll.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>

#include <atomic>
#include <filesystem>
#include <future>

namespace brink::ctl::publish {
namespace {

using namespace std::chrono_literals;
using ipc::ControlMessage;
using ipc::MessageType;
using State = Publication::State;

// The edge's end of the socket, spoken by hand from the test's thread.
class FakeEdge {
 public:
  explicit FakeEdge(const std::string& path) : listener_(ipc::listen_control(path).value()) {}

  // Takes the connection and answers Hello.
  void welcome(std::uint64_t version, std::uint64_t token = 0) {
    wait(listener_.get());
    connection_ = base::UniqueFd(::accept(listener_.get(), nullptr, nullptr));
    const ControlMessage hello = receive();
    EXPECT_EQ(hello.type, MessageType::kHello);
    ControlMessage reply;
    reply.type = MessageType::kWelcome;
    reply.sequence = hello.sequence;
    reply.snapshot_version = version;
    reply.snapshot_token = token;
    ASSERT_TRUE(ipc::send_control(connection_.get(), reply).ok());
  }
  ControlMessage receive() {
    wait(connection_.get());
    auto received = ipc::receive_control(connection_.get());
    if (!received.ok()) {
      ADD_FAILURE() << received.error().message();
      return {};
    }
    image_ = base::UniqueFd(received.value()->descriptor);
    return received.value()->message;
  }
  void reply(const ControlMessage& request, ipc::ReplyStatus status, std::string_view why = {}) {
    ControlMessage message;
    message.type = MessageType::kReply;
    message.sequence = request.sequence;
    message.snapshot_version = request.snapshot_version;
    message.status = status;
    message.set_reason(why);
    ASSERT_TRUE(ipc::send_control(connection_.get(), message).ok());
  }
  std::uint64_t accept_image() { return accept(MessageType::kPublishImage); }
  std::uint64_t accept_changes() { return accept(MessageType::kPublishTransaction); }
  std::uint64_t accept(MessageType type) {
    const ControlMessage request = receive();
    EXPECT_EQ(request.type, type);
    reply(request, ipc::ReplyStatus::kDone);
    return request.snapshot_version;
  }
  void die() { connection_.reset(); }
  [[nodiscard]] int image() const { return image_.get(); }

 private:
  static void wait(int fd) {
    pollfd watched{fd, POLLIN, 0};
    ASSERT_EQ(::poll(&watched, 1, 5000), 1) << "nothing came from the publisher";
  }
  base::UniqueFd listener_, connection_, image_;
};

class PublisherTest : public ::testing::Test {
 protected:
  PublisherTest() {
    char pattern[] = "/tmp/brink_publish_XXXXXX";
    folder_ = ::mkdtemp(pattern);
    options_.edge_socket = folder_ + "/edge.sock";
    options_.reconnect_interval = 10ms;
    options_.acknowledge_timeout = 5000ms;
  }
  ~PublisherTest() override {
    publisher_.reset();
    std::filesystem::remove_all(folder_);
  }

  void start() {
    publisher_ = std::make_unique<Publisher>(
        options_, Compiler{[this] { return compile(); },
                           [this](const EdgeState& served) { return compile_changes(served); },
                           [](const EdgeState& served) { return served.token == kToken; },
                           [this](std::uint64_t version) { overtaken_.set_value(version); }});
  }
  base::Result<std::optional<Sealed>> compile_changes(const EdgeState& served) {
    if (served.token != kToken) return std::optional<Sealed>();
    auto sealed = compile();
    if (!sealed) return sealed.error();
    return std::optional<Sealed>(std::move(sealed).value());
  }
  base::Result<Sealed> compile() {
    ++compilations_;
    if (hold_.valid()) hold_.wait();
    if (broken_) return base::Error{"broken", "zone example.com", ""};
    return sealed_for(store_version_);
  }
  static Sealed sealed_for(std::uint64_t version) {
    Sealed made;
    made.memfd = base::UniqueFd(::memfd_create("sealed", MFD_CLOEXEC));
    made.leads_to = {version, kToken};
    made.size_bytes = 4096;
    return made;
  }
  std::future<Publication> change() {
    auto promise = std::make_shared<std::promise<Publication>>();
    publisher_->await(++store_version_,
                      [promise](const Publication& result) { promise->set_value(result); });
    return promise->get_future();
  }
  static Publication get(std::future<Publication> future) {
    if (future.wait_for(5s) != std::future_status::ready) {
      ADD_FAILURE() << "nobody answered";
      return {};
    }
    return future.get();
  }

  static constexpr std::uint64_t kToken = 77;  // of all versions of this store

  std::string folder_;
  Publisher::Options options_;
  std::atomic<std::uint64_t> store_version_ = 0;
  std::atomic<int> compilations_ = 0;
  std::atomic<bool> broken_ = false;
  std::shared_future<void> hold_;
  std::promise<std::uint64_t> overtaken_;
  std::unique_ptr<Publisher> publisher_;
};

TEST_F(PublisherTest, ServesAChangeOnceTheEdgeAcknowledges) {
  FakeEdge edge(options_.edge_socket);
  start();
  edge.welcome(0);
  auto served = change();
  const ControlMessage request = edge.receive();
  EXPECT_EQ(request.snapshot_version, 1U);
  EXPECT_EQ(request.payload_size_bytes, 4096U);
  struct stat info {};
  EXPECT_EQ(::fstat(edge.image(), &info), 0) << "the image's descriptor came along";
  EXPECT_EQ(served.wait_for(50ms), std::future_status::timeout) << "answered before the edge did";
  edge.reply(request, ipc::ReplyStatus::kDone);
  EXPECT_EQ(get(std::move(served)).state, State::kServed);
  EXPECT_EQ(publisher_->status().served_version, 1U);
  EXPECT_EQ(publisher_->status().problem, "");
}

TEST_F(PublisherTest, SaysAtOnceThatThereIsNoEdge) {
  start();
  const Publication result = get(change());
  EXPECT_EQ(result.state, State::kPending);
  EXPECT_NE(result.reason.find(options_.edge_socket), std::string::npos);
  EXPECT_FALSE(publisher_->status().connected);
}

TEST_F(PublisherTest, PublishesToAnEdgeThatComesLater) {
  start();
  EXPECT_EQ(get(change()).state, State::kPending);
  FakeEdge edge(options_.edge_socket);
  edge.welcome(0);
  EXPECT_EQ(edge.accept_image(), 1U);
}

TEST_F(PublisherTest, PublishesAgainAfterTheEdgeRestarted) {
  FakeEdge edge(options_.edge_socket);
  start();
  edge.welcome(0);
  auto served = change();
  edge.accept_image();
  EXPECT_EQ(get(std::move(served)).state, State::kServed);
  edge.die();
  edge.welcome(0);
  EXPECT_EQ(edge.accept_image(), 1U) << "it came back without its disk";
}

TEST_F(PublisherTest, SendsOnlyChangesToAnEdgeThatKeptItsImage) {
  FakeEdge edge(options_.edge_socket);
  start();
  edge.welcome(0);
  auto served = change();
  edge.accept_image();
  get(std::move(served));
  edge.die();
  edge.welcome(1, kToken);
  served = change();
  EXPECT_EQ(edge.accept_changes(), 2U);
  EXPECT_EQ(get(std::move(served)).state, State::kServed);
}

TEST_F(PublisherTest, TakesChangesTogetherWhileACompilationRuns) {
  FakeEdge edge(options_.edge_socket);
  std::promise<void> release;
  hold_ = release.get_future().share();
  start();
  edge.welcome(0);
  auto first = change();
  while (compilations_ == 0) std::this_thread::sleep_for(1ms);
  std::vector<std::future<Publication>> rest;
  for (int i = 0; i < 10; ++i) rest.push_back(change());
  release.set_value();
  EXPECT_EQ(edge.accept_image(), 11U);
  EXPECT_EQ(get(std::move(first)).state, State::kServed);
  for (auto& each : rest) EXPECT_EQ(get(std::move(each)).state, State::kServed);
  EXPECT_EQ(compilations_, 1);
}

TEST_F(PublisherTest, AWordPublishesWhatIsStaged) {
  FakeEdge edge(options_.edge_socket);
  start();
  edge.welcome(0, kToken);
  publisher_->stage(0, sealed_for(1));
  const ControlMessage staged = edge.receive();
  EXPECT_EQ(staged.type, MessageType::kStageTransaction);
  EXPECT_GE(edge.image(), 0);
  edge.reply(staged, ipc::ReplyStatus::kDone);
  auto served = change();
  const ControlMessage published = edge.receive();
  EXPECT_EQ(published.type, MessageType::kPublishTransaction);
  EXPECT_EQ(published.snapshot_version, 1U);
  EXPECT_EQ(published.snapshot_token, kToken);
  EXPECT_EQ(edge.image(), -1) << "the edge has it";
  EXPECT_EQ(served.wait_for(50ms), std::future_status::timeout) << "staged is not served";
  edge.reply(published, ipc::ReplyStatus::kDone);
  EXPECT_EQ(get(std::move(served)).state, State::kServed);
  served = change();  // the next one is another
  const ControlMessage next = edge.receive();
  EXPECT_GE(edge.image(), 0);
  edge.reply(next, ipc::ReplyStatus::kDone);
  EXPECT_EQ(get(std::move(served)).state, State::kServed);
}

TEST_F(PublisherTest, WhatTheEdgeDoesNotStageIsHandedOverWhole) {
  FakeEdge edge(options_.edge_socket);
  start();
  edge.welcome(0, kToken);
  for (const bool is_staged : {false, true}) {
    publisher_->stage(store_version_, sealed_for(store_version_ + 1));
    edge.reply(edge.receive(), is_staged ? ipc::ReplyStatus::kDone : ipc::ReplyStatus::kBusy);
    auto served = change();
    ControlMessage published = edge.receive();
    if (is_staged) {  // and then it has lost it
      EXPECT_EQ(edge.image(), -1);
      edge.reply(published, ipc::ReplyStatus::kOutOfStep);
      published = edge.receive();
    }
    EXPECT_EQ(published.type, MessageType::kPublishTransaction);
    EXPECT_GE(edge.image(), 0);
    edge.reply(published, ipc::ReplyStatus::kDone);
    EXPECT_EQ(get(std::move(served)).state, State::kServed);
  }
}

TEST_F(PublisherTest, WhatDoesNotComeIsTakenBack) {
  FakeEdge edge(options_.edge_socket);
  start();
  edge.welcome(0, kToken);
  publisher_->stage(0, sealed_for(1));
  edge.reply(edge.receive(), ipc::ReplyStatus::kDone);
  publisher_->unstage();
  const ControlMessage taken = edge.receive();
  EXPECT_EQ(taken.type, MessageType::kStageTransaction);
  EXPECT_EQ(edge.image(), -1);
  edge.reply(taken, ipc::ReplyStatus::kDone);
  auto served = change();  // which takes its number
  EXPECT_EQ(edge.accept_changes(), 1U);
  EXPECT_GE(edge.image(), 0);
  EXPECT_EQ(get(std::move(served)).state, State::kServed);
}

TEST_F(PublisherTest, NothingIsStagedForAnotherVersionThanTheEdgeServes) {
  FakeEdge edge(options_.edge_socket);
  start();
  edge.welcome(0, kToken);
  publisher_->stage(3, sealed_for(4));
  auto served = change();
  EXPECT_EQ(edge.accept_changes(), 1U);
  EXPECT_EQ(get(std::move(served)).state, State::kServed);
}

TEST_F(PublisherTest, WhatIsStagedEndsWithTheEdge) {
  FakeEdge edge(options_.edge_socket);
  start();
  edge.welcome(0, kToken);
  publisher_->stage(0, sealed_for(1));
  edge.reply(edge.receive(), ipc::ReplyStatus::kDone);
  edge.die();
  edge.welcome(0, kToken);
  auto served = change();
  EXPECT_EQ(edge.accept_changes(), 1U);
  EXPECT_GE(edge.image(), 0) << "this edge has nothing";
  EXPECT_EQ(get(std::move(served)).state, State::kServed);
}

TEST_F(PublisherTest, TellsWhyTheEdgeRefused) {
  FakeEdge edge(options_.edge_socket);
  start();
  edge.welcome(0);
  auto refused = change();
  edge.reply(edge.receive(), ipc::ReplyStatus::kRefused, "checksum");
  const Publication result = get(std::move(refused));
  EXPECT_EQ(result.state, State::kFailed);
  EXPECT_NE(result.reason.find("checksum"), std::string::npos);
  auto served = change();
  EXPECT_EQ(edge.accept_image(), 2U);
  EXPECT_EQ(get(std::move(served)).state, State::kServed);
}

TEST_F(PublisherTest, ARefusedTransactionGivesWayToAnImage) {
  FakeEdge edge(options_.edge_socket);
  start();
  edge.welcome(1, kToken);
  store_version_ = 1;
  auto served = change();
  edge.reply(edge.receive(), ipc::ReplyStatus::kRefused, "operation 3");
  EXPECT_EQ(edge.accept_image(), 2U);
  EXPECT_EQ(get(std::move(served)).state, State::kServed);
  served = change();
  EXPECT_EQ(edge.accept_changes(), 3U);
  EXPECT_EQ(get(std::move(served)).state, State::kServed);
  EXPECT_EQ(publisher_->status().images, 1U);
  EXPECT_EQ(publisher_->status().transactions, 1U);
}

TEST_F(PublisherTest, TriesAgainWhereThereIsNoRoomAndSaysSo) {
  FakeEdge edge(options_.edge_socket);
  start();
  edge.welcome(1, kToken);
  store_version_ = 1;
  auto refused = change();
  edge.reply(edge.receive(), ipc::ReplyStatus::kNoRoom, "disk full");
  const Publication result = get(std::move(refused));
  EXPECT_EQ(result.state, State::kFailed);
  EXPECT_NE(result.reason.find("disk full"), std::string::npos);
  EXPECT_EQ(edge.accept_changes(), 2U);
}

TEST_F(PublisherTest, AnEdgeThatIsOutOfStepIsAskedWhatItServes) {
  FakeEdge edge(options_.edge_socket);
  start();
  edge.welcome(1, kToken);
  store_version_ = 3;
  auto pending = change();
  edge.reply(edge.receive(), ipc::ReplyStatus::kOutOfStep, "version 2 is served");
  EXPECT_EQ(get(std::move(pending)).state, State::kPending);
  edge.welcome(2, kToken);
  EXPECT_EQ(edge.accept_changes(), 4U);
}

TEST_F(PublisherTest, OvertakesAnEdgeThatServesAnotherStoresVersion) {
  FakeEdge edge(options_.edge_socket);
  options_.version = 5;
  store_version_ = 5;
  start();
  edge.welcome(5, kToken + 1);
  auto version = overtaken_.get_future();
  ASSERT_EQ(version.wait_for(5s), std::future_status::ready);
  EXPECT_EQ(version.get(), 5U);
  auto served = change();
  EXPECT_EQ(edge.accept_image(), 6U);
  EXPECT_EQ(get(std::move(served)).state, State::kServed);
}

TEST_F(PublisherTest, AsksABusyEdgeAgain) {
  FakeEdge edge(options_.edge_socket);
  start();
  edge.welcome(0);
  auto pending = change();
  edge.reply(edge.receive(), ipc::ReplyStatus::kBusy, "grace period");
  EXPECT_EQ(get(std::move(pending)).state, State::kPending);
  EXPECT_EQ(edge.accept_image(), 1U);
}

TEST_F(PublisherTest, KeepsServingTheOldImageWhenAChangeCannotBeCompiled) {
  FakeEdge edge(options_.edge_socket);
  start();
  edge.welcome(0);
  auto served = change();
  edge.accept_image();
  get(std::move(served));
  broken_ = true;
  const Publication result = get(change());
  EXPECT_EQ(result.state, State::kFailed);
  EXPECT_NE(result.reason.find("zone example.com"), std::string::npos);
  EXPECT_NE(publisher_->status().problem, "");
  EXPECT_EQ(publisher_->status().served_version, 1U);
  broken_ = false;
  served = change();
  EXPECT_EQ(edge.accept_changes(), 3U);
  EXPECT_EQ(get(std::move(served)).state, State::kServed);
  EXPECT_EQ(publisher_->status().problem, "");
}

TEST_F(PublisherTest, GivesUpOnAnEdgeThatDoesNotAnswer) {
  FakeEdge edge(options_.edge_socket);
  options_.acknowledge_timeout = 100ms;
  start();
  edge.welcome(0);
  const Publication result = get(change());
  EXPECT_EQ(result.state, State::kPending);
  EXPECT_NE(result.reason.find("in time"), std::string::npos);
}

TEST_F(PublisherTest, OvertakesAnEdgeThatIsAheadOfTheStore) {
  FakeEdge edge(options_.edge_socket);
  options_.version = 5;
  store_version_ = 5;
  start();
  edge.welcome(40);
  auto version = overtaken_.get_future();
  ASSERT_EQ(version.wait_for(5s), std::future_status::ready);
  EXPECT_EQ(version.get(), 40U);
}

TEST_F(PublisherTest, TellsThoseWhoWaitWhenItStops) {
  FakeEdge edge(options_.edge_socket);
  start();
  edge.welcome(0);
  auto pending = change();
  edge.receive();
  publisher_.reset();
  EXPECT_EQ(get(std::move(pending)).state, State::kPending);
}

}  // namespace
}  // namespace brink::ctl::publish
