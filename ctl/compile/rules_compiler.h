// Rulesets (ctl/rules) into what the edge runs (l7/render/rules_blob.h). Pure.
#pragma once

#include <optional>

#include "ctl/rules/ruleset.h"
#include "dataplane/base/result.h"
#include "l7/render/rules_blob.h"

namespace brink::ctl::compile {

l7::route::RulePhase phase_of(rules::Phase phase);

// The rules that are enabled, in their order. A rule that rules::fault_of refuses has no effect, as
// the API tells who looks at it, and is left out. Empty: nothing is left.
base::Result<l7::render::Bytes, l7::render::RulesFault> compile_rules(
    const rules::Ruleset& ruleset);

// Whether the edge has room for all of it; empty: it has. Asked before a ruleset is stored.
std::optional<model::Refusal> size_fault(const rules::Ruleset& ruleset);

}  // namespace brink::ctl::compile
