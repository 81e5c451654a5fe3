#include "ctl/api/record_loader.h"

#include "ctl/store/record_inserter.h"

namespace brink::ctl::api {

using model::Record;

RecordLoader::RecordLoader(Service& service, Change& change, std::size_t piece_max)
    : service_(service),
      change_(change),
      piece_max_(piece_max),
      is_empty_(!service.store.has_records_within(change.zone(), change.zone().name)) {}

bool RecordLoader::add(Record record, std::size_t line) {
  records_->add(std::move(record), line);
  if (records_->taken() >= piece_max_) flush();
  return !fault_;
}

void RecordLoader::check() {
  records_->sort();
  records_->keep([this](std::span<Place> places) { return judge(places); });
}

void RecordLoader::flush(const Before& before) {
  if (records_->taken() == 0) return;
  check();
  if (!fault_) {
    if (is_empty_ && before) before(records_);
    insert();
  }
  records_ = std::make_shared<SortedRecords>();
  is_empty_ = false;
}

void RecordLoader::insert() {
  model::IdSeries ids(service_.entropy);
  store::RecordInserter inserter(service_.store, change_.zone());
  store::NewRecord record;
  std::size_t at = 0;
  inserter.insert([&]() -> const store::NewRecord* {
    if (at == records_->kept()) return nullptr;
    record = records_->fresh(at++);
    record.id = ids.next();
    change_.date(record);
    return &record;
  });
  inserter.finish();
}

// Those of one name, in the order of the file.
std::size_t RecordLoader::judge(std::span<Place> places) {
  if (stand_together(places)) {
    added_ += places.size();
    return places.size();
  }
  std::size_t stay = 0;
  neighbours_.clear();
  for (const Place& place : places) {
    Record record = records_->record(place);
    if (!is_empty_ && &place == &places.front()) {
      neighbours_ = service_.store.records_at(change_.zone(), record.name);
    }
    if (const auto conflict = model::conflict_of(service_.settings.rules, change_.zone(), record,
                                                 neighbours_, model::BesideNs::kAsLegal)) {
      if (conflict->code != model::kCodeRecordExists) {
        blame(records_->line(place), record, *conflict);
        return stay;
      }
      ++known_;
      continue;
    }
    ++added_;
    places[stay++] = place;
    if (places.size() > 1) neighbours_.push_back(std::move(record));
  }
  return stay;
}

// Nearly all names have nothing that could stand against anything.
bool RecordLoader::stand_together(std::span<const Place> places) {
  if (!is_empty_) return false;
  together_.clear();
  for (const Place& place : places) {
    const store::RecordView record = records_->view(place);
    together_.push_back({record.type, record.rdata});
  }
  return model::stand_together(together_);
}

void RecordLoader::blame(std::size_t line, const Record& record, const model::Refusal& refusal) {
  if (fault_ && fault_line_ <= line) return;
  fault_line_ = line;
  fault_ = base::Error{refusal.detail(),
                       "line " + std::to_string(line) + ", " + record.name.text() + " " +
                           model::type_to_text(record.type),
                       ""};
}

}  // namespace brink::ctl::api
