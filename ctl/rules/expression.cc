#include "ctl/rules/expression.h"

#include <optional>

#include "ctl/rules/scanner.h"

namespace brink::ctl::rules {
namespace {

using enum NodeKind;
using Parsed = base::Result<Node, Fault>;

struct OperatorText {
  std::string_view text;
  Operator op;
};
// Longer ones first where one begins another.
constexpr OperatorText kSigns[] = {
    {"==", Operator::kEqual},          {"!=", Operator::kNotEqual}, {"<=", Operator::kLessOrEqual},
    {">=", Operator::kGreaterOrEqual}, {"<", Operator::kLess},      {">", Operator::kGreater},
};
constexpr OperatorText kWords[] = {
    {"eq", Operator::kEqual},          {"ne", Operator::kNotEqual},
    {"lt", Operator::kLess},           {"le", Operator::kLessOrEqual},
    {"gt", Operator::kGreater},        {"ge", Operator::kGreaterOrEqual},
    {"contains", Operator::kContains}, {"wildcard", Operator::kWildcard},
};

struct Signature {
  std::string_view name;
  Function function;
  Type result;
  std::size_t least, most;  // arguments, all of them strings but for to_string
};
constexpr Signature kFunctions[] = {
    {"lower", Function::kLower, Type::kText, 1, 1},
    {"upper", Function::kUpper, Type::kText, 1, 1},
    {"len", Function::kLen, Type::kNumber, 1, 1},
    {"starts_with", Function::kStartsWith, Type::kFlag, 2, 2},
    {"ends_with", Function::kEndsWith, Type::kFlag, 2, 2},
    {"concat", Function::kConcat, Type::kText, 2, 16},
    {"to_string", Function::kToString, Type::kText, 1, 1},
};

std::string wildcard_fault(std::string_view pattern) {
  for (std::size_t i = 0; i < pattern.size(); ++i) {
    if (pattern[i] == '*' && i + 1 < pattern.size() && pattern[i + 1] == '*') {
      return "\"**\" has no meaning in a wildcard";
    }
    if (pattern[i] != '\\') continue;
    const char next = i + 1 < pattern.size() ? pattern[i + 1] : '\0';
    if (next != '*' && next != '\\') return "in a wildcard \\ stands before * or \\ only";
    ++i;
  }
  return "";
}

class Parser : Scanner {
 public:
  Parser(std::string_view text, Stage stage) : Scanner(text), stage_(stage) {}

  Parsed whole(Type wanted);

 private:
  Parsed parse_or() {
    return chain(kOr, "or", "||", [this] { return parse_xor(); });
  }
  Parsed parse_xor() {
    return chain(kXor, "xor", "^^", [this] { return parse_and(); });
  }
  Parsed parse_and() {
    return chain(kAnd, "and", "&&", [this] { return parse_not(); });
  }
  template <typename Next>
  Parsed chain(NodeKind kind, std::string_view word, std::string_view sign, Next next);
  Parsed parse_not();
  Parsed parse_group();
  Parsed parse_comparison();
  Parsed parse_operand();
  Parsed parse_call(const Signature& signature, std::size_t start);
  Parsed parse_set(Node left);
  Parsed compare(Node left, Operator op, std::size_t start);
  std::optional<Operator> take_operator();

  const Stage stage_;
  std::size_t depth_ = 0;
};

// Goes one level down for as long as it lives.
struct Deeper {
  explicit Deeper(std::size_t& depth_) : depth(depth_) { ++depth; }
  ~Deeper() { --depth; }
  Deeper(const Deeper&) = delete;
  Deeper& operator=(const Deeper&) = delete;
  std::size_t& depth;
};

Parsed Parser::whole(Type wanted) {
  if (text_.size() > kExpressionSizeMax) {
    return fault(kExpressionSizeMax,
                 "an expression has at most " + std::to_string(kExpressionSizeMax) + " octets");
  }
  if (const auto zero = text_.find('\0'); zero != std::string_view::npos) {
    return fault(zero, "a zero octet does not belong here");
  }
  Parsed node = wanted == Type::kFlag ? parse_or() : parse_operand();
  if (!node) return node;
  if (peek() != '\0') return expected("the end or an operator");
  if (node.value().type == wanted) return node;
  return fault(0, "the expression is " + std::string(to_text(node.value().type)) +
                      ", but must be " + std::string(to_text(wanted)));
}

template <typename Next>
Parsed Parser::chain(NodeKind kind, std::string_view word, std::string_view sign, Next next) {
  const std::size_t start = (peek(), at_);
  Parsed first = next();
  if (!first) return first;
  Node node;
  node.kind = kind;
  std::vector<std::size_t> starts = {start};
  node.operands.push_back(std::move(first).value());
  while (take_word(word) || take_sign(sign)) {
    starts.push_back((peek(), at_));
    Parsed more = next();
    if (!more) return more;
    node.operands.push_back(std::move(more).value());
  }
  if (node.operands.size() == 1) return std::move(node.operands.front());
  for (std::size_t i = 0; i < starts.size(); ++i) {
    if (node.operands[i].type == Type::kFlag) continue;
    return fault(starts[i], "\"" + std::string(word) + "\" joins conditions, but this is " +
                                std::string(to_text(node.operands[i].type)));
  }
  return node;
}

Parsed Parser::parse_not() {
  const Deeper deeper(depth_);
  if (depth_ > kDepthMax) return fault(at_, "the expression is nested too deeply");
  if (peek() == '(') return parse_group();
  const bool is_sign = peek() == '!' && !text_.substr(at_).starts_with("!=");
  if (!take_word("not") && !(is_sign && take_sign("!"))) return parse_comparison();
  const std::size_t start = (peek(), at_);
  Parsed inner = parse_not();
  if (!inner) return inner;
  if (inner.value().type != Type::kFlag) {
    return fault(start, "\"not\" negates a condition, but this is " +
                            std::string(to_text(inner.value().type)));
  }
  Node node;
  node.kind = kNot;
  node.operands.push_back(std::move(inner).value());
  return node;
}

Parsed Parser::parse_group() {
  take_sign("(");
  Parsed inner = parse_or();
  if (!inner) return inner;
  if (!take_sign(")")) return expected("\")\"");
  return inner;
}

Parsed Parser::parse_comparison() {
  const std::size_t start = (peek(), at_);
  Parsed left = parse_operand();
  if (!left) return left;
  if (left.value().kind == kLiteral) {
    if (left.value().type == Type::kFlag) return left;
    return fault(start, "a comparison begins with a field or a function");
  }
  if (take_word("in")) return parse_set(std::move(left).value());
  const std::size_t op_start = (peek(), at_);
  if (const auto op = take_operator()) return compare(std::move(left).value(), *op, op_start);
  if (take_word("matches") || take_sign("~")) {
    return fault(op_start,
                 "regular expressions are not supported; use wildcard, contains, starts_with or "
                 "ends_with");
  }
  if (left.value().type == Type::kFlag) return left;
  return expected("an operator such as eq");
}

std::optional<Operator> Parser::take_operator() {
  if (peek_word() == "strict") {
    const std::size_t start = at_;
    take_word("strict");
    if (take_word("wildcard")) return Operator::kStrictWildcard;
    at_ = start;
    return std::nullopt;
  }
  for (const OperatorText& each : kWords) {
    if (take_word(each.text)) return each.op;
  }
  for (const OperatorText& each : kSigns) {
    if (take_sign(each.text)) return each.op;
  }
  return std::nullopt;
}

// Empty: the operator may be used with values of the type.
std::string type_fault(Operator op, Type type) {
  switch (op) {
    case Operator::kEqual:
    case Operator::kNotEqual:
      return "";
    case Operator::kLess:
    case Operator::kLessOrEqual:
    case Operator::kGreater:
    case Operator::kGreaterOrEqual:
      if (type == Type::kNumber || type == Type::kText) return "";
      break;
    case Operator::kContains:
    case Operator::kWildcard:
    case Operator::kStrictWildcard:
      if (type == Type::kText) return "";
      break;
  }
  return "this operator cannot be used with " + std::string(to_text(type));
}

std::string pattern_fault(Operator op, const Value& value) {
  if (op != Operator::kWildcard && op != Operator::kStrictWildcard) return "";
  const std::string& pattern = std::get<std::string>(value);
  if (pattern.size() > kPatternSizeMax) {
    return "a pattern has at most " + std::to_string(kPatternSizeMax) + " octets";
  }
  return wildcard_fault(pattern);
}

Parsed Parser::compare(Node left, Operator op, std::size_t start) {
  if (std::string wrong = type_fault(op, left.type); !wrong.empty()) return fault(start, wrong);
  const std::size_t right_start = (peek(), at_);
  Parsed right = parse_literal();
  if (!right) return right;
  if (right.value().type != left.type) {
    return fault(right_start, "expected " + std::string(to_text(left.type)) + ", not " +
                                  std::string(to_text(right.value().type)));
  }
  if (std::string wrong = pattern_fault(op, right.value().value); !wrong.empty()) {
    return fault(right_start, wrong);
  }
  Node node;
  node.kind = kCompare;
  node.op = op;
  node.operands.push_back(std::move(left));
  node.operands.push_back(std::move(right).value());
  return node;
}

Parsed Parser::parse_operand() {
  const char c = peek();
  const std::size_t start = at_;
  const bool is_raw =
      c == 'r' && start + 1 < text_.size() && (text_[start + 1] == '"' || text_[start + 1] == '#');
  const bool is_name = ((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z')) && !is_raw;
  const std::string_view word = peek_word();
  if (!is_name || word == "true" || word == "false") return parse_literal();
  for (const Signature& signature : kFunctions) {
    if (signature.name != word) continue;
    at_ += word.size();
    return parse_call(signature, start);
  }
  at_ += word.size();
  const Field* field = find_field(word);
  const bool is_call = peek() == '(';
  const bool is_map = peek() == '[';
  if (field == nullptr || is_call || is_map) {
    return fault(start, (is_call ? "the function \"" : "the field \"") + std::string(word) +
                            "\" is not supported");
  }
  if (field->stage == Stage::kResponse && stage_ == Stage::kRequest) {
    return fault(start, "the field \"" + std::string(word) + "\" is not known before the response");
  }
  Node node;
  node.kind = kField;
  node.type = field->type;
  node.field = field;
  return node;
}

Parsed Parser::parse_call(const Signature& signature, std::size_t start) {
  const Deeper deeper(depth_);
  if (depth_ > kDepthMax) return fault(at_, "the expression is nested too deeply");
  Node node;
  node.kind = kCall;
  node.type = signature.result;
  node.function = signature.function;
  if (!take_sign("(")) return expected("\"(\"");
  do {
    const std::size_t argument_start = (peek(), at_);
    Parsed argument = parse_operand();
    if (!argument) return argument;
    const Type type = argument.value().type;
    if (type != Type::kText && signature.function != Function::kToString) {
      return fault(argument_start, std::string(signature.name) + " takes strings, not " +
                                       std::string(to_text(type)));
    }
    node.operands.push_back(std::move(argument).value());
  } while (take_sign(","));
  if (!take_sign(")")) return expected("\",\" or \")\"");
  const std::size_t count = node.operands.size();
  if (count >= signature.least && count <= signature.most) return node;
  return fault(start,
               std::string(signature.name) + " takes " + std::to_string(signature.least) +
                   (signature.most == signature.least ? std::string()
                                                      : " to " + std::to_string(signature.most)) +
                   " arguments, not " + std::to_string(count));
}

Parsed Parser::parse_set(Node left) {
  if (left.type == Type::kFlag) return fault(at_, "\"in\" cannot be used with true or false");
  if (peek() == '$') return fault(at_, "named lists are not supported");
  if (!take_sign("{")) return expected("\"{\"");
  Node node;
  node.kind = kIn;
  while (peek() != '}') {
    Range range;
    if (auto wrong = read_item(left.type, range)) return *wrong;
    node.set.push_back(std::move(range));
  }
  take_sign("}");
  if (node.set.empty()) return fault(at_ - 1, "the set is empty");
  node.operands.push_back(std::move(left));
  return node;
}

}  // namespace

base::Result<Node, Fault> parse_condition(std::string_view text, Stage stage) {
  return Parser(text, stage).whole(Type::kFlag);
}

base::Result<Node, Fault> parse_text_value(std::string_view text, Stage stage) {
  return Parser(text, stage).whole(Type::kText);
}

}  // namespace brink::ctl::rules
