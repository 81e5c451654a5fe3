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
#include "dataplane/snapshot/builder.h"
#include "tests/support/wire_name.h"

namespace brink::edge {
namespace {

using ipc::ControlMessage;
using ipc::MessageType;
using ipc::ReplyStatus;

using Bytes = std::vector<std::uint8_t>;
using test::wire_name;

// A blob with one record of `type` whose data is `rdata`.
Bytes blob(std::uint16_t type, const Bytes& rdata) {
  snapshot::BlobHeader header{};
  header.body_size = static_cast<std::uint16_t>(12 + rdata.size());
  header.body_count = 1;
  Bytes out(sizeof header);
  std::memcpy(out.data(), &header, sizeof header);
  for (const int octet :
       {0xc0, 0x0c, 0, int{type}, 0, 1, 0, 0, 1, 0x2c, 0, static_cast<int>(rdata.size())}) {
    out.push_back(static_cast<std::uint8_t>(octet));
  }
  for (const std::uint8_t octet : rdata) out.push_back(octet);
  return out;
}

class ControlTest : public ::testing::Test {
 protected:
  void SetUp() override {
    std::filesystem::create_directories(dir_);
    std::ofstream(dir_ + "/cookies") << std::string(32, '1') << "\n";
    start();
  }
  void TearDown() override {
    stop();
    std::filesystem::remove_all(dir_);
  }
  void start() {
    rcu_ = std::move(make_rcu(2)).value();
    cookies_ = std::move(CookieSecretsStore::open(dir_ + "/cookies", rcu_.get())).value();
    rte_rcu_qsbr_thread_online(rcu_.get(), 0);
    rte_rcu_qsbr_thread_online(rcu_.get(), 1);
    images_ = std::make_unique<ImageStore>(rcu_.get(), 2, options_);
    faults_.clear();
    auto disk = Disk::open(journal_, std::uint64_t{1} << 30, *images_, {}, faults_);
    ASSERT_TRUE(disk.ok()) << disk.error().message();
    disk_ = std::move(disk).value();
    auto control = Control::open(dir_ + "/edge.sock", *images_, *disk_, *cookies_);
    ASSERT_TRUE(control.ok()) << control.error().message();
    control_ = std::move(control).value();
    client_ = connect();
  }
  void stop() {
    control_.reset();
    disk_.reset();
    images_.reset();
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
    const auto image = builder.finish(version, 0);
    return std::move(image.value().seal(size)).value();
  }
  // A zone with one address at www; `last` is its last octet.
  static Bytes transaction(std::uint64_t from, std::uint64_t to, std::uint8_t last) {
    snapshot::TransactionEncoder encoder;
    const snapshot::Rrset address{1, blob(1, {192, 0, 2, last})};
    EXPECT_TRUE(encoder.put_zone(wire_name("example.com"), {last, blob(6, Bytes(22))}).ok());
    EXPECT_TRUE(encoder.put_name(wire_name("example.com"), {}).ok());
    EXPECT_TRUE(encoder.put_name(wire_name("www.example.com"), {std::span(&address, 1), {}}).ok());
    return encoder.finish(from, to, 0);
  }
  static void send(int client, MessageType type, std::uint64_t sequence, std::uint64_t size,
                   int payload) {
    ControlMessage message;
    message.type = type;
    message.sequence = sequence;
    message.payload_size_bytes = size;
    ASSERT_TRUE(ipc::send_control(client, message, payload).ok());
  }
  static void send_publish(int client, std::uint64_t sequence, std::uint64_t size, int image) {
    send(client, MessageType::kPublishImage, sequence, size, image);
  }
  ControlMessage publish(const Bytes& bytes) {
    const base::UniqueFd memfd = std::move(ipc::SealedMemory::make(bytes)).value();
    send(client_.get(), MessageType::kPublishTransaction, 1, bytes.size(), memfd.get());
    return answer(client_.get());
  }
  // By a client that stages, or asks for what it has staged (no bytes) to be published or dropped.
  static void send_step(int client, MessageType type, std::uint64_t version, std::uint64_t token,
                        const Bytes& bytes) {
    base::UniqueFd memfd;
    if (!bytes.empty()) memfd = std::move(ipc::SealedMemory::make(bytes)).value();
    ControlMessage message;
    message.type = type;
    message.sequence = 1;
    message.snapshot_version = version;
    message.snapshot_token = token;
    message.payload_size_bytes = bytes.size();
    ASSERT_TRUE(ipc::send_control(client, message, memfd.get()).ok());
  }
  ControlMessage stage(const Bytes& bytes) {
    send_step(client_.get(), MessageType::kStageTransaction, 0, 0, bytes);
    return answer(client_.get());
  }
  ControlMessage publish_staged(std::uint64_t version, std::uint64_t token = 0) {
    send_step(client_.get(), MessageType::kPublishTransaction, version, token, {});
    return answer(client_.get());
  }
  ControlMessage ask(MessageType type) {
    send(client_.get(), type, 1, 0, -1);
    return answer(client_.get());
  }
  // Last octet of the address at `name`; 0: none.
  int address_of(const std::string& name) const {
    const snapshot::View view = images_->view(0);
    snapshot::NameKey key;
    EXPECT_TRUE(snapshot::set_key_from_text(key, view.hash_key(), name));
    const snapshot::Record* record = view.find(key);
    const auto* found = record == nullptr ? nullptr : view.blob(*record, 1);
    return found == nullptr ? 0 : snapshot::blob_body(*found)[15];
  }
  std::uint64_t version() const { return images_->state().version; }
  // Polls the edge's side until the client has a message, at most five seconds.
  ControlMessage answer(int client) {
    for (int i = 0; i < 5000; ++i) {
      control_->poll({});
      if (!control_->in_transaction()) images_->maintain({});
      char peek = 0;
      if (::recv(client, &peek, 1, MSG_PEEK | MSG_DONTWAIT) > 0) {
        auto received = ipc::receive_control(client);
        payload_ = base::UniqueFd(received.value()->descriptor);
        return received.value()->message;
      }
      std::this_thread::sleep_for(std::chrono::milliseconds(1));
    }
    ADD_FAILURE() << "no answer";
    return {};
  }

  std::string dir_ =
      std::filesystem::temp_directory_path() / ("brink-control-" + std::to_string(::getpid()));
  ImageStoreOptions options_{{-1, -1}};  // two copies
  snapshot::JournalOptions journal_{dir_ + "/image"};
  std::vector<std::string> faults_;
  Rcu rcu_;
  std::unique_ptr<ImageStore> images_;
  std::unique_ptr<Disk> disk_;
  std::unique_ptr<CookieSecretsStore> cookies_;
  std::unique_ptr<Control> control_;
  base::UniqueFd client_;
  base::UniqueFd payload_;
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
  send_publish(client_.get(), 9, size, image.get());
  const ControlMessage reply = answer(client_.get());
  EXPECT_EQ(reply.type, MessageType::kReply);
  EXPECT_EQ(reply.sequence, 9U);
  EXPECT_EQ(reply.status, ReplyStatus::kDone) << reply.reason;
  EXPECT_EQ(reply.snapshot_version, 5U);
  EXPECT_EQ(control_->counts().images, 1U);
  const auto saved = snapshot::Image::load(dir_ + "/image", {});
  ASSERT_TRUE(saved.ok()) << saved.error().message();
  EXPECT_EQ(saved.value().state().version, 5U);
}

TEST_F(ControlTest, AReplacedImageIsFreedOnlyAfterEveryWorkerPassed) {
  quiesce();
  images_->maintain({});
  ASSERT_EQ(images_->waiting({}).batches, 0U);
  std::uint64_t size = 0;
  const auto image = sealed_image(5, size);
  send_publish(client_.get(), 1, size, image.get());
  answer(client_.get());
  images_->maintain({});
  EXPECT_EQ(images_->waiting({}).workers, (std::vector<std::uint32_t>{0, 1}));
  rte_rcu_qsbr_quiescent(rcu_.get(), 0);
  images_->maintain({});
  EXPECT_EQ(images_->waiting({}).workers, (std::vector<std::uint32_t>{1}));
  EXPECT_EQ(images_->waiting({}).batches, 1U) << "worker 1 may still read it";
  rte_rcu_qsbr_quiescent(rcu_.get(), 1);
  images_->maintain({});
  EXPECT_EQ(images_->waiting({}).batches, 0U);
}

TEST_F(ControlTest, ATransactionIsServedLoggedAndAcknowledged) {
  const ControlMessage reply = publish(transaction(0, 4, 7));
  EXPECT_EQ(reply.status, ReplyStatus::kDone) << reply.reason;
  EXPECT_EQ(reply.snapshot_version, 4U);
  EXPECT_EQ(address_of("www.example.com"), 7);
  EXPECT_EQ(publish(transaction(4, 5, 8)).status, ReplyStatus::kDone);
  EXPECT_EQ(address_of("www.example.com"), 8);
  EXPECT_EQ(control_->counts().transactions, 2U);
  EXPECT_GT(disk_->journal().log_bytes(), 0U);
  stop();
  start();
  EXPECT_EQ(address_of("www.example.com"), 8) << "there is no image yet, but a log";
  EXPECT_EQ(publish(transaction(5, 6, 9)).status, ReplyStatus::kDone);
}

TEST_F(ControlTest, ATransactionIsVisibleWhenTheLastWorkerHasPassed) {
  const base::Time arrived{std::chrono::milliseconds(10)};
  const Bytes bytes = transaction(0, 4, 7);
  const base::UniqueFd memfd = std::move(ipc::SealedMemory::make(bytes)).value();
  quiesce();
  images_->maintain({});
  send(client_.get(), MessageType::kPublishTransaction, 1, bytes.size(), memfd.get());
  control_->poll(arrived);
  ASSERT_EQ(control_->counts().transactions, 1U);
  rte_rcu_qsbr_quiescent(rcu_.get(), 0);
  images_->maintain(arrived + std::chrono::microseconds(40));
  EXPECT_EQ(images_->visible().last.count(), 0) << "worker 1 may still answer as before";
  rte_rcu_qsbr_quiescent(rcu_.get(), 1);
  images_->maintain(arrived + std::chrono::microseconds(70));
  EXPECT_EQ(images_->visible().last, std::chrono::microseconds(70));
  EXPECT_EQ(images_->visible().longest, std::chrono::microseconds(70));
}

TEST_F(ControlTest, WhatIsStagedIsSeenAndLoggedWhenItIsPublished) {
  ASSERT_EQ(publish(transaction(0, 4, 7)).status, ReplyStatus::kDone);
  const std::uint64_t logged = disk_->journal().log_bytes();
  const ControlMessage staged = stage(transaction(4, 5, 8));
  EXPECT_EQ(staged.status, ReplyStatus::kDone) << staged.reason;
  EXPECT_EQ(staged.snapshot_version, 4U);
  EXPECT_FALSE(control_->busy()) << "it waits for a word";
  EXPECT_TRUE(control_->in_transaction());
  EXPECT_EQ(address_of("www.example.com"), 7);
  EXPECT_EQ(disk_->journal().log_bytes(), logged);
  EXPECT_EQ(control_->counts().transactions, 1U);
  const ControlMessage reply = publish_staged(5);
  EXPECT_EQ(reply.status, ReplyStatus::kDone) << reply.reason;
  EXPECT_EQ(reply.snapshot_version, 5U);
  EXPECT_EQ(address_of("www.example.com"), 8);
  EXPECT_GT(disk_->journal().log_bytes(), logged);
  EXPECT_EQ(control_->counts().transactions, 2U);
  stop();
  start();
  EXPECT_EQ(address_of("www.example.com"), 8);
}

TEST_F(ControlTest, WhatIsStagedIsGoneAfterACrash) {
  ASSERT_EQ(publish(transaction(0, 4, 7)).status, ReplyStatus::kDone);
  ASSERT_EQ(stage(transaction(4, 5, 8)).status, ReplyStatus::kDone);
  stop();
  start();
  EXPECT_EQ(version(), 4U);
  EXPECT_EQ(address_of("www.example.com"), 7);
}

TEST_F(ControlTest, OnlyTheVersionThatIsStagedIsPublished) {
  EXPECT_EQ(publish_staged(5).status, ReplyStatus::kOutOfStep) << "nothing is";
  snapshot::TransactionEncoder encoder;
  EXPECT_TRUE(encoder.put_zone(wire_name("example.com"), {1, blob(6, Bytes(22))}).ok());
  EXPECT_TRUE(encoder.put_name(wire_name("example.com"), {}).ok());
  ASSERT_EQ(stage(encoder.finish(0, 4, 0, 77)).status, ReplyStatus::kDone);
  EXPECT_EQ(publish_staged(5, 77).status, ReplyStatus::kOutOfStep);
  EXPECT_EQ(publish_staged(4, 76).status, ReplyStatus::kOutOfStep) << "of another history";
  auto other = connect();
  send_step(other.get(), MessageType::kPublishTransaction, 4, 77, {});
  EXPECT_EQ(answer(other.get()).status, ReplyStatus::kOutOfStep) << "somebody else's";
  EXPECT_EQ(version(), 0U);
  EXPECT_EQ(publish_staged(4, 77).status, ReplyStatus::kDone);
  EXPECT_EQ(version(), 4U);
  EXPECT_EQ(publish_staged(4, 77).status, ReplyStatus::kOutOfStep) << "once";
}

TEST_F(ControlTest, WhateverElseIsPublishedTakesBackWhatIsStaged) {
  ASSERT_EQ(publish(transaction(0, 4, 7)).status, ReplyStatus::kDone);
  ASSERT_EQ(stage(transaction(4, 5, 8)).status, ReplyStatus::kDone);
  EXPECT_EQ(publish(transaction(4, 6, 9)).status, ReplyStatus::kDone);
  EXPECT_EQ(address_of("www.example.com"), 9);
  EXPECT_EQ(publish_staged(5).status, ReplyStatus::kOutOfStep);
  ASSERT_EQ(stage(transaction(6, 7, 10)).status, ReplyStatus::kDone);
  ASSERT_EQ(stage(transaction(6, 7, 11)).status, ReplyStatus::kDone) << "another in its place";
  EXPECT_EQ(publish_staged(7).status, ReplyStatus::kDone);
  EXPECT_EQ(address_of("www.example.com"), 11);
  ASSERT_EQ(stage(transaction(7, 8, 12)).status, ReplyStatus::kDone);
  EXPECT_EQ(stage({}).status, ReplyStatus::kDone) << "taken back";
  EXPECT_FALSE(control_->in_transaction());
  EXPECT_EQ(publish_staged(8).status, ReplyStatus::kOutOfStep);
  ASSERT_EQ(stage(transaction(7, 8, 12)).status, ReplyStatus::kDone);
  std::uint64_t size = 0;
  const auto image = sealed_image(20, size);
  send_publish(client_.get(), 1, size, image.get());
  EXPECT_EQ(answer(client_.get()).status, ReplyStatus::kDone);
  EXPECT_EQ(version(), 20U);
  EXPECT_EQ(address_of("www.example.com"), 0);
}

TEST_F(ControlTest, WhatIsStagedGoesWithItsClient) {
  ASSERT_EQ(publish(transaction(0, 4, 7)).status, ReplyStatus::kDone);
  ASSERT_EQ(stage(transaction(4, 5, 8)).status, ReplyStatus::kDone);
  client_ = connect();
  for (int i = 0; i < 2000 && control_->in_transaction(); ++i) {
    control_->poll({});
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
  }
  EXPECT_FALSE(control_->in_transaction());
  EXPECT_EQ(address_of("www.example.com"), 7);
  EXPECT_EQ(publish(transaction(4, 5, 9)).status, ReplyStatus::kDone);
  EXPECT_EQ(address_of("www.example.com"), 9);
}

TEST_F(ControlTest, WhatCannotBeAppliedIsNotStaged) {
  ASSERT_EQ(publish(transaction(0, 4, 7)).status, ReplyStatus::kDone);
  EXPECT_EQ(stage(transaction(3, 5, 8)).status, ReplyStatus::kOutOfStep);
  snapshot::TransactionEncoder encoder;
  EXPECT_TRUE(encoder.use_zone(wire_name("example.com")).ok());
  EXPECT_TRUE(encoder.put_name(wire_name("www.example.org"), {}).ok());
  EXPECT_EQ(stage(encoder.finish(4, 5, 0)).status, ReplyStatus::kRefused);
  EXPECT_FALSE(control_->in_transaction());
  EXPECT_EQ(publish_staged(5).status, ReplyStatus::kOutOfStep);
  EXPECT_EQ(publish(transaction(4, 5, 8)).status, ReplyStatus::kDone);
}

TEST_F(ControlTest, ACompactionWaitsForWhatIsStaged) {
  ASSERT_EQ(publish(transaction(0, 4, 7)).status, ReplyStatus::kDone);
  ASSERT_EQ(stage(transaction(4, 5, 8)).status, ReplyStatus::kDone);
  auto other = connect();
  send(other.get(), MessageType::kCompact, 2, 0, -1);
  EXPECT_EQ(answer(other.get()).status, ReplyStatus::kBusy);
  EXPECT_EQ(publish_staged(5).status, ReplyStatus::kDone);
  send(other.get(), MessageType::kCompact, 3, 0, -1);
  EXPECT_EQ(answer(other.get()).status, ReplyStatus::kDone);
  EXPECT_EQ(address_of("www.example.com"), 8);
}

TEST_F(ControlTest, ARestartReplaysTheLog) {
  std::uint64_t size = 0;
  const auto image = sealed_image(5, size);
  send_publish(client_.get(), 1, size, image.get());
  ASSERT_EQ(answer(client_.get()).status, ReplyStatus::kDone);
  ASSERT_EQ(publish(transaction(5, 6, 9)).status, ReplyStatus::kDone);
  stop();
  start();
  EXPECT_TRUE(faults_.empty());
  EXPECT_EQ(version(), 6U);
  EXPECT_EQ(address_of("www.example.com"), 9);
}

TEST_F(ControlTest, ATransactionFromAnotherVersionIsOutOfStep) {
  const ControlMessage reply = publish(transaction(3, 4, 7));
  EXPECT_EQ(reply.status, ReplyStatus::kOutOfStep);
  EXPECT_EQ(reply.snapshot_version, 0U);
}

TEST_F(ControlTest, ARefusedTransactionChangesNothing) {
  ASSERT_EQ(publish(transaction(0, 4, 7)).status, ReplyStatus::kDone);
  const std::uint64_t logged = disk_->journal().log_bytes();
  snapshot::TransactionEncoder encoder;
  const snapshot::Rrset address{1, blob(1, {192, 0, 2, 99})};
  EXPECT_TRUE(encoder.use_zone(wire_name("example.com")).ok());
  EXPECT_TRUE(encoder.put_name(wire_name("www.example.com"), {std::span(&address, 1), {}}).ok());
  EXPECT_TRUE(encoder.put_name(wire_name("www.example.org"), {}).ok());
  const ControlMessage reply = publish(encoder.finish(4, 5, 0));
  EXPECT_EQ(reply.status, ReplyStatus::kRefused);
  EXPECT_STREQ(reply.reason, "operation 3, name www.example.org.: it is outside its zone");
  EXPECT_EQ(address_of("www.example.com"), 7);
  EXPECT_EQ(version(), 4U);
  EXPECT_EQ(disk_->journal().log_bytes(), logged);
  EXPECT_EQ(control_->counts().refused, 1U);
  EXPECT_EQ(publish(transaction(4, 5, 8)).status, ReplyStatus::kDone);
}

TEST_F(ControlTest, CompactionEmptiesTheLogAndChangesNoAnswer) {
  ASSERT_EQ(publish(transaction(0, 4, 7)).status, ReplyStatus::kDone);
  const ControlMessage reply = ask(MessageType::kCompact);
  EXPECT_EQ(reply.status, ReplyStatus::kDone) << reply.reason;
  EXPECT_EQ(disk_->journal().log_bytes(), 0U);
  EXPECT_EQ(address_of("www.example.com"), 7);
  ASSERT_EQ(publish(transaction(4, 5, 8)).status, ReplyStatus::kDone);
  EXPECT_EQ(ask(MessageType::kVerify).status, ReplyStatus::kDone);
  stop();
  start();
  EXPECT_EQ(version(), 5U);
  EXPECT_EQ(address_of("www.example.com"), 8);
}

TEST_F(ControlTest, VerifyTellsWhatTheDiskHasLost) {
  ASSERT_EQ(publish(transaction(0, 4, 7)).status, ReplyStatus::kDone);
  ASSERT_EQ(publish(transaction(4, 5, 8)).status, ReplyStatus::kDone);
  {
    std::fstream log(dir_ + "/image.log", std::ios::in | std::ios::out | std::ios::binary);
    log.seekp(100);
    log.put('\xff');
  }
  const ControlMessage reply = ask(MessageType::kVerify);
  EXPECT_EQ(reply.status, ReplyStatus::kRefused);
  EXPECT_NE(std::string(reply.reason).find("image.log at byte 0"), std::string::npos)
      << reply.reason;
}

TEST_F(ControlTest, VerifyMindsNoTransactionThatIsBeingAppended) {
  ASSERT_EQ(publish(transaction(0, 4, 7)).status, ReplyStatus::kDone);
  std::ofstream(dir_ + "/image.log", std::ios::app) << "the beginning of the next";
  EXPECT_EQ(ask(MessageType::kVerify).status, ReplyStatus::kDone);
}

TEST_F(ControlTest, TransactionsGoOnDuringACompaction) {
  std::uint64_t size = 0;
  const auto image = sealed_image(1, size);
  send_publish(client_.get(), 1, size, image.get());
  ASSERT_EQ(answer(client_.get()).status, ReplyStatus::kDone);
  for (std::uint64_t version = 1; version < 40; ++version) {
    auto other = connect();
    send(other.get(), MessageType::kCompact, 2, 0, -1);
    control_->poll({});
    ASSERT_EQ(publish(transaction(version, version + 1, static_cast<std::uint8_t>(version))).status,
              ReplyStatus::kDone);
    ASSERT_EQ(answer(other.get()).status, ReplyStatus::kDone);
    ASSERT_EQ(address_of("www.example.com"), static_cast<int>(version));
    quiesce();
  }
  stop();
  start();
  EXPECT_EQ(version(), 40U);
  EXPECT_EQ(address_of("www.example.com"), 39);
}

TEST_F(ControlTest, ShowsANameAsItStands) {
  ASSERT_EQ(publish(transaction(0, 4, 7)).status, ReplyStatus::kDone);
  ControlMessage message;
  message.type = MessageType::kShowName;
  const Bytes name = wire_name("www.example.com");
  message.name_size = static_cast<std::uint8_t>(name.size());
  std::copy(name.begin(), name.end(), message.name);
  ASSERT_TRUE(ipc::send_control(client_.get(), message).ok());
  const ControlMessage reply = answer(client_.get());
  EXPECT_STREQ(reply.reason, "exact");
  ASSERT_TRUE(payload_.valid());
  EXPECT_TRUE(ipc::SealedMemory::map(payload_.get(), reply.payload_size_bytes).ok());
  message.name[1] = 'x';
  ASSERT_TRUE(ipc::send_control(client_.get(), message).ok());
  EXPECT_STREQ(answer(client_.get()).reason, "nxdomain");
}

// A worker that is late still reads what it took.
TEST_F(ControlTest, RollsCookieSecretsUnderWorkers) {
  const auto step = [&](std::vector<std::uint8_t> argument) {
    ControlMessage message;
    message.type = MessageType::kCookieSecrets;
    message.name_size = static_cast<std::uint8_t>(argument.size());
    std::copy(argument.begin(), argument.end(), message.name);
    EXPECT_TRUE(ipc::send_control(client_.get(), message).ok());
    return answer(client_.get());
  };
  const auto* before = cookies_->published().load();
  std::vector<std::uint8_t> add(17, 0x22);
  add[0] = static_cast<std::uint8_t>(CookieStep::kAdd);
  EXPECT_EQ(step(add).status, ReplyStatus::kDone);
  EXPECT_EQ(step({static_cast<std::uint8_t>(CookieStep::kActivate)}).status, ReplyStatus::kDone);
  EXPECT_EQ(before->keys[0][0], 0x11);
  EXPECT_EQ(cookies_->published().load()->keys[0][0], 0x22);
  EXPECT_EQ(cookies_->published().load()->count, 2);
  for (int i = 0; i < 4; ++i) {
    quiesce();
    const ControlMessage reply = step({static_cast<std::uint8_t>(CookieStep::kReload)});
    EXPECT_TRUE(std::string(reply.reason).starts_with("makes ")) << reply.reason;
  }
  EXPECT_EQ(step({9}).status, ReplyStatus::kRefused);
  EXPECT_EQ(step({}).status, ReplyStatus::kRefused);
  EXPECT_EQ(step({static_cast<std::uint8_t>(CookieStep::kAdd), 1}).status, ReplyStatus::kRefused);
  std::ofstream(dir_ + "/cookies") << "# none\n";
  const ControlMessage refused = step({static_cast<std::uint8_t>(CookieStep::kReload)});
  EXPECT_EQ(refused.status, ReplyStatus::kRefused);
  EXPECT_NE(std::string(refused.reason).find("no secret in the file"), std::string::npos);
  EXPECT_EQ(cookies_->published().load()->count, 2);
}

TEST_F(ControlTest, AStoppedWorkerDelaysReclamationAndTheLimitIsNamed) {
  stop();
  options_.memory_limit_bytes = std::size_t{1} << 20;
  start();
  std::uint64_t served = 0;
  ControlMessage reply;
  for (; served < 100'000; ++served) {
    rte_rcu_qsbr_quiescent(rcu_.get(), 0);  // worker 1 is stopped
    reply = publish(transaction(served, served + 1, static_cast<std::uint8_t>(served)));
    if (reply.status != ReplyStatus::kDone) break;
  }
  EXPECT_GT(served, 100U);
  EXPECT_EQ(reply.status, ReplyStatus::kNoRoom);
  EXPECT_NE(std::string(reply.reason).find("snapshot.memory-max-mb"), std::string::npos);
  EXPECT_EQ(address_of("www.example.com"), static_cast<std::uint8_t>(served - 1));
  quiesce();
  images_->maintain({});
  quiesce();
  EXPECT_EQ(publish(transaction(served, served + 1, 250)).status, ReplyStatus::kDone)
      << "it goes on when the worker does";
  EXPECT_EQ(address_of("www.example.com"), 250);
}

TEST_F(ControlTest, NonsenseIsRefusedWithAReasonAndTheOldImageServesOn) {
  const base::UniqueFd junk(::memfd_create("junk", MFD_CLOEXEC | MFD_ALLOW_SEALING));
  ASSERT_EQ(::ftruncate(junk.get(), 8192), 0);
  send_publish(client_.get(), 1, 8192, junk.get());
  EXPECT_EQ(answer(client_.get()).status, ReplyStatus::kRefused) << "it is not sealed";
  ASSERT_EQ(
      ::fcntl(junk.get(), F_ADD_SEALS, F_SEAL_WRITE | F_SEAL_GROW | F_SEAL_SHRINK | F_SEAL_SEAL),
      0);
  send_publish(client_.get(), 2, 8192, junk.get());
  const ControlMessage reply = answer(client_.get());
  EXPECT_EQ(reply.status, ReplyStatus::kRefused) << "it is no image";
  EXPECT_STRNE(reply.reason, "");
  send_publish(client_.get(), 3, 8192, -1);
  EXPECT_EQ(answer(client_.get()).status, ReplyStatus::kRefused) << "nothing came with it";
  EXPECT_EQ(version(), 0U);
  EXPECT_EQ(control_->counts().refused, 3U);
  EXPECT_FALSE(std::filesystem::exists(dir_ + "/image"));
}

TEST_F(ControlTest, AnImageThatCannotBeSavedIsRefused) {
  std::filesystem::create_directories(dir_ + "/image.new");  // where it is written first
  std::uint64_t size = 0;
  const auto image = sealed_image(6, size);
  send_publish(client_.get(), 1, size, image.get());
  const ControlMessage reply = answer(client_.get());
  EXPECT_EQ(reply.status, ReplyStatus::kNoRoom) << "it may go later";
  EXPECT_NE(std::string(reply.reason).find("image.new"), std::string::npos) << reply.reason;
  EXPECT_EQ(version(), 0U);
}

TEST_F(ControlTest, AClientThatLeavesOrBabblesDoesNotDisturbTheOthers) {
  auto other = connect();
  ASSERT_EQ(::send(other.get(), "babble", 6, 0), 6);
  std::uint64_t size = 0;
  const auto image = sealed_image(7, size);
  send_publish(client_.get(), 1, size, image.get());
  client_.reset();  // gone before its answer
  for (int i = 0; i < 2000 && version() != 7; ++i) {
    control_->poll({});
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
  }
  EXPECT_EQ(version(), 7U);
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
