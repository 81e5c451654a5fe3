// Loop detection by CDN-Loop (RFC 8586). Our own entry is `brink; zone=<zone name>`: a request that
// already carries it for the same zone came back to us; across zones (a CNAME from one zone into
// another) kLoopEntriesMax passes are allowed.
#pragma once

#include <cstdint>
#include <string_view>

#include "l7/http/head.h"

namespace brink::l7::proxy {

inline constexpr std::string_view kLoopToken = "brink";
inline constexpr int kLoopEntriesMax = 16;

enum class LoopVerdict : std::uint8_t { pass, loop, malformed };

// Reads every CDN-Loop field of a request to a name in `zone` (lower-case, no trailing dot).
LoopVerdict inspect_loop(const http::Fields& fields, std::string_view zone) noexcept;

}  // namespace brink::l7::proxy
