#include "dataplane/snapshot/heap.h"

#include <gtest/gtest.h>

#include <cstring>
#include <map>
#include <random>
#include <vector>

namespace brink::snapshot {
namespace {

class HeapTest : public ::testing::Test {
 protected:
  explicit HeapTest(std::size_t limit_bytes = ~std::size_t{0})
      : budget_{limit_bytes, 0},
        heap_(Region::reserve(std::size_t{1} << 30, {}, budget_).value(), kHeapUnit) {}

  MemoryBudget budget_;
  Heap heap_;
};

TEST_F(HeapTest, BlocksOfOneClassAreReused) {
  const HeapRef first = heap_.allocate(20);
  const HeapRef second = heap_.allocate(24);
  EXPECT_NE(first, 0U);
  EXPECT_NE(first, second);
  heap_.free(first, 20);
  EXPECT_EQ(heap_.free_bytes(), 24U);
  EXPECT_NE(heap_.allocate(25), first) << "another class";
  EXPECT_EQ(heap_.allocate(17), first);
  EXPECT_EQ(heap_.free_bytes(), 0U);
}

TEST_F(HeapTest, ABlockHoldsWhatWasAskedForAndWastesAnEighthAtMost) {
  for (std::size_t bytes = 0; bytes < 200000; bytes += 1 + bytes / 50) {
    const std::size_t block = Heap::block_bytes(bytes);
    ASSERT_GE(block, bytes);
    ASSERT_LE(block, bytes + bytes / 8 + kHeapUnit) << bytes;
    ASSERT_EQ(Heap::block_bytes(block), block) << bytes;
    const std::size_t before = heap_.used_bytes();
    ASSERT_NE(heap_.allocate(bytes), 0U);
    ASSERT_EQ(heap_.used_bytes() - before, block);
  }
}

TEST_F(HeapTest, NoTwoBlocksOverlap) {
  std::mt19937 random(1);
  struct Block {
    std::size_t size;
    std::uint8_t mark;
  };
  std::map<HeapRef, Block> blocks;
  std::size_t taken = kHeapUnit;
  for (int i = 0; i < 20000; ++i) {
    if (blocks.size() < 50 || random() % 2 == 0) {
      const Block block{1 + random() % (random() % 8 == 0 ? 20000 : 300),
                        static_cast<std::uint8_t>(random())};
      const HeapRef ref = heap_.allocate(block.size);
      ASSERT_NE(ref, 0U);
      std::memset(heap_.at(ref), block.mark, block.size);
      ASSERT_TRUE(blocks.emplace(ref, block).second);
      taken += Heap::block_bytes(block.size);
    } else {
      const auto old = std::next(blocks.begin(), static_cast<std::ptrdiff_t>(random() % blocks.size()));
      const Block& block = old->second;
      for (std::size_t at = 0; at < block.size; ++at) ASSERT_EQ(heap_.at(old->first)[at], block.mark);
      heap_.free(old->first, block.size);
      taken -= Heap::block_bytes(block.size);
      blocks.erase(old);
    }
    ASSERT_EQ(heap_.used_bytes() - heap_.free_bytes(), taken);
  }
}

class SmallHeapTest : public HeapTest {
 protected:
  SmallHeapTest() : HeapTest(std::size_t{1} << 20) {}
};

TEST_F(SmallHeapTest, SaysWhenThereIsNoMoreAndGoesOnWhenThereIs) {
  std::vector<HeapRef> blocks;
  while (const HeapRef ref = heap_.allocate(1000)) blocks.push_back(ref);
  EXPECT_GT(blocks.size(), 500U);
  const std::size_t used = heap_.used_bytes();
  EXPECT_EQ(heap_.allocate(1000), 0U);
  EXPECT_EQ(heap_.used_bytes(), used);
  heap_.free(blocks.back(), 1000);
  EXPECT_EQ(heap_.allocate(1000), blocks.back());
}

}  // namespace
}  // namespace brink::snapshot
