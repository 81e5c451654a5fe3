// /client/v4/zones/:zone/settings: list, show, change one, change many.
#include "ctl/api/change.h"
#include "ctl/api/json_input.h"
#include "ctl/api/setting_rules.h"

namespace brink::ctl::api {
namespace {

using model::Outcome;
using model::Refusal;
using model::Zone;

constexpr char kFlatten[] = "cname_flattening";
constexpr char kIpv6[] = "ipv6";

// What is answered by the zone's names has its one place in ZoneDns.
Json value_of(const Zone& zone, const SettingRule& rule) {
  const std::string_view name = rule.name;
  if (name == kFlatten) return zone.dns.flatten_all_cnames ? "flatten_all" : "flatten_at_root";
  if (name == kIpv6) return zone.dns.ipv6 ? "on" : "off";
  const auto kept = zone.settings.find(rule.name);
  return Json::parse(kept == zone.settings.end() ? rule.initial : kept->second.value);
}

Json setting_json(const Zone& zone, const SettingRule& rule) {
  const auto kept = zone.settings.find(rule.name);
  Json json = {{"id", rule.name},
               {"value", value_of(zone, rule)},
               {"editable", rule.editable},
               {"modified_on", nullptr}};
  if (kept != zone.settings.end()) json["modified_on"] = kept->second.modified_on.rfc3339();
  if (std::string_view(rule.name) == "development_mode") json["time_remaining"] = 0;
  return json;
}

Refusal unknown(const std::string& name) {
  return {400, kCodeSettingUnknown, "There is no zone setting \"" + name + "\".", {}};
}

// `change` holds the new value, or `enabled` for a switch.
std::optional<Refusal> apply(Change& change, const SettingRule& rule, const Json& wanted) {
  bool enabled = false;
  FieldReader fields(wanted, Nulls::kRefused);
  fields.flag("enabled", enabled);
  if (fields.fault()) return fields.fault();
  Json value = nullptr;
  if (wanted.contains("value")) {
    value = wanted["value"];
  } else if (wanted.contains("enabled")) {
    value = enabled ? "on" : "off";
  } else {
    return Refusal{400,
                   kCodeBadBody,
                   std::string("Setting \"") + rule.name + "\" needs a field \"value\".",
                   {}};
  }
  if (!rule.editable) {
    return Refusal{400,
                   kCodeSettingFixed,
                   std::string("Zone setting \"") + rule.name + "\" cannot be changed.",
                   {}};
  }
  if (const std::string fault = setting_fault(rule, value); !fault.empty()) {
    return Refusal{400,
                   kCodeSettingValue,
                   std::string("Invalid value for zone setting ") + rule.name + ": " + fault + ".",
                   {}};
  }
  Zone& zone = change.zone();
  const std::string_view name = rule.name;
  if (name == kFlatten) zone.dns.flatten_all_cnames = value == "flatten_all";
  if (name == kIpv6) zone.dns.ipv6 = value == "on";
  zone.settings[rule.name] = {to_text(value), change.now()};
  return std::nullopt;
}

Reply list(Service& service, const Request& request) {
  const auto zone = find_zone(service, request);
  if (!zone) return refuse(zone.error());
  Json result = Json::array();
  for (const SettingRule& rule : setting_rules()) {
    result.push_back(setting_json(zone.value(), rule));
  }
  return answer(to_text(result));
}

Reply show(Service& service, const Request& request) {
  const auto zone = find_zone(service, request);
  if (!zone) return refuse(zone.error());
  const std::string& name = request.parameters.at("setting");
  const SettingRule* rule = setting_rule(name);
  return rule == nullptr ? refuse(unknown(name))
                         : answer(to_text(setting_json(zone.value(), *rule)));
}

Reply edit(Service& service, const Request& request) {
  const auto body = parse_object(request.body);
  if (!body) return refuse(body.error());
  auto zone = find_zone(service, request);
  if (!zone) return refuse(zone.error());
  const std::string& name = request.parameters.at("setting");
  const SettingRule* rule = setting_rule(name);
  if (rule == nullptr) return refuse(unknown(name));
  Change change(service, std::move(zone).value());
  if (auto fault = apply(change, *rule, body.value())) return refuse(*fault);
  const std::uint64_t version = change.commit();
  Reply reply = answer(to_text(setting_json(change.zone(), *rule)));
  reply.version = version;
  return reply;
}

Outcome<const SettingRule*> apply_item(Change& change, const Json& item) {
  if (!item.is_object() || !item.contains("id") || !item["id"].is_string()) {
    return Refusal{400, kCodeBadBody, "It must be an object with an id and a value.", {}};
  }
  const auto& name = item["id"].get_ref<const std::string&>();
  const SettingRule* rule = setting_rule(name);
  if (rule == nullptr) return unknown(name);
  if (auto fault = apply(change, *rule, item)) return *fault;
  return rule;
}

// All or nothing.
Reply edit_many(Service& service, const Request& request) {
  const auto body = parse_object(request.body);
  if (!body) return refuse(body.error());
  auto zone = find_zone(service, request);
  if (!zone) return refuse(zone.error());
  FieldReader fields(body.value());
  const Json* items = fields.array("items");
  if (fields.fault()) return refuse(*fields.fault());
  if (items == nullptr || items->empty()) {
    return refuse({400, kCodeBadBody, "Field \"items\" must be an array of settings.", {}});
  }
  Change change(service, std::move(zone).value());
  std::vector<const SettingRule*> changed;
  for (std::size_t i = 0; i < items->size(); ++i) {
    auto rule = apply_item(change, (*items)[i]);
    if (!rule) {
      Refusal refusal = rule.error();
      refusal.message = "items[" + std::to_string(i) + "]: " + refusal.message;
      return refuse(std::move(refusal));
    }
    changed.push_back(rule.value());
  }
  const std::uint64_t version = change.commit();
  Json result = Json::array();
  for (const SettingRule* rule : changed) result.push_back(setting_json(change.zone(), *rule));
  Reply reply = answer(to_text(result));
  reply.version = version;
  return reply;
}

}  // namespace

void add_zone_settings(Router& router, Service& service) {
  router.add("GET", "/client/v4/zones/:zone/settings", identity::Permission::kZoneSettingsRead,
             bound(service, list));
  router.add("PATCH", "/client/v4/zones/:zone/settings", identity::Permission::kZoneSettingsEdit,
             bound(service, edit_many));
  router.add("GET", "/client/v4/zones/:zone/settings/:setting",
             identity::Permission::kZoneSettingsRead, bound(service, show));
  router.add("PATCH", "/client/v4/zones/:zone/settings/:setting",
             identity::Permission::kZoneSettingsEdit, bound(service, edit));
}

}  // namespace brink::ctl::api
