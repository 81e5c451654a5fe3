// Policy: by which times zones are signed and their keys replaced; the node's, for all its zones.
#pragma once

#include "ctl/model/zone.h"
#include "dns/dnssec/rollover.h"
#include "dns/dnssec/schedule.h"

namespace brink::ctl::dnssec {

struct Policy {
  dns::dnssec::SignaturePolicy signature;
  dns::dnssec::RolloverPolicy rollover;  // but for what each zone says of itself

  [[nodiscard]] dns::dnssec::RolloverPolicy rollover_of(const model::Zone& zone) const {
    using enum model::DnssecStatus;
    dns::dnssec::RolloverPolicy own = rollover;
    const model::DnssecStatus status = zone.dnssec.status;
    own.sign = status == kPending || status == kActive || status == kError;
    own.algorithm = static_cast<dns::dnssec::Algorithm>(zone.dnssec.algorithm);
    own.split = zone.dnssec.split_keys;
    return own;
  }
};

// A name and a time as dns/dnssec has them.
inline dns::zone::Wire wire_of(const model::DomainName& name) {
  const auto octets = name.wire();
  return {reinterpret_cast<const char*>(octets.data()), octets.size()};
}
inline dns::dnssec::UnixTime seconds_of(model::Timestamp time) {
  constexpr std::int64_t kMicros = 1'000'000;
  return time.micros / kMicros - (time.micros % kMicros < 0 ? 1 : 0);
}
inline model::Timestamp time_of(dns::dnssec::UnixTime seconds) {
  return {seconds * 1'000'000};
}

}  // namespace brink::ctl::dnssec
