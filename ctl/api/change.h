// Change: one API change of one zone as one transaction, and the steps that changes consist of.
#pragma once

#include <cstdint>
#include <optional>

#include "ctl/api/service.h"
#include "ctl/model/record.h"
#include "ctl/store/store.h"

namespace brink::ctl::api {

class Change {
 public:
  // Starts the transaction. Nothing is kept unless commit() is called.
  Change(Service& service, model::Zone zone)
      : service_(service),
        transaction_(service.store, store::Transaction::Kind::kWrite),
        zone_(std::move(zone)),
        now_(service.clock()) {}

  [[nodiscard]] model::Zone& zone() { return zone_; }
  [[nodiscard]] const model::Zone& zone() const { return zone_; }
  [[nodiscard]] model::Timestamp now() const { return now_; }

  // None of these three changes a presigned zone.

  // A new record, with a fresh id.
  model::Outcome<model::Record> create(const model::RecordDraft& draft);
  // Fills in the times of a new record.
  template <typename Record>  // model::Record or store::NewRecord
  void date(Record& record) const {
    record.created_on = record.modified_on = now_;
    if (!record.comment.empty()) record.comment_modified_on = now_;
    if (!record.tags.empty()) record.tags_modified_on = now_;
  }
  // Replaces what `old` says by `draft`; id and creation time stay.
  model::Outcome<model::Record> replace(const model::Record& old, const model::RecordDraft& draft);
  std::optional<model::Refusal> remove(const model::Record& record);
  // By the id in a request; the refusal is the answer to a wrong one.
  model::Outcome<model::Record> find(const std::string& id);

  // Makes the zone what commit() will keep: with its next serial, or `serial` if that is newer.
  // Once, when nothing but records is changed any more.
  void advance(std::optional<std::uint32_t> serial);
  // Advances the zone, unless that was done, keeps everything and returns the version that contains
  // it.
  std::uint64_t commit(std::optional<std::uint32_t> serial = std::nullopt);

 private:
  Service& service_;
  store::Transaction transaction_;
  model::Zone zone_;
  model::Timestamp now_;
  bool is_advanced_ = false;
};

// Keeps what a transaction changed, and makes its version, if it took one, what the reply waits for.
Reply committed(Service& service, store::Transaction& transaction, Reply reply);

// The zone and record that a request's path names.
model::Outcome<model::Zone> find_zone(Service& service, const Request& request);
model::Outcome<model::Record> find_record(Service& service, const model::Zone& zone,
                                          const std::string& id);

}  // namespace brink::ctl::api
