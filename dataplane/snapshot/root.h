// Root: where the sections of an image are, for readers. Replaced, never changed, so that a reader
// that holds one finds everything together. It is to be at least as new as the generation that it is
// looked at with: so it is loaded after that (writer.h).
#pragma once

#include <cstdint>

#include "dataplane/base/hash.h"
#include "dataplane/snapshot/layout.h"

namespace brink::snapshot {

struct Root {
  const Bucket* buckets = nullptr;
  std::uint64_t bucket_mask = 0;
  const Record* records = nullptr;
  const Zone* zones = nullptr;
  const std::uint8_t* heap = nullptr;
  base::HashKey hash_key;
};

}  // namespace brink::snapshot
