// NameKey: a domain name made ready for the name table: lower-case wire form (RFC 4343),
// zero-padded for the vector hash and compare, with its keyed hash. Reused from query to query;
// never allocates.
#pragma once

#include <immintrin.h>

#include <cstdint>
#include <cstring>
#include <span>
#include <string_view>

#include "dataplane/base/hash.h"

namespace brink::snapshot {

inline constexpr std::size_t kNameMax = 255;  // RFC 1035 3.1, root label included
inline constexpr std::size_t kLabelMax = 63;

struct alignas(32) NameKey {
  std::uint8_t bytes[kNameMax + 1 + 64];  // lower-case; at least 32 zeros follow the name
  std::uint64_t hash;
  std::uint16_t size;  // wire size, root label included
};

// wire_name_size: the size of the uncompressed name at the start of `wire`, root label included, or
// 0 if it is malformed: runs past the end, exceeds 255 bytes, or has a label type other than 00.
inline std::size_t wire_name_size(std::span<const std::uint8_t> wire) noexcept {
  std::size_t at = 0;
  while (at < wire.size() && at < kNameMax) {
    const std::uint8_t length = wire[at];
    if (length == 0) return at + 1;
    if (length > kLabelMax) return 0;
    at += 1U + length;
  }
  return 0;
}

inline __m256i lower_case(__m256i text) noexcept {
  // Signed compares: bytes from 0x80 on are negative and fail the first test.
  const __m256i above = _mm256_cmpgt_epi8(text, _mm256_set1_epi8('A' - 1));
  const __m256i below = _mm256_cmpgt_epi8(_mm256_set1_epi8('Z' + 1), text);
  const __m256i upper = _mm256_and_si256(above, below);
  return _mm256_or_si256(text, _mm256_and_si256(upper, _mm256_set1_epi8(0x20)));
}

// set_key fills `key` from a well-formed wire name of `size` bytes. `readable` counts the bytes
// that may be read from `wire` on, at least `size`: with 31 more than `size` nothing is copied
// twice. Length bytes are at most 63 and so never look like a letter.
inline void set_key(NameKey& key, const base::HashKey& hash_key, const std::uint8_t* wire,
                    std::size_t size, std::size_t readable) noexcept {
  alignas(32) static constexpr std::uint8_t kTail[64] = {
      0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
      0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
      0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff};
  alignas(32) std::uint8_t copy[kNameMax + 1 + 32];
  if (readable < size + 31) {
    std::memcpy(copy, wire, size);
    wire = copy;
  }
  std::size_t at = 0;
  for (; at + 32 <= size; at += 32) {
    const __m256i text = _mm256_loadu_si256(reinterpret_cast<const __m256i*>(wire + at));
    _mm256_store_si256(reinterpret_cast<__m256i*>(key.bytes + at), lower_case(text));
  }
  const __m256i mask =
      _mm256_loadu_si256(reinterpret_cast<const __m256i*>(kTail + 32 - (size - at)));
  const __m256i text = _mm256_loadu_si256(reinterpret_cast<const __m256i*>(wire + at));
  _mm256_store_si256(reinterpret_cast<__m256i*>(key.bytes + at),
                     _mm256_and_si256(lower_case(text), mask));
  _mm256_store_si256(reinterpret_cast<__m256i*>(key.bytes + at + 32), _mm256_setzero_si256());
  key.size = static_cast<std::uint16_t>(size);
  key.hash = base::keyed_hash(hash_key, key.bytes, size);
}

// "*.<something>" (RFC 4592 2.1.1).
inline bool is_wildcard(const NameKey& key) noexcept {
  return key.size > 2 && key.bytes[0] == 1 && key.bytes[1] == '*';
}

// set_key_from_text fills `key` from a host name as HTTP and TLS carry it ("www.example.com", with
// or without a trailing dot; no escapes). False if it is not a name: empty, an empty or over-long
// label, over 253 characters, a control character, a space or a backslash.
bool set_key_from_text(NameKey& key, const base::HashKey& hash_key, std::string_view text) noexcept;

}  // namespace brink::snapshot
