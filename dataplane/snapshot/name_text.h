// A wire name as text, for messages. Cold.
#pragma once

#include <cstdint>
#include <span>
#include <string>

namespace brink::snapshot {

// Octets that are no printable ASCII come out as \DDD; a malformed name as far as it goes.
std::string name_text(std::span<const std::uint8_t> name);

}  // namespace brink::snapshot
