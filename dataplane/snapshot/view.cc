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
  return lookup(key, key.bytes[0] == 0 ? 0 : parent_hash(key));
}

Lookup View::lookup(const NameKey& key, std::uint64_t parent_hash) const noexcept {
  const Record* found = find(key);
  if (found == nullptr) return lookup_missing(key, parent_hash);
  if ((found->flags & kEmpty) == 0) return {found, found, true};
  const Record* encloser = above(key, 0);
  return encloser == nullptr ? Lookup{} : Lookup{found, encloser, true};
}

Lookup View::lookup_missing(const NameKey& key, std::uint64_t parent_hash) const noexcept {
  if (key.bytes[0] == 0) return {};
  // A random name below a zone ends here.
  const std::size_t parent_offset = 1U + key.bytes[0];
  if (const Record* parent = version(newest(key, parent_offset, parent_hash)); parent != nullptr) {
    return below(key, *parent, parent_offset);
  }
  // Existence is monotone in the number of stripped labels, so the longest existing suffix is found
  // by bisection.
  std::uint8_t offsets[kNameMax];
  const std::size_t count = label_offsets(key, offsets);
  const Record* closest = nullptr;
  std::size_t closest_offset = 0;
  std::size_t low = 2;       // fewest labels to strip that may still exist
  std::size_t high = count;  // this many do not leave a name
  while (low < high) {
    const std::size_t middle = low + (high - low) / 2;
    const std::size_t offset = offsets[middle];
    const std::uint64_t hash = base::keyed_hash(hash_key(), key.bytes + offset, key.size - offset);
    if (const Record* found = version(newest(key, offset, hash)); found != nullptr) {
      closest = found;
      closest_offset = offset;
      high = middle;
    } else {
      low = middle + 1;
    }
  }
  return closest == nullptr ? Lookup{} : below(key, *closest, closest_offset);
}

// The name is not there, and `closest` is the nearest that is.
Lookup View::below(const NameKey& key, const Record& closest,
                   std::size_t closest_offset) const noexcept {
  const Record* wildcard = version(load_link(closest.wildcard));
  const Record* encloser = closest.zone != 0 ? &closest : above(key, closest_offset);
  if (encloser == nullptr) return {};
  return {wildcard, encloser, false, static_cast<std::uint16_t>(key.size - closest_offset)};
}

}  // namespace brink::snapshot
