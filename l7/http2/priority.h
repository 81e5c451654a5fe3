// Priority: the value of a `priority` field, RFC 9218 4 and 5. What cannot be parsed is ignored, as
// a whole: a wrong priority harms nobody but its sender.
#pragma once

#include <cstdint>
#include <string_view>

namespace brink::l7::http2 {

struct Priority {
  std::uint8_t urgency = 3;  // 0 first, 7 last
  bool incremental = false;  // shares with others of its urgency, instead of going one by one
};

// The members `u` and `i` of a dictionary (RFC 8941 3.2); others and parameters are skipped.
// Returns false, and leaves `out`, when the text is no dictionary of the simple kinds.
bool parse_priority(std::string_view text, Priority& out) noexcept;

}  // namespace brink::l7::http2
