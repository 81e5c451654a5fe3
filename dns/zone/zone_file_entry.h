// The entries of a zone file (RFC 1035 5.1): what belongs together, over lines, cut into fields.
// What the fields mean is zone_file's business. Cold, no allocation but for the fields, any thread.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace brink::dns::zone {

struct SyntaxFault {
  std::size_t line = 0;  // from 1
  std::string what;      // with the value
  std::string remedy;
};

// Views into the file.
struct Entry {
  std::size_t line = 0;                  // where it begins, from 1
  std::string_view first_line;           // without white space around it
  bool has_owner = false;                // its first field begins its line
  std::vector<std::string_view> fields;  // quotes and escapes as they stand there
  std::string_view comment;              // what follows ';' on its last line, trimmed
};

// Goes through the entries of a file once.
class EntryReader {
 public:
  // `text` outlives the reader and what it gives.
  explicit EntryReader(std::string_view text) : text_(text) {}

  [[nodiscard]] bool at_end() const { return at_ >= text_.size(); }
  [[nodiscard]] std::size_t line() const { return line_; }
  // Between entries: the line that comes next, without its end.
  [[nodiscard]] std::string_view peek_line() const {
    return text_.substr(at_, text_.find('\n', at_) - at_);
  }
  void skip_line() {
    at_ += peek_line().size() + 1;
    ++line_;
  }

  // Reads an entry; one without fields is a line that says nothing. A fault: a quote or parenthesis
  // that stays open, or one that closes what nothing opened.
  std::optional<SyntaxFault> next(Entry& entry);

 private:
  std::optional<SyntaxFault> take_field(std::string_view& field);
  void take_comment(Entry& entry);

  std::string_view text_;
  std::size_t at_ = 0;
  std::size_t line_ = 1;
};

// `text` without white space around it.
std::string_view trimmed(std::string_view text);

// In quotes, printable, and no longer than a line of a terminal.
std::string shown_field(std::string_view text);

}  // namespace brink::dns::zone
