// An access log entry as one line of JSON; docs/access-log.md describes its fields. Cold: the log's
// writer, outside the workers.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "l7/log/entry.h"

namespace brink::l7::log {

// Where an entry was written.
struct Origin {
  std::string_view node;
  std::string_view colo;
  std::uint32_t worker = 0;
};

// Appends the line with its line feed. Octets of a request that are no UTF-8 become U+FFFD. Fields
// without a value are left out.
void append_line(std::string& out, const EntryView& entry, const Origin& origin);

}  // namespace brink::l7::log
