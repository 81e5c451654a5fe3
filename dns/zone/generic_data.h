// Record data in the form that any type has (RFC 3597 5): "\#", how many octets, and these in
// hexadecimal. ldns takes other letters for digits. Cold. Any thread.
#pragma once

#include <string>
#include <string_view>

#include "dns/zone/resource_record.h"

namespace brink::dns::zone {

// Whether fields are written so.
bool is_generic_form(std::string_view fields);

// Puts the octets of such fields into `rdata`. Why they are none, or null.
const char* read_generic(std::string_view fields, Wire& rdata);

std::string generic_text(const Wire& rdata);

}  // namespace brink::dns::zone
