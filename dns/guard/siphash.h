// SipHash-2-4 (Aumasson and Bernstein, 2012): a keyed hash of 64 bits for short inputs, which DNS
// cookies of all servers are made with (RFC 9018 4.4). Hot.
#pragma once

#include <array>
#include <bit>
#include <cstdint>
#include <cstring>
#include <span>

namespace brink::dns::guard {

using SipKey = std::array<std::uint8_t, 16>;

static_assert(std::endian::native == std::endian::little);

inline std::uint64_t siphash24(const SipKey& key, std::span<const std::uint8_t> data) noexcept {
  const auto word = [](const std::uint8_t* at, std::size_t size = 8) {
    std::uint64_t value = 0;
    std::memcpy(&value, at, size);
    return value;
  };
  const std::uint64_t k0 = word(key.data());
  const std::uint64_t k1 = word(key.data() + 8);
  std::uint64_t v0 = k0 ^ 0x736f6d6570736575;
  std::uint64_t v1 = k1 ^ 0x646f72616e646f6d;
  std::uint64_t v2 = k0 ^ 0x6c7967656e657261;
  std::uint64_t v3 = k1 ^ 0x7465646279746573;
  const auto rounds = [&](int count) {
    for (int i = 0; i < count; ++i) {
      v0 += v1;
      v1 = std::rotl(v1, 13) ^ v0;
      v0 = std::rotl(v0, 32);
      v2 += v3;
      v3 = std::rotl(v3, 16) ^ v2;
      v0 += v3;
      v3 = std::rotl(v3, 21) ^ v0;
      v2 += v1;
      v1 = std::rotl(v1, 17) ^ v2;
      v2 = std::rotl(v2, 32);
    }
  };
  const auto mix = [&](std::uint64_t m) {
    v3 ^= m;
    rounds(2);
    v0 ^= m;
  };
  std::size_t at = 0;
  for (; at + 8 <= data.size(); at += 8) mix(word(data.data() + at));
  const std::uint64_t rest = at < data.size() ? word(data.data() + at, data.size() - at) : 0;
  mix(rest | std::uint64_t{data.size()} << 56);
  v2 ^= 0xff;
  rounds(4);
  return v0 ^ v1 ^ v2 ^ v3;
}

}  // namespace brink::dns::guard
