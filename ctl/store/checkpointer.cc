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
  store_.set_after_commit([this](std::uint64_t pages) { return take_commit(pages); });
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

Database::Move Checkpointer::take_commit(std::uint64_t pages) {
  if (pages >= limits_.too_long_pages) return Database::Move::kWaiting;
  if (pages < limits_.due_pages) {
    moved_ = 0;  // the log has been started anew
    return Database::Move::kNot;
  }
  const std::uint64_t moved = moved_;
  const bool is_nearly_moved = moved <= pages && pages - moved <= limits_.little_pages;
  if (pages >= limits_.long_pages && is_nearly_moved) return Database::Move::kNow;
  {
    const std::lock_guard lock(mutex_);
    due_ = true;
  }
  wake_.notify_one();
  return Database::Move::kNot;
}

void Checkpointer::run() {
  std::unique_lock lock(mutex_);
  for (;;) {
    wake_.wait(lock, [this] { return stopping_ || due_; });
    if (stopping_) return;
    due_ = false;
    lock.unlock();
    try {
      moved_ = database_->checkpoint();
    } catch (const Failure& failure) {
      failed_(failure.what());
    }
    lock.lock();
  }
}

}  // namespace brink::ctl::store
