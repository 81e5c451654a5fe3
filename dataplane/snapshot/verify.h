// verify: says whether an image may be trusted by View, which checks nothing itself. Cold.
#pragma once

#include <cstdint>
#include <span>

#include "dataplane/base/result.h"
#include "dataplane/snapshot/layout.h"
#include "dataplane/snapshot/root.h"

namespace brink::snapshot {

// The parts of an image, wherever they are. `heap` is readable for kHeapTail bytes more than it
// holds.
struct Sections {
  const ImageHeader* header;
  std::span<const Bucket> buckets;
  std::span<const Record> records;
  std::span<const Zone> zones;
  std::span<const std::uint8_t> heap;
};

// Checks magic, layout version and sizes of a header, of an image that is `size_bytes` long: then
// every section lies where it says, in order and without overlap.
base::Result<void> verify_header(const ImageHeader& header, std::uint64_t size_bytes);

// The sections of an image that lies in one piece at `image`, aligned to 128 bytes. Its header has
// been verified.
Sections sections_of(std::span<const std::uint8_t> image);

// Where readers look in them.
Root root_of(const Sections& sections);

// Checks every index and reference, every name (well-formed, lower-case, hashed right, findable,
// with its parent in the table), every blob (record boundaries, fix-ups, sizes), every chain of
// denial (order, keys, what its nodes say of them) and that no two blocks share memory or have
// other owners than they say, so that a Writer may free them. Slots of names and zones may be free
// (all zero). An Error names what is wrong and where. O(size of the image); any thread; the image
// must not change meanwhile.
base::Result<void> verify(const Sections& sections);

// Checks one blob that starts where `room` does and must not go beyond it.
base::Result<void> verify_blob(std::span<const std::uint8_t> room);
// The same for a free-standing one.
base::Result<void> verify_free_blob(std::span<const std::uint8_t> room);
// A verified free-standing blob starts with a record of the name that has this DenialKey.
bool is_owner(std::span<const std::uint8_t> key, const BlobHeader& blob);

}  // namespace brink::snapshot
