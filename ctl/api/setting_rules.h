// The settings that a zone can have, with their defaults and what each may be: one table.
#pragma once

#include <span>
#include <string>
#include <string_view>

#include "ctl/api/json_input.h"

namespace brink::ctl::api {

enum class SettingKind : std::uint8_t {
  kOneOf,          // a string, one of `choices`
  kNumber,         // a whole number from min to max
  kNumberOneOf,    // a whole number, one of `choices`
  kTexts,          // an array of strings
  kPage,           // a string: empty, or a page of l7/page
  kSecurityHeader  // {"strict_transport_security":{...}}
};

struct SettingRule {
  const char* name;
  SettingKind kind;
  const char* initial;       // JSON
  std::string_view choices;  // separated by blanks
  std::uint32_t min = 0, max = 0;
  bool editable = true;
};

// By name.
std::span<const SettingRule> setting_rules();
const SettingRule* setting_rule(std::string_view name);

// Why `value` cannot be the setting's; empty: it can.
std::string setting_fault(const SettingRule& rule, const Json& value);

}  // namespace brink::ctl::api
