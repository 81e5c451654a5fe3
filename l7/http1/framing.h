// Framing: where a message's body ends according to Content-Length and Transfer-Encoding. Anything
// that two readers could understand differently is refused, not repaired (RFC 9112 6.1-6.3, 11.2).
#pragma once

#include <cstdint>
#include <string_view>

#include "l7/http/head.h"
#include "l7/http1/head_limits.h"

namespace brink::l7::http1 {

struct Framing {
  bool has_length = false;
  bool chunked = false;
  std::uint64_t length = 0;
};

// Reads both fields of one head.
Verdict read_framing(const http::Fields& fields, http::Version version, Framing& out) noexcept;

}  // namespace brink::l7::http1
