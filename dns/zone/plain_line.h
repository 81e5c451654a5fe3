// plain_line: a record of an address or of one name written in the plainest way on a line of its own,
// which nearly all lines of large zone files are: `owner TTL [IN] A|AAAA address [; comment]`, or
// NS, CNAME or PTR and a name. It takes less than a tenth of the time that the whole grammar of RFC 1035 5
// does. No escapes, quotes, parentheses, or units of time; what is not certainly such a line is none,
// right or wrong, and ldns's.
#pragma once

#include <cstdint>
#include <string_view>

#include "dns/zone/resource_record.h"

namespace brink::dns::zone {

// Fills in `record` and returns true, or returns false and leaves anything in it. `line` has no
// line feed; `origin` (wire form) completes a relative owner.
[[nodiscard]] bool read_plain_line(std::string_view line, std::string_view origin,
                                   ResourceRecord& record);

}  // namespace brink::dns::zone
