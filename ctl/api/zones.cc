// /client/v4/zones: list, create, show, edit (see zone_edit.h), delete;
// /brink/v1/zones/:zone/activate.
#include "ctl/api/authorize.h"
#include "ctl/api/change.h"
#include "ctl/api/dns_settings.h"
#include "ctl/api/paging.h"
#include "ctl/api/plans.h"
#include "ctl/api/service.h"
#include "ctl/api/zone_edit.h"
#include "ctl/api/zone_json.h"
#include "ctl/model/certificate.h"
#include "ctl/store/activation.h"
#include "ctl/store/identities.h"

namespace brink::ctl::api {
namespace {

using model::Refusal;
using model::Zone;

constexpr std::uint64_t kZonesPerPage = 20;

Json name_list(const std::vector<model::DomainName>& names) {
  Json list = Json::array();
  for (const auto& name : names) list.push_back(name.text());
  return list;
}

// `name` may carry an operator: "contains:shop".
store::ZoneQuery::NameFilter name_filter(const std::string& text) {
  static constexpr std::pair<std::string_view, store::TextMatch> kOperators[] = {
      {"contains:", store::TextMatch::kContains},
      {"starts_with:", store::TextMatch::kStartsWith},
      {"ends_with:", store::TextMatch::kEndsWith},
      {"equal:", store::TextMatch::kExact},
      {"not_equal:", store::TextMatch::kNot},
      // Names have one case only.
      {"contains_case_sensitive:", store::TextMatch::kContains},
      {"starts_with_case_sensitive:", store::TextMatch::kStartsWith},
      {"ends_with_case_sensitive:", store::TextMatch::kEndsWith}};
  for (const auto& [prefix, match] : kOperators) {
    if (text.starts_with(prefix)) return {match, wanted_name(text.substr(prefix.size()))};
  }
  return {store::TextMatch::kExact, wanted_name(text)};
}

std::optional<Refusal> read_types(const std::string& text, std::vector<model::ZoneType>& types) {
  std::string_view rest = text;
  while (!rest.empty()) {
    const std::string_view part = rest.substr(0, rest.find(','));
    rest.remove_prefix(std::min(part.size() + 1, rest.size()));
    const auto type = model::zone_type_from_text(part);
    if (!type) return bad_parameter("type", text, "full, partial, secondary or internal");
    types.push_back(*type);
  }
  return std::nullopt;
}

std::optional<Refusal> read_order(const std::string& text, store::ZoneQuery& query) {
  using Order = store::ZoneQuery::Order;
  if (text == "name") {
    query.order = Order::kName;
  } else if (text == "status") {
    query.order = Order::kStatus;
  } else if (text != "account.id" && text != "account.name" && text != "plan.id") {
    return bad_parameter("order", text, "name, status, account.id, account.name or plan.id");
  }  // there is one account and one plan: nothing to order
  return std::nullopt;
}

model::Outcome<store::ZoneQuery> read_query(const Service& service, const Request& request) {
  store::ZoneQuery query;
  auto paging = read_paging(request, kZonesPerPage, service.settings.limits.zones_per_page_max);
  if (!paging) return paging.error();
  query.paging = paging.value();
  if (auto fault = read_direction(request, query.descending)) return *fault;
  if (auto fault = read_match(request, query.match_any)) return *fault;
  if (const auto* text = request.query_value("name")) query.name = name_filter(*text);
  if (const auto* text = request.query_value("status")) {
    query.status = model::zone_status_from_text(*text);
    if (!query.status) {
      return bad_parameter("status", *text, "initializing, pending, active or moved");
    }
  }
  if (const auto* text = request.query_value("type")) {
    if (auto fault = read_types(*text, query.types)) return *fault;
  }
  if (const auto* text = request.query_value("order")) {
    if (auto fault = read_order(*text, query)) return *fault;
  }
  return query;
}

// Narrows the query to what the caller may see and the account that it asks for. False: nothing.
bool narrow(Service& service, const Request& request, store::ZoneQuery& query) {
  const identity::Principal& principal = request.principal;
  constexpr auto kRead = identity::Permission::kZoneRead;
  if (!principal.is_operator()) {
    query.account = principal.account();
    if (!principal.allows_all_zones(kRead, principal.account())) {
      query.ids = principal.single_zones(kRead);
    }
  }
  store::Identities identities(service.store);
  const auto is_other = [&](const std::optional<model::Id>& account) {
    if (!account || (query.account && query.account != account)) return true;
    query.account = account;
    return false;
  };
  if (const auto* id = request.query_value("account.id")) {
    if (is_other(model::Id::parse(*id))) return false;
  }
  if (const auto* name = request.query_value("account.name")) {
    const auto account = identities.account_by_name(*name);
    if (is_other(account ? std::optional(account->id) : std::nullopt)) return false;
  }
  return true;
}

Reply list(Service& service, const Request& request) {
  auto query = read_query(service, request);
  if (!query) return refuse(query.error());
  store::Page<Zone> page;
  if (narrow(service, request, query.value())) page = service.store.list_zones(query.value());
  return page_of(page, query.value().paging,
                 [&](const Zone& zone) { return zone_json(service, zone); });
}

// The account that a new zone is for: the one that the body names, else the caller's own.
model::Outcome<model::Id> account_of_body(Service& service, const Request& request,
                                          const Json& body) {
  const identity::Principal& principal = request.principal;
  store::Identities identities(service.store);
  const bool has_own = principal.kind() != identity::Principal::Kind::kOperator;
  model::Id account = has_own ? principal.account() : identities.first_account();
  std::string text;
  FieldReader fields(body, Nulls::kRefused);
  if (const Json* object = fields.object("account")) {
    FieldReader members(*object, Nulls::kRefused, "account.");
    members.text("id", text);
    if (members.fault()) return *members.fault();
  }
  if (fields.fault()) return *fields.fault();
  if (!text.empty()) {
    const auto id = model::Id::parse(text);
    if (!id || !sees_account(service, principal, *id)) return no_such_account(text);
    account = *id;
  }
  if (principal.allows_all_zones(identity::Permission::kZoneEdit, account)) return account;
  return denied(identity::Permission::kZoneEdit);
}

Reply create(Service& service, const Request& request) {
  const auto body = parse_object(request.body);
  if (!body) return refuse(body.error());
  std::string name_text, type_text = "full";
  FieldReader fields(body.value(), Nulls::kRefused);
  fields.text("name", name_text);
  fields.text("type", type_text);
  bool jump_start = false;
  fields.flag("jump_start", jump_start);
  if (fields.fault()) return refuse(*fields.fault());
  if (type_text != "full") {
    return refuse({501,
                   kCodeNotProvided,
                   "Zones of type \"" + type_text + "\" are not provided yet; create a full one.",
                   {}});
  }
  auto name = model::zone_name(name_text);
  if (!name) return refuse(name.error());
  const auto account = account_of_body(service, request, body.value());
  if (!account) return refuse(account.error());

  Zone zone;
  zone.account = account.value();
  zone.id = model::Id::random(service.entropy);
  zone.name = std::move(name).value();
  store::Transaction transaction(service.store, store::Transaction::Kind::kWrite);
  if (service.store.zone_by_name(zone.name)) {
    return refuse({400, model::kCodeZoneExists, zone.name.text() + " already exists.", {}});
  }
  prepare_new_zone(service, zone);
  zone.created_on = zone.modified_on = service.clock();
  zone.serial = zone.created_on.yyyymmdd() * 100;
  service.store.insert_zone(zone);
  const std::uint64_t version = service.store.take_version();
  transaction.commit();
  Reply reply = answer(to_text(zone_json(service, zone)));
  if (jump_start) {
    reply.envelope.messages.push_back(
        {kCodeNotProvided, "jump_start: records of other providers are not looked for."});
  }
  reply.version = version;
  return reply;
}

Reply show(Service& service, const Request& request) {
  const auto zone = find_zone(service, request);
  if (!zone) return refuse(zone.error());
  return answer(to_text(zone_json(service, zone.value())));
}

Reply remove(Service& service, const Request& request) {
  const auto zone = find_zone(service, request);
  if (!zone) return refuse(zone.error());
  store::Transaction transaction(service.store, store::Transaction::Kind::kWrite);
  service.store.delete_zone(zone.value());
  const std::uint64_t version = service.store.take_version();
  transaction.commit();
  Reply reply = answer(to_text({{"id", zone.value().id.hex()}}));
  reply.version = version;
  return reply;
}

// The operator vouches for the delegation, and no check of the parent's NS records says otherwise.
Reply activate(Service& service, const Request& request) {
  auto zone = find_zone(service, request);
  if (!zone) return refuse(zone.error());
  Change change(service, std::move(zone).value());
  change.zone().status = model::ZoneStatus::kActive;
  if (!change.zone().activated_on) change.zone().activated_on = change.now();
  store::Activations activations(service.store);
  if (auto activation = activations.find(change.zone().id)) {
    activation->forced = true;
    activations.update(*activation);
  }
  const std::uint64_t version = change.commit();
  Reply reply = answer(to_text(zone_json(service, change.zone())));
  reply.version = version;
  return reply;
}

// What the caller may do with it.
Json permissions_json(const Service& service, const Zone& zone) {
  using enum identity::Permission;
  static constexpr std::pair<identity::Permission, const char*> kNames[] = {
      {kZoneRead, "#zone:read"},
      {kZoneEdit, "#zone:edit"},
      {kDnsRead, "#dns_records:read"},
      {kDnsEdit, "#dns_records:edit"}};
  Json list = Json::array();
  for (const auto& [permission, name] : kNames) {
    if (service.current == nullptr) break;
    const identity::Target target{zone.account, zone.id, std::nullopt};
    if (service.current->principal.allows(permission, target)) list.push_back(name);
  }
  return list;
}

}  // namespace

// `id` is the first member and the text compact: small clients find fields by pattern.
Json zone_json(Service& service, const Zone& zone) {
  Json json = {{"id", zone.id.hex()},
               {"name", zone.name.text()},
               {"status", model::to_text(zone.status)},
               {"paused", zone.paused},
               {"type", model::to_text(zone.type)},
               {"development_mode", 0},
               {"name_servers", name_list(service.settings.authority.servers_of(zone))},
               {"original_name_servers", nullptr},
               {"original_registrar", nullptr},
               {"original_dnshost", nullptr},
               {"created_on", zone.created_on.rfc3339()},
               {"modified_on", zone.modified_on.rfc3339()},
               {"activated_on", nullptr}};
  if (zone.activated_on) json["activated_on"] = zone.activated_on->rfc3339();
  json["meta"] = {{"step", 4},
                  {"custom_certificate_quota", model::kZoneCertificatesMax},
                  {"page_rule_quota", 0},
                  {"phishing_detected", false},
                  {"foundation_dns", zone.dns.foundation_dns},
                  {"dns_only", zone.dns.mode == model::ZoneMode::kDnsOnly},
                  {"cdn_only", zone.dns.mode == model::ZoneMode::kCdnOnly}};
  json["owner"] = {{"id", nullptr}, {"type", "organization"}, {"email", nullptr}};
  const auto account = store::Identities(service.store).account_by_id(zone.account);
  json["account"] = {{"id", zone.account.hex()}, {"name", account ? account->name : ""}};
  json["permissions"] = permissions_json(service, zone);
  json["tenant"] = {{"id", nullptr}, {"name", nullptr}};
  json["tenant_unit"] = {{"id", nullptr}};
  json["vanity_name_servers"] = name_list(zone.dns.vanity_servers);
  json["plan"] = plan_json();
  return json;
}

void add_zones(Router& router, Service& service) {
  router.add("GET", "/client/v4/zones", identity::Permission::kZoneRead, bound(service, list));
  router.add("POST", "/client/v4/zones", identity::Permission::kZoneEdit, bound(service, create));
  router.add("GET", "/client/v4/zones/:zone", identity::Permission::kZoneRead,
             bound(service, show));
  router.add("PATCH", "/client/v4/zones/:zone", identity::Permission::kZoneEdit,
             bound(service, edit_zone));
  router.add("DELETE", "/client/v4/zones/:zone", identity::Permission::kZoneEdit,
             bound(service, remove));
  router.add("POST", "/brink/v1/zones/:zone/activate", identity::Permission::kNodeEdit,
             bound(service, activate));
}

}  // namespace brink::ctl::api
