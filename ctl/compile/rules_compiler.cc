#include "ctl/compile/rules_compiler.h"

#include <algorithm>

#include "ctl/rules/expression.h"
#include "dataplane/base/check.h"
#include "l7/render/rule_fields.h"

namespace brink::ctl::compile {
namespace {

using base::IpAddress;
using l7::render::ChangeSpec;
using l7::render::RulesWriter;
using l7::route::Comparison;
using l7::route::StepKind;
using rules::Function;
using rules::Node;
using rules::NodeKind;
using rules::Operator;

// Writes the steps of expressions. Recursive: the parser bounds their depth (rules::kDepthMax).
class Lowering {
 public:
  explicit Lowering(RulesWriter& writer) : writer_(writer) {}

  void put(const Node& node);

 private:
  void put_literal(const rules::Value& value);
  void put_call(const Node& node);
  void put_compare(const Node& node);
  void put_set(const Node& node);
  void put_chain(const Node& node);

  RulesWriter& writer_;
};

void Lowering::put(const Node& node) {
  switch (node.kind) {
    case NodeKind::kLiteral:
      return put_literal(node.value);
    case NodeKind::kField: {
      const auto field = l7::render::find_rule_field(node.field->name);
      CHECK(field.has_value());
      return writer_.field(*field);
    }
    case NodeKind::kCall:
      return put_call(node);
    case NodeKind::kCompare:
      return put_compare(node);
    case NodeKind::kIn:
      return put_set(node);
    case NodeKind::kNot:
      put(node.operands[0]);
      return writer_.apply(StepKind::kNot);
    case NodeKind::kAnd:
    case NodeKind::kXor:
    case NodeKind::kOr:
      return put_chain(node);
  }
}

void Lowering::put_literal(const rules::Value& value) {
  if (const auto* text = std::get_if<std::string>(&value)) return writer_.text(*text);
  if (const auto* number = std::get_if<std::int64_t>(&value)) return writer_.number(*number);
  if (const auto* flag = std::get_if<bool>(&value)) return writer_.flag(*flag);
  // An address stands alone only where a text is made of it.
  writer_.text(std::get<IpAddress>(value).text().view());
}

StepKind step_of(Function function) {
  switch (function) {
    case Function::kLower:
      return StepKind::kLower;
    case Function::kUpper:
      return StepKind::kUpper;
    case Function::kLen:
      return StepKind::kLength;
    case Function::kStartsWith:
      return StepKind::kStartsWith;
    case Function::kEndsWith:
      return StepKind::kEndsWith;
    case Function::kConcat:
      return StepKind::kConcat;
    case Function::kToString:
      return StepKind::kToText;
  }
  return StepKind::kToText;
}

// Of many arguments two at a time, so that few are on the stack.
void Lowering::put_call(const Node& node) {
  const StepKind step = step_of(node.function);
  put(node.operands[0]);
  if (node.operands.size() == 1) return writer_.apply(step);
  for (std::size_t i = 1; i < node.operands.size(); ++i) {
    put(node.operands[i]);
    writer_.apply(step);
  }
}

Comparison comparison_of(Operator op) {
  switch (op) {
    case Operator::kEqual:
      return Comparison::kEqual;
    case Operator::kNotEqual:
      return Comparison::kNotEqual;
    case Operator::kLess:
      return Comparison::kLess;
    case Operator::kLessOrEqual:
      return Comparison::kLessOrEqual;
    case Operator::kGreater:
      return Comparison::kGreater;
    case Operator::kGreaterOrEqual:
      return Comparison::kGreaterOrEqual;
    case Operator::kContains:
    case Operator::kWildcard:
    case Operator::kStrictWildcard:
      break;
  }
  return Comparison::kEqual;
}

void Lowering::put_compare(const Node& node) {
  put(node.operands[0]);
  const rules::Value& right = node.operands[1].value;
  const auto* text = std::get_if<std::string>(&right);
  if (node.op == Operator::kContains) return writer_.contains(*text);
  if (node.op == Operator::kWildcard) return writer_.wildcard(*text, false);
  if (node.op == Operator::kStrictWildcard) return writer_.wildcard(*text, true);
  const Comparison comparison = comparison_of(node.op);
  if (text != nullptr) return writer_.compare(comparison, *text);
  if (const auto* number = std::get_if<std::int64_t>(&right)) {
    return writer_.compare(comparison, *number);
  }
  if (const auto* flag = std::get_if<bool>(&right)) {
    return writer_.compare_flag(comparison == Comparison::kEqual, *flag);
  }
  writer_.compare(comparison, std::get<IpAddress>(right));
}

template <typename T>
std::vector<std::pair<T, T>> ranges_of(const Node& node) {
  std::vector<std::pair<T, T>> ranges;
  for (const rules::Range& range : node.set) {
    ranges.emplace_back(std::get<T>(range.first), std::get<T>(range.last));
  }
  return ranges;
}

void Lowering::put_set(const Node& node) {
  put(node.operands[0]);
  switch (node.operands[0].type) {
    case rules::Type::kText: {
      std::vector<std::string> texts;
      for (const rules::Range& range : node.set)
        texts.push_back(std::get<std::string>(range.first));
      return writer_.in(std::move(texts));
    }
    case rules::Type::kNumber:
      return writer_.in(ranges_of<std::int64_t>(node));
    case rules::Type::kAddress:
      return writer_.in(ranges_of<IpAddress>(node));
    case rules::Type::kFlag:
      break;  // the parser has none
  }
}

// `and` and `or` leave as soon as it is known what they are.
void Lowering::put_chain(const Node& node) {
  put(node.operands[0]);
  std::vector<std::size_t> jumps;
  for (std::size_t i = 1; i < node.operands.size(); ++i) {
    if (node.kind != NodeKind::kXor) {
      jumps.push_back(writer_.jump_if(node.kind == NodeKind::kOr));
      writer_.apply(StepKind::kDrop);
    }
    put(node.operands[i]);
    if (node.kind == NodeKind::kXor) writer_.apply(StepKind::kXor);
  }
  for (const std::size_t jump : jumps) writer_.land(jump);
}

l7::route::ProgramRef program_of(RulesWriter& writer, const Node& node) {
  return writer.program([&] { Lowering(writer).put(node); });
}

l7::route::BlockContent content_of(const std::string& type) {
  using l7::route::BlockContent;
  if (type == "application/json") return BlockContent::kJson;
  if (type == "text/html") return BlockContent::kHtml;
  return type == "text/xml" ? BlockContent::kXml : BlockContent::kPlain;
}

l7::render::BlockSpec block_of(const rules::Rule& rule) {
  l7::render::BlockSpec spec;
  if (!rule.response) return spec;
  spec.status = static_cast<std::uint16_t>(rule.response->status_code);
  spec.content_type = content_of(rule.response->content_type);
  spec.content = rule.response->content;
  return spec;
}

l7::route::ChangeKind kind_of(rules::HeaderChange::Operation operation) {
  switch (operation) {
    case rules::HeaderChange::Operation::kSet:
      return l7::route::ChangeKind::kSet;
    case rules::HeaderChange::Operation::kAdd:
      return l7::route::ChangeKind::kAdd;
    case rules::HeaderChange::Operation::kRemove:
      return l7::route::ChangeKind::kRemove;
  }
  return l7::route::ChangeKind::kRemove;
}

ChangeSpec change_of(RulesWriter& writer, const rules::HeaderChange& change, rules::Stage stage) {
  ChangeSpec spec;
  spec.kind = kind_of(change.operation);
  spec.name = change.name;
  spec.value = change.value;
  if (!change.is_expression) return spec;
  const auto node = rules::parse_text_value(change.value, stage);
  CHECK(node.ok());
  spec.value = program_of(writer, node.value());
  return spec;
}

// `rule` has no fault.
void add_rule(RulesWriter& writer, const rules::Rule& rule, rules::Phase phase) {
  const rules::Stage stage = rules::stage_of(phase);
  const auto node = rules::parse_condition(rule.expression, stage);
  CHECK(node.ok());
  const auto condition = program_of(writer, node.value());
  if (phase == rules::Phase::kFirewallCustom) return writer.add_block(condition, block_of(rule));
  std::vector<ChangeSpec> changes;
  for (const rules::HeaderChange& change : rule.headers) {
    changes.push_back(change_of(writer, change, stage));
  }
  writer.add_changes(condition, changes);
}

}  // namespace

l7::route::RulePhase phase_of(rules::Phase phase) {
  switch (phase) {
    case rules::Phase::kFirewallCustom:
      return l7::route::RulePhase::kFirewall;
    case rules::Phase::kLateTransform:
      return l7::route::RulePhase::kRequest;
    case rules::Phase::kResponseHeaders:
      return l7::route::RulePhase::kResponse;
  }
  return l7::route::RulePhase::kFirewall;
}

base::Result<l7::render::Bytes, l7::render::RulesFault> compile_rules(
    const rules::Ruleset& ruleset) {
  RulesWriter writer(phase_of(ruleset.phase));
  bool is_empty = true;
  for (const rules::Rule& rule : ruleset.rules) {
    if (!rule.enabled || rules::fault_of(rule, ruleset.phase)) continue;
    add_rule(writer, rule, ruleset.phase);
    is_empty = false;
  }
  if (is_empty) return l7::render::Bytes();
  return writer.finish();
}

// Rules that are not enabled count: enabling one should not fail for want of room.
std::optional<model::Refusal> size_fault(const rules::Ruleset& ruleset) {
  rules::Ruleset all = ruleset;
  for (rules::Rule& rule : all.rules) rule.enabled = true;
  const auto compiled = compile_rules(all);
  if (compiled) return std::nullopt;
  const l7::render::RulesFault& fault = compiled.error();
  return rules::invalid_rule("The rules of phase " + std::string(rules::to_text(ruleset.phase)) +
                             " have " + std::to_string(fault.count) + " " + fault.what +
                             " together; there is room for " + std::to_string(fault.most) +
                             ". Use fewer or shorter rules.");
}

}  // namespace brink::ctl::compile
