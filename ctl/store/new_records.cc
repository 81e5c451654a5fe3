#include "ctl/store/new_records.h"

#include <sqlite3.h>

#include "ctl/store/row.h"
#include "dataplane/base/check.h"

namespace brink::ctl::store {
namespace {

constexpr char kTable[] = "new_records";
constexpr char kColumns[] =
    "CREATE TABLE new_records (id, name, type, content, priority, rdata, ttl, proxied, comment, "
    "tags, settings, created_on, modified_on, comment_modified_on, tags_modified_on, name_key, "
    "target_key)";

// In the order of kColumns.
enum Column : int {
  kId,
  kName,
  kType,
  kContent,
  kPriority,
  kRdata,
  kTtl,
  kProxied,
  kComment,
  kTags,
  kSettings,
  kCreatedOn,
  kModifiedOn,
  kCommentModifiedOn,
  kTagsModifiedOn,
  kNameKey,
  kTargetKey
};

// The value of a column. Texts and blobs are good until the next row.
void give_integer(sqlite3_context* context, std::int64_t value) {
  sqlite3_result_int64(context, value);
}
void give_text(sqlite3_context* context, std::string_view text) {
  sqlite3_result_text64(context, text.empty() ? "" : text.data(), text.size(), SQLITE_STATIC,
                        SQLITE_UTF8);
}
void give_blob(sqlite3_context* context, std::span<const std::uint8_t> blob) {
  const void* data = blob.empty() ? static_cast<const void*>("") : blob.data();
  sqlite3_result_blob64(context, data, blob.size(), SQLITE_STATIC);
}
// Without a value it is null.
void give_time(sqlite3_context* context, const std::optional<model::Timestamp>& time) {
  if (time) give_integer(context, time->micros);
}

}  // namespace

// What SQLite calls. It has memory of its own for a table and a cursor.
struct NewRecords::Module {
  struct Table : sqlite3_vtab {
    NewRecords* records;
  };

  static NewRecords& of(sqlite3_vtab_cursor* cursor) {
    return *static_cast<Table*>(cursor->pVtab)->records;
  }

  static int connect(sqlite3* database, void* self, int, const char* const*, sqlite3_vtab** table,
                     char**) {
    const int declared = sqlite3_declare_vtab(database, kColumns);
    if (declared != SQLITE_OK) return declared;
    auto* made = new Table();
    made->records = static_cast<NewRecords*>(self);
    *table = made;
    return SQLITE_OK;
  }
  static int disconnect(sqlite3_vtab* table) {
    delete static_cast<Table*>(table);
    return SQLITE_OK;
  }
  static int best_index(sqlite3_vtab*, sqlite3_index_info*) { return SQLITE_OK; }
  static int open(sqlite3_vtab*, sqlite3_vtab_cursor** cursor) {
    *cursor = new sqlite3_vtab_cursor();
    return SQLITE_OK;
  }
  static int close(sqlite3_vtab_cursor* cursor) {
    delete cursor;
    return SQLITE_OK;
  }
  static int filter(sqlite3_vtab_cursor* cursor, int, const char*, int, sqlite3_value**) {
    return next(cursor);
  }
  static int next(sqlite3_vtab_cursor* cursor) {
    NewRecords& records = of(cursor);
    records.current_ = records.next_();
    if (records.current_ != nullptr) ++records.given_;
    return SQLITE_OK;
  }
  static int eof(sqlite3_vtab_cursor* cursor) { return of(cursor).current_ == nullptr ? 1 : 0; }
  static int row_id(sqlite3_vtab_cursor* cursor, sqlite3_int64* row) {
    *row = of(cursor).given_;
    return SQLITE_OK;
  }
  static int column(sqlite3_vtab_cursor* cursor, sqlite3_context* context, int number) {
    NewRecords& records = of(cursor);
    const NewRecord& record = *records.current_;
    switch (static_cast<Column>(number)) {
      case kId:
        give_blob(context, record.id.bytes);
        break;
      case kName:
        give_text(context, record.name);
        break;
      case kType:
        give_integer(context, record.type);
        break;
      case kContent:
        give_text(context, record.content);
        break;
      case kPriority:
        if (record.priority) give_integer(context, *record.priority);
        break;
      case kRdata:
        give_blob(context, record.rdata);
        break;
      case kTtl:
        give_integer(context, record.ttl);
        break;
      case kProxied:
        give_integer(context, static_cast<std::int64_t>(record.proxied));
        break;
      case kComment:
        give_text(context, record.comment);
        break;
      case kTags:
        records.tags_ = join_tags(record.tags);
        give_text(context, records.tags_);
        break;
      case kSettings:
        give_integer(context, settings_bits(record.settings));
        break;
      case kCreatedOn:
        give_integer(context, record.created_on.micros);
        break;
      case kModifiedOn:
        give_integer(context, record.modified_on.micros);
        break;
      case kCommentModifiedOn:
        give_time(context, record.comment_modified_on);
        break;
      case kTagsModifiedOn:
        give_time(context, record.tags_modified_on);
        break;
      case kNameKey:
        give_blob(context, record.name_key);
        break;
      case kTargetKey:
        records.target_ = records.targets_.of(record.type, record.rdata);
        if (records.target_) give_blob(context, *records.target_);
        break;
    }
    return SQLITE_OK;
  }

  static constexpr sqlite3_module make() {
    sqlite3_module module{};
    module.xConnect = connect;  // and none to create it: it is there by its name alone
    module.xBestIndex = best_index;
    module.xDisconnect = disconnect;
    module.xOpen = open;
    module.xClose = close;
    module.xFilter = filter;
    module.xNext = next;
    module.xEof = eof;
    module.xColumn = column;
    module.xRowid = row_id;
    return module;
  }
};

NewRecords::NewRecords(Database& database, const NextRecord& next, const model::DomainName& apex)
    : database_(database), next_(next), targets_(apex) {
  static constexpr sqlite3_module kModule = Module::make();
  CHECK(sqlite3_create_module(database_.handle_, kTable, &kModule, this) == SQLITE_OK);
}

NewRecords::~NewRecords() {
  CHECK(sqlite3_create_module(database_.handle_, kTable, nullptr, nullptr) == SQLITE_OK);
}

}  // namespace brink::ctl::store
