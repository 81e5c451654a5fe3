#include "dns/answer/nsec3_batch.h"

#include <algorithm>
#include <cstring>

#include "dataplane/base/bytes.h"
#include "dataplane/base/check.h"
#include "dataplane/snapshot/nsec3_hash.h"
#include "dns/answer/sha1_lanes.h"

namespace brink::dns::answer {

void Nsec3Batch::add(std::span<const std::uint8_t> first, std::span<const std::uint8_t> rest,
                     std::span<const std::uint8_t> salt, snapshot::DenialKey& key) noexcept {
  const std::size_t size = first.size() + rest.size() + salt.size();
  CHECK(count_ < kMax && size <= kSizeMax);
  std::uint8_t* const block = blocks_[count_].data();
  std::memset(block, 0, kBlock);
  std::copy(first.begin(), first.end(), block);
  std::copy(rest.begin(), rest.end(), block + first.size());
  std::copy(salt.begin(), salt.end(), block + first.size() + rest.size());
  block[size] = 0x80;
  base::store_be16(block + kBlock - 2, static_cast<std::uint16_t>(8 * size));
  keys_[count_++] = &key;
}

void Nsec3Batch::finish() noexcept {
  std::uint8_t digests[kSha1LanesMax][kSha1Size];
  for (std::size_t at = 0; at < count_;) {
    const std::size_t made = sha1_lanes(blocks_[at].data(), count_ - at, digests);
    for (std::size_t i = 0; i < made; ++i) {
      std::uint8_t label[snapshot::kNsec3LabelSize];
      snapshot::nsec3_digits(digests[i], label);
      keys_[at + i]->size = 0;
      snapshot::append_denial_label(*keys_[at + i], label, sizeof label);
    }
    at += made;
  }
  count_ = 0;
}

}  // namespace brink::dns::answer
