// Slots: numbered elements of one size in a region; number 0 is never handed out. Cold, one thread.
#pragma once

#include <cstdint>
#include <utility>
#include <vector>

#include "dataplane/snapshot/region.h"

namespace brink::snapshot {

template <typename T>
class Slots {
 public:
  // More than any machine has memory for, few enough that the address space is there.
  static constexpr std::size_t kMax = std::size_t{1} << 30;

  Slots() = default;
  // `end`: numbers below it are in use.
  Slots(Region region, std::uint32_t end) : region_(std::move(region)), end_(end) {}

  // A number, its element's contents undefined; 0: no memory.
  std::uint32_t allocate() {
    if (!free_.empty()) {
      const std::uint32_t index = free_.back();
      free_.pop_back();
      return index;
    }
    if (end_ >= kMax || !region_.grow((std::size_t{end_} + 1) * sizeof(T))) return 0;
    return end_++;
  }
  void free(std::uint32_t index) { free_.push_back(index); }

  [[nodiscard]] T& operator[](std::uint32_t index) const {
    return reinterpret_cast<T*>(region_.data())[index];
  }
  [[nodiscard]] T* data() const { return reinterpret_cast<T*>(region_.data()); }
  // One past the highest number ever handed out.
  [[nodiscard]] std::uint32_t end() const { return end_; }
  [[nodiscard]] std::uint32_t free_count() const { return static_cast<std::uint32_t>(free_.size()); }

 private:
  Region region_;
  std::uint32_t end_ = 1;
  std::vector<std::uint32_t> free_;
};

}  // namespace brink::snapshot
