// Checkpointer: moves what commits have left in SQLite's write-ahead log into the store's file, on
// a thread and a connection of its own, so that no commit waits for that: after an import it is
// hundreds of megabytes.
//
// What is committed is on disk before that and apart from it. A process that ends, in whatever way,
// leaves the rest in the log, where the next one finds it.
//
// One moves at a time, and nobody begins while all of the log is in the file already: a commit that
// starts the log anew just then can leave SQLite before 3.51.3 with pages that it takes for moved
// and that are not (https://sqlite.org/wal.html#walresetbug).
#pragma once

#include <condition_variable>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <thread>

#include "ctl/store/sqlite.h"
#include "dataplane/base/result.h"

namespace brink::ctl::store {

class Store;

// Lengths of the log, in pages of 4 KiB.
struct LogLimits {
  // It is worth moving from here on.
  std::uint64_t due_pages = 1000;
  // SQLite starts the log anew when all of it is in the file at the moment that somebody writes,
  // which may never be when commits follow each other closely. A log as long as this is finished by
  // a commit, when little is left to do.
  std::uint64_t long_pages = 16'000;
  std::uint64_t little_pages = 1000;
  // Who writes faster than the file takes it waits from here on, until all of it is in the file: a
  // gigabyte.
  std::uint64_t too_long_pages = 262'144;
};

class Checkpointer {
 public:
  // Of the log that `store` writes from now on; `store` is the one that writes to `path`, and
  // outlives it. `failed`: told of a failure, on the checkpointer's thread; the next commit leads
  // to another attempt.
  static base::Result<std::unique_ptr<Checkpointer>> start(
      Store& store, const std::string& path, std::function<void(const std::string&)> failed,
      const LogLimits& limits = {});
  // On the store's thread, or when that does nothing any more. Its commits see to the log again.
  ~Checkpointer();
  Checkpointer(const Checkpointer&) = delete;
  Checkpointer& operator=(const Checkpointer&) = delete;

  // Pages of the log that are in the file already, as far as is known. Any thread.
  [[nodiscard]] std::uint64_t pages_moved() const;

 private:
  Checkpointer(Store& store, std::unique_ptr<Database> database,
               std::function<void(const std::string&)> failed, const LogLimits& limits);
  void run();
  // Store's thread, after a commit on `database`: the log has so many pages.
  void take_commit(Database& database, std::uint64_t pages);
  // Under moving_, on the connection of the calling thread.
  void move_log(Database& database, Database::Checkpoint kind);

  Store& store_;
  const std::unique_ptr<Database> database_;  // checkpointer's thread
  const std::function<void(const std::string&)> failed_;
  const LogLimits limits_;

  std::mutex moving_;  // held by who moves; taken before mutex_
  mutable std::mutex mutex_;
  std::condition_variable wake_;
  // Guarded by mutex_, like all that follows: the log's length at the last commit, how much of it is
  // in the file, and how often it was seen to be started anew.
  std::uint64_t pages_ = 0;
  std::uint64_t moved_ = 0;
  std::uint64_t restarts_ = 0;
  bool due_ = false;
  bool stopping_ = false;
  std::thread thread_;     // last: starts when all else is there
};

}  // namespace brink::ctl::store
