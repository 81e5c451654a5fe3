// verify_chain: whether a zone's chain of denial and its table may be trusted. Cold. Part of verify
// (verify.h).
#pragma once

#include <cstdint>
#include <functional>
#include <span>

#include "dataplane/base/result.h"
#include "dataplane/snapshot/layout.h"

namespace brink::snapshot {

struct ChainPlace {
  std::span<const std::uint8_t> heap;
  std::span<const std::uint8_t> room;  // of these, from the DenialChain on
  std::size_t apex_size;
};

// Checks all that look-ups follow or believe: bounds, levels, counts, prefixes and heads, the order
// of all keys, that they are keys, of names no longer than names may be and of the records that
// their blobs have. Of a table, where there is one: the same but for what keys and values are.
// `take` says whether a block is nobody else's.
base::Result<void> verify_chain(const ChainPlace& place,
                                const std::function<bool(HeapRef, std::size_t)>& take);

}  // namespace brink::snapshot
