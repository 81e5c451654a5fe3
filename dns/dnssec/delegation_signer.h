// DS (RFC 4034 5, 4509, 6605), CDS and CDNSKEY (RFC 7344, 8078) data. Cold. Thread-safe.
#pragma once

#include <cstdint>

#include "dns/dnssec/signing_key.h"

namespace brink::dns::dnssec {

enum class DigestType : std::uint8_t { kSha256 = 2, kSha384 = 4 };

// Data of the DS record, and of the CDS record, of a key of the zone `apex` (any case).
Wire ds_rdata(const Wire& apex, const Wire& dnskey_rdata, DigestType digest_type);

// Whether a DS that the parent shows names this key. SHA-1 digests (type 1) are understood as well;
// a digest of any other type matches none.
bool ds_matches(const Wire& apex, const Wire& dnskey_rdata, const Wire& ds_rdata);

// The data of a CDNSKEY is the DNSKEY's (RFC 7344 3.2). Those that ask the parent to remove every
// DS (RFC 8078 4): "0 0 0 00" and "0 3 0 AA==".
Wire cds_delete_rdata();
Wire cdnskey_delete_rdata();

}  // namespace brink::dns::dnssec
