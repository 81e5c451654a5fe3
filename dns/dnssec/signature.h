// RRSIG records (RFC 4034 3, 6; RFC 4035 2.2, 5.3; RFC 6840 5.1): made and verified. Cold.
// Thread-safe.
#pragma once

#include <cstdint>
#include <optional>

#include "dataplane/base/result.h"
#include "dns/dnssec/signing_key.h"
#include "dns/zone/zone.h"

namespace brink::dns::dnssec {

// Seconds since 1970 modulo 2^32, compared as serial numbers (RFC 4034 3.1.5).
struct Validity {
  std::uint32_t inception = 0;
  std::uint32_t expiration = 0;

  bool operator==(const Validity&) const = default;
};

// Data of the RRSIG of one RRset by one key. `apex` and `owner` are lower-case wire names, `owner`
// at or below `apex` and as it stands in the zone (a wildcard's is `*.<rest>`). `flags` are those
// of the key's DNSKEY, which its tag depends on. The signer's name is `apex`, the original TTL
// `rrset.ttl`; the RRSIG record's own TTL must be the same (RFC 4034 3). Records in any order.
Wire sign_rrset(const SigningKey& key, std::uint16_t flags, const Wire& apex, const Wire& owner,
                const zone::Rrset& rrset, Validity validity);

// Whether a node's RRset of this type gets a signature (RFC 4035 2.2): authoritative data does; of
// a delegation only DS and NSEC do; glue, what is occluded, and RRSIG never do.
bool is_signed_type(const zone::Node& node, std::uint16_t type);

// The fields of RRSIG data (RFC 4034 3.1).
struct RrsigFields {
  std::uint16_t type_covered = 0;
  std::uint8_t algorithm = 0;
  std::uint8_t labels = 0;
  std::uint32_t original_ttl = 0;
  Validity validity;
  std::uint16_t key_tag = 0;
  Wire signer;  // case as given
  Wire signature;
};
// Empty: malformed.
std::optional<RrsigFields> read_rrsig(const Wire& rrsig_rdata);

// Whether `rrsig_rdata` proves `rrset` at `owner` (any case; possibly what a wildcard was expanded
// to) by the key `dnskey_rdata` of the zone `apex` (RFC 4035 5.3). `now` (seconds since 1970) is
// held against the validity; empty: not held. The error names what is wrong.
base::Result<void> verify_signature(const Wire& apex, const Wire& dnskey_rdata, const Wire& owner,
                                    const zone::Rrset& rrset, const Wire& rrsig_rdata,
                                    std::optional<std::uint32_t> now);

// The data in canonical form (RFC 4034 6.2 item 3, RFC 6840 5.1): names in the data of the types
// named there in lower case. Data that is not well-formed stays as it is.
Wire canonical_rdata(std::uint16_t type, const Wire& rdata);

}  // namespace brink::dns::dnssec
