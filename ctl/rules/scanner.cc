#include "ctl/rules/scanner.h"

#include <charconv>

namespace brink::ctl::rules {
namespace {

using base::IpAddress;
using Parsed = base::Result<Node, Fault>;

bool is_word(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' ||
         c == '.';
}
bool is_space(char c) {
  return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}
bool is_digit(char c) {
  return c >= '0' && c <= '9';
}
int hex_digit(char c) {
  if (is_digit(c)) return c - '0';
  const char low = static_cast<char>(c | 0x20);
  return low >= 'a' && low <= 'f' ? low - 'a' + 10 : -1;
}

// Both ends of 192.0.2.0/24, or nothing.
std::optional<Range> read_prefix(std::string_view text) {
  const std::size_t slash = text.find('/');
  const auto address = IpAddress::parse(text.substr(0, slash));
  if (!address || slash == std::string_view::npos) return std::nullopt;
  const unsigned most = address->is_v4() ? 32 : 128;
  unsigned prefix = 0;
  const char* end = text.data() + text.size();
  const auto [last, error] = std::from_chars(text.data() + slash + 1, end, prefix);
  if (error != std::errc() || last != end || prefix > most) return std::nullopt;
  auto first_bytes = address->bytes(), last_bytes = first_bytes;
  for (unsigned bit = 128 - most + prefix; bit < 128; ++bit) {
    const auto mask = static_cast<std::uint8_t>(0x80U >> (bit % 8));
    first_bytes[bit / 8] = static_cast<std::uint8_t>(first_bytes[bit / 8] & ~mask);
    last_bytes[bit / 8] = static_cast<std::uint8_t>(last_bytes[bit / 8] | mask);
  }
  return Range{IpAddress::v6_from_wire(first_bytes.data()),
               IpAddress::v6_from_wire(last_bytes.data())};
}

Node literal(Type type, Value value) {
  Node node;
  node.type = type;
  node.value = std::move(value);
  return node;
}

}  // namespace

char Scanner::peek() {
  while (at_ < text_.size() && is_space(text_[at_])) ++at_;
  return at_ < text_.size() ? text_[at_] : '\0';
}

bool Scanner::take_sign(std::string_view sign) {
  peek();
  if (!text_.substr(at_).starts_with(sign)) return false;
  at_ += sign.size();
  return true;
}

bool Scanner::take_word(std::string_view word) {
  if (peek_word() != word) return false;
  at_ += word.size();
  return true;
}

std::string_view Scanner::peek_word() {
  peek();
  std::size_t end = at_;
  while (end < text_.size() && is_word(text_[end])) ++end;
  return text_.substr(at_, end - at_);
}

Fault Scanner::expected(const std::string& what) {
  const char c = peek();
  if (c == '\0') return fault(at_, "expected " + what + " before the end");
  const std::string_view word = peek_word();
  return fault(at_, "expected " + what + ", not " +
                        (word.empty() ? "'" + std::string(1, c) + "'" : std::string(word)));
}

Parsed Scanner::parse_literal() {
  const char c = peek();
  if (c == '"') return parse_quoted();
  if (c == 'r' && (text_.substr(at_).starts_with("r\"") || text_.substr(at_).starts_with("r#"))) {
    return parse_raw();
  }
  if (take_word("true")) return literal(Type::kFlag, true);
  if (take_word("false")) return literal(Type::kFlag, false);
  if (c == '$') return fault(at_, "named lists are not supported");
  return parse_plain();
}

Parsed Scanner::parse_quoted() {
  const std::size_t start = at_++;
  std::string value;
  while (at_ < text_.size() && text_[at_] != '"') {
    if (text_[at_] != '\\') {
      value += text_[at_++];
      continue;
    }
    const std::string_view escape = text_.substr(at_, 4);
    if (escape.size() >= 2 && (escape[1] == '"' || escape[1] == '\\')) {
      value += escape[1];
      at_ += 2;
    } else if (escape.size() >= 2 && escape[1] == '*') {
      value += "\\*";  // means itself in a wildcard
      at_ += 2;
    } else if (escape.size() == 4 && escape[1] == 'x' && hex_digit(escape[2]) >= 0 &&
               hex_digit(escape[3]) >= 0) {
      value += static_cast<char>(hex_digit(escape[2]) * 16 + hex_digit(escape[3]));
      at_ += 4;
    } else {
      return fault(at_, "a string knows \\\", \\\\, \\* and \\xHH; or write r\"...\"");
    }
  }
  if (at_ == text_.size()) return fault(start, "the string has no end");
  ++at_;
  return literal(Type::kText, std::move(value));
}

// r"...", r#"..."#, r##"..."## and so on.
Parsed Scanner::parse_raw() {
  const std::size_t start = at_++;
  std::string end = "\"";
  while (at_ < text_.size() && text_[at_] == '#') {
    end += '#';
    ++at_;
  }
  if (at_ == text_.size() || text_[at_] != '"') return fault(start, "a raw string is r\"...\"");
  const std::size_t close = text_.find(end, ++at_);
  if (close == std::string_view::npos) return fault(start, "the string has no end");
  std::string value(text_.substr(at_, close - at_));
  at_ = close + end.size();
  return literal(Type::kText, std::move(value));
}

// A number or an address.
Parsed Scanner::parse_plain() {
  peek();
  std::size_t end = at_;
  while (end < text_.size() && (hex_digit(text_[end]) >= 0 || text_[end] == ':' ||
                                text_[end] == '.' || (end == at_ && text_[end] == '-'))) {
    // The dots of a range end what is before them.
    if (text_.substr(end).starts_with("..")) break;
    ++end;
  }
  const std::string_view token = text_.substr(at_, end - at_);
  const bool is_over = end == text_.size() || !is_word(text_[end]) || text_[end] == '.';
  std::int64_t number = 0;
  const auto [last, error] = std::from_chars(token.data(), token.data() + token.size(), number);
  if (is_over && !token.empty() && error == std::errc() && last == token.data() + token.size()) {
    at_ = end;
    return literal(Type::kNumber, number);
  }
  if (const auto address = IpAddress::parse(token); is_over && address) {
    at_ = end;
    return literal(Type::kAddress, *address);
  }
  return expected("a value (\"text\", a number, an address, true or false)");
}

std::optional<Fault> Scanner::read_item(Type type, Range& range) {
  const std::size_t start = (peek(), at_);
  Parsed first = parse_literal();
  if (!first) return first.error();
  if (first.value().type != type) {
    return fault(start, "expected " + std::string(to_text(type)) + ", not " +
                            std::string(to_text(first.value().type)));
  }
  range.first = range.last = first.value().value;
  const bool has_range = type == Type::kNumber || type == Type::kAddress;
  if (type == Type::kAddress && at_ < text_.size() && text_[at_] == '/') {
    std::size_t end = at_ + 1;
    while (end < text_.size() && is_digit(text_[end])) ++end;
    const auto prefix = read_prefix(text_.substr(start, end - start));
    if (!prefix) return fault(start, "this is not a network");
    range = *prefix;
    at_ = end;
    return std::nullopt;
  }
  if (!has_range || !text_.substr(at_).starts_with("..")) return std::nullopt;
  at_ += 2;
  const std::size_t last_start = at_;
  Parsed last = parse_literal();
  if (!last) return last.error();
  if (last.value().type != type) return fault(last_start, "a range has ends of one type");
  range.last = last.value().value;
  const bool mixed = type == Type::kAddress && std::get<IpAddress>(range.first).is_v4() !=
                                                   std::get<IpAddress>(range.last).is_v4();
  if (mixed || range.last < range.first) return fault(start, "the range ends before it begins");
  return std::nullopt;
}

}  // namespace brink::ctl::rules
