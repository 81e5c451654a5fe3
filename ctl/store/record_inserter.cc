#include "ctl/store/record_inserter.h"

#include "ctl/store/log.h"
#include "ctl/store/new_records.h"

namespace brink::ctl::store {

NewRecord::NewRecord(const model::Record& record, std::span<const std::uint8_t> key)
    : id(record.id),
      name(record.name.text()),
      name_key(key),
      type(record.type),
      content(record.content),
      priority(record.priority),
      rdata(record.rdata),
      ttl(record.ttl),
      proxied(record.proxied),
      comment(record.comment),
      tags(record.tags),
      settings(record.settings),
      created_on(record.created_on),
      modified_on(record.modified_on),
      comment_modified_on(record.comment_modified_on),
      tags_modified_on(record.tags_modified_on) {}

RecordInserter::RecordInserter(Store& store, const model::Zone& zone) : store_(store), zone_(zone) {
  CHECK(store_.in_transaction_ && !store_.inserting_);
  store_.take_version();
  store_.inserting_ = true;
  store_.database_->set_triggers(false);  // the one that writes the log
  if (store_.record_count_at_most() == 0) put_off_targets();
}

RecordInserter::~RecordInserter() {
  store_.database_->set_triggers(true);
}

// SQLite gives rows behind all others, one after the other.
void RecordInserter::insert(const NextRecord& next) {
  CHECK(store_.inserting_);
  const auto before = static_cast<std::int64_t>(store_.record_count_at_most());
  const NewRecords records(*store_.database_, next, zone_.name);
  {
    auto insert = store_.database_->prepare(
        "INSERT INTO records (id, zone, name, type, content, priority, rdata, ttl, proxied, "
        "comment, "
        "tags, settings, created_on, modified_on, comment_modified_on, tags_modified_on, name_key, "
        "target_key) SELECT id, ?1, name, type, content, priority, rdata, ttl, proxied, comment, "
        "tags, settings, created_on, modified_on, comment_modified_on, tags_modified_on, name_key, "
        "target_key FROM new_records");
    insert->bind(1, zone_.row).run();
  }
  if (records.given() == 0) return;
  CHECK(store_.database_->last_insert_row() == before + records.given());
  store_.more_records_ += records.given();
  log(before + 1, records.given());
}

void RecordInserter::put_off_targets() {
  {
    auto select =
        store_.database_->prepare("SELECT sql FROM sqlite_schema WHERE name = 'records_targets'");
    CHECK(select->step());
    index_of_targets_ = select->text(0);
  }
  store_.database_->execute("DROP INDEX records_targets");
}

// The entry takes as many numbers as it stands for.
void RecordInserter::log(std::int64_t first_row, std::int64_t count) {
  auto insert = store_.database_->cached(
      "INSERT INTO record_log (seq, version, kind, zone, row, ttl) VALUES ("
      "(SELECT coalesce(max(seq), 0) FROM record_log) + ?5, ?1, ?2, ?3, ?4, ?5)");
  insert->bind(1, static_cast<std::int64_t>(*store_.taken_))
      .bind(2, static_cast<std::int64_t>(LogKind::kInserts))
      .bind(3, zone_.row)
      .bind(4, first_row)
      .bind(5, count)
      .run();
}

void RecordInserter::finish() {
  if (!index_of_targets_.empty()) store_.database_->execute(index_of_targets_.c_str());
  store_.database_->set_triggers(true);
  store_.inserting_ = false;
}

}  // namespace brink::ctl::store
