// Signatures for synthetic zones: chains as they are in signed zones, and RRSIG records of the size
// that ECDSA P-256 gives them, which nobody could verify. Making real ones would take minutes.
#pragma once

#include <vector>

#include "dns/zone/resource_record.h"

namespace brink::perf {

enum class SyntheticChain : std::uint8_t { kNone, kNsec, kNsec3 };

// Adds to the records of the zone `apex`, none of which lies below a delegation, what signing it would.
void add_synthetic_signatures(const dns::zone::Wire& apex, SyntheticChain chain,
                              std::vector<dns::zone::ResourceRecord>& records);

}  // namespace brink::perf
