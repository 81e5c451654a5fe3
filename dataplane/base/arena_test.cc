#include "dataplane/base/arena.h"

#include <gtest/gtest.h>

#include <cstring>
#include <random>
#include <vector>

namespace brink::base {
namespace {

std::vector<std::max_align_t> memory_of(std::size_t bytes) {
  return std::vector<std::max_align_t>(bytes / sizeof(std::max_align_t));
}

TEST(Arena, GivesAlignedMemoryUntilItIsFullAndAllOfItAgain) {
  auto memory = memory_of(64 * 1024);
  Arena arena(std::as_writable_bytes(std::span(memory)));
  for (int round = 0; round < 3; ++round) {
    std::vector<void*> taken;
    while (void* const block = arena.allocate(1000)) {
      ASSERT_EQ(reinterpret_cast<std::uintptr_t>(block) % 16, 0U);
      ASSERT_GE(Arena::size_of(block), 1000U);
      taken.push_back(block);
    }
    EXPECT_GE(taken.size(), 62U);
    for (std::size_t i = 0; i < taken.size(); i += 2) arena.release(taken[i]);
    for (std::size_t i = 1; i < taken.size(); i += 2) arena.release(taken[i]);
    EXPECT_EQ(arena.used_bytes(), 0U);
  }
  // Neighbours were joined: one block of (nearly) everything is there.
  void* const all = arena.allocate(arena.capacity() / 16 * 15);
  EXPECT_NE(all, nullptr);
  arena.release(all);
}

TEST(Arena, RefusesWhatCannotFit) {
  auto memory = memory_of(4096);
  Arena arena(std::as_writable_bytes(std::span(memory)));
  EXPECT_EQ(arena.allocate(4096), nullptr);
  EXPECT_EQ(arena.allocate(SIZE_MAX), nullptr);
  arena.release(nullptr);
  EXPECT_EQ(arena.used_bytes(), 0U);
}

// Every block keeps its bytes while others come and go.
TEST(Arena, KeepsBlocksApartUnderRandomUse) {
  auto memory = memory_of(512 * 1024);
  Arena arena(std::as_writable_bytes(std::span(memory)));
  struct Held {
    unsigned char* at;
    std::size_t size;
    unsigned char mark;
  };
  std::vector<Held> held;
  std::mt19937 random(7);
  for (int step = 0; step < 100000; ++step) {
    if (random() % 2 == 0 || held.empty()) {
      const std::size_t size = random() % (random() % 8 == 0 ? 20000 : 300);
      auto* const at = static_cast<unsigned char*>(arena.allocate(size));
      if (at == nullptr) continue;
      held.push_back({at, size, static_cast<unsigned char>(random())});
      std::memset(at, held.back().mark, size);
    } else {
      const std::size_t i = random() % held.size();
      for (std::size_t b = 0; b < held[i].size; ++b) ASSERT_EQ(held[i].at[b], held[i].mark);
      arena.release(held[i].at);
      held[i] = held.back();
      held.pop_back();
    }
  }
  for (const Held& block : held) arena.release(block.at);
  EXPECT_EQ(arena.used_bytes(), 0U);
  EXPECT_NE(arena.allocate(arena.capacity() / 16 * 15), nullptr);
}

}  // namespace
}  // namespace brink::base
