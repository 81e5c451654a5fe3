// SendQueue: the bytes a connection has written and its peer has not acknowledged, sent or not, as
// a chain of chunks addressed by sequence number. It holds no chunk while it is empty.
#pragma once

#include <cstdint>
#include <span>

#include "dataplane/tcp/chunk_pool.h"
#include "dataplane/tcp/sequence.h"

namespace brink::tcp {

class SendQueue {
 public:
  // Precondition: empty. `start` is the sequence number of the first byte that will be appended.
  void reset(Sequence start) noexcept { start_ = start; }

  [[nodiscard]] Sequence start() const noexcept { return start_; }
  [[nodiscard]] Sequence end() const noexcept { return start_ + size_; }
  [[nodiscard]] std::uint32_t size() const noexcept { return size_; }

  // Copies to the end; returns how much the pool had room for.
  std::uint32_t append(ChunkPool& pool, std::span<const std::uint8_t> bytes) noexcept;
  // Takes over a chunk, already of class kSend.
  void append_chunk(ChunkPool& pool, std::uint32_t index) noexcept;
  // Room behind the last byte that needs no new chunk.
  [[nodiscard]] std::uint32_t tail_room(const ChunkPool& pool) const noexcept {
    return tail_ == kNoChunk ? 0 : pool[tail_].room();
  }

  // Drops everything before `ack`; precondition: start() <= ack <= end().
  void acknowledge(ChunkPool& pool, Sequence ack) noexcept;

  // Fills `spans` with the bytes at `from`, at most `size` of them, and sets `span_count`. Returns
  // the size gathered: less than asked only when the spans did not suffice.
  std::uint32_t gather(const ChunkPool& pool, Sequence from, std::uint32_t size,
                       std::span<std::span<const std::uint8_t>> spans,
                       std::uint8_t& span_count) noexcept;

  void clear(ChunkPool& pool) noexcept;

 private:
  Sequence start_;
  std::uint32_t size_ = 0;
  std::uint32_t head_ = kNoChunk;
  std::uint32_t tail_ = kNoChunk;
  // Where the last gather() ended, so that sending in order does not walk the chain: the chunk and
  // the sequence number of its first byte.
  std::uint32_t cursor_ = kNoChunk;
  Sequence cursor_start_;
};

}  // namespace brink::tcp
