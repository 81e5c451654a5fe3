// Images with any number of plausible names, for benchmarks: `names_per_zone` hosts a zone, each
// with one A record. Deterministic.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "dataplane/snapshot/change_sink.h"
#include "dns/zone/resource_record.h"

namespace brink::perf {

struct SyntheticOptions {
  std::size_t names = 1'000'000;
  std::size_t names_per_zone = 10;
};

// Wire form of host `index`, of about 30 octets.
std::string synthetic_name(const SyntheticOptions& options, std::size_t index);

// Calls `take` with each zone: its name in wire form, and its records.
void for_each_synthetic_zone(
    const SyntheticOptions& options,
    const std::function<void(const dns::zone::Wire& apex,
                             const std::vector<dns::zone::ResourceRecord>& records)>& take);

// Adds all zones and names to `sink`.
void add_synthetic_zones(snapshot::ChangeSink& sink, const SyntheticOptions& options);

// A query for the A record of host `index`, with EDNS if `edns`.
std::vector<std::uint8_t> synthetic_query(const SyntheticOptions& options, std::size_t index,
                                          bool edns);

}  // namespace brink::perf
