// check_zone: what is wrong with a zone, or hardly meant so, all of it: a server that loads it
// would stop at the first fault (zone.h) and say nothing of what is merely odd. Signatures and the
// chain of denial are looked at elsewhere (dns/dnssec). Cold. Thread-safe.
#pragma once

#include <span>
#include <vector>

#include "dns/zone/finding.h"
#include "dns/zone/resource_record.h"

namespace brink::dns::zone {

// A record, and the line of the file that it stands in; 0: none.
struct CheckedRecord {
  ResourceRecord record;
  std::size_t line = 0;
};

// By line, where there are lines; errors and warnings mixed. RFC 1034 3.6, 4.2.1; 1912 2; 2181 5.2,
// 10; 4035 2.4; 4592; 6672 2.4; 9471.
Findings check_zone(const Wire& apex, std::span<const CheckedRecord> records);

}  // namespace brink::dns::zone
