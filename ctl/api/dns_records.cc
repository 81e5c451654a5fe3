// /client/v4/zones/:zone/dns_records: list, create, show, overwrite, edit, delete.
#include "ctl/api/change.h"
#include "ctl/api/record_json.h"
#include "ctl/api/record_query.h"
#include "ctl/api/record_shadow.h"
#include "ctl/api/service.h"

namespace brink::ctl::api {
namespace {

using model::Record;

Reply list(Service& service, const Request& request) {
  const auto zone = find_zone(service, request);
  if (!zone) return refuse(zone.error());
  const auto listing = read_record_listing(request, service.settings.limits.records_per_page_max);
  if (!listing) return refuse(listing.error());
  const store::RecordQuery& query = listing.value().query;
  const auto page = service.store.list_records(zone.value(), query);
  Shadows shadows(service.store, zone.value());
  const bool with_shadows = listing.value().shadow_metadata && page.items.size() <= kShadowPageMax;
  // Put together record by record: a page may hold 50,000.
  std::string text = "[";
  for (const Record& record : page.items) {
    if (text.size() > 1) text += ',';
    Json json = record_json(service.settings.rules, zone.value(), record);
    if (with_shadows) json["meta"] = shadows.meta(record);
    text += to_text(json);
  }
  Reply reply = answer(text + "]");
  reply.envelope.info = {query.paging.page, query.paging.per_page, page.items.size(), page.total};
  return reply;
}

Reply show(Service& service, const Request& request) {
  const auto zone = find_zone(service, request);
  if (!zone) return refuse(zone.error());
  const auto record = find_record(service, zone.value(), request.parameters.at("record"));
  if (!record) return refuse(record.error());
  const auto with_shadows = wants_shadow_metadata(request);
  if (!with_shadows) return refuse(with_shadows.error());
  Json json = record_json(service.settings.rules, zone.value(), record.value());
  if (with_shadows.value()) {
    json["meta"] = Shadows(service.store, zone.value()).meta(record.value());
  }
  return answer(to_text(json));
}

Reply changed(Service& service, Change& change, const Record& record) {
  const std::uint64_t version = change.commit();
  Reply reply = answer(to_text(record_json(service.settings.rules, change.zone(), record)));
  reply.version = version;
  return reply;
}

Reply create(Service& service, const Request& request) {
  const auto body = parse_object(request.body);
  if (!body) return refuse(body.error());
  auto zone = find_zone(service, request);
  if (!zone) return refuse(zone.error());
  model::RecordDraft draft;
  if (auto fault = read_draft(body.value(), draft)) return refuse(*fault);
  Change change(service, std::move(zone).value());
  const auto record = change.create(draft);
  if (!record) return refuse(record.error());
  return changed(service, change, record.value());
}

// PUT starts from nothing, PATCH from what is there.
Reply replace(Service& service, const Request& request) {
  const auto body = parse_object(request.body);
  if (!body) return refuse(body.error());
  auto zone = find_zone(service, request);
  if (!zone) return refuse(zone.error());
  Change change(service, std::move(zone).value());
  const auto old = change.find(request.parameters.at("record"));
  if (!old) return refuse(old.error());
  model::RecordDraft draft;
  if (request.method == "PATCH") draft = model::draft_of(old.value());
  if (auto fault = read_draft(body.value(), draft)) return refuse(*fault);
  const auto record = change.replace(old.value(), draft);
  if (!record) return refuse(record.error());
  return changed(service, change, record.value());
}

Reply remove(Service& service, const Request& request) {
  auto zone = find_zone(service, request);
  if (!zone) return refuse(zone.error());
  Change change(service, std::move(zone).value());
  const auto record = change.find(request.parameters.at("record"));
  if (!record) return refuse(record.error());
  if (auto fault = change.remove(record.value())) return refuse(*fault);
  const std::uint64_t version = change.commit();
  Reply reply = answer(to_text({{"id", record.value().id.hex()}}));
  reply.version = version;
  return reply;
}

}  // namespace

void add_dns_records(Router& router, Service& service) {
  router.add("GET", "/client/v4/zones/:zone/dns_records", identity::Permission::kDnsRead,
             bound(service, list));
  router.add("POST", "/client/v4/zones/:zone/dns_records", identity::Permission::kDnsEdit,
             bound(service, create));
  router.add("GET", "/client/v4/zones/:zone/dns_records/:record", identity::Permission::kDnsRead,
             bound(service, show));
  router.add("PUT", "/client/v4/zones/:zone/dns_records/:record", identity::Permission::kDnsEdit,
             bound(service, replace));
  router.add("PATCH", "/client/v4/zones/:zone/dns_records/:record", identity::Permission::kDnsEdit,
             bound(service, replace));
  router.add("DELETE", "/client/v4/zones/:zone/dns_records/:record", identity::Permission::kDnsEdit,
             bound(service, remove));
}

}  // namespace brink::ctl::api
