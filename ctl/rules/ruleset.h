// Rulesets of a zone: values, and the rules about what may be kept. One ruleset a phase.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "ctl/model/id.h"
#include "ctl/model/refusal.h"
#include "ctl/model/timestamp.h"
#include "ctl/rules/field.h"

namespace brink::ctl::rules {

inline constexpr std::size_t kRulesMax = 200;   // of one ruleset
inline constexpr std::size_t kHeadersMax = 30;  // of one rule
inline constexpr std::size_t kHeaderNameMax = 128;
inline constexpr std::size_t kHeaderValueMax = 2048;
inline constexpr std::size_t kDescriptionMax = 500;
inline constexpr std::size_t kContentMax = 2048;  // of a blocked request's answer

inline constexpr int kCodeRulesetMissing = 10003;
inline constexpr int kCodeRuleInvalid = 20120;
inline constexpr int kCodeExpressionBlank = 20125;
inline constexpr int kCodeExpressionInvalid = 20127;
inline constexpr int kCodeRulesetExists = 20217;

enum class Phase : std::uint8_t {
  kFirewallCustom = 0,   // http_request_firewall_custom: block
  kLateTransform = 1,    // http_request_late_transform: headers to the origin
  kResponseHeaders = 2,  // http_response_headers_transform: headers to the client
};

std::string_view to_text(Phase phase);
// The refusal tells a phase that there is elsewhere from a word that is none.
model::Outcome<Phase> phase_from_text(std::string_view text);
Stage stage_of(Phase phase);

struct HeaderChange {
  enum class Operation : std::uint8_t { kSet, kAdd, kRemove };

  std::string name;  // as it was written
  Operation operation = Operation::kSet;
  std::string value;           // of kSet and kAdd
  bool is_expression = false;  // `value` is an expression that gives a string

  bool operator==(const HeaderChange&) const = default;
};

// What a blocked client gets instead of the default page.
struct BlockResponse {
  std::uint32_t status_code = 403;
  std::string content_type;
  std::string content;

  bool operator==(const BlockResponse&) const = default;
};

struct Rule {
  model::Id id;
  std::uint64_t version = 1;
  std::string ref;  // what its author calls it; else the id
  std::string description;
  bool enabled = true;
  std::string expression;
  std::vector<HeaderChange> headers;      // of the two transform phases: action "rewrite"
  std::optional<BlockResponse> response;  // of kFirewallCustom: action "block"
  model::Timestamp last_updated;

  // Whether it does and says the same, whatever its version is.
  [[nodiscard]] bool says_the_same_as(const Rule& other) const {
    return ref == other.ref && description == other.description && enabled == other.enabled &&
           expression == other.expression && headers == other.headers && response == other.response;
  }
};

struct Ruleset {
  model::Id id;
  model::Id zone;
  Phase phase = Phase::kFirewallCustom;
  std::string name;
  std::string description;
  std::uint64_t version = 1;
  model::Timestamp last_updated;
  std::vector<Rule> rules;  // in the order in which they are looked at
};

// Empty: the rule may be kept.
std::optional<model::Refusal> fault_of(const Rule& rule, Phase phase);

model::Refusal invalid_rule(std::string message);

}  // namespace brink::ctl::rules
