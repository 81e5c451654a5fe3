// TTLs as zone files state them. Cold, any thread.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

namespace brink::dns::zone {

// Seconds as a number or as in 1w2d3h4m5s, at most 2^31 - 1 (RFC 2181 8); empty: it is neither.
std::optional<std::uint32_t> ttl_from_text(std::string_view text);

}  // namespace brink::dns::zone
