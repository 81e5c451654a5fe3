// ChunkPool: the bytes of all connections of one stack, in chunks of kChunkSize chained by index.
// Every chunk is either free or owned by exactly one queue. Two classes of use have a limit each,
// so that neither can starve the other: what was received and is unread, and what was written and
// is unacknowledged. The last eighth of all and of what receiving may use is kept for in-order data
// of connections that hold little, or a few that nobody reads would stop all the others.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>

#include "dataplane/base/check.h"

namespace brink::tcp {

inline constexpr std::size_t kChunkSize = 2048;
inline constexpr std::size_t kChunkCapacity = kChunkSize - 8;
inline constexpr std::uint32_t kNoChunk = 0xffffffff;

struct Chunk {
  std::uint32_t next;   // in its chain
  std::uint16_t begin;  // bytes [begin, end) of data are in use
  std::uint16_t end;
  std::uint8_t data[kChunkCapacity];

  [[nodiscard]] std::uint32_t size() const noexcept { return std::uint32_t{end} - begin; }
  [[nodiscard]] std::uint32_t room() const noexcept {
    return static_cast<std::uint32_t>(kChunkCapacity) - end;
  }
  [[nodiscard]] std::span<const std::uint8_t> bytes() const noexcept {
    return {data + begin, size()};
  }
  // Copies as much as fits behind the end; returns how much.
  std::uint32_t append(std::span<const std::uint8_t> source) noexcept {
    const auto count = static_cast<std::uint32_t>(std::min<std::size_t>(source.size(), room()));
    if (count > 0) std::memcpy(data + end, source.data(), count);
    end = static_cast<std::uint16_t>(end + count);
    return count;
  }
};
static_assert(sizeof(Chunk) == kChunkSize);

enum class ChunkUse : std::uint8_t { kReceive, kSend };

class ChunkPool {
 public:
  // `chunks` is unconstructed memory that outlives the pool.
  explicit ChunkPool(std::span<Chunk> chunks) noexcept : chunks_(chunks) {
    const auto count = static_cast<std::uint32_t>(chunks.size());
    for (std::uint32_t i = 0; i < count; ++i) chunks[i].next = i + 1 < count ? i + 1 : kNoChunk;
    free_head_ = count > 0 ? 0 : kNoChunk;
    free_ = count;
    reserve_ = count / 8;
    limit_ = count - reserve_;
  }

  // kNoChunk when the pool or the class's share is exhausted.
  [[nodiscard]] std::uint32_t take(ChunkUse use) noexcept {
    if (free_head_ == kNoChunk || used(use) >= limit_) return kNoChunk;
    const std::uint32_t index = free_head_;
    Chunk& chunk = chunks_[index];
    free_head_ = chunk.next;
    --free_;
    ++used(use);
    chunk.next = kNoChunk;
    chunk.begin = chunk.end = 0;
    return index;
  }
  void give(std::uint32_t index, ChunkUse use) noexcept {
    DCHECK(used(use) > 0);
    chunks_[index].next = free_head_;
    free_head_ = index;
    ++free_;
    --used(use);
  }
  void give_chain(std::uint32_t head, ChunkUse use) noexcept {
    while (head != kNoChunk) {
      const std::uint32_t next = chunks_[head].next;
      give(head, use);
      head = next;
    }
  }
  // A received chunk becomes one to send; false when the class is at its limit.
  bool reassign_to_send() noexcept {
    if (used(ChunkUse::kSend) >= limit_) return false;
    --used(ChunkUse::kReceive);
    ++used(ChunkUse::kSend);
    return true;
  }

  Chunk& operator[](std::uint32_t index) noexcept { return chunks_[index]; }
  const Chunk& operator[](std::uint32_t index) const noexcept { return chunks_[index]; }

  [[nodiscard]] std::uint32_t free() const noexcept { return free_; }
  [[nodiscard]] std::uint32_t available(ChunkUse use) const noexcept {
    const std::uint32_t in_use = used_[static_cast<std::size_t>(use)];
    return std::min(free_, in_use < limit_ ? limit_ - in_use : 0);
  }
  // True while only connections that hold little may still receive.
  [[nodiscard]] bool on_reserve() const noexcept {
    return available(ChunkUse::kReceive) <= reserve_;
  }
  // Chunks that promises of windows may be made from: all that receiving may take but its reserve.
  [[nodiscard]] std::uint32_t promisable() const noexcept {
    const std::uint32_t left = available(ChunkUse::kReceive);
    return left - std::min(left, reserve_);
  }
  // Below a quarter free: send queues are short and chunks are filled before new ones are taken.
  [[nodiscard]] bool low() const noexcept { return free_ < chunks_.size() / 4; }

 private:
  std::uint32_t& used(ChunkUse use) noexcept { return used_[static_cast<std::size_t>(use)]; }

  std::span<Chunk> chunks_;
  std::uint32_t free_head_ = kNoChunk;
  std::uint32_t free_ = 0;
  std::uint32_t limit_ = 0;
  std::uint32_t reserve_ = 0;
  std::uint32_t used_[2] = {0, 0};
};

}  // namespace brink::tcp
