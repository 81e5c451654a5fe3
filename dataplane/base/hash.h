// KeyedHash: a 64-bit hash of up to a few hundred bytes under a 256-bit secret, two AES rounds a
// 16-byte block. It is for tables that a peer could otherwise aim collisions at (names, flows); it
// is not a MAC. The function is part of the snapshot's layout: changing it is a new layout version.
#pragma once

#include <immintrin.h>

#include <cstddef>
#include <cstdint>

namespace brink::base {

// 32 secret bytes, drawn at random by whoever creates the table.
struct alignas(16) HashKey {
  std::uint8_t bytes[32] = {};
};

// keyed_hash hashes `size` bytes at `data`. The caller guarantees that the bytes up to the next
// multiple of 16 are readable and zero: padding is hashed, and the length is mixed in.
//
// Two rounds per block, not one: after a single round a one-byte difference reaches the next block
// with a guessable pattern (probability 2^-6) that an attacker could cancel without the key.
inline std::uint64_t keyed_hash(const HashKey& key, const std::uint8_t* data,
                                std::size_t size) noexcept {
  const __m128i k0 = _mm_load_si128(reinterpret_cast<const __m128i*>(key.bytes));
  const __m128i k1 = _mm_load_si128(reinterpret_cast<const __m128i*>(key.bytes + 16));
  __m128i state = _mm_xor_si128(k0, _mm_cvtsi64_si128(static_cast<long long>(size)));
  for (std::size_t offset = 0; offset < size; offset += 16) {
    const __m128i block = _mm_loadu_si128(reinterpret_cast<const __m128i*>(data + offset));
    state = _mm_aesenc_si128(_mm_xor_si128(state, block), k1);
    state = _mm_aesenc_si128(state, k0);
  }
  state = _mm_aesenc_si128(state, k1);
  state = _mm_aesenc_si128(state, k0);
  return static_cast<std::uint64_t>(_mm_cvtsi128_si64(state));
}

}  // namespace brink::base
