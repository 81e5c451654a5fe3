// MissingNames: looks up what a burst asked for and no record was at once found for, all together, so
// that the memory of 32 closest enclosers, zones and chains is fetched at once; and what proves that
// delegations have no DS. A flood of random names is what it is for, and the servers of a TLD: each of
// such answers is behind a dozen lines of memory that depend on one another.
// One thread; nothing of the view is kept. Hot.
#pragma once

#include <array>
#include <cstdint>
#include <span>

#include "dns/answer/nsec3_batch.h"
#include "dns/answer/slot.h"

namespace brink::dns::answer {

class MissingNames {
 public:
  static constexpr std::size_t kMax = 32;

  // A random name is most often right below one that is there: has that one's bucket fetched. For whole
  // bursts, where the last one was of such names.
  static void expect(const snapshot::View& view, Slot& slot) noexcept {
    const snapshot::NameKey& key = slot.key;
    slot.parent_hash = key.bytes[0] == 0 ? key.hash : view.parent_hash(key);
    view.prefetch_bucket(slot.parent_hash);
  }

  // Fills in `found` of the first `missing` slots, whose names are not there, and then, for who asks for
  // proofs, `foreseen` of all: the others are delegations that are there. The bucket of each name is in
  // the caches. `expected`: expect() was called for all, and the records are on their way.
  void look_up(const snapshot::View& view, std::span<Slot* const> slots, std::size_t missing,
               bool expected) noexcept;

 private:
  void foresee(const snapshot::View& view, Slot& slot) noexcept;
  void foresee_referral(const snapshot::View& view, Slot& slot) noexcept;
  snapshot::DenialKey& ask(const snapshot::DenialChain& chain) noexcept;

  static constexpr std::size_t kKeysMax = Nsec3Batch::kMax;
  static_assert(kKeysMax == 3 * kMax);
  std::size_t asked_ = 0;
  std::array<snapshot::DenialQuestion, kKeysMax> questions_;
  std::array<snapshot::DenialKey, kKeysMax> keys_;
  Nsec3Batch hashes_;
};

}  // namespace brink::dns::answer
