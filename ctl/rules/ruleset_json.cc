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

enum class Nulls { kAbsent, kRefused };

// Absent members leave the target alone. `path`, as "action_parameters.", is what the name stands
// below in the rule.
Fault read_text(const Json& object, const std::string& path, const char* name, std::string& target,
                Nulls nulls = Nulls::kRefused) {
  const auto found = object.find(name);
  if (found == object.end()) return std::nullopt;
  if (found->is_null() && nulls == Nulls::kAbsent) return std::nullopt;
  if (!found->is_string()) return invalid_rule("\"" + path + name + "\" must be a string.");
  target = found->get<std::string>();
  return std::nullopt;
}

// A null of a member that nobody knows is taken for none, as clients send what they do not set.
Fault only_members(const Json& object, const std::string& path,
                   std::initializer_list<std::string_view> known) {
  for (const auto& [name, value] : object.items()) {
    if (value.is_null() || std::find(known.begin(), known.end(), name) != known.end()) continue;
    std::string offered;
    for (const std::string_view each : known) {
      offered += (offered.empty() ? "" : ", ") + std::string(each);
    }
    return invalid_rule("\"" + path + name + "\" is not supported; there are " + offered + ".");
  }
  return std::nullopt;
}

Fault read_operation(const std::string& text, const std::string& path, HeaderChange& change) {
  for (std::size_t i = 0; i < std::size(kOperations); ++i) {
    if (text != kOperations[i]) continue;
    change.operation = static_cast<Operation>(i);
    return std::nullopt;
  }
  return invalid_rule("\"" + path + "operation\" must be set, add or remove.");
}

Fault read_header(const std::string& name, const Json& json, HeaderChange& change) {
  change.name = name;
  const std::string header = "action_parameters.headers." + name;
  if (!json.is_object()) return invalid_rule("\"" + header + "\" must be an object.");
  const std::string path = header + ".";
  std::string operation, expression;
  if (auto fault = only_members(json, path, {"operation", "value", "expression"})) return fault;
  if (auto fault = read_text(json, path, "operation", operation)) return fault;
  if (auto fault = read_operation(operation, path, change)) return fault;
  // Of the two that exclude each other, clients send the other one as null.
  if (auto fault = read_text(json, path, "value", change.value, Nulls::kAbsent)) return fault;
  if (auto fault = read_text(json, path, "expression", expression, Nulls::kAbsent)) return fault;
  const bool has_both = !change.value.empty() && !expression.empty();
  const bool has_any = !change.value.empty() || !expression.empty();
  if (has_both || has_any == (change.operation == Operation::kRemove)) {
    return invalid_rule("\"" + header +
                        "\": set and add take either a value or an expression, "
                        "remove takes neither.");
  }
  change.is_expression = !expression.empty();
  if (change.is_expression) change.value = expression;
  return std::nullopt;
}

Fault read_rewrite(const Json& parameters, Rule& rule) {
  if (auto fault = only_members(parameters, "action_parameters.", {"headers"})) return fault;
  const auto headers = parameters.find("headers");
  if (headers == parameters.end() || !headers->is_object()) {
    return invalid_rule("A rewrite needs \"action_parameters.headers\", an object.");
  }
  for (const auto& [name, json] : headers->items()) {
    if (auto fault = read_header(name, json, rule.headers.emplace_back())) return fault;
  }
  return std::nullopt;
}

Fault read_block(const Json& parameters, Rule& rule) {
  if (auto fault = only_members(parameters, "action_parameters.", {"response"})) return fault;
  const auto found = parameters.find("response");
  if (found == parameters.end() || found->is_null()) return std::nullopt;
  if (!found->is_object()) {
    return invalid_rule("\"action_parameters.response\" must be an object.");
  }
  const std::string path = "action_parameters.response.";
  if (auto fault = only_members(*found, path, {"status_code", "content_type", "content"})) {
    return fault;
  }
  BlockResponse response;
  if (auto fault = read_text(*found, path, "content_type", response.content_type)) return fault;
  if (auto fault = read_text(*found, path, "content", response.content)) return fault;
  if (const auto status = found->find("status_code"); status != found->end()) {
    const bool is_small = status->is_number_integer() && *status >= 0 && *status <= 999;
    if (!is_small) return invalid_rule("\"" + path + "status_code\" must be a whole number.");
    response.status_code = status->get<std::uint32_t>();
  }
  rule.response = std::move(response);
  return std::nullopt;
}

Fault read_action(const Json& json, Phase phase, Rule& rule) {
  std::string action;
  if (auto fault = read_text(json, "", "action", action)) return fault;
  if (action != action_of(phase)) {
    const std::string shown = action.size() > 64 ? "this" : "\"" + action + "\"";
    return invalid_rule("The action in phase " + std::string(to_text(phase)) + " is \"" +
                        action_of(phase) + "\", not " + shown + ".");
  }
  static const Json kNone = Json::object();
  const auto found = json.find("action_parameters");
  const bool has_none = found == json.end() || found->is_null();
  if (!has_none && !found->is_object()) {
    return invalid_rule("\"action_parameters\" must be an object.");
  }
  const Json& parameters = has_none ? kNone : *found;
  return phase == Phase::kFirewallCustom ? read_block(parameters, rule)
                                         : read_rewrite(parameters, rule);
}

Fault read_id(const Json& json, Rule& rule) {
  std::string id;
  if (auto fault = read_text(json, "", "id", id)) return fault;
  if (id.empty()) return std::nullopt;
  const auto parsed = model::Id::parse(id);
  if (!parsed) return invalid_rule("\"id\" of a rule must be 32 hex digits.");
  rule.id = *parsed;
  return std::nullopt;
}

Fault read_rule(const Json& json, Phase phase, Rule& rule) {
  if (!json.is_object()) return invalid_rule("A rule must be an object.");
  if (auto fault =
          only_members(json, "",
                       {"id", "version", "last_updated", "ref", "description", "enabled",
                        "expression", "action", "action_parameters", "position", "categories"})) {
    return fault;
  }
  if (auto fault = read_id(json, rule)) return fault;
  if (auto fault = read_text(json, "", "ref", rule.ref, Nulls::kAbsent)) return fault;
  if (auto fault = read_text(json, "", "description", rule.description, Nulls::kAbsent)) {
    return fault;
  }
  if (auto fault = read_text(json, "", "expression", rule.expression)) return fault;
  if (const auto enabled = json.find("enabled"); enabled != json.end() && !enabled->is_null()) {
    if (!enabled->is_boolean()) return invalid_rule("\"enabled\" must be true or false.");
    rule.enabled = enabled->get<bool>();
  }
  if (const auto position = position_from_json(json); !position) return position.error();
  return read_action(json, phase, rule);
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

Outcome<std::optional<Position>> position_from_json(const Json& rule) {
  const auto found = rule.find("position");
  if (found == rule.end()) return std::optional<Position>();
  const Refusal one_of = invalid_rule(
      "\"position\" must be an object with one of \"index\", \"before\" and \"after\".");
  if (!found->is_object() || found->size() != 1) return one_of;
  const std::string& name = found->begin().key();
  const Json& value = found->begin().value();
  Position position;
  if (name == "index") {
    const bool is_index = value.is_number_integer() && value >= 1 && value <= kRulesMax;
    if (!is_index) {
      return invalid_rule("\"position.index\" must be a whole number from 1 to " +
                          std::to_string(kRulesMax) + ".");
    }
    position.kind = Position::Kind::kIndex;
    position.index = value.get<std::size_t>();
    return std::optional(std::move(position));
  }
  if (name != "before" && name != "after") return one_of;
  if (!value.is_string()) {
    return invalid_rule("\"position." + name + "\" must be the identifier of a rule, or empty.");
  }
  position.kind = name == "before" ? Position::Kind::kBefore : Position::Kind::kAfter;
  position.rule = value.get<std::string>();
  return std::optional(std::move(position));
}

Outcome<Rule> rule_from_json(const Json& json, Phase phase) {
  Rule rule;
  if (auto fault = read_rule(json, phase, rule)) return *fault;
  if (auto fault = fault_of(rule, phase)) return *fault;
  return rule;
}

Outcome<Rule> stored_rule_from_json(const Json& json, Phase phase) {
  Rule rule;
  if (auto fault = read_rule(json, phase, rule)) return *fault;
  const std::string version = json.value("version", "");
  std::from_chars(version.data(), version.data() + version.size(), rule.version);
  const auto time = model::Timestamp::parse(json.value("last_updated", ""));
  if (time) rule.last_updated = *time;
  return rule;
}

}  // namespace brink::ctl::rules
