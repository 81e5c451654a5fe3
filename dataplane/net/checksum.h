// The Internet checksum (RFC 1071) over spans, and over the pseudo-headers of RFC 768, RFC 9293 3.1
// and RFC 8200 8.1. Hot: no allocation, no exception.
#pragma once

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
  for (; left >= 4; at += 4, left -= 4) {
    std::uint32_t word;
    std::memcpy(&word, at, sizeof word);
    sum += word;
  }
  std::uint8_t tail[4] = {};
  if (left > 0) std::memcpy(tail, at, left);
  std::uint32_t word;
  std::memcpy(&word, tail, sizeof word);
  return sum + word;
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
    sum = checksum_add(sum, {source.v4_wire(), 4});
    return checksum_add(sum, {destination.v4_wire(), 4});
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
