#include "ctl/publish/edge_questions.h"

#include <poll.h>
#include <sys/eventfd.h>

#include "dataplane/base/check.h"

namespace brink::ctl::publish {
namespace {

using std::chrono::milliseconds;
using std::chrono::steady_clock;

// A busy edge deals with one image after the other; each takes this long at least.
constexpr milliseconds kAskAgain{200};

}  // namespace

EdgeQuestions::EdgeQuestions(std::string edge_socket, milliseconds timeout)
    : edge_socket_(std::move(edge_socket)),
      timeout_(timeout),
      stop_(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)),
      thread_([this] { run(); }) {
  CHECK(stop_.valid());
}

EdgeQuestions::~EdgeQuestions() {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  const std::uint64_t one = 1;
  CHECK(::write(stop_.get(), &one, sizeof one) == sizeof one);
  arrived_.notify_one();
  thread_.join();
  for (const Waiting& left : waiting_) {
    left.answered(base::Error{"brink-control is stopping", "", "ask again when it is back"});
  }
}

void EdgeQuestions::ask(Question question, Answered answered) {
  {
    const std::lock_guard lock(mutex_);
    waiting_.push_back({std::move(question), std::move(answered)});
  }
  arrived_.notify_one();
}

void EdgeQuestions::run() {
  std::unique_lock lock(mutex_);
  for (;;) {
    arrived_.wait(lock, [this] { return stopping_ || !waiting_.empty(); });
    if (stopping_) return;
    const Waiting next = std::move(waiting_.front());
    waiting_.pop_front();
    lock.unlock();
    next.answered(answer(next.question));
    lock.lock();
  }
}

bool EdgeQuestions::sleep_unless_stopped(milliseconds time) const {
  pollfd watched{stop_.get(), POLLIN, 0};
  return ::poll(&watched, 1, static_cast<int>(time.count())) == 0;
}

base::Result<EdgeReply> EdgeQuestions::answer(const Question& question) {
  const auto deadline = steady_clock::now() + timeout_;
  const auto left = [&] {
    return std::chrono::duration_cast<milliseconds>(deadline - steady_clock::now());
  };
  EdgeLink link(edge_socket_, stop_.get());
  if (auto connected = link.connect(timeout_); !connected) return connected.error();
  for (;;) {
    auto reply = link.ask(question.type, question.name, left());
    if (!reply || reply.value().status != ipc::ReplyStatus::kBusy) return reply;
    if (left() <= kAskAgain || !sleep_unless_stopped(kAskAgain)) {
      return base::Error{"the edge is busy: " + reply.value().reason, edge_socket_,
                         "ask again later; its log tells what it does"};
    }
  }
}

}  // namespace brink::ctl::publish
