// parse_request: one HTTP/1.0 or HTTP/1.1 request head, strictly (RFC 9112 3, 5, 6). No allocation,
// no repair: what two readers could understand differently is refused.
#pragma once

#include <string_view>

#include "l7/http/head.h"
#include "l7/http1/head_limits.h"
#include "l7/http/verdict.h"

namespace brink::l7::http1 {

// Parses the head at the start of `text`, which may hold less than a head or more (body, pipelined
// requests). Call again with the same bytes plus new ones after `incomplete`.
//
// On ok: `out` is filled with slices into `text`, `head_size` is the number of bytes of the head.
// One empty line before the request line is skipped (RFC 9112 2.2). `default_port` (of the
// listener) decides whether "host" and "host:80" are the same when an absolute-form target is
// compared with Host; out.scheme is what such a target says, and the caller knows whether the
// connection's is the same. On any other verdict `out` and `head_size` are unspecified, except that
// out.method, out.version are meaningful once the request line was fine.
Verdict parse_request(std::string_view text, const Limits& limits, std::uint16_t default_port,
                      Progress& progress, http::RequestHead& out,
                      std::uint32_t& head_size) noexcept;

}  // namespace brink::l7::http1
