// /brink/v1/snapshot/{history,rollback}: what versions changed, and the way back to one.
#include "ctl/store/history.h"

#include "ctl/api/json_input.h"
#include "ctl/api/paging.h"
#include "ctl/api/service.h"

namespace brink::ctl::api {
namespace {

using model::DomainName;
using model::Outcome;
using model::Refusal;
using store::History;
using store::ZoneAction;
using store::ZoneSummary;

constexpr std::uint64_t kLimit = 20;
constexpr std::uint64_t kLimitMax = 1000;

const char* to_text(ZoneAction action) {
  switch (action) {
    case ZoneAction::kCreated:
      return "created";
    case ZoneAction::kChanged:
      return "changed";
    case ZoneAction::kDeleted:
      return "deleted";
  }
  return "";
}

Json zones_json(const std::vector<ZoneSummary>& zones) {
  Json list = Json::array();
  for (const ZoneSummary& zone : zones) {
    list.push_back({{"name", zone.name.text()},
                    {"action", to_text(zone.action)},
                    {"added", zone.added},
                    {"changed", zone.changed},
                    {"removed", zone.removed}});
  }
  return list;
}

Outcome<std::optional<DomainName>> read_zone(const std::string& text) {
  auto name = model::zone_name(wanted_name(text));
  if (!name) return name.error();
  return std::optional(std::move(name).value());
}

Reply history(Service& service, const Request& request) {
  std::uint64_t limit = kLimit;
  std::optional<std::uint64_t> before;
  if (const auto* text = request.query_value("limit")) {
    const auto number = to_number(*text);
    if (!number || *number == 0) return refuse(bad_parameter("limit", *text, "a number from 1"));
    limit = std::min(*number, kLimitMax);
  }
  if (const auto* text = request.query_value("before")) {
    before = to_number(*text);
    if (!before) return refuse(bad_parameter("before", *text, "a version"));
  }
  std::optional<DomainName> zone;
  if (const auto* text = request.query_value("zone")) {
    auto read = read_zone(*text);
    if (!read) return refuse(read.error());
    zone = std::move(read).value();
  }
  store::Transaction view(service.store, store::Transaction::Kind::kRead);
  History history(service.store);
  const auto versions = history.list(limit, before, zone);
  if (zone && versions.empty() && !before && !service.store.zone_by_name(*zone)) {
    return refuse({404,
                   kCodeNotInHistory,
                   "There is no zone " + zone->text() + ", and the history knows of none.",
                   {}});
  }
  Json list = Json::array();
  for (const auto& version : versions) {
    list.push_back({{"version", version.version},
                    {"created_on", version.created_on.rfc3339()},
                    {"zones", zones_json(version.zones)},
                    {"resolved", version.resolved},
                    {"resigned", version.resigned},
                    {"tables", version.tables}});
  }
  return answer(api::to_text(
      {{"newest", service.store.version()}, {"oldest", history.floor()}, {"versions", list}}));
}

struct Wanted {
  std::uint64_t version = 0;
  std::optional<DomainName> zone;
  bool dry_run = false;
};

Outcome<Wanted> read_wanted(const std::string& body) {
  const auto object = parse_object(body);
  if (!object) return object.error();
  Wanted wanted;
  std::string zone;
  // Without a zone it is about all of them: nobody gets there by a null.
  FieldReader fields(object.value(), Nulls::kRefused);
  fields.text("zone", zone);
  fields.flag("dry_run", wanted.dry_run);
  if (fields.fault()) return *fields.fault();
  const auto version = object.value().find("version");
  if (version == object.value().end() || !version->is_number_unsigned()) {
    return Refusal{
        400, kCodeBadBody, "\"version\" must be a number: the version to go back to.", {}};
  }
  wanted.version = version->get<std::uint64_t>();
  if (zone.empty()) return wanted;
  auto name = read_zone(zone);
  if (!name) return name.error();
  wanted.zone = std::move(name).value();
  return wanted;
}

// One transaction, which a dry run does not commit, nor one that changes nothing.
Reply rollback(Service& service, const Request& request) {
  const auto wanted = read_wanted(request.body);
  if (!wanted) return refuse(wanted.error());
  const auto& [to_version, zone, dry_run] = wanted.value();
  store::Transaction transaction(service.store, store::Transaction::Kind::kWrite);
  History history(service.store);
  const bool is_known = to_version >= history.floor() && to_version <= service.store.version();
  const auto version = history.roll_back(to_version, zone);
  if (!version) {
    return refuse({is_known ? 404 : 400, kCodeNotInHistory, version.error().message(), {}});
  }
  const auto zones = history.summary_so_far();
  const bool is_change = !zones.empty() && !dry_run;
  Reply reply = answer(api::to_text({{"to_version", to_version},
                                     {"version", is_change ? Json(version.value()) : Json(nullptr)},
                                     {"dry_run", dry_run},
                                     {"zones", zones_json(zones)}}));
  if (zones.empty()) {
    reply.envelope.messages.push_back(
        {kCodeNothingToDo, "Nothing differs from version " + std::to_string(to_version) + "."});
  }
  if (!is_change) return reply;
  transaction.commit();
  reply.version = version.value();
  return reply;
}

}  // namespace

void add_history(Router& router, Service& service) {
  router.add("GET", "/brink/v1/snapshot/history", identity::Permission::kNodeRead,
             bound(service, history));
  router.add("POST", "/brink/v1/snapshot/rollback", identity::Permission::kNodeEdit,
             bound(service, rollback));
}

}  // namespace brink::ctl::api
