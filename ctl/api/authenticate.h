// Who a request over TCP is from: a bearer token (RFC 6750 2.1), or a user's e-mail address with
// the global key. Nothing else of the request is looked at.
#pragma once

#include "ctl/api/service.h"

namespace brink::ctl::api {

// The refusal carries the codes that clients know: 6003 (malformed headers, with 6102, 6103 or 6111
// as the cause), 9103 (unknown key), 9109 (unknown, disabled, expired, or not from here), 10000
// (no credentials at all).
model::Outcome<identity::Principal> authenticate(Service& service, const Request& request);

}  // namespace brink::ctl::api
