// ReceiveQueue: what a connection has received and the application has not consumed: one chain of
// in-order bytes, and out-of-order ranges that wait for the bytes before them. It holds no chunk
// while it is empty; the table of ranges is itself kept in a chunk, taken when the first range
// comes.
#pragma once

#include <cstdint>
#include <span>

#include "dataplane/tcp/chunk_pool.h"
#include "dataplane/tcp/header.h"
#include "dataplane/tcp/sequence.h"

namespace brink::tcp {

// A segment that would open one more hole is dropped (CVE-2018-5390: the work per segment is
// bounded).
inline constexpr std::uint32_t kMaxOutOfOrderRanges = 64;

// A connection that holds less may use the pool's reserve.
inline constexpr std::uint32_t kModestReceive = 8192;

class ReceiveQueue {
 public:
  // ---- in order ----
  [[nodiscard]] std::uint32_t size() const noexcept { return size_; }
  [[nodiscard]] std::span<const std::uint8_t> front(const ChunkPool& pool) const noexcept {
    return head_ == kNoChunk ? std::span<const std::uint8_t>{} : pool[head_].bytes();
  }
  // Copies what follows the first `offset` bytes into `out`; returns how many there were.
  std::size_t copy(const ChunkPool& pool, std::size_t offset,
                   std::span<std::uint8_t> out) const noexcept;
  // Copies to the end; returns how much the pool had room for. When it has none, the out-of-order
  // ranges of this connection are given up first.
  std::uint32_t append(ChunkPool& pool, std::span<const std::uint8_t> bytes) noexcept;
  // Drops the first `count` bytes; precondition: count <= size().
  void consume(ChunkPool& pool, std::uint32_t count) noexcept;
  // Takes the first chunk out of the chain, still of class kReceive; precondition: size() > 0.
  std::uint32_t pop_chunk(ChunkPool& pool) noexcept;

  // ---- out of order ----
  [[nodiscard]] bool has_gaps() const noexcept { return table_ != kNoChunk; }
  [[nodiscard]] std::uint32_t out_of_order_chunks() const noexcept { return waiting_; }
  // Keeps what is new of the bytes at `sequence`, which lie behind the next expected byte. Returns
  // false when any of them had to be dropped for want of memory or ranges.
  bool insert(ChunkPool& pool, Sequence sequence, std::span<const std::uint8_t> bytes) noexcept;
  // Moves what has become contiguous at `next` to the in-order chain; returns the new `next`.
  Sequence join(ChunkPool& pool, Sequence next) noexcept;
  // Describes the ranges, the one that changed last first (RFC 2018 4); returns how many.
  std::uint8_t sack_blocks(const ChunkPool& pool,
                           std::span<SackBlock, kMaxSackBlocks> blocks) const noexcept;
  void drop_out_of_order(ChunkPool& pool) noexcept;

  void clear(ChunkPool& pool) noexcept;

 private:
  std::uint32_t take_in_order(ChunkPool& pool) const noexcept;
  struct Range {
    Sequence start;
    Sequence end;
    std::uint32_t head;
    std::uint32_t tail;
  };
  struct Table {
    std::uint32_t count;
    std::uint32_t last;  // the range that changed last
    Range ranges[kMaxOutOfOrderRanges];
  };
  static_assert(sizeof(Table) <= kChunkCapacity);

  [[nodiscard]] Table& table(ChunkPool& pool) const noexcept {
    return *reinterpret_cast<Table*>(pool[table_].data);
  }
  bool open_table(ChunkPool& pool) noexcept;
  void close_table(ChunkPool& pool) noexcept;
  bool open_range(ChunkPool& pool, std::uint32_t at, Sequence start) noexcept;
  void remove_range(Table& ranges, std::uint32_t at) noexcept;
  std::uint32_t extend(ChunkPool& pool, Range& range, std::span<const std::uint8_t> bytes) noexcept;
  void merge_with_next(ChunkPool& pool, std::uint32_t at) noexcept;
  void trim_front(ChunkPool& pool, Range& range, std::uint32_t count) noexcept;
  void splice(ChunkPool& pool, const Range& range) noexcept;

  std::uint32_t size_ = 0;
  std::uint32_t head_ = kNoChunk;
  std::uint32_t tail_ = kNoChunk;
  std::uint32_t table_ = kNoChunk;
  std::uint32_t waiting_ = 0;  // chunks held by ranges
};

}  // namespace brink::tcp
