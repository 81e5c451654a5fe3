#include "ctl/api/zone_edit.h"

#include "ctl/api/change.h"
#include "ctl/api/plans.h"
#include "ctl/api/zone_json.h"

namespace brink::ctl::api {
namespace {

using model::Refusal;
using model::Zone;

constexpr const char* kMembers[] = {"paused", "type", "vanity_name_servers", "plan"};
constexpr std::size_t kVanityServersMax = 10;

Refusal bad_body(const std::string& what) {
  return {400, kCodeBadBody, what, {}};
}

std::optional<Refusal> set_type(const Json& value, const Zone& zone) {
  const auto type =
      value.is_string() ? model::zone_type_from_text(value.get<std::string>()) : std::nullopt;
  if (!type) return bad_body("Field \"type\" must be full, partial, secondary or internal.");
  if (*type == zone.type) return std::nullopt;
  return Refusal{501,
                 kCodeNotProvided,
                 "Zones of type \"" + value.get<std::string>() + "\" are not provided yet.",
                 {}};
}

std::optional<Refusal> set_plan(const Json& value) {
  if (!value.is_object() || !value.contains("id") || !value["id"].is_string()) {
    return bad_body("Field \"plan\" must be an object with an id.");
  }
  if (value["id"] == kPlanId) return std::nullopt;
  return Refusal{501,
                 kCodeNotProvided,
                 "There is no plan \"" + value["id"].get<std::string>() + "\"; the one plan is \"" +
                     kPlanId + "\".",
                 {}};
}

// An empty list takes them away.
std::optional<Refusal> set_vanity_servers(const Json& value, Zone& zone) {
  if (!value.is_array() || value.size() > kVanityServersMax) {
    return bad_body("Field \"vanity_name_servers\" must be an array of at most " +
                    std::to_string(kVanityServersMax) + " host names.");
  }
  std::vector<model::DomainName> servers;
  for (const Json& item : value) {
    auto name = model::zone_name(item.is_string() ? item.get<std::string>() : "");
    if (!name) {
      return bad_body("Field \"vanity_name_servers\" must be an array of host names: " +
                      name.error().message);
    }
    servers.push_back(std::move(name).value());
  }
  zone.dns.vanity_servers = std::move(servers);
  return std::nullopt;
}

std::optional<Refusal> apply(const std::string& name, const Json& value, Zone& zone) {
  if (name == "type") return set_type(value, zone);
  if (name == "plan") return set_plan(value);
  if (name == "vanity_name_servers") return set_vanity_servers(value, zone);
  if (!value.is_boolean()) return bad_body("Field \"paused\" must be true or false.");
  zone.paused = value.get<bool>();
  return std::nullopt;
}

}  // namespace

Reply edit_zone(Service& service, const Request& request) {
  const auto body = parse_object(request.body);
  if (!body) return refuse(body.error());
  auto zone = find_zone(service, request);
  if (!zone) return refuse(zone.error());
  std::string member;
  for (const char* name : kMembers) {
    if (!body.value().contains(name)) continue;
    if (!member.empty()) {
      return refuse(bad_body("Only one of \"" + member + "\" and \"" + name +
                             "\" can be changed at a time."));
    }
    member = name;
  }
  if (member.empty()) {
    return refuse(
        bad_body("The body must have one of paused, type, vanity_name_servers and plan."));
  }
  Change change(service, std::move(zone).value());
  if (auto fault = apply(member, body.value()[member], change.zone())) return refuse(*fault);
  const bool is_change = member == "paused" || member == "vanity_name_servers";
  const std::uint64_t version = is_change ? change.commit() : 0;
  Reply reply = answer(to_text(zone_json(service, change.zone())));
  reply.version = version;
  return reply;
}

}  // namespace brink::ctl::api
