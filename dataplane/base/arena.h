// Arena: a bounded general allocator over one block of memory, for a library that must be given
// one. Two-level segregated fit: allocation and release take constant time, neighbours that are
// free are joined. Every byte is counted; nothing comes from the heap. One thread.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>

namespace brink::base {

class Arena {
 public:
  // `memory` is 16-byte aligned and outlives the arena; less than 4 GiB.
  explicit Arena(std::span<std::byte> memory) noexcept;
  Arena(const Arena&) = delete;
  Arena& operator=(const Arena&) = delete;

  // Memory of at least `size` bytes, 16-byte aligned, or null when no free block is large enough.
  void* allocate(std::size_t size) noexcept;
  // What allocate gave, or null. Anything else is a bug and aborts where it is seen.
  void release(void* memory) noexcept;
  // Bytes that `memory` may hold, at least what was asked for.
  static std::size_t size_of(const void* memory) noexcept;

  [[nodiscard]] std::size_t capacity() const noexcept { return capacity_; }
  [[nodiscard]] std::size_t used_bytes() const noexcept { return used_; }  // with block headers
  [[nodiscard]] std::size_t peak_bytes() const noexcept { return peak_; }  // the most ever used
  [[nodiscard]] std::uint64_t allocations() const noexcept { return allocations_; }

 private:
  struct Block;
  // Sizes are split by their power of two and that into kSteps equal steps.
  static constexpr unsigned kStepBits = 4;
  static constexpr unsigned kSteps = 1U << kStepBits;
  static constexpr unsigned kPowers = 32;

  struct Place {
    unsigned power;
    unsigned step;
  };
  static Place place_of(std::size_t size) noexcept;
  Block* find(std::size_t size) noexcept;
  void insert(Block* block) noexcept;
  void remove(Block* block) noexcept;

  std::uint32_t powers_ = 0;  // bit p: steps_[p] is not 0
  std::array<std::uint32_t, kPowers> steps_{};
  std::array<std::array<Block*, kSteps>, kPowers> free_{};
  std::size_t capacity_ = 0;
  std::size_t used_ = 0;
  std::size_t peak_ = 0;
  std::uint64_t allocations_ = 0;
};

}  // namespace brink::base
