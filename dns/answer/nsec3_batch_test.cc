// Hashes made side by side, against one at a time.
#include "dns/answer/nsec3_batch.h"

#include <gtest/gtest.h>

#include <memory>
#include <random>
#include <string>
#include <vector>

#include "dataplane/snapshot/nsec3_hash.h"

namespace brink::dns::answer {
namespace {

using Bytes = std::vector<std::uint8_t>;

Bytes random_bytes(std::mt19937_64& random, std::size_t size) {
  Bytes bytes(size);
  for (auto& byte : bytes) byte = static_cast<std::uint8_t>(random());
  return bytes;
}

TEST(Nsec3Batch, HashesAnyNumberOfNamesAsOneByOne) {
  std::mt19937_64 random(5);
  const auto batch = std::make_unique<Nsec3Batch>();
  for (std::size_t count = 0; count <= Nsec3Batch::kMax; ++count) {
    std::vector<Bytes> names, salts;
    std::vector<snapshot::DenialKey> keys(count);
    for (std::size_t i = 0; i < count; ++i) {
      salts.push_back(random_bytes(random, random() % 20));
      names.push_back(random_bytes(random, random() % (Nsec3Batch::kSizeMax - salts[i].size() + 1)));
      const std::span name(names[i]);
      const std::size_t first = random() % (name.size() + 1);
      batch->add(name.first(first), name.subspan(first), salts[i], keys[i]);
    }
    batch->finish();
    for (std::size_t i = 0; i < count; ++i) {
      std::uint8_t label[snapshot::kNsec3LabelSize];
      snapshot::nsec3_label(names[i], 0, salts[i], label);
      snapshot::DenialKey wanted;
      wanted.size = 0;
      snapshot::append_denial_label(wanted, label, sizeof label);
      ASSERT_EQ(Bytes(keys[i].bytes, keys[i].bytes + keys[i].size),
                Bytes(wanted.bytes, wanted.bytes + wanted.size))
          << i << " of " << count;
    }
  }
}

TEST(Nsec3Hash, IsWhatBindMakesOfTheRoot) {
  const std::uint8_t root[] = {0};
  std::uint8_t label[snapshot::kNsec3LabelSize];
  snapshot::nsec3_label(root, 0, {}, label);
  EXPECT_EQ(std::string(label, label + sizeof label), "bekjp7dgpvsjukll47bk43i3urmq4u2f");
}

}  // namespace
}  // namespace brink::dns::answer
