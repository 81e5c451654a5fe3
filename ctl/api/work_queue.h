// WorkQueue: the one thread on which the store is used. Jobs run in the order they were posted.
#pragma once

#include <condition_variable>
#include <deque>
#include <functional>
#include <mutex>
#include <thread>

namespace brink::ctl::api {

class WorkQueue {
 public:
  using Job = std::function<void()>;

  WorkQueue();
  ~WorkQueue() { stop(); }
  WorkQueue(const WorkQueue&) = delete;
  WorkQueue& operator=(const WorkQueue&) = delete;

  // Runs what was posted before and ends the thread; later jobs are dropped.
  void stop();

  // Any thread. Not bounded here: each connection has one request under way, and connections are.
  void post(Job job);

 private:
  void run();

  std::mutex mutex_;
  std::condition_variable arrived_;
  std::deque<Job> jobs_;   // guarded by mutex_
  bool stopping_ = false;  // guarded by mutex_
  std::thread thread_;     // last: starts when all else is there
};

}  // namespace brink::ctl::api
