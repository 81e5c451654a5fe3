// When signatures are made: a rule that needs no memory. Time is cut into slots of `period_s`; a
// name's slots begin at an offset that the hash of its name gives, so that names are signed again
// evenly over time. The signature of a name at a time is that of the slot which the time falls in:
// the same whoever computes it, and whenever. Cold. Thread-safe.
//
// Why a signature never expires before its successor is there: a slot that begins at S ends at
// S + period. Its signatures expire at S + validity. A keeper that looks at least every `sweep`
// seconds has replaced them by S + period + sweep, and a cache that took the last copy keeps it
// another TTL: S + period + sweep + ttl. check_policy demands validity >= period + sweep + ttl, so
// at that moment the signature is still valid. They are also valid from before they are served:
// inception is S - early, and S <= now; `early` is for clocks that are slow.
#pragma once

#include <cstdint>
#include <optional>

#include "dataplane/base/result.h"
#include "dns/dnssec/signature.h"

namespace brink::dns::dnssec {

// Seconds since 1970. Wide enough not to wrap; signatures hold it modulo 2^32.
using UnixTime = std::int64_t;

struct SignaturePolicy {
  std::uint32_t validity_s = 15 * 86'400;  // from the beginning of the slot
  std::uint32_t period_s = 7 * 86'400;
  std::uint32_t early_s = 3'600;        // inception before the beginning of the slot
  std::uint32_t jitter_s = 7 * 86'400;  // offsets are below this; at most period_s; 0: all names
                                        // at once
};

// Fails, naming the field, unless 0 < period_s, jitter_s <= period_s, validity_s is at least
// period_s + sweep_s + ttl_max_s, and everything is far below 2^31 (RFC 4034 3.1.5). `sweep_s` is
// the longest time between two looks of the keeper, `ttl_max_s` the greatest TTL in the zone.
base::Result<void> check_policy(const SignaturePolicy& policy, std::uint32_t sweep_s,
                                std::uint32_t ttl_max_s);

// When the slot of a lower-case owner name began that `now` falls in.
UnixTime slot_begin(const SignaturePolicy& policy, const Wire& owner, UnixTime now);
// When it ends: the first moment of the next.
UnixTime slot_end(const SignaturePolicy& policy, const Wire& owner, UnixTime now);

// What signatures of that name, made at `now`, carry.
Validity validity_at(const SignaturePolicy& policy, const Wire& owner, UnixTime now);

// Whether signatures of that name made at `before` are no longer those of `now`: a keeper that last
// looked at `before` signs again the names for which this is true. False when now <= before.
bool slot_ended(const SignaturePolicy& policy, const Wire& owner, UnixTime before, UnixTime now);

}  // namespace brink::dns::dnssec
