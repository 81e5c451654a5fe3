// Finding: what a check of a whole zone has to say about one of its names or RRsets.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "dns/zone/resource_record.h"

namespace brink::dns::zone {

// kError: what cannot be served, or what resolvers refuse. kWarning: what is hardly meant so.
enum class Severity : std::uint8_t { kWarning, kError };

struct Finding {
  Severity severity = Severity::kError;
  Wire owner;              // wire form
  std::uint16_t type = 0;  // 0: of the name as a whole
  std::string what;        // with the value
  std::string remedy;
  std::size_t line = 0;  // of the file, from 1; 0: not known
};

using Findings = std::vector<Finding>;

}  // namespace brink::dns::zone
