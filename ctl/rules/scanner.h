// Scanner: the words, signs and literals that an expression is made of. Private to this folder.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "ctl/rules/expression.h"

namespace brink::ctl::rules {

class Scanner {
 public:
  explicit Scanner(std::string_view text) : text_(text) {}

  // The next character that is not white space, which is gone; NUL at the end.
  char peek();
  // Whether a sign comes next, which is then taken.
  bool take_sign(std::string_view sign);
  // Likewise a keyword, which ends where a word ends.
  bool take_word(std::string_view word);
  std::string_view peek_word();

  // A string, number, address, true or false.
  base::Result<Node, Fault> parse_literal();
  // An item of a set of values of `type`.
  std::optional<Fault> read_item(Type type, Range& range);

  static Fault fault(std::size_t at, std::string message) { return {at + 1, std::move(message)}; }
  // What should have come instead of what comes.
  Fault expected(const std::string& what);

 protected:
  const std::string_view text_;
  std::size_t at_ = 0;

 private:
  base::Result<Node, Fault> parse_quoted();
  base::Result<Node, Fault> parse_raw();
  base::Result<Node, Fault> parse_plain();
};

}  // namespace brink::ctl::rules
