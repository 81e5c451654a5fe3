// rdata_fault: what ldns takes for a record's data and is none. Any thread.
#pragma once

#include <string_view>

#include "dns/zone/ldns_owner.h"

namespace brink::dns::zone {

// Why the data of `rr`, which ldns read from `text`, is not data of its type: fields are missing,
// or the form of RFC 3597 5 states another length. Null if it is.
const char* rdata_fault(const ldns_rr* rr, std::string_view text);

}  // namespace brink::dns::zone
