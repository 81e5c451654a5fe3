// IndexList: an intrusive doubly linked list of elements of one array, linked by index, so that an
// element can be in several lists and leave any of them in O(1).
#pragma once

#include <cstdint>
#include <span>

namespace brink::tcp {

inline constexpr std::uint32_t kNil = 0xffffffff;

struct IndexLink {
  std::uint32_t next = kNil;
  std::uint32_t previous = kNil;
  bool linked = false;
};

template <typename T, IndexLink T::*kLink>
class IndexList {
 public:
  explicit IndexList(std::span<T> items) noexcept : items_(items) {}

  [[nodiscard]] bool empty() const noexcept { return head_ == kNil; }
  [[nodiscard]] std::uint32_t front() const noexcept { return head_; }
  [[nodiscard]] std::uint32_t size() const noexcept { return size_; }
  [[nodiscard]] bool contains(std::uint32_t index) const noexcept {
    return (items_[index].*kLink).linked;
  }

  void push_back(std::uint32_t index) noexcept {
    IndexLink& link = items_[index].*kLink;
    if (link.linked) return;
    link = {kNil, tail_, true};
    if (tail_ == kNil) {
      head_ = index;
    } else {
      (items_[tail_].*kLink).next = index;
    }
    tail_ = index;
    ++size_;
  }
  void remove(std::uint32_t index) noexcept {
    IndexLink& link = items_[index].*kLink;
    if (!link.linked) return;
    (link.previous == kNil ? head_ : (items_[link.previous].*kLink).next) = link.next;
    (link.next == kNil ? tail_ : (items_[link.next].*kLink).previous) = link.previous;
    link = {};
    --size_;
  }

 private:
  std::span<T> items_;
  std::uint32_t head_ = kNil;
  std::uint32_t tail_ = kNil;
  std::uint32_t size_ = 0;
};

}  // namespace brink::tcp
