#include "dataplane/edge/control.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <rte_rcu_qsbr.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <thread>

#include "dataplane/ipc/control_message.h"

namespace brink::edge {
namespace {

using ipc::ControlMessage;
using ipc::MessageType;
using ipc::PublishStatus;

class ControlTest : public ::testing::Test {
 protected:
  void SetUp() override {
    std::filesystem::create_directories(dir_);
    rcu_ = std::move(make_rcu(2)).value();
    rte_rcu_qsbr_thread_online(rcu_.get(), 0);
    rte_rcu_qsbr_thread_online(rcu_.get(), 1);
    images_ = std::make_unique<ImageStore>(rcu_.get(), std::move(snapshot::Image::empty()).value());
    auto control = Control::open(dir_ + "/edge.sock", dir_ + "/image", *images_);
    ASSERT_TRUE(control.ok()) << control.error().message();
    control_ = std::move(control).value();
    client_ = connect();
  }
  void TearDown() override {
    control_.reset();
    std::filesystem::remove_all(dir_);
  }
  base::UniqueFd connect() {
    return base::UniqueFd(ipc::connect_control(dir_ + "/edge.sock").value());
  }
  void quiesce() {
    rte_rcu_qsbr_quiescent(rcu_.get(), 0);
    rte_rcu_qsbr_quiescent(rcu_.get(), 1);
  }
  static base::UniqueFd sealed_image(std::uint64_t version, std::uint64_t& size) {
    snapshot::Builder builder{base::HashKey{}};
    return std::move(snapshot::build_sealed(builder, version, 0, size)).value();
  }
  static void send_publish(int client, std::uint64_t sequence, std::uint64_t size, int image) {
    ControlMessage message;
    message.type = MessageType::kPublishImage;
    message.sequence = sequence;
    message.image_size_bytes = size;
    ASSERT_TRUE(ipc::send_control(client, message, image).ok());
  }
  // Polls the edge's side until the client has a message, at most five seconds.
  ControlMessage answer(int client) {
    for (int i = 0; i < 5000; ++i) {
      control_->poll();
      char peek = 0;
      if (::recv(client, &peek, 1, MSG_PEEK | MSG_DONTWAIT) > 0) {
        return ipc::receive_control(client).value()->message;
      }
      std::this_thread::sleep_for(std::chrono::milliseconds(1));
    }
    ADD_FAILURE() << "no answer";
    return {};
  }

  std::string dir_ =
      std::filesystem::temp_directory_path() / ("brink-control-" + std::to_string(::getpid()));
  Rcu rcu_;
  std::unique_ptr<ImageStore> images_;
  std::unique_ptr<Control> control_;
  base::UniqueFd client_;
};

TEST_F(ControlTest, HelloTellsWhatIsServed) {
  ControlMessage hello;
  hello.type = MessageType::kHello;
  hello.sequence = 41;
  ASSERT_TRUE(ipc::send_control(client_.get(), hello).ok());
  const ControlMessage welcome = answer(client_.get());
  EXPECT_EQ(welcome.type, MessageType::kWelcome);
  EXPECT_EQ(welcome.sequence, 41U);
  EXPECT_EQ(welcome.snapshot_version, 0U);
}

TEST_F(ControlTest, APublishedImageIsServedSavedAndAcknowledged) {
  std::uint64_t size = 0;
  const auto image = sealed_image(5, size);
  const std::uint8_t* before = images_->current();
  send_publish(client_.get(), 9, size, image.get());
  const ControlMessage reply = answer(client_.get());
  EXPECT_EQ(reply.type, MessageType::kPublishReply);
  EXPECT_EQ(reply.sequence, 9U);
  EXPECT_EQ(reply.status, PublishStatus::kPublished) << reply.reason;
  EXPECT_EQ(reply.snapshot_version, 5U);
  EXPECT_NE(images_->current(), before);
  EXPECT_EQ(control_->counts().published, 1U);
  const auto saved = snapshot::Image::load(dir_ + "/image");
  ASSERT_TRUE(saved.ok()) << saved.error().message();
  EXPECT_EQ(saved.value().header().snapshot_version, 5U);
}

TEST_F(ControlTest, AReplacedImageIsFreedOnlyAfterEveryWorkerPassed) {
  std::uint64_t size = 0;
  const auto image = sealed_image(5, size);
  send_publish(client_.get(), 1, size, image.get());
  answer(client_.get());
  EXPECT_EQ(images_->reclaim(), 1U) << "both workers may still read it";
  rte_rcu_qsbr_quiescent(rcu_.get(), 0);
  EXPECT_EQ(images_->reclaim(), 1U) << "worker 1 may still read it";
  rte_rcu_qsbr_quiescent(rcu_.get(), 1);
  EXPECT_EQ(images_->reclaim(), 0U);
}

TEST_F(ControlTest, NonsenseIsRefusedWithAReasonAndTheOldImageServesOn) {
  const std::uint8_t* before = images_->current();
  const base::UniqueFd junk(::memfd_create("junk", MFD_CLOEXEC | MFD_ALLOW_SEALING));
  ASSERT_EQ(::ftruncate(junk.get(), 8192), 0);
  send_publish(client_.get(), 1, 8192, junk.get());
  EXPECT_EQ(answer(client_.get()).status, PublishStatus::kRefused) << "it is not sealed";
  ASSERT_EQ(
      ::fcntl(junk.get(), F_ADD_SEALS, F_SEAL_WRITE | F_SEAL_GROW | F_SEAL_SHRINK | F_SEAL_SEAL),
      0);
  send_publish(client_.get(), 2, 8192, junk.get());
  const ControlMessage reply = answer(client_.get());
  EXPECT_EQ(reply.status, PublishStatus::kRefused) << "it is no image";
  EXPECT_STRNE(reply.reason, "");
  send_publish(client_.get(), 3, 8192, -1);
  EXPECT_EQ(answer(client_.get()).status, PublishStatus::kRefused) << "nothing came with it";
  EXPECT_EQ(images_->current(), before);
  EXPECT_EQ(control_->counts().refused, 3U);
  EXPECT_FALSE(std::filesystem::exists(dir_ + "/image"));
}

TEST_F(ControlTest, AnImageThatCannotBeSavedIsServedAllTheSame) {
  control_.reset();
  auto control = Control::open(dir_ + "/edge.sock", dir_ + "/no/such/dir/image", *images_);
  ASSERT_TRUE(control.ok());
  control_ = std::move(control).value();
  client_ = connect();
  std::uint64_t size = 0;
  const auto image = sealed_image(6, size);
  send_publish(client_.get(), 1, size, image.get());
  EXPECT_EQ(answer(client_.get()).status, PublishStatus::kPublished);
  EXPECT_EQ(images_->image().header().snapshot_version, 6U);
}

TEST_F(ControlTest, AClientThatLeavesOrBabblesDoesNotDisturbTheOthers) {
  auto other = connect();
  ASSERT_EQ(::send(other.get(), "babble", 6, 0), 6);
  std::uint64_t size = 0;
  const auto image = sealed_image(7, size);
  send_publish(client_.get(), 1, size, image.get());
  client_.reset();  // gone before its answer
  for (int i = 0; i < 2000 && images_->image().header().snapshot_version != 7; ++i) {
    control_->poll();
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
  }
  EXPECT_EQ(images_->image().header().snapshot_version, 7U);
  client_ = connect();
  ControlMessage hello;
  hello.type = MessageType::kHello;
  ASSERT_TRUE(ipc::send_control(client_.get(), hello).ok());
  EXPECT_EQ(answer(client_.get()).snapshot_version, 7U);
}

TEST_F(ControlTest, TheSocketIsRemovedAtTheEnd) {
  EXPECT_TRUE(std::filesystem::exists(dir_ + "/edge.sock"));
  control_.reset();
  EXPECT_FALSE(std::filesystem::exists(dir_ + "/edge.sock"));
}

}  // namespace
}  // namespace brink::edge
