// Any number of plausible names, for benchmarks. Deterministic.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "dataplane/snapshot/change_sink.h"
#include "dns/zone/resource_record.h"
#include "perf/support/synthetic_signing.h"

namespace brink::perf {

enum class Shape : std::uint8_t {
  kHosts,        // a zone: SOA, NS and `names_per_zone` hosts with one A record each
  kDelegations,  // one zone, "com": SOA, NS and names with two NS records each, of 20,000 operators
  kSmallZones,   // 7 records a zone: SOA, two NS, A and MX of the apex, A of "www" and "mail"
  kMixedZones,   // as kHosts, but ten records of several types a zone, two CNAME among them
};

struct SyntheticOptions {
  // What is counted: hosts, delegations or zones (small, mixed).
  std::size_t names = 1'000'000;
  std::size_t names_per_zone = 10;  // of kHosts
  Shape shape = Shape::kHosts;
  SyntheticChain chain = SyntheticChain::kNone;  // none: the zones are not signed
};

// Takes an argument of the command line: the number of names in a zone of hosts, or the shape
// ("delegations", "small-zones", "mixed-zones"). What is neither leaves 0 names in a zone.
void set_shape(SyntheticOptions& options, const std::string& text);

// Wire form of host `index` (about 30 octets), of a name below delegation `index`, or of "www" in
// zone `index`.
std::string synthetic_name(const SyntheticOptions& options, std::size_t index);

// Calls `take` with each zone: its name in wire form, and its records.
using TakeZone = std::function<void(const dns::zone::Wire& apex,
                                    const std::vector<dns::zone::ResourceRecord>& records)>;
void for_each_synthetic_zone(const SyntheticOptions& options, const TakeZone& take);

// Adds all zones and names to `sink`.
void add_synthetic_zones(snapshot::ChangeSink& sink, const SyntheticOptions& options);

// A query for the A record of name `index`, with EDNS if `edns`.
std::vector<std::uint8_t> synthetic_query(const SyntheticOptions& options, std::size_t index,
                                          bool edns);
// The same, asking for signatures; `missing`: of a name beside it that is not there.
std::vector<std::uint8_t> synthetic_signed_query(const SyntheticOptions& options, std::size_t index,
                                                 bool missing);

}  // namespace brink::perf
