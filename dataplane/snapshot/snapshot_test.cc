#include <gtest/gtest.h>

#include "dataplane/snapshot/builder.h"

namespace brink::snapshot {
namespace {

TEST(Snapshot, AnEmptyImageKnowsNoName) {
  const auto image = Image::create({}, {});
  ASSERT_TRUE(image.ok());
  NameKey key;
  ASSERT_TRUE(set_key_from_text(key, image.value().hash_key(), "www.example.com"));
  EXPECT_EQ(image.value().view().lookup(key).encloser, nullptr);
}

}  // namespace
}  // namespace brink::snapshot
