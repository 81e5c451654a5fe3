#include "ctl/publish/edge_questions.h"

#include <gtest/gtest.h>
#include <poll.h>
#include <stdlib.h>
#include <sys/socket.h>

#include <filesystem>
#include <future>

#include "dataplane/ipc/sealed_memory.h"

namespace brink::ctl::publish {
namespace {

using namespace std::chrono_literals;
using ipc::ControlMessage;
using ipc::MessageType;
using Answer = base::Result<EdgeReply>;

class EdgeQuestionsTest : public ::testing::Test {
 protected:
  EdgeQuestionsTest() {
    char pattern[] = "/tmp/brink_questions_XXXXXX";
    folder_ = ::mkdtemp(pattern);
  }
  ~EdgeQuestionsTest() override { std::filesystem::remove_all(folder_); }

  void listen() { listener_ = base::UniqueFd(ipc::listen_control(socket()).value()); }
  [[nodiscard]] std::string socket() const { return folder_ + "/edge.sock"; }

  static std::future<Answer> ask(EdgeQuestions& questions, Question question) {
    auto promise = std::make_shared<std::promise<Answer>>();
    auto future = promise->get_future();
    questions.ask(std::move(question),
                  [promise](Answer answer) { promise->set_value(std::move(answer)); });
    return future;
  }
  static void wait(int fd) {
    pollfd watched{fd, POLLIN, 0};
    ASSERT_EQ(::poll(&watched, 1, 5000), 1) << "nothing was asked";
  }
  // The edge's end, spoken by hand: the connection, and the question after Hello.
  ControlMessage take() {
    wait(listener_.get());
    peer_ = base::UniqueFd(::accept(listener_.get(), nullptr, nullptr));
    const ControlMessage hello = receive();
    EXPECT_EQ(hello.type, MessageType::kHello);
    ControlMessage welcome;
    welcome.type = MessageType::kWelcome;
    welcome.sequence = hello.sequence;
    EXPECT_TRUE(ipc::send_control(peer_.get(), welcome).ok());
    return receive();
  }
  ControlMessage receive() {
    wait(peer_.get());
    return ipc::receive_control(peer_.get()).value()->message;
  }
  void reply(const ControlMessage& question, ipc::ReplyStatus status, std::string_view reason,
             int descriptor = -1, std::uint64_t size_bytes = 0) {
    ControlMessage message;
    message.type = MessageType::kReply;
    message.sequence = question.sequence;
    message.snapshot_version = 9;
    message.payload_size_bytes = size_bytes;
    message.status = status;
    message.set_reason(reason);
    ASSERT_TRUE(ipc::send_control(peer_.get(), message, descriptor).ok());
  }

  std::string folder_;
  base::UniqueFd listener_, peer_;
};

TEST_F(EdgeQuestionsTest, AQuestionIsAnsweredWithWhatCameAlong) {
  listen();
  EdgeQuestions questions(socket(), 5s);
  auto answer = ask(questions, {MessageType::kShowName, {1, 'a', 0}});
  const ControlMessage question = take();
  EXPECT_EQ(question.type, MessageType::kShowName);
  EXPECT_EQ(std::string(question.name, question.name + question.name_size),
            std::string("\1a\0", 3));
  const std::uint8_t bytes[] = {1, 2, 3};
  const base::UniqueFd memfd = std::move(ipc::SealedMemory::make(bytes)).value();
  reply(question, ipc::ReplyStatus::kDone, "exact", memfd.get(), sizeof bytes);
  const Answer got = answer.get();
  ASSERT_TRUE(got.ok()) << got.error().message();
  EXPECT_EQ(got.value().reason, "exact");
  EXPECT_EQ(got.value().served_version, 9U);
  const auto mapped = ipc::SealedMemory::map(got.value().memfd.get(), got.value().size_bytes);
  ASSERT_TRUE(mapped.ok());
  EXPECT_EQ(mapped.value().bytes()[2], 3);
}

TEST_F(EdgeQuestionsTest, ABusyEdgeIsAskedAgain) {
  listen();
  EdgeQuestions questions(socket(), 5s);
  auto answer = ask(questions, {MessageType::kVerify, {}});
  reply(take(), ipc::ReplyStatus::kBusy, "an image is being dealt with");
  reply(receive(), ipc::ReplyStatus::kDone, "sound");
  EXPECT_EQ(answer.get().value().reason, "sound");
}

TEST_F(EdgeQuestionsTest, AnEdgeThatStaysBusyIsNamed) {
  listen();
  EdgeQuestions questions(socket(), 150ms);
  auto answer = ask(questions, {MessageType::kCompact, {}});
  reply(take(), ipc::ReplyStatus::kBusy, "an image is being dealt with");
  const Answer got = answer.get();
  ASSERT_FALSE(got.ok());
  EXPECT_NE(got.error().what.find("an image is being dealt with"), std::string::npos);
}

TEST_F(EdgeQuestionsTest, AnEdgeThatIsAwayOrSilentIsNamed) {
  EdgeQuestions questions(socket(), 150ms);
  const Answer away = ask(questions, {MessageType::kVerify, {}}).get();
  ASSERT_FALSE(away.ok());
  EXPECT_EQ(away.error().where, socket());
  listen();
  auto answer = ask(questions, {MessageType::kVerify, {}});
  take();
  EXPECT_EQ(answer.get().error().what, "the edge did not answer in time");
}

TEST_F(EdgeQuestionsTest, AStopAnswersEverybody) {
  listen();
  auto questions = std::make_unique<EdgeQuestions>(socket(), 60s);
  auto first = ask(*questions, {MessageType::kVerify, {}});
  auto second = ask(*questions, {MessageType::kVerify, {}});
  take();
  questions.reset();
  EXPECT_FALSE(first.get().ok());
  EXPECT_EQ(second.get().error().what, "brink-control is stopping");
}

}  // namespace
}  // namespace brink::ctl::publish
