// IndexRing: a queue of slots, each in it once at most. `items` has room for all slots.
#pragma once

#include <cstdint>
#include <span>

#include "dataplane/base/check.h"

namespace brink::base {

class IndexRing {
 public:
  explicit IndexRing(std::span<std::uint32_t> items) noexcept : items_(items) {}

  [[nodiscard]] std::uint32_t size() const noexcept { return size_; }
  // `listed` is the slot's mark of being in here.
  void push(std::uint32_t index, bool& listed) noexcept {
    if (listed) return;
    listed = true;
    const auto capacity = static_cast<std::uint32_t>(items_.size());
    CHECK(size_ < capacity);
    items_[(head_ + size_++) % capacity] = index;
  }
  // Precondition: size() > 0.
  [[nodiscard]] std::uint32_t front() const noexcept { return items_[head_]; }
  // The caller takes the mark off.
  std::uint32_t pop() noexcept {
    const std::uint32_t index = items_[head_];
    head_ = (head_ + 1) % static_cast<std::uint32_t>(items_.size());
    --size_;
    return index;
  }

 private:
  std::span<std::uint32_t> items_;
  std::uint32_t head_ = 0;
  std::uint32_t size_ = 0;
};

}  // namespace brink::base
