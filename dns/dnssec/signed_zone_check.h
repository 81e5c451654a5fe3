// check_signed_zone: whether a zone that somebody signed proves what it says (RFC 4035 2, RFC 5155
// 7.1, RFC 6840 5.11): signatures of all that the zone is the authority for, and a chain of NSEC or
// NSEC3 records that is closed and has every name. What is wrong with a zone that nobody signed,
// dns/zone/zone_check tells. Cold. Thread-safe.
#pragma once

#include <cstddef>
#include <cstdint>

#include "dns/zone/finding.h"
#include "dns/zone/zone.h"

namespace brink::dns::dnssec {

struct SignedZoneCheck {
  std::uint32_t now = 0;  // seconds since 1970; validity is held against it
  // Of so many signatures it is verified that the key made them, spread over the zone; of all
  // others only what they say is looked at. A signature costs some 50 to 100 us.
  std::size_t verified_max = ~std::size_t{0};
  std::size_t findings_max = 100;  // then no more are looked for
};

// A zone that is signed: it has DNSKEY, RRSIG, NSEC or NSEC3 records.
bool is_signed_zone(const zone::Zone& zone);

zone::Findings check_signed_zone(const zone::Zone& zone, const SignedZoneCheck& options);

}  // namespace brink::dns::dnssec
