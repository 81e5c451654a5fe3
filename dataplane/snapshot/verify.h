// verify: says whether an image may be trusted by View, which checks nothing itself. Cold.
#pragma once

#include <cstdint>
#include <span>

#include "dataplane/base/result.h"

namespace brink::snapshot {

// Checks magic, layout version, checksum, every section bound, every index and reference, every
// name (well-formed, lower-case, hashed right, findable, suffix of its child) and every blob
// (record boundaries, fix-ups, sizes). An Error names what is wrong and where. O(size of the
// image); any thread; `image` must be aligned to 128 bytes and must not change meanwhile.
base::Result<void> verify(std::span<const std::uint8_t> image);

}  // namespace brink::snapshot
