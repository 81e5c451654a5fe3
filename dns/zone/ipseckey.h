// IPSECKEY data in presentation form (RFC 4025 3.1). ldns reads it too, but takes numbers for what
// they begin with, a relative gateway for an absolute one, no key in pieces and none at all, and
// loses memory over one field too many. Cold. Any thread.
#pragma once

#include <string_view>

#include "dns/zone/resource_record.h"

namespace brink::dns::zone {

// Puts the data into `rdata`; `origin` completes a relative gateway. Why it is none, or null.
const char* read_ipseckey(std::string_view fields, const Wire& origin, Wire& rdata);

}  // namespace brink::dns::zone
