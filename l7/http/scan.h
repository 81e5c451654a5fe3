// Vector scans: the first byte outside a character class. They read only [p, end).
#pragma once

#include <immintrin.h>

#include <cstdint>

#include "l7/http/chars.h"

namespace brink::l7::http {

namespace detail {

inline const char* scan_scalar(const char* p, const char* end, std::uint8_t bits) noexcept {
  while (p != end && has_class(*p, bits)) ++p;
  return p;
}

inline __m128i load16(const char* p) noexcept {
  return _mm_loadu_si128(reinterpret_cast<const __m128i*>(p));
}

}  // namespace detail

// The first byte that is not field content: a control character other than HTAB, or DEL.
inline const char* skip_value(const char* p, const char* end) noexcept {
  const __m256i bias = _mm256_set1_epi8(static_cast<char>(0x80));
  const __m256i below = _mm256_set1_epi8(static_cast<char>(0x20 ^ 0x80));
  const __m256i tab = _mm256_set1_epi8('\t');
  const __m256i del = _mm256_set1_epi8(0x7f);
  while (end - p >= 32) {
    const __m256i block = _mm256_loadu_si256(reinterpret_cast<const __m256i*>(p));
    // Signed comparison after flipping the top bit: block < 0x20 as unsigned.
    const __m256i control = _mm256_cmpgt_epi8(below, _mm256_xor_si256(block, bias));
    const __m256i bad = _mm256_or_si256(_mm256_andnot_si256(_mm256_cmpeq_epi8(block, tab), control),
                                        _mm256_cmpeq_epi8(block, del));
    const auto mask = static_cast<std::uint32_t>(_mm256_movemask_epi8(bad));
    if (mask != 0) return p + __builtin_ctz(mask);
    p += 32;
  }
  return detail::scan_scalar(p, end, kCharValue);
}

// The first byte that may not stand in a request target (SP ends it).
inline const char* skip_target(const char* p, const char* end) noexcept {
  const __m256i space = _mm256_set1_epi8(0x20);
  const __m256i del = _mm256_set1_epi8(0x7f);
  const __m256i hash = _mm256_set1_epi8('#');
  while (end - p >= 32) {
    const __m256i block = _mm256_loadu_si256(reinterpret_cast<const __m256i*>(p));
    // Signed: bytes above 0x7f are negative and fall out together with the controls and SP.
    const __m256i visible = _mm256_cmpgt_epi8(block, space);
    const __m256i odd =
        _mm256_or_si256(_mm256_cmpeq_epi8(block, del), _mm256_cmpeq_epi8(block, hash));
    const auto good =
        static_cast<std::uint32_t>(_mm256_movemask_epi8(_mm256_andnot_si256(odd, visible)));
    if (good != 0xffffffffU) return p + __builtin_ctz(~good);
    p += 32;
  }
  return detail::scan_scalar(p, end, kCharTarget);
}

// The first byte that is not a token character. A byte is looked up by its two nibbles: the low one
// selects a row of bits, the high one the bit within it; rows are exact for ASCII, high bytes miss.
inline const char* skip_token(const char* p, const char* end) noexcept {
  // Bit h of row l: character h*16+l is a token character.
  const __m128i rows =
      _mm_setr_epi8(static_cast<char>(0xe8), static_cast<char>(0xfc), static_cast<char>(0xf8),
                    static_cast<char>(0xfc), static_cast<char>(0xfc), static_cast<char>(0xfc),
                    static_cast<char>(0xfc), static_cast<char>(0xfc), static_cast<char>(0xf8),
                    static_cast<char>(0xf8), static_cast<char>(0xf4), 0x54, static_cast<char>(0xd0),
                    0x54, static_cast<char>(0xf4), 0x70);
  const __m128i bits =
      _mm_setr_epi8(1, 2, 4, 8, 16, 32, 64, static_cast<char>(0x80), 0, 0, 0, 0, 0, 0, 0, 0);
  const __m128i low = _mm_set1_epi8(0x0f);
  while (end - p >= 16) {
    const __m128i block = detail::load16(p);
    const __m128i row = _mm_shuffle_epi8(rows, _mm_and_si128(block, low));
    const __m128i high = _mm_and_si128(_mm_srli_epi16(block, 4), low);
    const __m128i bit = _mm_shuffle_epi8(bits, high);
    const __m128i miss = _mm_cmpeq_epi8(_mm_and_si128(row, bit), _mm_setzero_si128());
    const auto mask = static_cast<std::uint32_t>(_mm_movemask_epi8(miss));
    if (mask != 0) return p + __builtin_ctz(mask);
    p += 16;
  }
  return detail::scan_scalar(p, end, kCharToken);
}

}  // namespace brink::l7::http
