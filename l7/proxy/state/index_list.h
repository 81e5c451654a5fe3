// IndexList: a queue of slots that any of them may leave. `links` has one entry a slot.
#pragma once

#include <cstdint>
#include <span>

#include "dataplane/base/check.h"

namespace brink::l7::proxy {

class IndexList {
 public:
  static constexpr std::uint32_t kNone = 0xffffffff;
  struct Link {
    std::uint32_t next = kNone;
    std::uint32_t previous = kNone;
    bool listed = false;
  };

  explicit IndexList(std::span<Link> links) noexcept : links_(links) {}

  // The slot that is in it for longest; kNone: empty.
  [[nodiscard]] std::uint32_t front() const noexcept { return first_; }

  // Precondition: it is not in it.
  void push(std::uint32_t index) noexcept {
    CHECK(!links_[index].listed);
    links_[index] = {kNone, last_, true};
    (last_ == kNone ? first_ : links_[last_].next) = index;
    last_ = index;
  }
  // No effect when it is not in it.
  void remove(std::uint32_t index) noexcept {
    const Link link = links_[index];
    if (!link.listed) return;
    links_[index] = {};
    (link.previous == kNone ? first_ : links_[link.previous].next) = link.next;
    (link.next == kNone ? last_ : links_[link.next].previous) = link.previous;
  }

 private:
  std::span<Link> links_;
  std::uint32_t first_ = kNone;
  std::uint32_t last_ = kNone;
};

}  // namespace brink::l7::proxy
