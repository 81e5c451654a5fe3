#include "dns/zone/zone_file_syntax.h"

#include <algorithm>
#include <cctype>
#include <charconv>
#include <cstdint>

namespace brink::dns::zone {
namespace {

constexpr std::uint64_t kTtlMax = 0x7fffffff;
constexpr std::size_t kShownMax = 64;

using Fault = std::optional<SyntaxFault>;

bool is_blank(char c) {
  return c == ' ' || c == '\t' || c == '\r';
}
bool is_digit(char c) {
  return c >= '0' && c <= '9';
}

// No class and no type begins like this.
bool begins_number(std::string_view field) {
  return is_digit(field.front()) || field.front() == '-' || field.front() == '+';
}

bool is_same(std::string_view text, std::string_view upper) {
  return std::equal(text.begin(), text.end(), upper.begin(), upper.end(), [](char a, char b) {
    return std::toupper(static_cast<unsigned char>(a)) == b;
  });
}

bool is_class(std::string_view field) {
  return is_same(field, "IN") || is_same(field, "CH") || is_same(field, "HS") ||
         is_same(field, "NONE") || is_same(field, "ANY") ||
         (field.size() > 5 && is_same(field.substr(0, 5), "CLASS"));
}

std::uint64_t seconds_of(char unit) {
  switch (std::tolower(static_cast<unsigned char>(unit))) {
    case 's':
      return 1;
    case 'm':
      return 60;
    case 'h':
      return 3600;
    case 'd':
      return 86400;
    case 'w':
      return 7 * 86400;
    default:
      return 0;
  }
}

// Goes through the fields of a file once.
class Scanner {
 public:
  explicit Scanner(std::string_view text) : text_(text) {}

  Fault run() {
    while (at_ < text_.size()) {
      if (auto fault = scan_entry()) return fault;
    }
    return std::nullopt;
  }

 private:
  // What the next field of an entry is.
  enum class Expected { kOwner, kTtlClassOrType, kType, kData, kDefaultTtl, kOrigin, kNothing };

  Fault scan_entry();
  Fault end_entry() const;
  Fault take_field(std::string_view& field);
  Fault look_at(std::string_view field);
  Fault look_at_directive(std::string_view field);
  void skip_comment() { at_ = std::min(text_.find('\n', at_), text_.size()); }

  [[nodiscard]] SyntaxFault bad(const std::string& what, const std::string& remedy) const {
    return {line_, what, remedy};
  }
  [[nodiscard]] SyntaxFault bad_ttl(std::string_view field) const {
    return bad("not a TTL: " + shown_field(field),
               "write seconds, from 0 to 2147483647, or units as in 1h30m");
  }

  const std::string_view text_;
  std::size_t at_ = 0;
  std::size_t line_ = 1;
  std::size_t depth_ = 0;      // of parentheses
  std::size_t open_line_ = 0;  // where the outermost one opened
  Expected expected_ = Expected::kOwner;
};

// One entry: a line, or more of them in parentheses.
Fault Scanner::scan_entry() {
  expected_ = is_blank(text_[at_]) ? Expected::kTtlClassOrType : Expected::kOwner;
  while (at_ < text_.size()) {
    const char c = text_[at_];
    if (c == '\n') {
      if (depth_ == 0) {
        if (auto fault = end_entry()) return fault;
        ++line_;
        ++at_;
        return std::nullopt;
      }
      ++line_;
      ++at_;
    } else if (is_blank(c)) {
      ++at_;
    } else if (c == ';') {
      skip_comment();
    } else if (c == '(') {
      if (depth_++ == 0) open_line_ = line_;
      ++at_;
    } else if (c == ')') {
      if (depth_ == 0) return bad("a \")\" that nothing opened", "take it away, or write \\)");
      --depth_;
      ++at_;
    } else {
      std::string_view field;
      if (auto fault = take_field(field)) return fault;
      if (auto fault = look_at(field)) return fault;
    }
  }
  if (depth_ == 0) return end_entry();
  return SyntaxFault{open_line_, "a \"(\" that is never closed",
                     "close it with \")\" behind the last field"};
}

Fault Scanner::end_entry() const {
  if (expected_ == Expected::kDefaultTtl) return bad("$TTL without a TTL", "write $TTL seconds");
  if (expected_ == Expected::kOrigin) return bad("$ORIGIN without a name", "write $ORIGIN name.");
  return std::nullopt;
}

// Up to white space, a comment or a parenthesis that are not quoted.
Fault Scanner::take_field(std::string_view& field) {
  const std::size_t start = at_;
  bool is_quoted = false;
  for (; at_ < text_.size(); ++at_) {
    const char c = text_[at_];
    if (c == '\n') break;
    if (c == '\\' && at_ + 1 < text_.size() && text_[at_ + 1] != '\n') {
      ++at_;
    } else if (c == '"') {
      is_quoted = !is_quoted;
    } else if (!is_quoted && (is_blank(c) || c == ';' || c == '(' || c == ')')) {
      break;
    }
  }
  field = text_.substr(start, at_ - start);
  if (!is_quoted) return std::nullopt;
  return bad("a quote that its line does not close: " + shown_field(field),
             "close it with \", or write \\\" for a quote within a text");
}

Fault Scanner::look_at(std::string_view field) {
  switch (expected_) {
    case Expected::kOwner:
      expected_ = Expected::kTtlClassOrType;
      return field.front() == '$' ? look_at_directive(field) : std::nullopt;
    case Expected::kTtlClassOrType:
      if (begins_number(field)) return is_ttl(field) ? Fault() : bad_ttl(field);
      expected_ = is_class(field) ? Expected::kType : Expected::kData;
      return std::nullopt;
    case Expected::kType:
      expected_ = Expected::kData;
      if (!begins_number(field)) return std::nullopt;
      if (!is_ttl(field)) return bad_ttl(field);
      // RFC 1035 5.1 allows it; ldns does not know it.
      return bad("a TTL behind the class: " + shown_field(field), "write the TTL before the class");
    case Expected::kData:
      return std::nullopt;
    case Expected::kDefaultTtl:
      expected_ = Expected::kNothing;
      return is_ttl(field) ? Fault() : bad_ttl(field);
    case Expected::kOrigin:
      expected_ = Expected::kNothing;
      // ldns would put it below the root.
      if (field.ends_with('.')) return std::nullopt;
      return bad("$ORIGIN with a relative name: " + shown_field(field),
                 "write the whole name, with a dot at its end");
    case Expected::kNothing:
      return bad("more than one value behind a directive: " + shown_field(field),
                 "put a comment behind a \";\"");
  }
  return std::nullopt;
}

Fault Scanner::look_at_directive(std::string_view field) {
  if (field == "$TTL") {
    expected_ = Expected::kDefaultTtl;
    return std::nullopt;
  }
  if (field == "$ORIGIN") {
    expected_ = Expected::kOrigin;
    return std::nullopt;
  }
  if (is_same(field, "$INCLUDE")) {
    return bad("$INCLUDE directive not allowed", "put the records into one file");
  }
  return bad("unknown directive " + shown_field(field),
             "there are $ORIGIN, $TTL and $GENERATE; write \\$ for a name that starts so");
}

}  // namespace

std::optional<SyntaxFault> syntax_fault(std::string_view text) {
  return Scanner(text).run();
}

bool is_ttl(std::string_view text) {
  std::uint64_t sum = 0;
  bool has_units = false;
  while (!text.empty()) {
    std::uint64_t number = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
    if (error != std::errc() || number > kTtlMax) return false;
    text.remove_prefix(static_cast<std::size_t>(end - text.data()));
    if (text.empty()) return !has_units && number <= kTtlMax;
    const std::uint64_t unit = seconds_of(text.front());
    if (unit == 0) return false;
    text.remove_prefix(1);
    has_units = true;
    sum += number * unit;
    if (sum > kTtlMax) return false;
  }
  return has_units;
}

std::string shown_field(std::string_view text) {
  std::string shown(text.substr(0, kShownMax));
  for (char& c : shown) {
    if (static_cast<unsigned char>(c) < 0x20 || c == 0x7f) c = '?';
  }
  return "\"" + shown + (text.size() > kShownMax ? "...\"" : "\"");
}

}  // namespace brink::dns::zone
