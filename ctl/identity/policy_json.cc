#include "ctl/identity/policy_json.h"

namespace brink::ctl::identity {
namespace {

using model::Outcome;
using model::Refusal;
using Kind = Resource::Kind;

constexpr std::string_view kZonePrefix = "com.cloudflare.api.account.zone.";
constexpr std::string_view kAccountPrefix = "com.cloudflare.api.account.";
constexpr std::string_view kUserPrefix = "com.cloudflare.api.user.";
constexpr std::string_view kAllZones = "com.cloudflare.api.account.zone.*";
constexpr std::string_view kNode = "brink.node";

Refusal invalid(const std::string& message) {
  return {400, kCodePolicyInvalid, message, {}};
}

std::string name_of(const Resource& resource) {
  switch (resource.kind) {
    case Kind::kNode:
      return std::string(kNode);
    case Kind::kUser:
      return std::string(kUserPrefix) + resource.id.hex();
    case Kind::kAllAccounts:
      return std::string(kAccountPrefix) + "*";
    case Kind::kAccount:
      return std::string(kAccountPrefix) + resource.id.hex();
    case Kind::kAllZones:
      return std::string(kAllZones);
    case Kind::kZone:
      return std::string(kZonePrefix) + resource.id.hex();
  }
  return {};
}

std::optional<Resource> with_id(Kind kind, std::string_view id_text) {
  const auto id = model::Id::parse(id_text);
  if (!id) return std::nullopt;
  return Resource{kind, *id};
}

std::optional<Resource> resource_of(std::string_view name) {
  if (name == kNode) return Resource{Kind::kNode, {}};
  if (name == kAllZones) return Resource{Kind::kAllZones, {}};
  if (name.starts_with(kZonePrefix)) return with_id(Kind::kZone, name.substr(kZonePrefix.size()));
  if (name.starts_with(kUserPrefix)) return with_id(Kind::kUser, name.substr(kUserPrefix.size()));
  if (!name.starts_with(kAccountPrefix)) return std::nullopt;
  name.remove_prefix(kAccountPrefix.size());
  if (name == "*") return Resource{Kind::kAllAccounts, {}};
  return with_id(Kind::kAccount, name);
}

// An account with an object below it means what that object names, within the account.
Outcome<std::vector<Resource>> nested_resources(const std::string& name, const Json& below) {
  std::vector<Resource> resources;
  for (const auto& [inner, value] : below.items()) {
    const auto resource = resource_of(inner);
    const bool is_zone =
        resource && (resource->kind == Kind::kZone || resource->kind == Kind::kAllZones);
    if (!is_zone || value != "*") {
      return invalid("Resource \"" + name + "\" may hold zones only, not \"" + inner + "\".");
    }
    resources.push_back(*resource);
  }
  return resources;
}

std::optional<Refusal> read_resources(const Json& json, Policy& policy) {
  if (!json.is_object() || json.empty() || json.size() > kResourcesMax) {
    return invalid("A policy's \"resources\" must be an object with 1 to " +
                   std::to_string(kResourcesMax) + " members.");
  }
  for (const auto& [name, value] : json.items()) {
    const auto resource = resource_of(name);
    if (!resource) return invalid("There is no kind of resource \"" + name + "\".");
    const bool is_account =
        resource->kind == Kind::kAccount || resource->kind == Kind::kAllAccounts;
    if (is_account && value.is_object()) {
      const auto below = nested_resources(name, value);
      if (!below) return below.error();
      policy.resources.insert(policy.resources.end(), below.value().begin(), below.value().end());
    } else if (value == "*") {
      policy.resources.push_back(*resource);
    } else {
      return invalid("Resource \"" + name + "\" must be \"*\".");
    }
  }
  return std::nullopt;
}

// Takes a member that must be a text; none and null leave the target alone.
std::optional<Refusal> read_text(const Json& json, const char* name, std::string& target) {
  const auto found = json.find(name);
  if (found == json.end() || found->is_null()) return std::nullopt;
  if (!found->is_string()) return invalid("\"" + std::string(name) + "\" must be a string.");
  target = found->get<std::string>();
  return std::nullopt;
}

Refusal at(const std::string& list, std::size_t index, Refusal refusal) {
  refusal.message = list + "[" + std::to_string(index) + "]: " + refusal.message;
  return refusal;
}

Outcome<const PermissionGroup*> group_from_json(const Json& json) {
  if (!json.is_object()) return invalid("A permission group must be an object.");
  std::string id, name;
  if (auto fault = read_text(json, "id", id)) return *fault;
  if (auto fault = read_text(json, "name", name)) return *fault;
  const PermissionGroup* group = id.empty() ? group_by_name(name) : group_by_id(id);
  if (group != nullptr) return group;
  return invalid("There is no permission group \"" + (id.empty() ? name : id) +
                 "\"; GET /user/tokens/permission_groups lists them.");
}

std::optional<Refusal> read_groups(const Json& json, Policy& policy) {
  if (!json.is_array() || json.empty()) {
    return invalid("A policy's \"permission_groups\" must be an array that is not empty.");
  }
  for (std::size_t i = 0; i < json.size(); ++i) {
    const auto group = group_from_json(json[i]);
    if (!group) return at("permission_groups", i, group.error());
    policy.permissions.set(static_cast<std::size_t>(group.value()->permission));
  }
  return std::nullopt;
}

Outcome<Policy> policy_from_json(const Json& json, const model::Entropy& entropy) {
  if (!json.is_object()) return invalid("A policy must be an object.");
  std::string effect, id_text;
  if (auto fault = read_text(json, "effect", effect)) return *fault;
  if (auto fault = read_text(json, "id", id_text)) return *fault;
  if (effect != "allow") {
    return invalid("A policy's \"effect\" must be \"allow\", not \"" + effect +
                   "\": what no policy allows is denied.");
  }
  Policy policy;
  const auto id = model::Id::parse(id_text);
  policy.id = id ? *id : model::Id::random(entropy);
  const auto groups = json.find("permission_groups"), resources = json.find("resources");
  if (groups == json.end() || resources == json.end()) {
    return invalid("A policy needs \"permission_groups\" and \"resources\".");
  }
  if (auto fault = read_groups(*groups, policy)) return *fault;
  if (auto fault = read_resources(*resources, policy)) return *fault;
  return policy;
}

Json texts_of(const std::vector<Network>& networks) {
  Json list = Json::array();
  for (const Network& network : networks) list.push_back(network.text());
  return list;
}

// `condition`: what the object is called.
std::optional<Refusal> read_networks(const Json& object, const std::string& condition,
                                     const char* name, std::vector<Network>& networks) {
  const std::string place = "\"condition." + condition + "." + name + "\"";
  const auto found = object.find(name);
  if (found == object.end() || found->is_null()) return std::nullopt;
  if (!found->is_array() || found->size() > kNetworksMax) {
    return invalid(place + " must be an array of at most " + std::to_string(kNetworksMax) +
                   " networks.");
  }
  for (const Json& item : *found) {
    const auto network =
        item.is_string() ? Network::parse(item.get_ref<const std::string&>()) : std::nullopt;
    if (!network) {
      return invalid(place + " has " + item.dump(-1, ' ', false, Json::error_handler_t::replace) +
                     ", which is not a network such as 192.0.2.0/24.");
    }
    networks.push_back(*network);
  }
  return std::nullopt;
}

}  // namespace

Json to_json(const std::vector<Policy>& policies) {
  Json list = Json::array();
  for (const Policy& policy : policies) {
    Json groups = Json::array(), resources = Json::object();
    for (const PermissionGroup& group : permission_groups()) {
      if (!policy.permissions.test(static_cast<std::size_t>(group.permission))) continue;
      groups.push_back({{"id", group.id}, {"name", group.name}});
    }
    for (const Resource& resource : policy.resources) resources[name_of(resource)] = "*";
    list.push_back({{"id", policy.id.hex()},
                    {"effect", "allow"},
                    {"resources", resources},
                    {"permission_groups", groups}});
  }
  return list;
}

Outcome<std::vector<Policy>> policies_from_json(const Json& json, const model::Entropy& entropy) {
  if (!json.is_array() || json.empty() || json.size() > kPoliciesMax) {
    return invalid("\"policies\" must be an array of 1 to " + std::to_string(kPoliciesMax) +
                   " policies.");
  }
  std::vector<Policy> policies;
  for (std::size_t i = 0; i < json.size(); ++i) {
    auto policy = policy_from_json(json[i], entropy);
    if (!policy) return at("policies", i, policy.error());
    policies.push_back(std::move(policy).value());
  }
  return policies;
}

Json to_json(const ClientCondition& condition) {
  if (condition.in.empty() && condition.not_in.empty()) return Json::object();
  Json request_ip = Json::object();
  if (!condition.in.empty()) request_ip["in"] = texts_of(condition.in);
  if (!condition.not_in.empty()) request_ip["not_in"] = texts_of(condition.not_in);
  return {{"request_ip", request_ip}};
}

Outcome<ClientCondition> condition_from_json(const Json& json) {
  ClientCondition condition;
  if (json.is_null()) return condition;
  if (!json.is_object()) return invalid("\"condition\" must be an object.");
  for (const auto& [name, value] : json.items()) {
    if (name != "request_ip" && name != "request.ip") {
      return invalid("There is no condition \"" + name + "\"; only \"request_ip\" is known.");
    }
    if (!value.is_object()) return invalid("\"condition." + name + "\" must be an object.");
    if (auto fault = read_networks(value, name, "in", condition.in)) return *fault;
    if (auto fault = read_networks(value, name, "not_in", condition.not_in)) return *fault;
  }
  return condition;
}

}  // namespace brink::ctl::identity
