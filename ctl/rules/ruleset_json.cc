#include "ctl/rules/ruleset_json.h"

#include <algorithm>
#include <charconv>

namespace brink::ctl::rules {
namespace {

using model::Outcome;
using model::Refusal;
using Operation = HeaderChange::Operation;
using Fault = std::optional<Refusal>;

constexpr const char* kOperations[] = {"set", "add", "remove"};

const char* action_of(Phase phase) {
  return phase == Phase::kFirewallCustom ? "block" : "rewrite";
}

// Absent and null members leave the target alone.
Fault read_text(const Json& object, const char* name, std::string& target) {
  const auto found = object.find(name);
  if (found == object.end() || found->is_null()) return std::nullopt;
  if (!found->is_string()) return invalid_rule("\"" + std::string(name) + "\" must be a string.");
  target = found->get<std::string>();
  return std::nullopt;
}

Fault only_members(const Json& object, std::initializer_list<std::string_view> known,
                   const std::string& of) {
  for (const auto& [name, value] : object.items()) {
    if (value.is_null() || std::find(known.begin(), known.end(), name) != known.end()) continue;
    return invalid_rule("\"" + name + "\" is not supported in " + of + ".");
  }
  return std::nullopt;
}

Fault read_operation(const std::string& text, HeaderChange& change) {
  for (std::size_t i = 0; i < std::size(kOperations); ++i) {
    if (text != kOperations[i]) continue;
    change.operation = static_cast<Operation>(i);
    return std::nullopt;
  }
  return invalid_rule("The operation on header \"" + change.name +
                      "\" must be set, add or remove.");
}

Fault read_header(const std::string& name, const Json& json, HeaderChange& change) {
  change.name = name;
  if (!json.is_object()) return invalid_rule("Header \"" + name + "\" must be an object.");
  std::string operation, expression;
  if (auto fault = only_members(json, {"operation", "value", "expression"}, "a header"))
    return fault;
  if (auto fault = read_text(json, "operation", operation)) return fault;
  if (auto fault = read_operation(operation, change)) return fault;
  if (auto fault = read_text(json, "value", change.value)) return fault;
  if (auto fault = read_text(json, "expression", expression)) return fault;
  const bool has_both = !change.value.empty() && !expression.empty();
  const bool has_any = !change.value.empty() || !expression.empty();
  if (has_both || has_any == (change.operation == Operation::kRemove)) {
    return invalid_rule("Header \"" + name +
                        "\": set and add take either a value or an expression, "
                        "remove takes neither.");
  }
  change.is_expression = !expression.empty();
  if (change.is_expression) change.value = expression;
  return std::nullopt;
}

Fault read_rewrite(const Json& parameters, Rule& rule) {
  if (auto fault = only_members(parameters, {"headers"}, "a rewrite here")) return fault;
  const auto headers = parameters.find("headers");
  if (headers == parameters.end() || !headers->is_object()) {
    return invalid_rule("A rewrite needs action_parameters.headers, an object.");
  }
  for (const auto& [name, json] : headers->items()) {
    if (auto fault = read_header(name, json, rule.headers.emplace_back())) return fault;
  }
  return std::nullopt;
}

Fault read_block(const Json& parameters, Rule& rule) {
  if (auto fault = only_members(parameters, {"response"}, "a block")) return fault;
  const auto found = parameters.find("response");
  if (found == parameters.end() || found->is_null()) return std::nullopt;
  if (!found->is_object()) return invalid_rule("action_parameters.response must be an object.");
  if (auto fault = only_members(*found, {"status_code", "content_type", "content"}, "a response")) {
    return fault;
  }
  BlockResponse response;
  if (auto fault = read_text(*found, "content_type", response.content_type)) return fault;
  if (auto fault = read_text(*found, "content", response.content)) return fault;
  if (const auto status = found->find("status_code"); status != found->end()) {
    const bool is_small = status->is_number_integer() && *status >= 0 && *status <= 999;
    if (!is_small) return invalid_rule("response.status_code must be a number.");
    response.status_code = status->get<std::uint32_t>();
  }
  rule.response = std::move(response);
  return std::nullopt;
}

Fault read_action(const Json& json, Phase phase, Rule& rule) {
  std::string action;
  if (auto fault = read_text(json, "action", action)) return fault;
  if (action != action_of(phase)) {
    return invalid_rule("The action in phase " + std::string(to_text(phase)) + " is \"" +
                        action_of(phase) + "\", not \"" + action + "\".");
  }
  static const Json kNone = Json::object();
  const auto found = json.find("action_parameters");
  const bool has_none = found == json.end() || found->is_null();
  if (!has_none && !found->is_object()) return invalid_rule("action_parameters must be an object.");
  const Json& parameters = has_none ? kNone : *found;
  return phase == Phase::kFirewallCustom ? read_block(parameters, rule)
                                         : read_rewrite(parameters, rule);
}

Fault read_rule(const Json& json, Phase phase, Rule& rule) {
  if (!json.is_object()) return invalid_rule("A rule must be an object.");
  if (auto fault =
          only_members(json,
                       {"id", "version", "last_updated", "ref", "description", "enabled",
                        "expression", "action", "action_parameters", "position", "categories"},
                       "a rule")) {
    return fault;
  }
  std::string id;
  if (auto fault = read_text(json, "id", id)) return fault;
  if (!id.empty()) {
    const auto parsed = model::Id::parse(id);
    if (!parsed) return invalid_rule("The id of a rule has 32 hex digits.");
    rule.id = *parsed;
  }
  if (auto fault = read_text(json, "ref", rule.ref)) return fault;
  if (auto fault = read_text(json, "description", rule.description)) return fault;
  if (auto fault = read_text(json, "expression", rule.expression)) return fault;
  if (const auto enabled = json.find("enabled"); enabled != json.end() && !enabled->is_null()) {
    if (!enabled->is_boolean()) return invalid_rule("\"enabled\" must be true or false.");
    rule.enabled = enabled->get<bool>();
  }
  if (auto fault = read_action(json, phase, rule)) return fault;
  return fault_of(rule, phase);
}

Json parameters_json(const Rule& rule, Phase phase) {
  Json parameters = Json::object();
  if (phase == Phase::kFirewallCustom) {
    if (rule.response) {
      parameters["response"] = {{"status_code", rule.response->status_code},
                                {"content_type", rule.response->content_type},
                                {"content", rule.response->content}};
    }
    return parameters;
  }
  Json headers = Json::object();
  for (const HeaderChange& change : rule.headers) {
    Json& json = headers[change.name];
    json = {{"operation", kOperations[static_cast<std::size_t>(change.operation)]}};
    if (change.operation == Operation::kRemove) continue;
    json[change.is_expression ? "expression" : "value"] = change.value;
  }
  parameters["headers"] = std::move(headers);
  return parameters;
}

}  // namespace

Json to_json(const Rule& rule, Phase phase) {
  Json json = {{"id", rule.id.hex()},
               {"version", std::to_string(rule.version)},
               {"action", action_of(phase)}};
  Json parameters = parameters_json(rule, phase);
  if (!parameters.empty()) json["action_parameters"] = std::move(parameters);
  json["expression"] = rule.expression;
  json["description"] = rule.description;
  json["last_updated"] = rule.last_updated.rfc3339();
  json["ref"] = rule.ref.empty() ? rule.id.hex() : rule.ref;
  json["enabled"] = rule.enabled;
  return json;
}

Json to_json(const Ruleset& ruleset, bool with_rules) {
  Json json = {{"id", ruleset.id.hex()},
               {"name", ruleset.name},
               {"description", ruleset.description},
               {"kind", "zone"},
               {"version", std::to_string(ruleset.version)},
               {"last_updated", ruleset.last_updated.rfc3339()},
               {"phase", to_text(ruleset.phase)}};
  if (!with_rules) return json;
  json["rules"] = Json::array();
  for (const Rule& rule : ruleset.rules) json["rules"].push_back(to_json(rule, ruleset.phase));
  return json;
}

Outcome<Rule> rule_from_json(const Json& json, Phase phase) {
  Rule rule;
  if (auto fault = read_rule(json, phase, rule)) return *fault;
  return rule;
}

Outcome<Rule> stored_rule_from_json(const Json& json, Phase phase) {
  auto rule = rule_from_json(json, phase);
  if (!rule) return rule;
  const std::string version = json.value("version", "");
  std::from_chars(version.data(), version.data() + version.size(), rule.value().version);
  const auto time = model::Timestamp::parse(json.value("last_updated", ""));
  if (time) rule.value().last_updated = *time;
  return rule;
}

}  // namespace brink::ctl::rules
