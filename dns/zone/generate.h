// $GENERATE: a line of a zone file that stands for many records, as BIND has it:
//   $GENERATE first-last[/step] owner [ttl] [class] type data
// In owner and data "$" is the number, "${offset,width,base}" the number plus offset, filled up
// with zeros, in base d, o, x or X; "\$" is a dollar sign. Cold. Thread-safe.
#pragma once

#include <string>
#include <string_view>

#include "dataplane/base/result.h"

namespace brink::dns::zone {

// Records that one directive may stand for.
inline constexpr std::size_t kGenerateMax = 65'536;

// Whether a line is such a directive.
bool is_generate(std::string_view line);

// Appends the lines that `line` stands for, each with its line feed, and returns how many they are.
base::Result<std::size_t> expand_generate(std::string_view line, std::string& out);

}  // namespace brink::dns::zone
