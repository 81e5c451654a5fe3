// Rules and rulesets in JSON, as the API has them and the store keeps them.
#pragma once

#include <nlohmann/json.hpp>

#include "ctl/rules/ruleset.h"

namespace brink::ctl::rules {

using Json = nlohmann::ordered_json;

Json to_json(const Rule& rule, Phase phase);
// Without the rules it is an item of a list.
Json to_json(const Ruleset& ruleset, bool with_rules);

// Where among the others a rule is to stand.
struct Position {
  enum class Kind : std::uint8_t { kIndex, kBefore, kAfter };

  Kind kind = Kind::kIndex;
  std::size_t index = 1;  // of kIndex, from 1
  std::string rule;       // of the other kinds: an identifier; empty: the very first or last
};

// The member "position" of a rule; empty: there is none. A list of rules has an order of its own,
// so that positions in it are checked and have no effect.
model::Outcome<std::optional<Position>> position_from_json(const Json& rule);

// What a user sent, checked. `id` is taken over if it is there, so that the caller can find which
// rule is meant; version and time are not. Members that nobody here knows are refused by name.
model::Outcome<Rule> rule_from_json(const Json& json, Phase phase);

// What to_json made of a rule, with id, version and time. It was checked when it came in and is not
// again: what it names may not be there any more, and its author has to see it to mend it. Who
// runs rules asks fault_of first.
model::Outcome<Rule> stored_rule_from_json(const Json& json, Phase phase);

}  // namespace brink::ctl::rules
