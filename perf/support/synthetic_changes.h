// Changes of synthetic zones (shape kHosts) as transactions: what a changed A record of one host
// comes to, its zone's new serial included. Deterministic.
#pragma once

#include <cstdint>
#include <vector>

#include "dataplane/snapshot/writer.h"
#include "perf/support/synthetic_zones.h"

namespace brink::perf {

// Change `number` of host `index`; larger numbers are later.
std::vector<std::uint8_t> synthetic_change(const SyntheticOptions& options, std::size_t index,
                                           std::uint32_t number);

// Checks, decodes and applies a transaction, as the edge does; `generation` follows the one
// published last. Between begin() and commit() of nothing else. The caller publishes, then releases
// what it gets.
snapshot::Garbage apply_change(snapshot::Writer& writer, std::span<const std::uint8_t> transaction,
                               std::uint32_t generation);

}  // namespace brink::perf
