// Inbox: body bytes of a stream that wait for room towards the origin, in blocks of a worker's
// pool. HTTP/1 needs none: what cannot be forwarded stays in the connection's receive queue. The
// streams of one connection share that queue, so what is not for this one has to be taken out of
// its way.
#pragma once

#include <algorithm>
#include <cstdint>
#include <cstring>
#include <span>

#include "dataplane/base/check.h"

namespace brink::l7::proxy {

// Bytes of a body that a stream may have under way: its window (RFC 9113 6.9).
inline constexpr std::uint32_t kInboxMax = 64 * 1024;

// A worker's blocks, each in at most one inbox. `memory` holds a block for each entry of `next`.
class BlockPool {
 public:
  static constexpr std::uint32_t kBlockSize = 4096;  // bytes
  static constexpr std::uint32_t kNone = 0xffffffff;

  BlockPool(std::span<std::uint8_t> memory, std::span<std::uint32_t> next) noexcept
      : memory_(memory), next_(next) {
    for (std::uint32_t i = 0; i < next.size(); ++i) {
      next_[i] = i + 1 < next.size() ? i + 1 : kNone;
    }
    first_free_ = next.empty() ? kNone : 0;
  }

 private:
  friend class Inbox;

  std::uint32_t acquire() noexcept {
    const std::uint32_t block = first_free_;
    CHECK(block != kNone);
    first_free_ = next_[block];
    next_[block] = kNone;
    return block;
  }
  void give_back(std::uint32_t block) noexcept {
    next_[block] = first_free_;
    first_free_ = block;
  }
  std::uint8_t* at(std::uint32_t block) noexcept {
    return memory_.data() + std::size_t{block} * kBlockSize;
  }

  std::span<std::uint8_t> memory_;
  std::span<std::uint32_t> next_;  // of a free block or of one in an inbox
  std::uint32_t first_free_ = kNone;
};

// Of a full inbox that begins within a block.
inline constexpr std::uint32_t kInboxBlocks = kInboxMax / BlockPool::kBlockSize + 1;

class Inbox {
 public:
  [[nodiscard]] std::uint32_t size() const noexcept { return size_; }
  [[nodiscard]] bool empty() const noexcept { return size_ == 0; }

  // Whether so many more bytes stay within kInboxMax.
  [[nodiscard]] bool has_room(std::size_t size) const noexcept { return size <= kInboxMax - size_; }
  // There is room. The pool has kInboxBlocks for every inbox.
  void append(BlockPool& pool, std::span<const std::uint8_t> bytes) noexcept {
    while (!bytes.empty()) {
      const std::uint32_t used = (begin_ + size_) % BlockPool::kBlockSize;
      if (first_ == BlockPool::kNone || (used == 0 && size_ > 0)) extend(pool);
      const std::uint32_t at = (begin_ + size_) % BlockPool::kBlockSize;
      const std::size_t count = std::min<std::size_t>(bytes.size(), BlockPool::kBlockSize - at);
      std::memcpy(pool.at(last_) + at, bytes.data(), count);
      size_ += static_cast<std::uint32_t>(count);
      bytes = bytes.subspan(count);
    }
  }
  // The first bytes, as far as they lie in one piece.
  [[nodiscard]] std::span<const std::uint8_t> front(BlockPool& pool) const noexcept {
    if (size_ == 0) return {};
    return {pool.at(first_) + begin_, std::min(size_, BlockPool::kBlockSize - begin_)};
  }
  // `count` is at most size().
  void consume(BlockPool& pool, std::size_t count) noexcept {
    CHECK(count <= size_);
    size_ -= static_cast<std::uint32_t>(count);
    std::size_t passed = begin_ + count;
    while (passed >= BlockPool::kBlockSize) {
      drop_first(pool);
      passed -= BlockPool::kBlockSize;
    }
    begin_ = static_cast<std::uint32_t>(passed);
    if (size_ == 0) clear(pool);
  }
  void clear(BlockPool& pool) noexcept {
    while (first_ != BlockPool::kNone) drop_first(pool);
    last_ = BlockPool::kNone;
    begin_ = size_ = 0;
  }

 private:
  void extend(BlockPool& pool) noexcept {
    const std::uint32_t block = pool.acquire();
    (first_ == BlockPool::kNone ? first_ : pool.next_[last_]) = block;
    last_ = block;
  }
  void drop_first(BlockPool& pool) noexcept {
    const std::uint32_t block = first_;
    first_ = pool.next_[block];
    pool.give_back(block);
  }

  std::uint32_t first_ = BlockPool::kNone;
  std::uint32_t last_ = BlockPool::kNone;
  std::uint32_t begin_ = 0;  // of the bytes in the first block
  std::uint32_t size_ = 0;
};

}  // namespace brink::l7::proxy
