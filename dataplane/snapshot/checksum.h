// CRC-32C (Castagnoli) with the CPU's instruction: finds torn and rotten images, not forged ones.
#pragma once

#include <nmmintrin.h>

#include <cstdint>
#include <cstring>
#include <span>

namespace brink::snapshot {

// Goes on from `crc`, the raw state: starts as ~0, is complemented at the end.
inline std::uint64_t crc32c_continue(std::uint64_t crc,
                                     std::span<const std::uint8_t> bytes) noexcept {
  std::size_t at = 0;
  for (; at + 8 <= bytes.size(); at += 8) {
    std::uint64_t word;
    std::memcpy(&word, bytes.data() + at, sizeof word);
    crc = _mm_crc32_u64(crc, word);
  }
  for (; at < bytes.size(); ++at) {
    crc = _mm_crc32_u8(static_cast<std::uint32_t>(crc), bytes[at]);
  }
  return crc;
}

// The checksum of `head` followed by `tail`.
inline std::uint32_t crc32c(std::span<const std::uint8_t> head,
                            std::span<const std::uint8_t> tail = {}) noexcept {
  const std::uint64_t crc = crc32c_continue(crc32c_continue(0xffffffffU, head), tail);
  return static_cast<std::uint32_t>(crc) ^ 0xffffffffU;
}

}  // namespace brink::snapshot
