// ZstdEncoder: one body at a time into one Zstandard frame (RFC 8878; its window is far under the
// 8 MB of RFC 9659), over libzstd. Its memory is given once and used again for every body. One
// thread.
#pragma once

#include <cstddef>
#include <span>

#include "l7/compress/step.h"

struct ZSTD_CCtx_s;

namespace brink::l7::compress {

// 1,000-1,200 MB/s on pages and JSON of 100 KB, at 6.0:1 and 8.4:1. Level 1 is 15% faster and 5%
// larger on pages; level 5 is a quarter as fast and 8% smaller.
inline constexpr int kZstdLevel = 3;
// 128 KiB. With half the window pages of 100 KB become 6% larger.
inline constexpr int kZstdWindowBits = 17;
// Tables that stay in the second-level cache: as fast as the level's own (17, 16) on real pages and
// JSON, not measurably worse, and a third less memory.
inline constexpr int kZstdHashBits = 15;
inline constexpr int kZstdChainBits = 14;

class ZstdEncoder {
 public:
  static constexpr std::size_t kMemoryBytes = 1152 * 1024;

  // `memory` is 64-byte aligned, kMemoryBytes, and outlives the encoder.
  explicit ZstdEncoder(std::span<std::byte> memory) noexcept;
  ZstdEncoder(const ZstdEncoder&) = delete;
  ZstdEncoder& operator=(const ZstdEncoder&) = delete;

  // Begins a body; what was left of another is forgotten.
  bool start() noexcept;
  void stop() noexcept {}
  Step step(Input in, Room room, Flow flow) noexcept;

 private:
  ZSTD_CCtx_s* context_;
  std::size_t held_bytes_ = 0;  // input taken since the last flush
};

}  // namespace brink::l7::compress
