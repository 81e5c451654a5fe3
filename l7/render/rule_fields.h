// The fields that rules can ask for, by the names that expressions have for them.
#pragma once

#include <optional>
#include <string_view>

#include "l7/route/rules_layout.h"

namespace brink::l7::render {

struct RuleFieldInfo {
  std::string_view name;
  route::RuleType type;
};

const RuleFieldInfo& info_of(route::RuleField field);
// Empty: the data path has no such field.
std::optional<route::RuleField> find_rule_field(std::string_view name);

}  // namespace brink::l7::render
