// Slot: what is known of one question of a burst while its stages go on. Hot.
#pragma once

#include <cstdint>

#include "dataplane/snapshot/denial.h"
#include "dataplane/snapshot/name.h"
#include "dataplane/snapshot/view.h"
#include "dns/wire/query.h"

namespace brink::dns::answer {

// Records of a chain that were looked up ahead, for a name that is not there and not covered by a
// wildcard: with NSEC what covers the name and the wildcard, with NSEC3 that of the closest encloser, and
// what covers the next closer name and the wildcard. Right below an apex, where the zone's state says the
// rest, only what covers the name, or the next closer name. Of a delegation without DS what is at or before
// its name.
struct Foreseen {
  std::uint8_t count = 0;  // 0: nothing was
  snapshot::DenialHit hits[3];
};

struct Slot {
  snapshot::NameKey key;
  wire::Query query;
  std::uint32_t candidate;
  std::uint64_t parent_hash;  // where the name is not expected to be there
  snapshot::Lookup found;
  Foreseen foreseen;
  // What a proof will be made of, where that is known and not on its way yet.
  std::uint8_t source_count = 0;
  snapshot::MemoryArea sources[4];
};

}  // namespace brink::dns::answer
