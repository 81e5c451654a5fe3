// What people read: aligned tables and short values. All to standard output.
#pragma once

#include <string>
#include <vector>

#include "ctl/cli/command.h"

namespace brink::ctl::cli {

using Row = std::vector<std::string>;

// Columns as wide as their widest cell; the last one is not padded.
std::string table(const Row& head, const std::vector<Row>& rows);

// A member as text: strings bare, absent and null as "-".
std::string text_of(const Json& object, const char* name);

// "1h 5m" and the like.
std::string duration_text(std::int64_t seconds);

// "12.3%"; of nothing it is 0.0%.
std::string percent_text(std::uint64_t part, std::uint64_t whole);

// "850 ns", "12.3 us" and the like.
std::string nanoseconds_text(std::uint64_t nanoseconds);

// "812 B", "1.5 MiB" and the like.
std::string size_text(std::uint64_t bytes);

// A table of the "latency" of `total`, which has it for all, and of each of its "workers"; without
// what nothing was counted of. Empty: nothing was counted.
std::string latency_table(const Json& total);

void print(const std::string& text);
void print_json(const Json& json);

}  // namespace brink::ctl::cli
