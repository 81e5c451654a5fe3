// Trailer fields (RFC 9110 6.5): which of them pass, and who can take them. Pure functions.
#pragma once

#include "l7/http/head.h"

namespace brink::l7::proxy {

// Whether a field may stand behind a body: it neither frames, routes, modifies nor authenticates
// the message, nor says how its content is to be read (RFC 9110 6.5.1), and is none that the edge
// answers for. `name` is its text.
bool may_be_trailer(const http::Field& field, std::string_view name) noexcept;

// Whether the sender of these fields says that it takes trailers (TE, RFC 9110 10.1.4).
bool takes_trailers(const http::Fields& fields) noexcept;

}  // namespace brink::l7::proxy
