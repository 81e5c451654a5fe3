// What expressions mean.
#include <algorithm>

#include "ctl/rules/expression.h"
#include "dataplane/base/check.h"

namespace brink::ctl::rules {
namespace {

char lower(char c) {
  return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
}
char upper(char c) {
  return c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c;
}
std::string mapped(std::string text, char (*map)(char)) {
  std::transform(text.begin(), text.end(), text.begin(), map);
  return text;
}

std::string shown(const Value& value) {
  if (const auto* text = std::get_if<std::string>(&value)) return *text;
  if (const auto* number = std::get_if<std::int64_t>(&value)) return std::to_string(*number);
  if (const auto* flag = std::get_if<bool>(&value)) return *flag ? "true" : "false";
  return std::string(std::get<base::IpAddress>(value).text().view());
}

bool compare(Operator op, const Value& left, const Value& right) {
  switch (op) {
    case Operator::kEqual:
      return left == right;
    case Operator::kNotEqual:
      return left != right;
    case Operator::kLess:
      return left < right;
    case Operator::kLessOrEqual:
      return left <= right;
    case Operator::kGreater:
      return left > right;
    case Operator::kGreaterOrEqual:
      return left >= right;
    case Operator::kContains:
      return std::get<std::string>(left).find(std::get<std::string>(right)) != std::string::npos;
    case Operator::kWildcard:
    case Operator::kStrictWildcard:
      return matches_wildcard(std::get<std::string>(right), std::get<std::string>(left),
                              op == Operator::kStrictWildcard);
  }
  return false;
}

Value call(const Node& node, const Lookup& lookup) {
  const Value first = evaluate(node.operands[0], lookup);
  if (node.function == Function::kToString) return shown(first);
  const std::string& text = std::get<std::string>(first);
  const auto second = [&] { return std::get<std::string>(evaluate(node.operands[1], lookup)); };
  switch (node.function) {
    case Function::kLower:
      return mapped(text, lower);
    case Function::kUpper:
      return mapped(text, upper);
    case Function::kLen:
      return static_cast<std::int64_t>(text.size());
    case Function::kStartsWith:
      return text.starts_with(second());
    case Function::kEndsWith:
      return text.ends_with(second());
    case Function::kConcat: {
      std::string all;
      for (const Node& part : node.operands) all += std::get<std::string>(evaluate(part, lookup));
      return all;
    }
    case Function::kToString:
      break;
  }
  return text;
}

bool is_within(const Value& value, const Range& range) {
  const auto* address = std::get_if<base::IpAddress>(&value);
  if (address != nullptr && address->is_v4() != std::get<base::IpAddress>(range.first).is_v4()) {
    return false;
  }
  return range.first <= value && value <= range.last;
}

}  // namespace

Value evaluate(const Node& node, const Lookup& lookup) {
  const auto holds = [&](const Node& operand) { return std::get<bool>(evaluate(operand, lookup)); };
  const auto& operands = node.operands;
  switch (node.kind) {
    case NodeKind::kLiteral:
      return node.value;
    case NodeKind::kField: {
      Value value = lookup(*node.field);
      CHECK(value.index() == static_cast<std::size_t>(node.type));
      return value;
    }
    case NodeKind::kCall:
      return call(node, lookup);
    case NodeKind::kCompare:
      return compare(node.op, evaluate(operands[0], lookup), operands[1].value);
    case NodeKind::kIn: {
      const Value value = evaluate(operands[0], lookup);
      return std::any_of(node.set.begin(), node.set.end(),
                         [&](const Range& range) { return is_within(value, range); });
    }
    case NodeKind::kNot:
      return !holds(operands[0]);
    case NodeKind::kAnd:
      return std::all_of(operands.begin(), operands.end(), holds);
    case NodeKind::kXor:
      return std::count_if(operands.begin(), operands.end(), holds) % 2 == 1;
    case NodeKind::kOr:
      return std::any_of(operands.begin(), operands.end(), holds);
  }
  return false;
}

// Tries the last `*` again one octet further on where the rest does not fit: no recursion.
bool matches_wildcard(std::string_view pattern, std::string_view text, bool is_strict) {
  std::size_t at = 0, in_text = 0;
  std::size_t star = std::string_view::npos, resume = 0;
  while (in_text < text.size()) {
    const bool is_star = at < pattern.size() && pattern[at] == '*';
    if (is_star) {
      star = at++;
      resume = in_text;
      continue;
    }
    const std::size_t literal = at < pattern.size() && pattern[at] == '\\' ? at + 1 : at;
    const bool fits =
        literal < pattern.size() && (is_strict ? pattern[literal] == text[in_text]
                                               : lower(pattern[literal]) == lower(text[in_text]));
    if (fits) {
      at = literal + 1;
      ++in_text;
    } else if (star != std::string_view::npos) {
      at = star + 1;
      in_text = ++resume;
    } else {
      return false;
    }
  }
  while (at < pattern.size() && pattern[at] == '*') ++at;
  return at == pattern.size();
}

}  // namespace brink::ctl::rules
