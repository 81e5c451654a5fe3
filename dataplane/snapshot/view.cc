#include "dataplane/snapshot/view.h"

namespace brink::snapshot {
namespace {

// Offsets of the labels of `key`, the root label last; returns how many.
std::size_t label_offsets(const NameKey& key, std::uint8_t (&offsets)[kNameMax]) noexcept {
  std::size_t count = 0;
  std::size_t at = 0;
  while (key.bytes[at] != 0) {
    offsets[count++] = static_cast<std::uint8_t>(at);
    at += 1U + key.bytes[at];
  }
  offsets[count++] = static_cast<std::uint8_t>(at);
  return count;
}

}  // namespace

Lookup View::lookup(const NameKey& key) const noexcept {
  if (const Record* found = find(key); found != nullptr && (found->flags & kStructural) == 0) {
    return {found, found, true};
  }
  return lookup_missing(key);
}

Lookup View::lookup_missing(const NameKey& key) const noexcept {
  std::uint8_t offsets[kNameMax];
  const std::size_t count = label_offsets(key, offsets);

  // Existence is monotone in the number of stripped labels, so the longest existing suffix is found
  // by bisection; the parent is tried first because a random name below a zone ends there.
  // Stripping no label is included: the name itself may be structural.
  const Record* closest = nullptr;
  std::size_t low = 0;       // fewest labels to strip that may still exist
  std::size_t high = count;  // this many do not leave a name
  std::size_t middle = count > 1 ? 1 : 0;
  while (low < high) {
    const std::size_t offset = offsets[middle];
    const std::uint64_t hash = base::keyed_hash(hash_key(), key.bytes + offset, key.size - offset);
    if (const Record* found = find_suffix(key, offset, hash); found != nullptr) {
      closest = found;
      high = middle;
    } else {
      low = middle + 1;
    }
    middle = low + (high - low) / 2;
  }

  // Structural names belong to no zone: climb to one that does. The root ends every chain.
  for (std::size_t step = 0; closest != nullptr && (closest->flags & kStructural) != 0; ++step) {
    if (closest->parent == 0 || step > kNameMax / 2) return {};
    closest = &record(closest->parent);
  }
  if (closest == nullptr) return {};
  const Record* wildcard = closest->wildcard == 0 ? nullptr : &record(closest->wildcard);
  return {wildcard, closest, false};
}

}  // namespace brink::snapshot
