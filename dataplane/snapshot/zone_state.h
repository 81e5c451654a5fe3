// The states of zones in an image's heap, made and taken apart. Cold.
#pragma once

#include <cstdint>
#include <span>

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
  Tree table = {};         // empty: there is none,
  bool makes_table = false;  // unless one is to be filled
};

StateContents contents_of(const ZoneState& state);
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
