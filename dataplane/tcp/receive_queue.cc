#include "dataplane/tcp/receive_queue.h"

#include <algorithm>
#include <cstring>

namespace brink::tcp {

std::uint32_t ReceiveQueue::take_in_order(ChunkPool& pool) const noexcept {
  return size_ >= kModestReceive && pool.on_reserve() ? kNoChunk : pool.take(ChunkUse::kReceive);
}

std::uint32_t ReceiveQueue::append(ChunkPool& pool, std::span<const std::uint8_t> bytes) noexcept {
  std::uint32_t total = 0;
  while (!bytes.empty()) {
    if (tail_ == kNoChunk || pool[tail_].room() == 0) {
      std::uint32_t index = take_in_order(pool);
      if (index == kNoChunk && has_gaps()) {
        drop_out_of_order(pool);
        index = take_in_order(pool);
      }
      if (index == kNoChunk) break;
      if (tail_ == kNoChunk) {
        head_ = index;
      } else {
        pool[tail_].next = index;
      }
      tail_ = index;
    }
    const std::uint32_t count = pool[tail_].append(bytes);
    bytes = bytes.subspan(count);
    total += count;
    size_ += count;
  }
  return total;
}

std::size_t ReceiveQueue::copy(const ChunkPool& pool, std::size_t offset,
                               std::span<std::uint8_t> out) const noexcept {
  std::size_t copied = 0;
  for (std::uint32_t index = head_; index != kNoChunk && copied < out.size();
       index = pool[index].next) {
    auto bytes = pool[index].bytes();
    const std::size_t skipped = std::min(offset, bytes.size());
    offset -= skipped;
    bytes = bytes.subspan(skipped);
    bytes = bytes.first(std::min(bytes.size(), out.size() - copied));
    if (!bytes.empty()) std::memcpy(out.data() + copied, bytes.data(), bytes.size());
    copied += bytes.size();
  }
  return copied;
}

void ReceiveQueue::consume(ChunkPool& pool, std::uint32_t count) noexcept {
  DCHECK(count <= size_);
  size_ -= count;
  while (head_ != kNoChunk && count >= pool[head_].size()) {
    const std::uint32_t index = head_;
    count -= pool[index].size();
    head_ = pool[index].next;
    pool.give(index, ChunkUse::kReceive);
  }
  if (head_ == kNoChunk) {
    tail_ = kNoChunk;
  } else {
    pool[head_].begin = static_cast<std::uint16_t>(pool[head_].begin + count);
  }
}

std::uint32_t ReceiveQueue::pop_chunk(ChunkPool& pool) noexcept {
  const std::uint32_t index = head_;
  size_ -= pool[index].size();
  head_ = pool[index].next;
  if (head_ == kNoChunk) tail_ = kNoChunk;
  pool[index].next = kNoChunk;
  return index;
}

bool ReceiveQueue::open_table(ChunkPool& pool) noexcept {
  if (table_ != kNoChunk) return true;
  if (pool.on_reserve()) return false;
  table_ = pool.take(ChunkUse::kReceive);
  if (table_ == kNoChunk) return false;
  table(pool).count = table(pool).last = 0;
  return true;
}

void ReceiveQueue::close_table(ChunkPool& pool) noexcept {
  if (table_ == kNoChunk || table(pool).count > 0) return;
  pool.give(table_, ChunkUse::kReceive);
  table_ = kNoChunk;
}

bool ReceiveQueue::open_range(ChunkPool& pool, std::uint32_t at, Sequence start) noexcept {
  Table& ranges = table(pool);
  if (ranges.count == kMaxOutOfOrderRanges || pool.on_reserve()) return false;
  const std::uint32_t index = pool.take(ChunkUse::kReceive);
  if (index == kNoChunk) return false;
  ++waiting_;
  std::memmove(&ranges.ranges[at + 1], &ranges.ranges[at], (ranges.count - at) * sizeof(Range));
  ranges.ranges[at] = {start, start, index, index};
  ++ranges.count;
  return true;
}

void ReceiveQueue::remove_range(Table& ranges, std::uint32_t at) noexcept {
  --ranges.count;
  std::memmove(&ranges.ranges[at], &ranges.ranges[at + 1], (ranges.count - at) * sizeof(Range));
  if (ranges.last > at) --ranges.last;
}

std::uint32_t ReceiveQueue::extend(ChunkPool& pool, Range& range,
                                   std::span<const std::uint8_t> bytes) noexcept {
  std::uint32_t total = 0;
  while (!bytes.empty()) {
    if (pool[range.tail].room() == 0) {
      const std::uint32_t index = pool.on_reserve() ? kNoChunk : pool.take(ChunkUse::kReceive);
      if (index == kNoChunk) break;
      ++waiting_;
      pool[range.tail].next = index;
      range.tail = index;
    }
    const std::uint32_t count = pool[range.tail].append(bytes);
    bytes = bytes.subspan(count);
    total += count;
    range.end += count;
  }
  return total;
}

void ReceiveQueue::merge_with_next(ChunkPool& pool, std::uint32_t at) noexcept {
  Table& ranges = table(pool);
  Range& range = ranges.ranges[at];
  const Range& next = ranges.ranges[at + 1];
  pool[range.tail].next = next.head;
  range.tail = next.tail;
  range.end = next.end;
  remove_range(ranges, at + 1);
}

bool ReceiveQueue::insert(ChunkPool& pool, Sequence sequence,
                          std::span<const std::uint8_t> bytes) noexcept {
  if (!open_table(pool)) return false;
  Table& ranges = table(pool);
  bool complete = true;
  // The first range that ends at or behind the new bytes is the only one they can extend.
  std::uint32_t at = 0;
  while (at < ranges.count && ranges.ranges[at].end < sequence) ++at;
  // Each turn either places bytes before the next range or skips a range: at most 2 * count + 1.
  while (!bytes.empty() && complete) {
    const bool touches = at < ranges.count && ranges.ranges[at].start <= sequence;
    if (touches) {
      const std::uint32_t known = ranges.ranges[at].end - sequence;
      ranges.last = at;
      if (known >= bytes.size()) break;
      bytes = bytes.subspan(known);
      sequence += known;
    } else if (!open_range(pool, at, sequence)) {
      complete = false;
      break;
    }
    Range& range = ranges.ranges[at];
    ranges.last = at;
    const bool has_next = at + 1 < ranges.count;
    const std::size_t limit =
        has_next ? std::min<std::size_t>(bytes.size(), ranges.ranges[at + 1].start - sequence)
                 : bytes.size();
    const std::uint32_t stored = extend(pool, range, bytes.first(limit));
    complete = stored == limit;
    bytes = bytes.subspan(stored);
    sequence += stored;
    if (has_next && range.end == ranges.ranges[at + 1].start) merge_with_next(pool, at);
  }
  close_table(pool);
  return complete;
}

void ReceiveQueue::splice(ChunkPool& pool, const Range& range) noexcept {
  std::uint32_t count = 0;
  for (std::uint32_t index = range.head; index != kNoChunk; index = pool[index].next) ++count;
  waiting_ -= count;
  if (tail_ == kNoChunk) {
    head_ = range.head;
  } else {
    pool[tail_].next = range.head;
  }
  tail_ = range.tail;
}

void ReceiveQueue::trim_front(ChunkPool& pool, Range& range, std::uint32_t count) noexcept {
  range.start += count;
  while (range.head != kNoChunk && count >= pool[range.head].size()) {
    const std::uint32_t index = range.head;
    count -= pool[index].size();
    range.head = pool[index].next;
    --waiting_;
    pool.give(index, ChunkUse::kReceive);
  }
  if (range.head != kNoChunk) {
    pool[range.head].begin = static_cast<std::uint16_t>(pool[range.head].begin + count);
  }
}

Sequence ReceiveQueue::join(ChunkPool& pool, Sequence next) noexcept {
  while (table_ != kNoChunk) {
    Table& ranges = table(pool);
    if (ranges.count == 0 || next < ranges.ranges[0].start) break;
    Range& range = ranges.ranges[0];
    trim_front(pool, range, std::min(next - range.start, range.end - range.start));
    if (range.head != kNoChunk) {
      size_ += range.end - range.start;
      next = range.end;
      splice(pool, range);
    }
    remove_range(ranges, 0);
    close_table(pool);
  }
  return next;
}

std::uint8_t ReceiveQueue::sack_blocks(const ChunkPool& pool,
                                       std::span<SackBlock, kMaxSackBlocks> blocks) const noexcept {
  if (table_ == kNoChunk) return 0;
  const auto& ranges = *reinterpret_cast<const Table*>(pool[table_].data);
  if (ranges.count == 0) return 0;
  const std::uint32_t first = std::min(ranges.last, ranges.count - 1);
  blocks[0] = {ranges.ranges[first].start, ranges.ranges[first].end};
  std::uint8_t count = 1;
  // The others from the highest down: the ones an earlier block is least likely to have named.
  for (std::uint32_t i = ranges.count; i-- > 0 && count < kMaxSackBlocks;) {
    if (i == first) continue;
    blocks[count++] = {ranges.ranges[i].start, ranges.ranges[i].end};
  }
  return count;
}

void ReceiveQueue::drop_out_of_order(ChunkPool& pool) noexcept {
  if (table_ == kNoChunk) return;
  Table& ranges = table(pool);
  for (std::uint32_t i = 0; i < ranges.count; ++i) {
    pool.give_chain(ranges.ranges[i].head, ChunkUse::kReceive);
  }
  ranges.count = 0;
  waiting_ = 0;
  close_table(pool);
}

void ReceiveQueue::clear(ChunkPool& pool) noexcept {
  drop_out_of_order(pool);
  pool.give_chain(head_, ChunkUse::kReceive);
  head_ = tail_ = kNoChunk;
  size_ = 0;
}

}  // namespace brink::tcp
