// parse_response: one HTTP/1.0 or HTTP/1.1 response head from an origin, as strict as requests are
// (RFC 9112 4, 5, 6.3). Any refusal means the connection cannot be trusted any further.
#pragma once

#include <string_view>

#include "l7/http/head.h"
#include "l7/http1/head_limits.h"
#include "l7/http/verdict.h"

namespace brink::l7::http1 {

// As parse_request. `request_method` decides with the status whether there is a body. Interim (1xx)
// responses are ordinary heads with no body; the caller goes on with the next head.
Verdict parse_response(std::string_view text, const Limits& limits, http::Method request_method,
                       Progress& progress, http::ResponseHead& out,
                       std::uint32_t& head_size) noexcept;

}  // namespace brink::l7::http1
