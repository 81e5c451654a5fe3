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

std::uint32_t View::newest(const NameKey& key, std::size_t offset,
                           std::uint64_t hash) const noexcept {
  const std::size_t size = key.size - offset;
  std::uint64_t at = hash & root_.bucket_mask;
  for (std::uint32_t probe = 0; probe < kMaxProbes; ++probe) {
    const Bucket& bucket = root_.buckets[at];
    for (unsigned matches = tag_matches(bucket, hash); matches != 0; matches &= matches - 1) {
      const std::uint32_t index = load_link(bucket.records[__builtin_ctz(matches)]);
      const Record& found = record(index);
      if (index != 0 && found.name_hash == hash && found.name_size == size &&
          same_bytes(name_bytes(found), key.bytes + offset, size)) {
        return index;
      }
    }
    if (load_link(bucket.overflow) == 0) return 0;
    at = (at + 1) & root_.bucket_mask;
  }
  return 0;
}

const Record* View::above(const NameKey& key, std::size_t offset) const noexcept {
  while (key.bytes[offset] != 0) {
    offset += 1U + key.bytes[offset];
    const std::uint64_t hash = base::keyed_hash(hash_key(), key.bytes + offset, key.size - offset);
    const Record* found = version(newest(key, offset, hash));
    if (found != nullptr && found->zone != 0) return found;
  }
  return nullptr;
}

const Record* View::above(const Record& record) const noexcept {
  NameKey key;
  set_key(key, hash_key(), name_bytes(record), record.name_size, record.name_size);
  return above(key, 0);
}

Lookup View::lookup(const NameKey& key) const noexcept {
  const Record* found = find(key);
  if (found == nullptr) return lookup_missing(key);
  if ((found->flags & kEmpty) == 0) return {found, found, true};
  const Record* encloser = above(key, 0);
  return encloser == nullptr ? Lookup{} : Lookup{found, encloser, true};
}

Lookup View::lookup_missing(const NameKey& key) const noexcept {
  std::uint8_t offsets[kNameMax];
  const std::size_t count = label_offsets(key, offsets);

  // Existence is monotone in the number of stripped labels, so the longest existing suffix is found
  // by bisection; the parent is tried first because a random name below a zone ends there.
  const Record* closest = nullptr;
  std::size_t closest_offset = 0;
  std::size_t low = 1;       // fewest labels to strip that may still exist
  std::size_t high = count;  // this many do not leave a name
  std::size_t middle = 1;
  while (low < high) {
    const std::size_t offset = offsets[middle];
    const std::uint64_t hash = base::keyed_hash(hash_key(), key.bytes + offset, key.size - offset);
    if (const Record* found = version(newest(key, offset, hash)); found != nullptr) {
      closest = found;
      closest_offset = offset;
      high = middle;
    } else {
      low = middle + 1;
    }
    middle = low + (high - low) / 2;
  }
  if (closest == nullptr) return {};
  const Record* wildcard = version(load_link(closest->wildcard));
  const Record* encloser = closest->zone != 0 ? closest : above(key, closest_offset);
  if (encloser == nullptr) return {};
  return {wildcard, encloser, false, static_cast<std::uint16_t>(key.size - closest_offset)};
}

}  // namespace brink::snapshot
