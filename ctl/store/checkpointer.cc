#include "ctl/store/checkpointer.h"

#include "ctl/store/store.h"

namespace brink::ctl::store {

base::Result<std::unique_ptr<Checkpointer>> Checkpointer::start(
    Store& store, const std::string& path, std::function<void(const std::string&)> failed,
    const LogLimits& limits) {
  auto database = Database::open(path, Access::kReadWrite);
  if (!database) return database.error();
  return std::unique_ptr<Checkpointer>(
      new Checkpointer(store, std::move(database).value(), std::move(failed), limits));
}

Checkpointer::Checkpointer(Store& store, std::unique_ptr<Database> database,
                           std::function<void(const std::string&)> failed, const LogLimits& limits)
    : store_(store),
      database_(std::move(database)),
      failed_(std::move(failed)),
      limits_(limits),
      thread_([this] { run(); }) {
  store_.set_after_commit(
      [this](Database& writer, std::uint64_t pages) { take_commit(writer, pages); });
}

Checkpointer::~Checkpointer() {
  store_.set_after_commit({});
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  wake_.notify_one();
  thread_.join();
}

std::uint64_t Checkpointer::pages_moved() const {
  const std::lock_guard lock(mutex_);
  return moved_;
}

void Checkpointer::take_commit(Database& database, std::uint64_t pages) {
  std::unique_lock lock(mutex_);
  if (pages <= pages_) {  // a commit adds pages, unless it is the first of a log started anew
    ++restarts_;
    moved_ = 0;
  }
  pages_ = pages;
  const bool is_too_long = pages >= limits_.too_long_pages;
  if (!is_too_long && pages < limits_.due_pages) return;
  const bool is_nearly_moved = moved_ <= pages && pages - moved_ <= limits_.little_pages;
  if (!is_too_long && (pages < limits_.long_pages || !is_nearly_moved)) {
    due_ = true;
    lock.unlock();
    wake_.notify_one();
    return;
  }
  lock.unlock();
  const std::unique_lock moving =
      is_too_long ? std::unique_lock(moving_) : std::unique_lock(moving_, std::try_to_lock);
  if (!moving) return;
  try {
    move_log(database, is_too_long ? Database::Checkpoint::kFull : Database::Checkpoint::kPassive);
  } catch (const Failure&) {
    // What becomes of the log makes no difference to the commit; the next one tries again.
  }
}

void Checkpointer::move_log(Database& database, Database::Checkpoint kind) {
  std::unique_lock lock(mutex_);
  if (moved_ >= pages_) return;
  const std::uint64_t restarts = restarts_;
  lock.unlock();
  const std::uint64_t moved = database.checkpoint(kind);
  lock.lock();
  if (restarts == restarts_) moved_ = moved;
}

void Checkpointer::run() {
  std::unique_lock lock(mutex_);
  for (;;) {
    wake_.wait(lock, [this] { return stopping_ || due_; });
    if (stopping_) return;
    due_ = false;
    lock.unlock();
    try {
      const std::lock_guard moving(moving_);
      move_log(*database_, Database::Checkpoint::kPassive);
    } catch (const Failure& failure) {
      failed_(failure.what());
    }
    lock.lock();
  }
}

}  // namespace brink::ctl::store
