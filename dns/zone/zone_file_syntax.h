// The form of a zone file (RFC 1035 5.1), as far as ldns takes without a word what is wrong: quotes
// and parentheses that stay open, TTLs that are none, directives that nobody knows. Types, names
// and record data are not looked at; ldns refuses those itself. Cold, no state, any thread.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

namespace brink::dns::zone {

struct SyntaxFault {
  std::size_t line = 0;  // from 1
  std::string what;      // with the value
  std::string remedy;
};

// The first fault of a zone file without $GENERATE; empty: there is none that ldns would not see.
std::optional<SyntaxFault> syntax_fault(std::string_view text);

// Seconds as a number or as in 1w2d3h4m5s, at most 2^31 - 1 (RFC 2181 8).
bool is_ttl(std::string_view text);

// In quotes, printable, and no longer than a line of a terminal.
std::string shown_field(std::string_view text);

}  // namespace brink::dns::zone
