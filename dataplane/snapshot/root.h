// Root: where the sections of an image are, for readers. Replaced, never changed, so that a reader
// that holds one finds everything together. It comes with the generation that it is looked at with,
// in one load: an older root lacks what a newer generation has, and a newer root may lack what an
// older generation had (writer.h).
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
