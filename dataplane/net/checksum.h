// The Internet checksum (RFC 1071) over spans, and over the pseudo-headers of RFC 768, RFC 9293 3.1
// and RFC 8200 8.1. Hot: no allocation, no exception.
#pragma once

#include <immintrin.h>

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>

#include "dataplane/base/ip.h"

namespace brink::net {

// checksum_add returns `sum` plus the 16-bit words of `data`, not folded. Parts may be added one
// after another when every part but the last has an even size. The sum is byte-order independent
// (RFC 1071 2(B)): words are taken in memory order and only checksum_finish swaps.
inline std::uint64_t checksum_add(std::uint64_t sum, std::span<const std::uint8_t> data) noexcept {
  const std::uint8_t* at = data.data();
  std::size_t left = data.size();
  if (left < 4) {
    std::uint32_t word = 0;
    if (left > 0) std::memcpy(&word, at, left);
    return sum + word;
  }
  // 32-bit words in lanes of 64 bits; the last that are whole by a mask.
  alignas(32) static constexpr std::int32_t kWhole[16] = {-1, -1, -1, -1, -1, -1, -1, -1};
  const __m256i low = _mm256_set1_epi64x(0xffffffff);
  __m256i lanes = _mm256_setzero_si256();
  const auto add = [&lanes, low](__m256i words) {
    lanes = _mm256_add_epi64(
        lanes, _mm256_add_epi64(_mm256_and_si256(words, low), _mm256_srli_epi64(words, 32)));
  };
  for (; left >= 32; at += 32, left -= 32) {
    add(_mm256_loadu_si256(reinterpret_cast<const __m256i*>(at)));
  }
  const __m256i mask = _mm256_loadu_si256(reinterpret_cast<const __m256i*>(kWhole + 8 - left / 4));
  add(_mm256_maskload_epi32(reinterpret_cast<const int*>(at), mask));
  const __m128i half =
      _mm_add_epi64(_mm256_castsi256_si128(lanes), _mm256_extracti128_si256(lanes, 1));
  sum += static_cast<std::uint64_t>(_mm_cvtsi128_si64(half)) +
         static_cast<std::uint64_t>(_mm_extract_epi64(half, 1));
  // Up to three octets: the last word of the data without those that are counted.
  std::uint32_t last;
  std::memcpy(&last, data.data() + data.size() - 4, sizeof last);
  return sum + (std::uint64_t{last} >> (32 - left % 4 * 8));
}

// Folds a sum to its checksum in host order, ready for store_be16.
inline std::uint16_t checksum_finish(std::uint64_t sum) noexcept {
  sum = (sum & 0xffffffff) + (sum >> 32);
  sum = (sum & 0xffffffff) + (sum >> 32);
  auto folded = static_cast<std::uint32_t>((sum & 0xffff) + (sum >> 16));
  folded = (folded & 0xffff) + (folded >> 16);
  return __builtin_bswap16(static_cast<std::uint16_t>(~folded));
}

// The checksum of a whole span; zero when the span contains a correct checksum field.
inline std::uint16_t checksum(std::span<const std::uint8_t> data) noexcept {
  return checksum_finish(checksum_add(0, data));
}

// The unfolded sum of the pseudo-header. Both addresses are of the same family; `size` is the
// transport header plus its data.
inline std::uint64_t pseudo_header_sum(const base::IpAddress& source,
                                       const base::IpAddress& destination, std::uint8_t protocol,
                                       std::uint32_t size) noexcept {
  std::uint64_t sum = __builtin_bswap32(size) + (std::uint64_t{protocol} << 8);
  if (destination.is_v4()) {
    return sum + __builtin_bswap32(source.v4_host_order()) +
           __builtin_bswap32(destination.v4_host_order());
  }
  sum = checksum_add(sum, source.bytes());
  return checksum_add(sum, destination.bytes());
}

// The checksum of a transport segment with its pseudo-header; zero when `segment` contains a
// correct checksum field. For a field to be sent: zero the field first; UDP sends 0xffff for zero
// (RFC 768).
inline std::uint16_t transport_checksum(const base::IpAddress& source,
                                        const base::IpAddress& destination, std::uint8_t protocol,
                                        std::span<const std::uint8_t> segment) noexcept {
  const auto size = static_cast<std::uint32_t>(segment.size());
  return checksum_finish(
      checksum_add(pseudo_header_sum(source, destination, protocol, size), segment));
}

}  // namespace brink::net
