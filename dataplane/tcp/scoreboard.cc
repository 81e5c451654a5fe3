#include "dataplane/tcp/scoreboard.h"

#include <cstring>

namespace brink::tcp {

std::uint32_t Scoreboard::record(ChunkPool& pool, SackBlock block, Sequence una,
                                 Sequence nxt) noexcept {
  if (block.end <= block.start || block.end > nxt || block.end <= una) return 0;
  block.start = later(block.start, una);
  if (table_ == kNoChunk) {
    table_ = pool.take(ChunkUse::kSend);
    if (table_ == kNoChunk) return 0;
    table(pool).count = 0;
  }
  Table& t = table(pool);
  const std::uint32_t before = missing(pool, block.start, block.end);
  if (before == 0) return 0;

  // [first, last) are the ranges that touch the block; they become one.
  std::uint32_t first = 0;
  while (first < t.count && t.ranges[first].end < block.start) ++first;
  std::uint32_t last = first;
  while (last < t.count && t.ranges[last].start <= block.end) ++last;
  if (first == last) {
    if (t.count == kMaxScoreboardRanges) return 0;
    std::memmove(&t.ranges[first + 1], &t.ranges[first], (t.count - first) * sizeof(SackBlock));
    t.ranges[first] = block;
    ++t.count;
    return before;
  }
  t.ranges[first].start = earlier(t.ranges[first].start, block.start);
  t.ranges[first].end = later(t.ranges[last - 1].end, block.end);
  std::memmove(&t.ranges[first + 1], &t.ranges[last], (t.count - last) * sizeof(SackBlock));
  t.count -= last - first - 1;
  return before;
}

void Scoreboard::acknowledge(ChunkPool& pool, Sequence una) noexcept {
  if (table_ == kNoChunk) return;
  Table& t = table(pool);
  std::uint32_t gone = 0;
  while (gone < t.count && t.ranges[gone].end <= una) ++gone;
  t.count -= gone;
  if (t.count == 0) {
    clear(pool);
    return;
  }
  std::memmove(&t.ranges[0], &t.ranges[gone], t.count * sizeof(SackBlock));
  t.ranges[0].start = later(t.ranges[0].start, una);
}

void Scoreboard::clear(ChunkPool& pool) noexcept {
  if (table_ == kNoChunk) return;
  pool.give(table_, ChunkUse::kSend);
  table_ = kNoChunk;
}

Sequence Scoreboard::lost_end(const ChunkPool& pool, Sequence una,
                              std::uint32_t smss) const noexcept {
  if (table_ == kNoChunk) return una;
  const Table& t = table(pool);
  std::uint32_t bytes = 0;
  for (std::uint32_t i = t.count; i-- > 0;) {
    bytes += t.ranges[i].end - t.ranges[i].start;
    if (t.count - i >= kDupThresh || bytes > (kDupThresh - 1) * smss) return t.ranges[i].start;
  }
  return una;
}

std::uint32_t Scoreboard::missing(const ChunkPool& pool, Sequence from,
                                  Sequence to) const noexcept {
  if (to <= from) return 0;
  std::uint32_t bytes = to - from;
  if (table_ == kNoChunk) return bytes;
  const Table& t = table(pool);
  for (std::uint32_t i = 0; i < t.count && t.ranges[i].start < to; ++i) {
    const Sequence start = later(t.ranges[i].start, from);
    const Sequence end = earlier(t.ranges[i].end, to);
    if (start < end) bytes -= end - start;
  }
  return bytes;
}

SackBlock Scoreboard::next_hole(const ChunkPool& pool, Sequence from,
                                Sequence limit) const noexcept {
  if (table_ != kNoChunk) {
    const Table& t = table(pool);
    for (std::uint32_t i = 0; i < t.count; ++i) {
      if (from < t.ranges[i].start) {
        limit = earlier(limit, t.ranges[i].start);
        break;
      }
      from = later(from, t.ranges[i].end);
    }
  }
  return from < limit ? SackBlock{from, limit} : SackBlock{from, from};
}

}  // namespace brink::tcp
