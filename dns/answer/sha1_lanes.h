// sha1_lanes: SHA-1 (RFC 3174) of several messages of one block each, a lane of a vector for each.
// Hot.
#pragma once

#include <cstddef>
#include <cstdint>

namespace brink::dns::answer {

inline constexpr std::size_t kSha1Size = 20;
inline constexpr std::size_t kSha1LanesMax = 16;

// `blocks`: `count` blocks of 64 octets, one behind the other, each a message with its padding.
// Returns how many of the first ones it made digests of: `count`, or as many as this CPU has lanes.
std::size_t sha1_lanes(const std::uint8_t* blocks, std::size_t count,
                       std::uint8_t (&digests)[kSha1LanesMax][kSha1Size]) noexcept;

}  // namespace brink::dns::answer
