// Rules and rulesets in JSON, as the API has them and the store keeps them.
#pragma once

#include <nlohmann/json.hpp>

#include "ctl/rules/ruleset.h"

namespace brink::ctl::rules {

using Json = nlohmann::ordered_json;

Json to_json(const Rule& rule, Phase phase);
// Without the rules it is an item of a list.
Json to_json(const Ruleset& ruleset, bool with_rules);

// What a user sent, checked. `id` is taken over if it is there, so that the caller can find which
// rule is meant; version and time are not. Members that nobody here knows are refused by name.
model::Outcome<Rule> rule_from_json(const Json& json, Phase phase);

// What to_json made of a rule, with id, version and time.
model::Outcome<Rule> stored_rule_from_json(const Json& json, Phase phase);

}  // namespace brink::ctl::rules
