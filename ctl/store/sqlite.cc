#include "ctl/store/sqlite.h"

#include <sqlite3.h>

#include "dataplane/base/check.h"

namespace brink::ctl::store {
namespace {

constexpr int kBusyTimeoutMs = 10'000;
constexpr int kAutomaticCheckpointPages = 1000;

[[noreturn]] void fail(sqlite3* database, std::string_view doing) {
  throw Failure(std::string(doing) + ": " + sqlite3_errmsg(database));
}

}  // namespace

Statement::Statement(sqlite3* database, std::string_view sql) : database_(database) {
  if (sqlite3_prepare_v3(database, sql.data(), static_cast<int>(sql.size()),
                         SQLITE_PREPARE_PERSISTENT, &statement_, nullptr) != SQLITE_OK) {
    fail(database, sql);
  }
}

Statement::~Statement() {
  sqlite3_finalize(statement_);
}

Statement& Statement::bind(int parameter, std::int64_t value) {
  CHECK(sqlite3_bind_int64(statement_, parameter, value) == SQLITE_OK);
  return *this;
}

Statement& Statement::bind(int parameter, std::string_view value) {
  // A null pointer would bind NULL instead of the empty text.
  const char* data = value.data() == nullptr ? "" : value.data();
  CHECK(sqlite3_bind_text64(statement_, parameter, data, value.size(), SQLITE_STATIC,
                            SQLITE_UTF8) == SQLITE_OK);
  return *this;
}

Statement& Statement::bind(int parameter, std::span<const std::uint8_t> value) {
  const void* data = value.data() == nullptr ? static_cast<const void*>("") : value.data();
  CHECK(sqlite3_bind_blob64(statement_, parameter, data, value.size(), SQLITE_STATIC) == SQLITE_OK);
  return *this;
}

Statement& Statement::bind_null(int parameter) {
  CHECK(sqlite3_bind_null(statement_, parameter) == SQLITE_OK);
  return *this;
}

Statement& Statement::bind(int parameter, std::optional<std::int64_t> value) {
  return value ? bind(parameter, *value) : bind_null(parameter);
}

bool Statement::step() {
  const int status = sqlite3_step(statement_);
  if (status == SQLITE_ROW) return true;
  if (status == SQLITE_DONE) return false;
  const std::string sql = sqlite3_sql(statement_);
  const std::string message = sqlite3_errmsg(database_);
  sqlite3_reset(statement_);
  throw Failure(sql + ": " + message);
}

void Statement::run() {
  while (step()) {
  }
  reset();
}

void Statement::reset() {
  sqlite3_reset(statement_);
  sqlite3_clear_bindings(statement_);
}

std::int64_t Statement::integer(int column) const {
  return sqlite3_column_int64(statement_, column);
}

std::optional<std::int64_t> Statement::optional_integer(int column) const {
  if (is_null(column)) return std::nullopt;
  return integer(column);
}

std::string_view Statement::text(int column) const {
  const auto* data = reinterpret_cast<const char*>(sqlite3_column_text(statement_, column));
  if (data == nullptr) return {};
  return {data, static_cast<std::size_t>(sqlite3_column_bytes(statement_, column))};
}

std::span<const std::uint8_t> Statement::blob(int column) const {
  const auto* data = static_cast<const std::uint8_t*>(sqlite3_column_blob(statement_, column));
  if (data == nullptr) return {};
  return {data, static_cast<std::size_t>(sqlite3_column_bytes(statement_, column))};
}

bool Statement::is_null(int column) const {
  return sqlite3_column_type(statement_, column) == SQLITE_NULL;
}

base::Result<std::unique_ptr<Database>> Database::open(const std::string& path, Access access) {
  // SQLite would count its memory under a lock, which a large import waits for a million times. It
  // can be told so only before its first use, and refuses afterwards, which does no harm.
  static const int uncounted = sqlite3_config(SQLITE_CONFIG_MEMSTATUS, 0);
  static_cast<void>(uncounted);
  sqlite3* handle = nullptr;
  const int flags = access == Access::kReadWrite ? SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE
                                                 : SQLITE_OPEN_READWRITE;
  const int status = sqlite3_open_v2(path.c_str(), &handle, flags | SQLITE_OPEN_NOMUTEX, nullptr);
  std::unique_ptr<Database> database(new Database(handle));
  const auto error = [&](const std::string& what) {
    return base::Error{"the record store cannot be opened: " + what, path,
                       "check that the folder exists, is writable and holds a Brink store"};
  };
  if (status != SQLITE_OK) return error(handle ? sqlite3_errmsg(handle) : "out of memory");
  sqlite3_busy_timeout(handle, kBusyTimeoutMs);
  try {
    database->execute("PRAGMA journal_mode = WAL");
    database->execute("PRAGMA synchronous = FULL");
    database->execute("PRAGMA foreign_keys = ON");
    database->shrink();
    database->execute("PRAGMA temp_store = MEMORY");
    if (access == Access::kReadOnly) database->execute("PRAGMA query_only = ON");
  } catch (const Failure& failure) {
    return error(failure.what());
  }
  return database;
}

Database::~Database() {
  cache_.clear();
  CHECK(sqlite3_close(handle_) == SQLITE_OK);
}

void Database::execute(const char* sql) {
  if (sqlite3_exec(handle_, sql, nullptr, nullptr, nullptr) != SQLITE_OK) fail(handle_, sql);
}

void Database::widen() {
  execute("PRAGMA cache_size = -65536");  // KiB
}

void Database::shrink() {
  execute("PRAGMA cache_size = -8192");
}

Borrowed Database::cached(const char* sql) {
  auto& statement = cache_[sql];
  if (!statement) statement = std::make_unique<Statement>(handle_, sql);
  return Borrowed(*statement);
}

std::unique_ptr<Statement> Database::prepare(std::string_view sql) {
  return std::make_unique<Statement>(handle_, sql);
}

std::int64_t Database::total_changes() const {
  return sqlite3_total_changes64(handle_);
}

std::int64_t Database::last_insert_row() const {
  return sqlite3_last_insert_rowid(handle_);
}

void Database::set_triggers(bool on) {
  CHECK(sqlite3_db_config(handle_, SQLITE_DBCONFIG_ENABLE_TRIGGER, on ? 1 : 0, nullptr) ==
        SQLITE_OK);
}

std::uint64_t Database::checkpoint(Checkpoint kind) {
  int in_log = 0, moved = 0;
  const int mode = kind == Checkpoint::kFull ? SQLITE_CHECKPOINT_FULL : SQLITE_CHECKPOINT_PASSIVE;
  const int status = sqlite3_wal_checkpoint_v2(handle_, "main", mode, &in_log, &moved);
  // Busy: somebody else is at it.
  if (status != SQLITE_OK && status != SQLITE_BUSY) fail(handle_, "checkpoint");
  return moved > 0 ? static_cast<std::uint64_t>(moved) : 0;
}

void Database::set_after_commit(AfterCommit hook) {
  after_commit_ = std::move(hook);
  if (!after_commit_) {
    sqlite3_wal_autocheckpoint(handle_, kAutomaticCheckpointPages);  // takes the hook's place
    return;
  }
  sqlite3_wal_hook(
      handle_,
      [](void* self, sqlite3*, const char*, int pages) {
        auto& database = *static_cast<Database*>(self);
        database.after_commit_(database, static_cast<std::uint64_t>(pages));
        return SQLITE_OK;
      },
      this);
}

}  // namespace brink::ctl::store
