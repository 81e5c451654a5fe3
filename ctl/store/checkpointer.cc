#include "ctl/store/checkpointer.h"

#include "ctl/store/store.h"

namespace brink::ctl::store {
namespace {

// Pages of 4 KiB. The log is worth moving from here on.
constexpr std::uint64_t kDue = 1000;
// SQLite starts the log anew when all of it is in the file at the moment that somebody writes,
// which may never be when commits follow each other closely. A log as long as this is finished by a
// commit, when little is left to do.
constexpr std::uint64_t kLong = 16'000, kLittle = 1000;
// Who writes faster than the file takes it has to wait here: a gigabyte.
constexpr std::uint64_t kTooLong = 262'144;

}  // namespace

base::Result<std::unique_ptr<Checkpointer>> Checkpointer::start(
    Store& store, const std::string& path, std::function<void(const std::string&)> failed) {
  auto database = Database::open(path, Access::kReadWrite);
  if (!database) return database.error();
  return std::unique_ptr<Checkpointer>(
      new Checkpointer(store, std::move(database).value(), std::move(failed)));
}

Checkpointer::Checkpointer(Store& store, std::unique_ptr<Database> database,
                           std::function<void(const std::string&)> failed)
    : store_(store),
      database_(std::move(database)),
      failed_(std::move(failed)),
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
  if (pages < kDue) {
    moved_ = 0;  // the log has been started anew
    return Database::Move::kNot;
  }
  if (pages >= kTooLong) return Database::Move::kWaiting;
  const std::uint64_t moved = moved_;
  if (pages >= kLong && moved <= pages && pages - moved <= kLittle) return Database::Move::kNow;
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
