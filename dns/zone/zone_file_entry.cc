#include "dns/zone/zone_file_entry.h"

#include <algorithm>

namespace brink::dns::zone {
namespace {

constexpr std::size_t kShownMax = 64;

using Fault = std::optional<SyntaxFault>;

bool is_blank(char c) {
  return c == ' ' || c == '\t' || c == '\r';
}

}  // namespace

Fault EntryReader::next(Entry& entry) {
  entry.line = line_;
  entry.first_line = trimmed(peek_line());
  entry.has_owner = !at_end() && !is_blank(text_[at_]);
  entry.fields.clear();
  entry.comment = {};
  std::size_t depth = 0, open_line = 0;  // of parentheses; where the outermost one opened
  while (!at_end()) {
    const char c = text_[at_];
    if (c == '\n') {
      ++line_;
      ++at_;
      if (depth == 0) return std::nullopt;
      entry.comment = {};
    } else if (is_blank(c)) {
      ++at_;
    } else if (c == ';') {
      take_comment(entry);
    } else if (c == '(') {
      if (depth++ == 0) open_line = line_;
      ++at_;
    } else if (c == ')') {
      if (depth == 0) {
        return SyntaxFault{line_, "a \")\" that nothing opened", "take it away, or write \\)"};
      }
      --depth;
      ++at_;
    } else {
      std::string_view field;
      if (auto fault = take_field(field)) return fault;
      entry.fields.push_back(field);
    }
  }
  if (depth == 0) return std::nullopt;
  return SyntaxFault{open_line, "a \"(\" that is never closed",
                     "close it with \")\" behind the last field"};
}

void EntryReader::take_comment(Entry& entry) {
  const std::string_view rest = peek_line();
  entry.comment = trimmed(rest.substr(1));
  at_ += rest.size();
}

// Up to white space, a comment or a parenthesis that are not quoted.
Fault EntryReader::take_field(std::string_view& field) {
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
  return SyntaxFault{line_, "a quote that its line does not close: " + shown_field(field),
                     "close it with \", or write \\\" for a quote within a text"};
}

std::string_view trimmed(std::string_view text) {
  constexpr std::string_view kWhite = " \t\r\n\v\f";
  text.remove_prefix(std::min(text.find_first_not_of(kWhite), text.size()));
  return text.substr(0, text.find_last_not_of(kWhite) + 1);
}

std::string shown_field(std::string_view text) {
  std::string shown(text.substr(0, kShownMax));
  for (char& c : shown) {
    if (static_cast<unsigned char>(c) < 0x20 || c == 0x7f) c = '?';
  }
  return "\"" + shown + (text.size() > kShownMax ? "...\"" : "\"");
}

}  // namespace brink::dns::zone
