#include "ctl/daemon/history_keeper.h"

#include <spdlog/spdlog.h>

namespace brink::ctl::daemon {

HistoryKeeper::HistoryKeeper(Options options, store::Store& store, api::WorkQueue& queue,
                             Needed needed, model::WallClock clock)
    : options_(options),
      store_(store),
      queue_(queue),
      needed_(std::move(needed)),
      clock_(std::move(clock)),
      thread_([this] { run(); }) {}

void HistoryKeeper::stop() {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  wake_.notify_one();
  if (thread_.joinable()) thread_.join();
}

void HistoryKeeper::run() {
  std::unique_lock lock(mutex_);
  while (!wake_.wait_for(lock, options_.interval, [this] { return stopping_; })) {
    if (posted_) continue;
    posted_ = true;
    queue_.post([this] { forget(); });
  }
}

// What is left to do goes to the end of the queue, behind the requests that came meanwhile.
void HistoryKeeper::forget() {
  bool more = false;
  try {
    more = has_more();
  } catch (const store::Failure& failure) {
    spdlog::error("the history cannot be shortened: {}", failure.what());
  }
  if (more) return queue_.post([this] { forget(); });
  const std::lock_guard lock(mutex_);
  posted_ = false;
}

bool HistoryKeeper::has_more() {
  store::History history(store_);
  if (const auto needed = needed_()) {
    const std::uint64_t gone = history.prune(options_.limits, clock_(), *needed);
    if (gone != 0) {
      sweeping_ = true;
      spdlog::debug("{} version(s) of the history forgotten, up to {}", gone, history.floor());
      if (gone == store::History::kPruneMax) return true;
    }
  }
  if (sweeping_) sweeping_ = history.sweep(options_.rows_max);
  const bool has_more_audit = store::AuditLog(store_).prune(
      options_.audit_age_max, options_.audit_entries_max, clock_(), options_.rows_max);
  return sweeping_ || has_more_audit;
}

}  // namespace brink::ctl::daemon
