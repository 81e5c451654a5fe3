// The states of zones in an image's heap, made and taken apart. Cold.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "dataplane/snapshot/denial.h"
#include "dataplane/snapshot/heap.h"
#include "dataplane/snapshot/layout.h"

namespace brink::snapshot {

// What a state holds. The spans belong to whoever fills them in.
struct StateContents {
  std::uint32_t serial = 0;
  std::span<const std::uint8_t> negative;         // a Blob
  std::span<const std::uint8_t> signed_negative;  // a Blob; empty: there is none
  DenialChain chain = {};                         // of kind kNone: there is none
  std::span<const std::uint8_t> salt;             // as many octets as the chain says
  std::span<const std::uint8_t> apex_denial;      // as apex_denial_of makes it; empty: none
  Tree table = {};                                // empty: there is none,
  bool makes_table = false;                       // unless one is to be filled
};

StateContents contents_of(const ZoneState& state);
// Where a chain of the zone of this name has, or would have, the records of its apex and of the
// wildcard right below that.
struct ApexPlaces {
  DenialKey apex;
  DenialKey wildcard;
};
void find_apex_places(const DenialChain& chain, std::span<const std::uint8_t> apex,
                      ApexPlaces& places);
// What a state has of the chain (layout.h), a free-standing Blob; empty: the chain is not such, or its
// records are too large. The chain is a verified one.
std::vector<std::uint8_t> apex_denial_of(const DenialReader& reader, const DenialChain& chain,
                                         const ApexPlaces& places);
// Of the whole block.
std::size_t state_size(const ZoneState& state);

// A state with these contents; 0: no memory. Blobs are verified ones.
HeapRef make_state(Heap& heap, std::uint32_t birth, HeapRef previous,
                   const StateContents& contents);

// The chain of a state; null: there is none. Whoever writes may change it as long as no reader sees
// the state.
DenialChain* chain_of(ZoneState& state);
// The table, likewise.
Tree* table_of(ZoneState& state);

}  // namespace brink::snapshot
