// Scoreboard: which of the bytes in flight the peer has reported by SACK, and which of the others
// count as lost (RFC 6675 3-4). The sorted table of ranges is kept in a chunk, taken with the first
// report; when there is none to take, reports are ignored, which RFC 2018 allows.
#pragma once

#include <cstdint>
#include <span>

#include "dataplane/tcp/chunk_pool.h"
#include "dataplane/tcp/header.h"
#include "dataplane/tcp/sequence.h"

namespace brink::tcp {

inline constexpr std::uint32_t kMaxScoreboardRanges = 128;
inline constexpr std::uint32_t kDupThresh = 3;

class Scoreboard {
 public:
  [[nodiscard]] bool empty() const noexcept { return table_ == kNoChunk; }

  // Records what of the block lies in (una, nxt]; returns the bytes not reported before. A block
  // that is malformed, or names bytes never sent, is ignored.
  std::uint32_t record(ChunkPool& pool, SackBlock block, Sequence una, Sequence nxt) noexcept;
  // Forgets everything before `una`.
  void acknowledge(ChunkPool& pool, Sequence una) noexcept;
  void clear(ChunkPool& pool) noexcept;

  // The end of what counts as lost: every byte before it that was not reported (IsLost). `una` when
  // nothing does.
  [[nodiscard]] Sequence lost_end(const ChunkPool& pool, Sequence una,
                                  std::uint32_t smss) const noexcept;
  // Bytes of [from, to) that were not reported.
  [[nodiscard]] std::uint32_t missing(const ChunkPool& pool, Sequence from,
                                      Sequence to) const noexcept;
  // The first hole at or behind `from` that begins before `limit`, cut at `limit`; empty (start ==
  // end) when there is none.
  [[nodiscard]] SackBlock next_hole(const ChunkPool& pool, Sequence from,
                                    Sequence limit) const noexcept;

 private:
  struct Table {
    std::uint32_t count;
    SackBlock ranges[kMaxScoreboardRanges];  // ascending, apart from each other
  };
  static_assert(sizeof(Table) <= kChunkCapacity);

  [[nodiscard]] const Table& table(const ChunkPool& pool) const noexcept {
    return *reinterpret_cast<const Table*>(pool[table_].data);
  }
  [[nodiscard]] Table& table(ChunkPool& pool) const noexcept {
    return *reinterpret_cast<Table*>(pool[table_].data);
  }

  std::uint32_t table_ = kNoChunk;
};

}  // namespace brink::tcp
