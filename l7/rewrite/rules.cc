#include "l7/rewrite/rules.h"

#include "l7/http/chars.h"
#include "l7/rewrite/program.h"

namespace brink::l7::rewrite {
namespace {

using route::ChangeEntry;
using route::ChangeKind;
using route::RuleEntry;

RunVerdict verdict_of(ProgramVerdict verdict) noexcept {
  switch (verdict) {
    case ProgramVerdict::kDone:
      return RunVerdict::kPassed;
    case ProgramVerdict::kTooLarge:
      return RunVerdict::kTooLarge;
    case ProgramVerdict::kBroken:
      return RunVerdict::kBroken;
  }
  return RunVerdict::kBroken;
}

bool open_block(const route::RulesView& rules, const RuleEntry& rule, Block& out) noexcept {
  static constexpr std::string_view kTypes[route::kBlockContentCount] = {
      "", "application/json", "text/html", "text/plain", "text/xml"};
  const auto type = static_cast<std::size_t>(rule.content_type);
  if (type >= std::size(kTypes) || rule.status < 400 || rule.status > 499) return false;
  out.status = rule.status;
  out.content_type = kTypes[type];
  return rules.text(rule.content, out.content);
}

RunVerdict make_change(const route::RulesView& rules, const ChangeEntry& change, const Facts& facts,
                       TextArena& arena, HeaderEdits& edits) noexcept {
  std::string_view shown_name, value;
  if (change.name >= edits.name_count() || !rules.text(change.shown_name, shown_name) ||
      shown_name.empty() || !http::all_of_class(shown_name, http::kCharToken)) {
    return RunVerdict::kBroken;
  }
  if (change.kind == ChangeKind::kRemove) {
    edits.remove(change.name);
    return RunVerdict::kPassed;
  }
  if (change.has_program != 0) {
    const auto verdict = verdict_of(run_text(rules, change.program, facts, arena, value));
    if (verdict != RunVerdict::kPassed) return verdict;
  } else if (!rules.text(change.value, value)) {
    return RunVerdict::kBroken;
  }
  // RFC 9110 5.5. What came in a head has no such octet, and rules with one are not rendered.
  value = http::trim_ows(value);
  if (!http::all_of_class(value, http::kCharValue)) return RunVerdict::kBroken;
  switch (change.kind) {
    case ChangeKind::kSet:
      return edits.set(change.name, shown_name, value) ? RunVerdict::kPassed
                                                       : RunVerdict::kTooLarge;
    case ChangeKind::kAdd:
      return edits.add(change.name, shown_name, value) ? RunVerdict::kPassed
                                                       : RunVerdict::kTooLarge;
    case ChangeKind::kRemove:
      break;
  }
  return RunVerdict::kBroken;
}

RunVerdict make_changes(const route::RulesView& rules, const RuleEntry& rule, const Facts& facts,
                        TextArena& arena, HeaderEdits& edits) noexcept {
  std::span<const ChangeEntry> changes;
  if (!rules.changes(rule, changes)) return RunVerdict::kBroken;
  for (const ChangeEntry& change : changes) {
    const RunVerdict verdict = make_change(rules, change, facts, arena, edits);
    if (verdict != RunVerdict::kPassed) return verdict;
  }
  return RunVerdict::kPassed;
}

}  // namespace

RunVerdict run_firewall(const route::RulesView& rules, const Facts& facts, Workspace& work,
                        Block& block) noexcept {
  TextArena arena(work.text);
  for (const RuleEntry& rule : rules.rules()) {
    bool holds = false;
    const auto verdict = verdict_of(run_condition(rules, rule.condition, facts, arena, holds));
    if (verdict != RunVerdict::kPassed) return verdict;
    if (holds) return open_block(rules, rule, block) ? RunVerdict::kBlocked : RunVerdict::kBroken;
  }
  return RunVerdict::kPassed;
}

RunVerdict run_header_rules(const route::RulesView& rules, const Facts& facts,
                            Workspace& work) noexcept {
  TextArena arena(work.text);
  if (!work.edits.start(rules)) return RunVerdict::kBroken;
  for (const RuleEntry& rule : rules.rules()) {
    bool holds = false;
    auto verdict = verdict_of(run_condition(rules, rule.condition, facts, arena, holds));
    if (verdict == RunVerdict::kPassed && holds) {
      verdict = make_changes(rules, rule, facts, arena, work.edits);
    }
    if (verdict != RunVerdict::kPassed) {
      work.edits.clear();
      return verdict;
    }
  }
  return RunVerdict::kPassed;
}

}  // namespace brink::l7::rewrite
