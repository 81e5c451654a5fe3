// ZoneSigner and Signers: what the compiler asks of a zone's DNSSEC, without a word about keys,
// where they lie and which of them are in use. An interface: see signers.h for what stands behind
// it.
#pragma once

#include <memory>
#include <vector>

#include "ctl/model/timestamp.h"
#include "ctl/model/zone.h"
#include "dataplane/base/result.h"
#include "dns/zone/zone.h"

namespace brink::ctl::dnssec {

// One signed zone, as it is to be signed by the state of the store that it was asked of. It is a
// value that never changes, and may be used from any thread.
class ZoneSigner {
 public:
  virtual ~ZoneSigner() = default;

  // The RDATA of the RRSIG records of `rrset` at `owner` (lower-case wire form; for a wildcard its
  // own name), one for each key that signs it: key-signing or combined keys for DNSKEY, CDS and
  // CDNSKEY, zone-signing or combined keys for everything else (RFC 4034 3, RFC 7344 4.1). Their
  // TTL is the RRset's.
  //
  // Inception and expiration are those of the slot that `now` falls in for the name `scheduled_by`
  // (lower-case wire form): the name whose turn it is when the slot ends, see
  // store::Changes::resigned. That is `owner`, but for NSEC3 records, where it is the name that was
  // hashed. The same arguments and keys give the same times; signatures themselves may differ.
  // Fails when the data has no canonical form.
  [[nodiscard]] virtual base::Result<std::vector<dns::zone::Wire>> sign(
      const dns::zone::Wire& owner, const dns::zone::Rrset& rrset,
      const dns::zone::Wire& scheduled_by, model::Timestamp now) const = 0;

  // RRsets that the apex owns besides its own records: DNSKEY always, CDS and CDNSKEY while they
  // are published. They stand in place of records of these types that the zone has, but for DNSKEY
  // with model::ZoneDnssec::multi_signer, where both stand side by side (RFC 8901 2.1).
  [[nodiscard]] virtual const std::vector<dns::zone::Rrset>& apex_rrsets() const = 0;
};

class Signers {
 public:
  virtual ~Signers() = default;

  // How `zone` is signed; null: it is not (model::ZoneDnssec::is_signed, whose `denial` says by
  // which records it denies). `zone` comes from the read transaction that is open on the caller's
  // store, and so do its keys. Fails when the zone's keys cannot be read. The caller's thread.
  virtual base::Result<std::shared_ptr<const ZoneSigner>> of(const model::Zone& zone) = 0;
};

}  // namespace brink::ctl::dnssec
