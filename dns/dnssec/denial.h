// Denial of existence: data and owners of NSEC (RFC 4034 4) and NSEC3 (RFC 5155) records, and the
// canonical order of names (RFC 4034 6.1). The chain itself is its owner's: this knows one record
// at a time. Cold. Thread-safe.
#pragma once

#include <array>
#include <compare>
#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "dataplane/base/result.h"
#include "dns/dnssec/signing_key.h"
#include "dns/zone/zone.h"

namespace brink::dns::dnssec {

// RFC 9276 3.1: what is signed here has no extra iterations and no salt. What others signed is
// accepted up to this (3.2); beyond, resolvers treat the zone as unsigned or worse.
inline constexpr std::uint16_t kNsec3IterationsMax = 50;

// RFC 4034 6.1: label by label from the root, octets as unsigned, upper as lower case; a name sorts
// before those below it. Well-formed wire names.
std::strong_ordering canonical_order(const Wire& a, const Wire& b);

struct CanonicalLess {
  bool operator()(const Wire& a, const Wire& b) const { return canonical_order(a, b) < 0; }
};

enum class DenialKind : std::uint8_t { kNsec, kNsec3 };

// The types that the bitmap of a name has to show, ascending, including RRSIG and (kNsec) NSEC
// itself. `types` is what stands at the name, `cut` whether it is a delegation: there only NS, DS
// and what proves them are shown (RFC 4035 2.3, RFC 5155 7.1). An empty non-terminal (no types) has
// none, and only NSEC3 gives it a record.
std::vector<std::uint16_t> denial_types(std::span<const std::uint16_t> types, bool cut,
                                        DenialKind kind);

// RFC 4034 4.1.2. Types in any order, duplicates allowed.
Wire type_bitmap(std::span<const std::uint16_t> types);

// Data of NSEC. `next` is lower-case (RFC 6840 5.1) and spelled out; types as of denial_types.
Wire nsec_rdata(const Wire& next, std::span<const std::uint16_t> types);

// SHA-1, the only algorithm there is (RFC 5155 11).
using Nsec3Hash = std::array<std::uint8_t, 20>;

struct Nsec3Parameters {
  std::uint16_t iterations = 0;  // extra ones
  Wire salt;                     // up to 255 octets

  bool operator==(const Nsec3Parameters&) const = default;
};

// RFC 5155 5; of the name in lower case.
Nsec3Hash nsec3_hash(const Wire& name, std::uint16_t iterations, const Wire& salt);
// `<base32hex of the hash, lower case>.<apex>`.
Wire nsec3_owner(const Nsec3Hash& hash, const Wire& apex);
// The hash that an NSEC3 record's owner spells (any case). Empty: its first label is no such hash.
std::optional<Nsec3Hash> hash_of_nsec3_owner(const Wire& owner);

// Data of NSEC3 (RFC 5155 3.2). `opt_out`: unsigned delegations between the two hashes have no
// record of their own.
Wire nsec3_rdata(const Nsec3Parameters& parameters, bool opt_out, const Nsec3Hash& next,
                 std::span<const std::uint16_t> types);
// Data of NSEC3PARAM at the apex (RFC 5155 4.2): flags 0.
Wire nsec3param_rdata(const Nsec3Parameters& parameters);
// Reads NSEC3PARAM data of a zone that somebody else signed. Fails, naming the field, on another
// hash algorithm, flags, or more than kNsec3IterationsMax iterations.
base::Result<Nsec3Parameters> read_nsec3param(const Wire& rdata);

}  // namespace brink::dns::dnssec
