// Slots: a fixed array with a stack of free indexes, by which things that belong together name each
// other. Memory is passed in. One thread.
#pragma once

#include <cstdint>
#include <span>

namespace brink::l7::proxy {

inline constexpr std::uint32_t kNoIndex = 0xffffffff;

// The memory of a Slots, one index for each item.
template <typename T>
struct SlotMemory {
  std::span<T> items;
  std::span<std::uint32_t> free_indexes;
};

template <typename T>
class Slots {
 public:
  explicit Slots(SlotMemory<T> memory) noexcept
      : items_(memory.items),
        free_indexes_(memory.free_indexes),
        free_count_(static_cast<std::uint32_t>(memory.free_indexes.size())) {
    for (std::uint32_t i = 0; i < free_count_; ++i) free_indexes_[i] = free_count_ - 1 - i;
  }
  Slots(const Slots&) = delete;
  Slots& operator=(const Slots&) = delete;

  T& operator[](std::uint32_t i) noexcept { return items_[i]; }
  const T& operator[](std::uint32_t i) const noexcept { return items_[i]; }
  [[nodiscard]] std::uint32_t size() const noexcept {
    return static_cast<std::uint32_t>(items_.size());
  }
  [[nodiscard]] std::uint32_t used() const noexcept { return size() - free_count_; }
  // Of one of its items.
  [[nodiscard]] std::uint32_t index_of(const T& item) const noexcept {
    return static_cast<std::uint32_t>(&item - items_.data());
  }

  // kNoIndex: all are in use. The item is as its last user left it.
  std::uint32_t acquire() noexcept {
    return free_count_ == 0 ? kNoIndex : free_indexes_[--free_count_];
  }
  void give_back(std::uint32_t i) noexcept { free_indexes_[free_count_++] = i; }

 private:
  std::span<T> items_;
  std::span<std::uint32_t> free_indexes_;
  std::uint32_t free_count_;
};

}  // namespace brink::l7::proxy
