// HistoryKeeper: forgets what the store's history and audit log need not hold any more. It looks
// every few seconds, on the store's thread, in pieces small enough that requests do not wait for
// them.
#pragma once

#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <functional>
#include <mutex>
#include <optional>
#include <thread>

#include "ctl/api/work_queue.h"
#include "ctl/model/timestamp.h"
#include "ctl/store/audit_log.h"
#include "ctl/store/history.h"

namespace brink::ctl::daemon {

class HistoryKeeper {
 public:
  struct Options {
    store::PruneLimits limits;
    std::chrono::microseconds audit_age_max = std::chrono::hours(24 * 365);
    std::uint64_t audit_entries_max = 1'000'000;
    std::chrono::milliseconds interval{5000};
    std::uint64_t rows_max = 2000;  // of a piece
  };
  // The version that the edge serves, from which on the history is needed; empty: not known, and
  // nothing is forgotten. Any thread.
  using Needed = std::function<std::optional<std::uint64_t>()>;

  // Everything given outlives the keeper, and the queue's last job too, which may be one of its.
  HistoryKeeper(Options options, store::Store& store, api::WorkQueue& queue, Needed needed,
                model::WallClock clock);
  // Stops looking.
  ~HistoryKeeper() { stop(); }
  HistoryKeeper(const HistoryKeeper&) = delete;
  HistoryKeeper& operator=(const HistoryKeeper&) = delete;

  // Posts nothing more of its own accord; a job that is under way may post its next piece until the
  // queue stops. The object has to stay until then.
  void stop();

 private:
  void run();
  void forget();  // store's thread: one piece
  bool has_more();

  const Options options_;
  store::Store& store_;
  api::WorkQueue& queue_;
  const Needed needed_;
  const model::WallClock clock_;

  bool sweeping_ = true;  // store's thread: forgotten versions may have left something

  std::mutex mutex_;
  std::condition_variable wake_;
  bool stopping_ = false;  // guarded by mutex_
  bool posted_ = false;    // guarded by mutex_: a piece is under way
  std::thread thread_;     // last: starts when all else is there
};

}  // namespace brink::ctl::daemon
