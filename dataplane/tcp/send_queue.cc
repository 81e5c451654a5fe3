#include "dataplane/tcp/send_queue.h"

namespace brink::tcp {

std::uint32_t SendQueue::append(ChunkPool& pool, std::span<const std::uint8_t> bytes) noexcept {
  std::uint32_t total = 0;
  while (!bytes.empty()) {
    if (tail_room(pool) == 0) {
      const std::uint32_t index = pool.take(ChunkUse::kSend);
      if (index == kNoChunk) break;
      append_chunk(pool, index);
    }
    const std::uint32_t count = pool[tail_].append(bytes);
    bytes = bytes.subspan(count);
    total += count;
    size_ += count;
  }
  return total;
}

void SendQueue::append_chunk(ChunkPool& pool, std::uint32_t index) noexcept {
  pool[index].next = kNoChunk;
  if (tail_ == kNoChunk) {
    head_ = index;
  } else {
    pool[tail_].next = index;
  }
  tail_ = index;
  size_ += pool[index].size();
}

void SendQueue::acknowledge(ChunkPool& pool, Sequence ack) noexcept {
  std::uint32_t count = ack - start_;
  DCHECK(count <= size_);
  start_ = ack;
  size_ -= count;
  while (head_ != kNoChunk) {
    Chunk& chunk = pool[head_];
    if (count < chunk.size()) {
      chunk.begin = static_cast<std::uint16_t>(chunk.begin + count);
      if (cursor_ == head_) cursor_start_ = start_;
      break;
    }
    count -= chunk.size();
    const std::uint32_t next = chunk.next;
    if (cursor_ == head_) cursor_ = kNoChunk;
    pool.give(head_, ChunkUse::kSend);
    head_ = next;
  }
  if (head_ == kNoChunk) tail_ = kNoChunk;
}

std::uint32_t SendQueue::gather(const ChunkPool& pool, Sequence from, std::uint32_t size,
                                std::span<std::span<const std::uint8_t>> spans,
                                std::uint8_t& span_count) noexcept {
  span_count = 0;
  DCHECK(start_ <= from && from + size <= end());
  if (cursor_ == kNoChunk || from < cursor_start_) {
    cursor_ = head_;
    cursor_start_ = start_;
  }
  std::uint32_t gathered = 0;
  while (gathered < size) {
    const Chunk& chunk = pool[cursor_];
    const std::uint32_t offset = from - cursor_start_;
    if (offset < chunk.size()) {
      if (span_count == spans.size()) break;
      const std::uint32_t count = std::min(chunk.size() - offset, size - gathered);
      spans[span_count++] = chunk.bytes().subspan(offset, count);
      gathered += count;
      from += count;
      if (gathered == size) break;
    }
    cursor_start_ += chunk.size();
    cursor_ = chunk.next;
  }
  return gathered;
}

void SendQueue::clear(ChunkPool& pool) noexcept {
  pool.give_chain(head_, ChunkUse::kSend);
  start_ += size_;
  size_ = 0;
  head_ = tail_ = cursor_ = kNoChunk;
}

}  // namespace brink::tcp
