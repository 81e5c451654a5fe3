// /client/v4/zones/:zone/dns_records/batch: deletes, patches, puts, posts, in this order and each
// list in its own, as one transaction. The first error undoes everything. With `if_serial` it is
// done only while the zone still has that serial, or later ones came by signing it anew alone.
#include "ctl/api/change.h"
#include "ctl/api/record_json.h"
#include "ctl/api/record_query.h"
#include "ctl/api/record_shadow.h"
#include "ctl/api/service.h"

namespace brink::ctl::api {
namespace {

using model::Outcome;
using model::Record;
using model::Refusal;

constexpr const char* kLists[] = {"deletes", "patches", "puts", "posts"};

Outcome<Record> apply(Change& change, const std::string& list, const Json& operation) {
  if (!operation.is_object()) {
    return Refusal{400, kCodeBadBody, "An operation must be an object.", {}};
  }
  if (list == "posts") {
    model::RecordDraft draft;
    if (auto fault = read_draft(operation, draft)) return *fault;
    return change.create(draft);
  }
  std::string id;
  FieldReader fields(operation, Nulls::kRefused);
  fields.text("id", id);
  if (fields.fault()) return *fields.fault();
  if (id.empty()) return Refusal{400, kCodeBadBody, "Field \"id\" is needed: which record?", {}};
  auto old = change.find(id);
  if (!old) return old;
  if (list == "deletes") {
    if (auto fault = change.remove(old.value())) return *std::move(fault);
    return old;
  }
  model::RecordDraft draft;
  if (list == "patches") draft = model::draft_of(old.value());
  if (auto fault = read_draft(operation, draft)) return *fault;
  return change.replace(old.value(), draft);
}

Refusal at(const std::string& list, std::size_t index, Refusal refusal) {
  refusal.message = list + "[" + std::to_string(index) + "]: " + refusal.message;
  return refusal;
}

Reply run(Service& service, const Request& request) {
  const auto body = parse_object(request.body);
  if (!body) return refuse(body.error());
  auto zone = find_zone(service, request);
  if (!zone) return refuse(zone.error());
  FieldReader fields(body.value(), Nulls::kRefused);
  std::size_t operations = 0;
  for (const char* list : kLists) {
    const Json* array = fields.array(list);
    operations += array == nullptr ? 0 : array->size();
  }
  const std::uint32_t serial = zone.value().serial;
  std::uint32_t wanted_serial = serial;
  fields.number("if_serial", ~std::uint32_t{0}, wanted_serial);
  if (fields.fault()) return refuse(*fields.fault());
  if (serial - wanted_serial > zone.value().dnssec.resigned) {  // modulo 2^32, like all serials
    return refuse({409,
                   kCodeZoneChanged,
                   "The zone has changed: its serial is " + std::to_string(serial) + ", not " +
                       std::to_string(wanted_serial) + ".",
                   {}});
  }
  if (operations == 0 || operations > service.settings.limits.batch_max) {
    return refuse({400,
                   kCodeBadBody,
                   "A batch holds 1 to " + std::to_string(service.settings.limits.batch_max) +
                       " operations, not " + std::to_string(operations) + ".",
                   {}});
  }

  const auto with_shadows = wants_shadow_metadata(request);
  if (!with_shadows) return refuse(with_shadows.error());

  Change change(service, std::move(zone).value());
  Json result = Json::object();
  for (const char* list : kLists) {
    result[list] = Json::array();
    const Json* array = fields.array(list);
    if (array == nullptr) continue;
    for (std::size_t i = 0; i < array->size(); ++i) {
      const auto record = apply(change, list, (*array)[i]);
      if (!record) return refuse(at(list, i, record.error()));
      result[list].push_back(record_json(service.settings.rules, change.zone(), record.value()));
    }
  }
  if (with_shadows.value() && operations <= kShadowPageMax) {
    Shadows shadows(service.store, change.zone());
    for (const char* list : {"patches", "puts", "posts"}) {
      for (Json& json : result[list]) {
        const auto record = change.find(json["id"].get<std::string>());
        if (record) json["meta"] = shadows.meta(record.value());
      }
    }
  }
  const std::uint64_t version = change.commit();
  Reply reply = answer(to_text(result));
  reply.version = version;
  return reply;
}

}  // namespace

void add_batch(Router& router, Service& service) {
  router.add("POST", "/client/v4/zones/:zone/dns_records/batch", identity::Permission::kDnsEdit,
             [&service](const Request& request) { return run(service, request); });
}

}  // namespace brink::ctl::api
