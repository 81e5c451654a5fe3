// Fields of record data in presentation form, between blanks: comments, parentheses and ends of
// lines are taken out before.
#pragma once

#include <algorithm>
#include <string_view>

namespace brink::dns::zone {

// The next field, taken off `text`; empty: there is none.
inline std::string_view next_field(std::string_view& text) {
  constexpr std::string_view kBlank = " \t";
  text.remove_prefix(std::min(text.find_first_not_of(kBlank), text.size()));
  const std::string_view field = text.substr(0, text.find_first_of(kBlank));
  text.remove_prefix(field.size());
  return field;
}

}  // namespace brink::dns::zone
