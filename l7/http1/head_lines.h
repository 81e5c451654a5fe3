// The lines that requests and responses share: CRLF, the end of a head, field lines. RFC
// 9112 2.2, 5.
#pragma once

#include <string_view>

#include "l7/http/head.h"
#include "l7/http1/head_limits.h"
#include "l7/http/verdict.h"

namespace brink::l7::http1 {

// True when `text` may hold a whole head, that is an empty line; remembers how far it looked. The
// first call (nothing scanned yet) always says true, so that a short head is parsed in one pass.
bool may_be_complete(std::string_view text, Progress& progress) noexcept;

// Expects CRLF at `p` and steps over it. `misfit` is the verdict for a byte that is neither CR nor
// LF.
Verdict take_crlf(const char*& p, const char* end, Verdict misfit) noexcept;

// Parses field lines from `p` up to and including the empty line. On ok `p` is behind the head.
// Names are tokens directly followed by ':', values have their outer whitespace cut off.
Verdict take_fields(const char*& p, const char* end, const Limits& limits,
                    http::Fields& fields) noexcept;

}  // namespace brink::l7::http1
