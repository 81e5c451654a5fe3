// EdgeQuestions: what an operator asks brink-edge, beside the publishing and without being in its
// way: each question has a connection of its own.
//
// One thread takes the questions in the order in which they came; ask() may be called from any
// thread. What takes long and what does not are two objects, so that the one does not wait for the
// other.
#pragma once

#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <deque>
#include <functional>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "ctl/publish/edge_link.h"
#include "dataplane/base/result.h"
#include "dataplane/base/unique_fd.h"

namespace brink::ctl::publish {

struct Question {
  ipc::MessageType type{};         // kCompact, kVerify, kShowName or kCookieSecrets
  std::vector<std::uint8_t> name;  // what ipc::ControlMessage says of it
};

class EdgeQuestions {
 public:
  // Called once, on the thread of the questions, or on that of the destructor. An Error: no answer
  // came, or the edge stayed busy to the end.
  using Answered = std::function<void(base::Result<EdgeReply>)>;

  // `timeout`: for one question, a busy edge asked again included.
  EdgeQuestions(std::string edge_socket, std::chrono::milliseconds timeout);
  // Gives up the question that is being asked; those that wait are answered with an Error.
  ~EdgeQuestions();
  EdgeQuestions(const EdgeQuestions&) = delete;
  EdgeQuestions& operator=(const EdgeQuestions&) = delete;

  // Not bounded here: each connection of the API has one request under way, and connections are.
  void ask(Question question, Answered answered);

 private:
  struct Waiting {
    Question question;
    Answered answered;
  };

  void run();
  base::Result<EdgeReply> answer(const Question& question);
  [[nodiscard]] bool sleep_unless_stopped(std::chrono::milliseconds time) const;

  const std::string edge_socket_;
  const std::chrono::milliseconds timeout_;
  base::UniqueFd stop_;  // eventfd: the destructor runs

  std::mutex mutex_;
  std::condition_variable arrived_;
  std::deque<Waiting> waiting_;  // guarded by mutex_
  bool stopping_ = false;        // guarded by mutex_
  std::thread thread_;           // last: starts when all else is there
};

}  // namespace brink::ctl::publish
