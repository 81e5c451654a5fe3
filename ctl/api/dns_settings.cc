// /client/v4/zones/:zone/dns_settings and /client/v4/accounts/:account/dns_settings.
#include "ctl/api/dns_settings.h"

#include <algorithm>

#include "ctl/api/audit.h"
#include "ctl/api/authorize.h"
#include "ctl/api/change.h"
#include "ctl/api/presigned.h"

namespace brink::ctl::api {
namespace {

using model::Refusal;
using model::Zone;
using model::ZoneDns;

constexpr char kAssigned[] = "cloudflare.standard";

struct Flag {
  const char* name;
  bool ZoneDns::*member;
};
constexpr Flag kFlags[] = {{"flatten_all_cnames", &ZoneDns::flatten_all_cnames},
                           {"foundation_dns", &ZoneDns::foundation_dns},
                           {"multi_provider", &ZoneDns::multi_provider},
                           {"secondary_overrides", &ZoneDns::secondary_overrides}};

struct SoaNumber {
  const char* name;
  std::uint32_t model::SoaFields::*member;
  std::uint32_t min, max;  // seconds
};
constexpr SoaNumber kSoaNumbers[] = {{"refresh", &model::SoaFields::refresh, 600, 86'400},
                                     {"retry", &model::SoaFields::retry, 600, 86'400},
                                     {"expire", &model::SoaFields::expire, 86'400, 2'419'200},
                                     {"min_ttl", &model::SoaFields::minimum, 60, 86'400},
                                     {"ttl", &model::SoaFields::ttl, 300, 86'400}};
constexpr std::uint32_t kNsTtlMin = 30, kNsTtlMax = 86'400;

Refusal bad_field(const std::string& name, const std::string& expected) {
  return {400, kCodeBadBody, "Field \"" + name + "\" must be " + expected + ".", {}};
}

Refusal not_provided(const std::string& what) {
  return {501, kCodeNotProvided, what, {}};
}

std::optional<Refusal> read_number(const Json& json, const std::string& name, std::uint32_t min,
                                   std::uint32_t max, std::uint32_t& target) {
  const double value = json.is_number() ? json.get<double>() : -1;
  const auto whole = value >= 0 && value <= max ? static_cast<std::uint32_t>(value) : 0;
  if (value < min || static_cast<double>(whole) != value) {
    return bad_field(name,
                     "a whole number from " + std::to_string(min) + " to " + std::to_string(max));
  }
  target = whole;
  return std::nullopt;
}

// A mailbox may be written with "@" (RFC 1035 8).
std::optional<Refusal> read_name(const Json& json, const std::string& name,
                                 model::DomainName& target) {
  std::string text = json.is_string() ? json.get<std::string>() : "";
  if (const std::size_t at = text.find('@'); name == "soa.rname" && at != std::string::npos) {
    text[at] = '.';
  }
  auto parsed = model::DomainName::parse(model::to_ascii(text));
  if (!parsed || parsed.value().is_root()) return bad_field(name, "a domain name");
  target = std::move(parsed).value();
  return std::nullopt;
}

// What equals the defaults is not kept, so that the zone follows them.
std::optional<Refusal> apply_soa(const Settings& settings, const Json& soa, Zone& zone) {
  if (!soa.is_object()) return bad_field("soa", "an object");
  const model::SoaFields defaults = model::default_soa_fields(zone, settings.authority);
  model::SoaFields fields = zone.soa ? model::fields_of(*zone.soa) : defaults;
  for (const auto& item : soa.items()) {
    const std::string& name = item.key();
    const Json& value = item.value();
    const std::string path = "soa." + name;
    const auto number = std::find_if(std::begin(kSoaNumbers), std::end(kSoaNumbers),
                                     [&](const SoaNumber& each) { return name == each.name; });
    std::optional<Refusal> fault;
    if (number != std::end(kSoaNumbers)) {
      fault = read_number(value, path, number->min, number->max, fields.*number->member);
    } else if (name == "mname" && value.is_null()) {
      fields.master = defaults.master;
    } else if (name == "mname") {
      fault = read_name(value, path, fields.master);
    } else if (name == "rname") {
      fault = read_name(value, path, fields.mailbox);
    } else {
      fault = Refusal{400, kCodeBadBody, "There is no field \"" + path + "\".", {}};
    }
    if (fault) return fault;
  }
  zone.soa = fields == defaults ? std::nullopt : std::optional(model::soa_of(fields));
  return std::nullopt;
}

std::optional<Refusal> apply_name_servers(const Settings& settings, const Json& servers,
                                          Zone& zone) {
  if (!servers.is_object()) return bad_field("nameservers", "an object");
  if (const auto type = servers.find("type"); type != servers.end()) {
    if (!type->is_string()) return bad_field("nameservers.type", "a string");
    if (*type != kAssigned) {
      return not_provided("Name servers of type \"" + type->get<std::string>() +
                          "\" are not provided; set vanity_name_servers of the zone.");
    }
  }
  if (const auto set = servers.find("ns_set"); set != servers.end()) {
    std::uint32_t number = 0;
    const auto count = static_cast<std::uint32_t>(settings.authority.set_count());
    if (auto fault = read_number(*set, "nameservers.ns_set", 1, count, number)) return fault;
    zone.dns.name_server_set = number - 1;
  }
  return std::nullopt;
}

std::optional<Refusal> apply_member(const Settings& settings, const std::string& name,
                                    const Json& value, Zone& zone) {
  for (const Flag& flag : kFlags) {
    if (name != flag.name) continue;
    if (!value.is_boolean()) return bad_field(name, "true or false");
    zone.dns.*flag.member = value.get<bool>();
    return std::nullopt;
  }
  if (name == "zone_mode") {
    const auto mode =
        value.is_string() ? model::zone_mode_from_text(value.get<std::string>()) : std::nullopt;
    if (!mode) return bad_field(name, "standard, cdn_only or dns_only");
    zone.dns.mode = *mode;
    return std::nullopt;
  }
  if (name == "ns_ttl") {
    std::uint32_t ttl = 0;
    if (auto fault = read_number(value, name, kNsTtlMin, kNsTtlMax, ttl)) return fault;
    zone.dns.ns_ttl =
        ttl == settings.authority.ns_ttl ? std::nullopt : std::optional<std::uint32_t>(ttl);
    return std::nullopt;
  }
  if (name == "nameservers") return apply_name_servers(settings, value, zone);
  if (name == "soa") return apply_soa(settings, value, zone);
  if (name == "internal_dns") {
    const bool is_empty = value.is_object() && (!value.contains("reference_zone_id") ||
                                                value["reference_zone_id"].is_null());
    if (is_empty) return std::nullopt;
    if (!value.is_object()) return bad_field(name, "an object");
    return not_provided(
        "Internal zones are not provided: internal_dns.reference_zone_id cannot be set.");
  }
  return Refusal{400, kCodeBadBody, "There is no DNS setting \"" + name + "\".", {}};
}

Json soa_json(const Settings& settings, const Zone& zone) {
  const model::SoaFields defaults = model::default_soa_fields(zone, settings.authority);
  const model::SoaFields fields = zone.soa ? model::fields_of(*zone.soa) : defaults;
  Json soa = {{"mname", nullptr}, {"rname", fields.mailbox.text()}};
  if (fields.master != defaults.master) soa["mname"] = fields.master.text();
  for (const SoaNumber& number : kSoaNumbers) soa[number.name] = fields.*number.member;
  return soa;
}

Reply show(Service& service, const Request& request) {
  const auto zone = find_zone(service, request);
  if (!zone) return refuse(zone.error());
  return answer(to_text(dns_settings_json(service.settings, zone.value())));
}

Reply edit(Service& service, const Request& request) {
  const auto body = parse_object(request.body);
  if (!body) return refuse(body.error());
  auto zone = find_zone(service, request);
  if (!zone) return refuse(zone.error());
  if (body.value().contains("soa")) {
    if (auto fault = presigned_fault(zone.value())) return refuse(*fault);
  }
  Change change(service, std::move(zone).value());
  if (auto fault = apply_dns_settings(service.settings, body.value(), change.zone())) {
    return refuse(*fault);
  }
  const std::uint64_t version = change.commit();
  Reply reply = answer(to_text(dns_settings_json(service.settings, change.zone())));
  reply.version = version;
  return reply;
}

// Where the store keeps what an account's new zones start with, as JSON.
std::string defaults_key(const model::Id& account) {
  return "zone_defaults " + account.hex();
}

Json account_defaults(Service& service, const model::Id& account) {
  const auto kept = service.store.value(defaults_key(account));
  if (!kept) return Json::object();
  Json json = Json::parse(kept->begin(), kept->end(), nullptr, false);
  return json.is_object() ? json : Json::object();
}

// What a zone of no name of its own has with the account's defaults.
Json account_json(Service& service, const model::Id& account) {
  Zone zone;
  zone.name = model::DomainName::parse("zone.invalid").value();
  apply_dns_settings(service.settings, account_defaults(service, account), zone);
  Json defaults = dns_settings_json(service.settings, zone);
  if (!zone.soa) defaults["soa"]["rname"] = nullptr;  // each zone's own
  return {{"enforce_dns_only", service.store.enforces_dns_only(account)},
          {"zone_defaults", defaults}};
}

// Merges `changes` into the defaults, once they are known to be right.
std::optional<Refusal> change_defaults(Service& service, const model::Id& account,
                                       const Json& changes) {
  if (!changes.is_object()) return bad_field("zone_defaults", "an object");
  Zone trial;
  trial.name = model::DomainName::parse("zone.invalid").value();
  if (auto fault = apply_dns_settings(service.settings, changes, trial)) {
    fault->message = "zone_defaults: " + fault->message;
    return fault;
  }
  Json defaults = account_defaults(service, account);
  defaults.merge_patch(changes);
  const std::string text = to_text(defaults);
  service.store.set_value(defaults_key(account),
                          {reinterpret_cast<const std::uint8_t*>(text.data()), text.size()});
  return std::nullopt;
}

Reply show_account(Service& service, const Request& request) {
  return answer(to_text(account_json(service, account_of(request))));
}

Reply edit_account(Service& service, const Request& request) {
  const auto body = parse_object(request.body);
  if (!body) return refuse(body.error());
  const model::Id account = account_of(request);
  for (const auto& [name, value] : body.value().items()) {
    if (name == "enforce_dns_only" || name == "zone_defaults") continue;
    return refuse({400, kCodeBadBody, "There is no DNS setting \"" + name + "\".", {}});
  }
  store::Transaction transaction(service.store, store::Transaction::Kind::kWrite);
  const Json state_before = account_json(service, account);
  const bool before = service.store.enforces_dns_only(account);
  bool enforced = before;
  FieldReader fields(body.value(), Nulls::kRefused);
  fields.flag("enforce_dns_only", enforced);
  if (fields.fault()) return refuse(*fields.fault());
  if (body.value().contains("zone_defaults")) {
    if (auto fault = change_defaults(service, account, body.value()["zone_defaults"])) {
      return refuse(*fault);
    }
  }
  std::uint64_t version = 0;
  if (enforced != before) {
    version = service.store.take_version();
    service.store.enforce_dns_only(account, enforced, service.clock());
  }
  const Json state = account_json(service, account);
  audit(service,
        {account, "update", "account.dns_settings", account.hex(), "", state_before, state});
  transaction.commit();
  Reply reply = answer(to_text(state));
  reply.version = version;
  return reply;
}

// Which of `count` sets: spread by the zone's random id, and not the one it had.
std::uint32_t assigned_set(std::size_t count, std::uint8_t random,
                           std::optional<std::uint32_t> former) {
  const auto sets = static_cast<std::uint32_t>(count);
  return former ? (*former + 1) % sets : random % sets;
}

}  // namespace

Json dns_settings_json(const Settings& settings, const Zone& zone) {
  const ZoneDns& dns = zone.dns;
  return {
      {"flatten_all_cnames", dns.flatten_all_cnames},
      {"foundation_dns", dns.foundation_dns},
      {"internal_dns", {{"reference_zone_id", nullptr}}},
      {"multi_provider", dns.multi_provider},
      {"nameservers",
       {{"type", kAssigned}, {"ns_set", dns.name_server_set % settings.authority.set_count() + 1}}},
      {"ns_ttl", settings.authority.ns_ttl_of(zone)},
      {"secondary_overrides", dns.secondary_overrides},
      {"soa", soa_json(settings, zone)},
      {"zone_mode", model::to_text(dns.mode)}};
}

std::optional<Refusal> apply_dns_settings(const Settings& settings, const Json& body, Zone& zone) {
  for (const auto& [name, value] : body.items()) {
    if (auto fault = apply_member(settings, name, value, zone)) return fault;
  }
  return std::nullopt;
}

void prepare_new_zone(Service& service, Zone& zone) {
  const auto former = service.store.former_dns(zone.name);
  const auto former_set = [&](std::uint32_t ZoneDns::*member) {
    return former ? std::optional(*former.*member) : std::nullopt;
  };
  zone.dns.name_server_set = assigned_set(service.settings.authority.set_count(), zone.id.bytes[0],
                                          former_set(&ZoneDns::name_server_set));
  zone.dns.address_set = assigned_set(service.settings.address_set_count, zone.id.bytes[1],
                                      former_set(&ZoneDns::address_set));
  zone.dns.enforce_dns_only = service.store.enforces_dns_only(zone.account);
  // Limits may have been changed since: then the defaults do not count.
  Zone with_defaults = zone;
  if (!apply_dns_settings(service.settings, account_defaults(service, zone.account),
                          with_defaults)) {
    zone = std::move(with_defaults);
  }
}

void add_dns_settings(Router& router, Service& service) {
  router.add("GET", "/client/v4/zones/:zone/dns_settings", identity::Permission::kDnsRead,
             bound(service, show));
  router.add("PATCH", "/client/v4/zones/:zone/dns_settings", identity::Permission::kDnsEdit,
             bound(service, edit));
  router.add("GET", "/client/v4/accounts/:account/dns_settings",
             identity::Permission::kAccountSettingsRead, bound(service, show_account));
  router.add("PATCH", "/client/v4/accounts/:account/dns_settings",
             identity::Permission::kAccountSettingsEdit, bound(service, edit_account));
}

}  // namespace brink::ctl::api
