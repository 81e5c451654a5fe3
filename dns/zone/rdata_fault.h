// Data that ldns takes wrongly. Any thread.
#pragma once

#include <cstdint>
#include <string_view>

#include "dns/zone/ldns_owner.h"

namespace brink::dns::zone {

// Why ldns must not be given `text` as data of `type`, or null: the CERT type 0, which is reserved
// (RFC 4398 2.1), is refused by it too, but costs it memory that it does not free.
const char* text_fault(std::uint16_t type, std::string_view text);

// Why the data of `rr`, which ldns read, is not data of its type: fields are missing or empty.
// Null if it is.
const char* rdata_fault(const ldns_rr* rr);

}  // namespace brink::dns::zone
