// Presentation form <-> wire form of names, types and record data (RFC 1035 5.1, RFC 3597), by
// ldns. Cold. Thread-safe.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "dataplane/base/result.h"
#include "dns/zone/resource_record.h"

namespace brink::dns::zone {

// Wire form of a name; one without a final dot is completed by `origin` (wire form; empty: it is
// taken as absolute). "@" is the origin itself. Fails on an over-long or malformed name.
base::Result<Wire> name_from_text(std::string_view text, const Wire& origin = {});

// Absolute text with a final dot and \DDD escapes; "." is the root.
std::string name_to_text(const Wire& name);

// The name in lower case (ASCII letters only, RFC 4343).
Wire lower_name(Wire name);

// True if `name` is `ancestor` or below it. Both lower-case wire names.
bool is_at_or_below(const Wire& name, const Wire& ancestor);

// "A", "TYPE65534"; any case. Empty: no such type, or one that no zone can hold (OPT, AXFR,
// ANY...).
std::optional<std::uint16_t> type_from_text(std::string_view text);
std::string type_to_text(std::uint16_t type);

// Record data from its presentation form; relative names in it are completed by `origin`. Fails
// with the parser's reason; `content` must be one line.
base::Result<Wire> rdata_from_text(std::uint16_t type, std::string_view content,
                                   const Wire& origin);
// The same of the fields of a zone file's entry: blanks between them, comments and parentheses
// taken out.
base::Result<Wire> rdata_from_fields(std::uint16_t type, std::string_view fields,
                                     const Wire& origin);
// Presentation form of record data; names absolute. Data without a text that means the same octets
// is written in the form of any type (RFC 3597 5).
base::Result<std::string> rdata_to_text(std::uint16_t type, const Wire& rdata);

}  // namespace brink::dns::zone
