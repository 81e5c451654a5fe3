#include "ctl/api/audit.h"

#include <utility>

#include "ctl/api/record_json.h"
#include "ctl/store/audit_log.h"
#include "ctl/store/history.h"

namespace brink::ctl::api {
namespace {

using identity::Principal;

const char* actor_type(Principal::Kind kind) {
  switch (kind) {
    case Principal::Kind::kNobody:
      return "nobody";
    case Principal::Kind::kOperator:
      return "operator";
    case Principal::Kind::kUser:
      return "user";
    case Principal::Kind::kToken:
      return "token";
  }
  return "";
}

void fill_actor(const Request& request, store::AuditEntry& entry) {
  const Principal& principal = request.principal;
  const bool is_local = principal.kind() == Principal::Kind::kOperator;
  entry.actor_type = actor_type(principal.kind());
  entry.actor_id = is_local ? std::to_string(request.uid) : principal.id().hex();
  entry.actor_name = principal.name();
  entry.actor_email = principal.email();
  if (!request.trusted) entry.actor_ip = request.peer.text().view();
}

std::string text_or_none(const Json& json) {
  return json.is_null() ? std::string() : to_text(json);
}

const char* action_of(bool existed, bool exists) {
  if (!existed) return "create";
  return exists ? "update" : "delete";
}

Json zone_state(const std::optional<model::Zone>& zone) {
  if (!zone) return nullptr;
  Json json = {{"id", zone->id.hex()},
               {"name", zone->name.text()},
               {"account", {{"id", zone->account.hex()}}},
               {"status", model::to_text(zone->status)},
               {"type", model::to_text(zone->type)},
               {"paused", zone->paused},
               {"serial", zone->serial}};
  if (zone->soa) {
    json["soa"] = {{"ttl", zone->soa->ttl},
                   {"data", model::rdata_to_text(model::kTypeSoa, zone->soa->rdata)}};
  }
  if (const std::string dns = model::to_text(zone->dns); !dns.empty()) json["dns"] = dns;
  model::ZoneDnssec dnssec = zone->dnssec;
  dnssec.resigned = 0;  // counts serials
  if (const std::string text = model::to_text(dnssec); !text.empty()) json["dnssec"] = text;
  for (const auto& [name, setting] : zone->settings) {
    json["settings"][name] = Json::parse(setting.value);
  }
  return json;
}

// Every change of a record raises its zone's serial: that alone is no change of the zone.
bool is_worth_telling(const store::ZoneDifference& zone) {
  if (!zone.before || !zone.after) return true;
  Json before = zone_state(zone.before), after = zone_state(zone.after);
  before.erase("serial");
  after.erase("serial");
  return before != after;
}

Json record_state(const Service& service, const model::Zone& zone,
                  const std::optional<model::Record>& record) {
  if (!record) return nullptr;
  return record_json(service.settings.rules, zone, *record);
}

void audit_zones(Service& service, const store::OpenChanges& changes) {
  for (const store::ZoneDifference& zone : changes.zones) {
    if (!is_worth_telling(zone)) continue;
    const model::Zone& shown = zone.after ? *zone.after : *zone.before;
    audit(service, {.account = shown.account,
                    .action = action_of(zone.before.has_value(), zone.after.has_value()),
                    .resource_type = "zone",
                    .resource_id = shown.id.hex(),
                    .resource_name = shown.name.text(),
                    .before = zone_state(zone.before),
                    .after = zone_state(zone.after),
                    .zone = shown.name.text()});
  }
}

void audit_records(Service& service, const store::OpenChanges& changes) {
  for (const store::RecordDifference& record : changes.records) {
    const model::Record& shown = record.after ? *record.after : *record.before;
    audit(service, {.account = record.zone.account,
                    .action = action_of(record.before.has_value(), record.after.has_value()),
                    .resource_type = "dns_record",
                    .resource_id = shown.id.hex(),
                    .resource_name = shown.name.text() + " " + model::type_to_text(shown.type),
                    .before = record_state(service, record.zone, record.before),
                    .after = record_state(service, record.zone, record.after),
                    .zone = record.zone.name.text()});
  }
}

// Numbers instead of the records, a zone an entry.
void audit_summary(Service& service, const std::vector<store::ZoneSummary>& zones) {
  for (const store::ZoneSummary& summary : zones) {
    const auto zone = service.store.zone_by_name(summary.name);
    const bool existed = summary.action != store::ZoneAction::kCreated;
    audit(service, {.account = zone ? std::optional(zone->account) : std::nullopt,
                    .action = action_of(existed, zone.has_value()),
                    .resource_type = "dns_records",
                    .resource_id = zone ? zone->id.hex() : "",
                    .resource_name = summary.name.text(),
                    .after = {{"added", summary.added},
                              {"changed", summary.changed},
                              {"removed", summary.removed},
                              {"version", *service.store.taken_version()}},
                    .zone = summary.name.text()});
  }
}

}  // namespace

void audit(Service& service, const AuditNote& note) {
  CHECK(service.current != nullptr);
  store::AuditEntry entry;
  entry.id = model::Id::random(service.entropy);
  entry.created_on = service.clock();
  entry.account = note.account;
  fill_actor(*service.current, entry);
  entry.action = note.action;
  entry.resource_type = note.resource_type;
  entry.resource_id = note.resource_id;
  entry.resource_name = note.resource_name;
  entry.zone = note.zone;
  entry.version = service.store.taken_version().value_or(0);
  entry.before = text_or_none(note.before);
  entry.after = text_or_none(note.after);
  store::AuditLog(service.store).append(entry);
  service.audited = true;
}

void audit_changes(Service& service) {
  if (service.current == nullptr) return;
  const bool has_written = service.store.has_written();
  if (service.store.taken_version()) {
    store::History history(service.store);
    if (const auto changes = history.open_changes(kAuditedRecordsMax)) {
      audit_zones(service, *changes);
      audit_records(service, *changes);
    } else {
      audit_summary(service, history.summary_so_far());
    }
  }
  if (std::exchange(service.audited, false) || !has_written) return;
  const Request& request = *service.current;
  const bool has_account = !request.principal.is_operator();
  audit(service,
        {.account = has_account ? std::optional(request.principal.account()) : std::nullopt,
         .action = "update",
         .resource_type = "request",
         .resource_id = "",
         .resource_name = request.method + " " + request.path});
  service.audited = false;
}

}  // namespace brink::ctl::api
