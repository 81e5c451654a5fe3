#include "ctl/model/name.h"

#include <algorithm>

namespace brink::ctl::model {
namespace {

constexpr std::size_t kLabelMax = 63;  // RFC 1035 2.3.4
constexpr std::size_t kWireMax = 255;

Refusal bad_name(std::string_view text, const std::string& why) {
  return invalid_record(kCodeNameInvalid,
                        "DNS name \"" + std::string(text) + "\" is invalid: " + why + ".");
}

char lower(char c) {
  return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
}

bool is_digit(char c) {
  return c >= '0' && c <= '9';
}

bool needs_backslash(std::uint8_t byte) {
  return byte == '.' || byte == '\\' || byte == '"' || byte == ';' || byte == '(' || byte == ')' ||
         byte == '@' || byte == '$';
}

void append_label(std::string& text, std::span<const std::uint8_t> label) {
  for (const std::uint8_t byte : label) {
    if (needs_backslash(byte)) {
      text += '\\';
      text += static_cast<char>(byte);
    } else if (byte > 0x20 && byte < 0x7f) {
      text += lower(static_cast<char>(byte));
    } else {
      text += '\\';
      text += static_cast<char>('0' + byte / 100);
      text += static_cast<char>('0' + byte / 10 % 10);
      text += static_cast<char>('0' + byte % 10);
    }
  }
}

// Decodes one escape whose backslash is at `at`; moves `at` to its last character.
std::optional<std::uint8_t> decode_escape(std::string_view text, std::size_t& at) {
  if (at + 1 >= text.size()) return std::nullopt;
  if (!is_digit(text[at + 1])) return static_cast<std::uint8_t>(text[++at]);
  if (at + 3 >= text.size() || !is_digit(text[at + 2]) || !is_digit(text[at + 3])) {
    return std::nullopt;
  }
  const int value = (text[at + 1] - '0') * 100 + (text[at + 2] - '0') * 10 + (text[at + 3] - '0');
  at += 3;
  if (value > 255) return std::nullopt;
  return static_cast<std::uint8_t>(value);
}

// Splits presentation text into wire form (RFC 1035 3.1), with its root label.
Outcome<std::vector<std::uint8_t>> to_wire(std::string_view text) {
  std::vector<std::uint8_t> wire;
  std::size_t length_at = 0;
  wire.push_back(0);
  for (std::size_t at = 0; at < text.size(); ++at) {
    std::uint8_t byte = static_cast<std::uint8_t>(text[at]);
    if (byte == '.') {
      if (wire[length_at] == 0) return bad_name(text, "it has an empty label");
      if (at + 1 == text.size()) break;
      length_at = wire.size();
      wire.push_back(0);
      continue;
    }
    if (byte == '\\') {
      const auto decoded = decode_escape(text, at);
      if (!decoded)
        return bad_name(text, "an escape must be \\DDD (000-255) or \\ and a character");
      byte = *decoded;
    } else if (byte >= 0x80) {
      return bad_name(text, "it is no international name that Punycode (xn--...) can express");
    } else if (byte <= 0x20 || byte == 0x7f) {
      return bad_name(text, "it contains a space or a control character");
    }
    if (wire[length_at] == kLabelMax) return bad_name(text, "a label may have 63 octets at most");
    ++wire[length_at];
    wire.push_back(static_cast<std::uint8_t>(lower(static_cast<char>(byte))));
  }
  if (wire.size() > 1) wire.push_back(0);
  if (wire.size() > kWireMax) return bad_name(text, "a name may have 253 octets at most");
  return wire;
}

// Whether the text is a name in canonical form, certainly: lower-case labels without anything that
// needs an escape. Nearly all names are.
bool is_plain(std::string_view text) {
  if (text.size() > kWireMax - 2) return false;
  std::size_t label = 0;
  for (const char c : text) {
    if (c == '.') {
      if (label == 0) return false;
      label = 0;
      continue;
    }
    if (!((c >= 'a' && c <= 'z') || is_digit(c) || c == '-' || c == '_' || c == '*')) return false;
    if (++label > kLabelMax) return false;
  }
  return label != 0;
}

}  // namespace

Outcome<DomainName> DomainName::parse(std::string_view text) {
  if (text.empty()) return bad_name(text, "it is empty");
  if (text == ".") return DomainName();
  if (is_plain(text)) {
    DomainName name;
    name.text_ = text;
    return name;
  }
  auto wire = to_wire(text);
  if (!wire) return wire.error();
  auto name = from_wire(wire.value());
  CHECK(name.has_value());
  return *std::move(name);
}

std::optional<DomainName> DomainName::from_wire(std::span<const std::uint8_t> wire) {
  DomainName name;
  name.text_.reserve(wire.size());
  std::size_t at = 0;
  while (at < wire.size() && wire[at] != 0) {
    const std::size_t length = wire[at];
    if (length > kLabelMax || at + 1 + length >= wire.size()) return std::nullopt;
    if (!name.text_.empty()) name.text_ += '.';
    append_label(name.text_, wire.subspan(at + 1, length));
    at += 1 + length;
  }
  if (at + 1 != wire.size() || wire.size() > kWireMax) return std::nullopt;
  return name;
}

std::vector<std::uint8_t> DomainName::wire() const {
  if (is_plain(text_)) {
    std::vector<std::uint8_t> wire(text_.size() + 2);
    std::size_t length_at = 0;
    for (std::size_t at = 0; at < text_.size(); ++at) {
      wire[at + 1] = static_cast<std::uint8_t>(text_[at]);
      if (text_[at] != '.') continue;
      wire[length_at] = static_cast<std::uint8_t>(at - length_at);
      length_at = at + 1;
    }
    wire[length_at] = static_cast<std::uint8_t>(text_.size() - length_at);
    return wire;
  }
  auto wire = to_wire(text_);
  CHECK(wire.ok());
  return std::move(wire).value();
}

bool DomainName::is_within(const DomainName& ancestor) const {
  if (ancestor.text_.empty() || text_ == ancestor.text_) return true;
  if (text_.size() <= ancestor.text_.size() || !text_.ends_with(ancestor.text_)) return false;
  // The character before the suffix must be a dot that ends a label, not an escaped one.
  const std::size_t dot = text_.size() - ancestor.text_.size() - 1;
  if (text_[dot] != '.') return false;
  std::size_t backslashes = 0;
  while (backslashes < dot && text_[dot - 1 - backslashes] == '\\') ++backslashes;
  return backslashes % 2 == 0;
}

DomainName DomainName::parent() const {
  DomainName up;
  const std::size_t dot = first_label_size(text_);
  if (dot != text_.size()) up.text_ = text_.substr(dot + 1);
  return up;
}

std::size_t first_label_size(std::string_view text) {
  for (std::size_t at = 0; at < text.size(); ++at) {
    if (text[at] == '\\') {
      ++at;
    } else if (text[at] == '.') {
      return at;
    }
  }
  return text.size();
}

Outcome<DomainName> owner_name(std::string_view text, const DomainName& zone) {
  if (text.empty() || text == "@") return zone;
  const std::string ascii = to_ascii(text);
  auto name = DomainName::parse(ascii);
  if (!name) return name.error();
  if (name.value().is_within(zone)) return name;
  if (text.ends_with('.')) return bad_name(text, "it does not lie in zone " + zone.text());
  return DomainName::parse(ascii + "." + zone.text() + ".");
}

}  // namespace brink::ctl::model
