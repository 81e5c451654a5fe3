// Expressions of rules: `not cf.tls_client_auth.cert_verified and http.host eq "a.test"`. Text to a
// typed tree, and what the tree means. No I/O, no clock; any thread.
//
//   or      = xor { ("or" | "||") xor }           weakest
//   xor     = and { ("xor" | "^^") and }
//   and     = not { ("and" | "&&") not }
//   not     = ("not" | "!") not | "(" or ")" | comparison
//   comparison = operand [ operator (literal | set) ]
//   operand = field | function "(" argument { "," argument } ")" | literal
//   set     = "{" item { item } "}"
//
// Operators: eq == ne != lt < le <= gt > ge >= contains in wildcard "strict wildcard". `matches`,
// for regular expressions, is refused. Strings are compared octet by octet; `wildcard` alone
// ignores case, and covers the whole value. Literals: "text" with \" \\ and \xHH, r"raw", r#"raw"#,
// 17, -3, 192.0.2.1, true, false; in sets also 10..20, 192.0.2.0/24, 2001:db8::/32,
// 192.0.2.1..192.0.2.9. Functions: lower, upper, len, starts_with, ends_with, concat, to_string.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "ctl/rules/field.h"
#include "dataplane/base/ip.h"
#include "dataplane/base/result.h"

namespace brink::ctl::rules {

inline constexpr std::size_t kExpressionSizeMax = 4096;  // octets
inline constexpr std::size_t kDepthMax = 32;             // parentheses, negations and calls
inline constexpr std::size_t kPatternSizeMax = 256;      // of `wildcard`

enum class NodeKind : std::uint8_t {
  kLiteral,
  kField,
  kCall,
  kCompare,
  kIn,
  kNot,
  kAnd,
  kXor,
  kOr
};

enum class Operator : std::uint8_t {
  kEqual,
  kNotEqual,
  kLess,
  kLessOrEqual,
  kGreater,
  kGreaterOrEqual,
  kContains,
  kWildcard,
  kStrictWildcard,
};

enum class Function : std::uint8_t {
  kLower,
  kUpper,
  kLen,
  kStartsWith,
  kEndsWith,
  kConcat,
  kToString,
};

using Value = std::variant<std::string, std::int64_t, bool, base::IpAddress>;

// An item of a set, both ends included; a single value is a range of one.
struct Range {
  Value first, last;
};

struct Node {
  NodeKind kind = NodeKind::kLiteral;
  Type type = Type::kFlag;             // of its value
  Value value = false;                 // kLiteral
  const Field* field = nullptr;        // kField
  Function function = Function::kLen;  // kCall
  Operator op = Operator::kEqual;      // kCompare: operands[0] op operands[1], which is a literal
  std::vector<Range> set;              // kIn
  std::vector<Node> operands;
};

// Why a text is no expression, and where: octets from 1.
struct Fault {
  std::size_t position = 1;
  std::string message;

  [[nodiscard]] std::string text() const {
    return "position " + std::to_string(position) + ": " + message;
  }
};

// A condition, true or false.
base::Result<Node, Fault> parse_condition(std::string_view text, Stage stage);
// A string: a field, a literal or a function that gives one.
base::Result<Node, Fault> parse_text_value(std::string_view text, Stage stage);

// What a field is in the case at hand; must have the field's type.
using Lookup = std::function<Value(const Field&)>;

// What an expression means. This is the definition that anything faster is tested against.
Value evaluate(const Node& node, const Lookup& lookup);

// Whether `text` is all of `pattern`, in which `*` stands for anything and `\*`, `\\` for
// themselves.
bool matches_wildcard(std::string_view pattern, std::string_view text, bool is_strict);

}  // namespace brink::ctl::rules
