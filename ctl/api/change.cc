#include "ctl/api/change.h"

#include <algorithm>
#include <utility>

#include "ctl/api/authorize.h"
#include "ctl/api/presigned.h"

namespace brink::ctl::api {

using model::Outcome;
using model::Record;

Outcome<Record> Change::create(const model::RecordDraft& draft) {
  if (auto fault = presigned_fault(zone_)) return *std::move(fault);
  auto made = model::make_record(service_.settings.rules, zone_, draft);
  if (!made) return made;
  Record& record = made.value();
  const auto neighbours = service_.store.records_at(zone_, record.name);
  if (auto conflict = model::conflict_of(service_.settings.rules, zone_, record, neighbours,
                                         model::BesideNs::kDsAlone)) {
    return *std::move(conflict);
  }
  record.id = model::Id::random(service_.entropy);
  date(record);
  service_.store.insert_record(zone_, record);
  return made;
}

Outcome<Record> Change::replace(const Record& old, const model::RecordDraft& draft) {
  if (auto fault = presigned_fault(zone_)) return *std::move(fault);
  auto made = model::make_record(service_.settings.rules, zone_, draft);
  if (!made) return made;
  Record& record = made.value();
  auto neighbours = service_.store.records_at(zone_, record.name);
  std::erase_if(neighbours, [&](const Record& other) { return other.row == old.row; });
  const bool stays = record.name == old.name && record.type == old.type;
  if (auto conflict =
          model::conflict_of(service_.settings.rules, zone_, record, neighbours,
                             stays ? model::BesideNs::kAsLegal : model::BesideNs::kDsAlone)) {
    return *std::move(conflict);
  }
  record.row = old.row;
  record.id = old.id;
  record.created_on = old.created_on;
  record.modified_on = now_;
  record.comment_modified_on = record.comment == old.comment ? old.comment_modified_on : now_;
  record.tags_modified_on = record.tags == old.tags ? old.tags_modified_on : now_;
  service_.store.update_record(record);
  return made;
}

std::optional<model::Refusal> Change::remove(const Record& record) {
  if (auto fault = presigned_fault(zone_)) return fault;
  service_.store.delete_record(record);
  return std::nullopt;
}

Outcome<Record> Change::find(const std::string& id) {
  return find_record(service_, zone_, id);
}

void Change::advance(std::optional<std::uint32_t> serial) {
  if (std::exchange(is_advanced_, true)) return;
  const bool is_given = serial && model::is_newer_serial(*serial, zone_.serial);
  zone_.serial = is_given ? *serial : model::next_serial(zone_, now_);
  zone_.dnssec.resigned = 0;
  zone_.modified_on = now_;
}

std::uint64_t Change::commit(std::optional<std::uint32_t> serial) {
  advance(serial);
  service_.store.update_zone(zone_);
  const std::uint64_t version = service_.store.take_version();
  transaction_.commit();
  return version;
}

Reply committed(Service& service, store::Transaction& transaction, Reply reply) {
  reply.version = service.store.taken_version().value_or(0);
  transaction.commit();
  return reply;
}

Outcome<model::Zone> find_zone(Service& service, const Request& request) {
  const auto id = model::Id::parse(request.parameters.at("zone"));
  auto zone = id ? service.store.zone_by_id(*id) : std::nullopt;
  if (zone) return *std::move(zone);
  return no_such_zone(request.parameters.at("zone"));
}

Outcome<Record> find_record(Service& service, const model::Zone& zone, const std::string& id_text) {
  const auto id = model::Id::parse(id_text);
  auto record = id ? service.store.record_by_id(zone, *id) : std::nullopt;
  if (record) return *std::move(record);
  return model::Refusal{404, model::kCodeRecordMissing, "Record does not exist.", {}};
}

}  // namespace brink::ctl::api
