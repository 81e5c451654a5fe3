// Database and Statement: SQLite behind two small types. Nothing else includes sqlite3.h, but for
// new_records.cc.
//
// A Database and its statements belong to one thread. A failing call (full disk, broken file, a
// lock held too long) throws Failure; whatever was begun rolls back with its Transaction.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <stdexcept>
#include <string>
#include <string_view>
#include <unordered_map>

#include "dataplane/base/result.h"

struct sqlite3;
struct sqlite3_stmt;

namespace brink::ctl::store {

struct Failure : std::runtime_error {
  using std::runtime_error::runtime_error;
};

enum class Access : std::uint8_t { kReadWrite, kReadOnly };

// A prepared statement. Parameters are numbered from 1, columns from 0. Bound text and blobs must
// stay alive until reset(); texts and blobs of columns until the next step() or reset().
class Statement {
 public:
  Statement(sqlite3* database, std::string_view sql);
  ~Statement();
  Statement(const Statement&) = delete;
  Statement& operator=(const Statement&) = delete;

  Statement& bind(int parameter, std::int64_t value);
  Statement& bind(int parameter, std::string_view value);
  Statement& bind(int parameter, std::span<const std::uint8_t> value);
  Statement& bind_null(int parameter);
  Statement& bind(int parameter, std::optional<std::int64_t> value);

  // True while there is a row.
  bool step();
  // Runs to the end and resets.
  void run();
  void reset();

  [[nodiscard]] std::int64_t integer(int column) const;
  [[nodiscard]] std::optional<std::int64_t> optional_integer(int column) const;
  [[nodiscard]] std::string_view text(int column) const;
  [[nodiscard]] std::span<const std::uint8_t> blob(int column) const;
  [[nodiscard]] bool is_null(int column) const;

 private:
  sqlite3* database_;
  sqlite3_stmt* statement_ = nullptr;
};

// Borrows a cached statement and resets it at the end of the scope, so that no read lock lingers.
class Borrowed {
 public:
  explicit Borrowed(Statement& statement) : statement_(statement) {}
  ~Borrowed() { statement_.reset(); }
  Borrowed(const Borrowed&) = delete;
  Borrowed& operator=(const Borrowed&) = delete;
  Statement* operator->() { return &statement_; }
  Statement& operator*() { return statement_; }

 private:
  Statement& statement_;
};

class Database {
 public:
  // WAL, foreign keys on, every commit on disk before it returns.
  static base::Result<std::unique_ptr<Database>> open(const std::string& path, Access access);
  ~Database();
  Database(const Database&) = delete;
  Database& operator=(const Database&) = delete;

  void execute(const char* sql);
  // Room for the pages that a large transaction comes back to again and again, and the end of it:
  // beyond that the kernel's own cache of the file serves as well.
  void widen();
  void shrink();
  // The statement of a string literal, prepared once. Not for use while an earlier borrow of the
  // same literal is alive.
  Borrowed cached(const char* sql);
  [[nodiscard]] std::unique_ptr<Statement> prepare(std::string_view sql);
  [[nodiscard]] std::int64_t last_insert_row() const;
  // Triggers run, unless this says otherwise. Statements are prepared anew after a change of it.
  void set_triggers(bool on);
  // Rows inserted, updated and deleted since the database was opened, by triggers too.
  [[nodiscard]] std::int64_t total_changes() const;

  // kPassive moves as much of the write-ahead log into the file as no reader stands in the way of,
  // and waits for nobody; kFull waits for who reads what is older (for the busy timeout). Returns
  // how many of the log's pages are in the file now. A failed one throws; a busy one does not.
  enum class Checkpoint : std::uint8_t { kPassive, kFull };
  std::uint64_t checkpoint(Checkpoint kind = Checkpoint::kPassive);
  // Called after each commit with the number of pages in the write-ahead log, which it may move.
  // Empty: commits move them by themselves, whenever there are a thousand.
  using AfterCommit = std::function<void(Database&, std::uint64_t log_pages)>;
  void set_after_commit(AfterCommit hook);

 private:
  friend class NewRecords;
  explicit Database(sqlite3* handle) : handle_(handle) {}

  sqlite3* handle_;
  AfterCommit after_commit_;
  std::unordered_map<const char*, std::unique_ptr<Statement>> cache_;  // keyed by the literal
};

}  // namespace brink::ctl::store
