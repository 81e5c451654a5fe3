#include "dns/answer/sha1_lanes.h"

#include <algorithm>
#include <cstring>

#include "dataplane/base/bytes.h"

namespace brink::dns::answer {
namespace {

constexpr std::size_t kWords = 16;  // of a block

using Lanes8 = std::uint32_t __attribute__((vector_size(32)));
using Lanes16 = std::uint32_t __attribute__((vector_size(64)));

// What works on vectors is all inlined: what they are passed in depends on the instruction set.
template <int kBits, typename Lanes>
[[gnu::always_inline]] inline void turn(Lanes& x) noexcept {
  x = x << kBits | x >> (32 - kBits);
}

// RFC 3174 6.1 over one block. Leaves the digest in the first five of `words`.
template <typename Lanes>
[[gnu::always_inline]] inline void digest(Lanes (&words)[kWords]) noexcept {
  constexpr std::uint32_t kStart[] = {0x67452301, 0xefcdab89, 0x98badcfe, 0x10325476, 0xc3d2e1f0};
  Lanes a = Lanes{} + kStart[0], b = Lanes{} + kStart[1], c = Lanes{} + kStart[2],
        d = Lanes{} + kStart[3], e = Lanes{} + kStart[4];
#pragma GCC unroll 80
  for (std::size_t t = 0; t < 80; ++t) {
    Lanes& word = words[t % kWords];
    if (t >= kWords) {
      word ^= words[(t - 3) % kWords] ^ words[(t - 8) % kWords] ^ words[(t - 14) % kWords];
      turn<1>(word);
    }
    Lanes sum = a;
    turn<5>(sum);
    sum += e + word;
    if (t < 20) {
      sum += (d ^ (b & (c ^ d))) + 0x5a827999U;
    } else if (t < 40) {
      sum += (b ^ c ^ d) + 0x6ed9eba1U;
    } else if (t < 60) {
      sum += ((b & c) | (d & (b | c))) + 0x8f1bbcdcU;
    } else {
      sum += (b ^ c ^ d) + 0xca62c1d6U;
    }
    e = d;
    d = c;
    turn<30>(b);
    c = b;
    b = a;
    a = sum;
  }
  words[0] = a + kStart[0];
  words[1] = b + kStart[1];
  words[2] = c + kStart[2];
  words[3] = d + kStart[3];
  words[4] = e + kStart[4];
}

template <typename Lanes>
[[gnu::always_inline]] inline std::size_t digests_of(
    const std::uint8_t* blocks, std::size_t count,
    std::uint8_t (&digests)[kSha1LanesMax][kSha1Size]) noexcept {
  constexpr std::size_t kLanes = sizeof(Lanes) / sizeof(std::uint32_t);
  const std::size_t used = std::min(count, kLanes);
  Lanes words[kWords] = {};
  std::uint32_t turned[kWords][kLanes];
  for (std::size_t lane = 0; lane < kLanes; ++lane) {
    // Lanes that are not used have the first message once more.
    const std::uint8_t* block = blocks + (lane < used ? lane : 0) * kWords * sizeof(std::uint32_t);
    for (std::size_t i = 0; i < kWords; ++i) turned[i][lane] = base::load_be32(block + 4 * i);
  }
  std::memcpy(words, turned, sizeof words);
  digest(words);
  for (std::size_t lane = 0; lane < used; ++lane) {
    for (std::size_t i = 0; i < kSha1Size / 4; ++i) {
      base::store_be32(digests[lane] + 4 * i, words[i][lane]);
    }
  }
  return used;
}

// With rotations and logic of three operands, a third of the time a message that eight lanes take.
[[gnu::target("avx512f,avx512vl")]] std::size_t wide(
    const std::uint8_t* blocks, std::size_t count,
    std::uint8_t (&digests)[kSha1LanesMax][kSha1Size]) noexcept {
  return digests_of<Lanes16>(blocks, count, digests);
}

}  // namespace

std::size_t sha1_lanes(const std::uint8_t* blocks, std::size_t count,
                       std::uint8_t (&digests)[kSha1LanesMax][kSha1Size]) noexcept {
  if (__builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512vl")) {
    return wide(blocks, count, digests);
  }
  return digests_of<Lanes8>(blocks, count, digests);
}

}  // namespace brink::dns::answer
