// The TCP header and its options on spans (RFC 9293 3.1, RFC 7323, RFC 2018). No checksums here.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>

#include "dataplane/tcp/sequence.h"

namespace brink::tcp {

enum Flag : std::uint8_t {
  kFin = 0x01,
  kSyn = 0x02,
  kRst = 0x04,
  kPsh = 0x08,
  kAck = 0x10,
  kUrg = 0x20,
};

inline constexpr std::size_t kMinHeaderSize = 20;
inline constexpr std::size_t kMaxOptionsSize = 40;
inline constexpr std::size_t kMaxSackBlocks = 4;
inline constexpr std::uint8_t kMaxWindowScale = 14;  // RFC 7323 2.3

struct SackBlock {
  Sequence start;
  Sequence end;
  bool operator==(const SackBlock&) const noexcept = default;
};

struct Options {
  bool has_mss = false;
  bool has_window_scale = false;
  bool sack_permitted = false;
  bool has_timestamps = false;
  std::uint8_t window_scale = 0;  // clamped to kMaxWindowScale
  std::uint8_t sack_count = 0;
  std::uint16_t mss = 0;
  std::uint32_t timestamp_value = 0;
  std::uint32_t timestamp_echo = 0;
  std::array<SackBlock, kMaxSackBlocks> sack{};
};

struct Header {
  std::uint16_t source_port = 0;
  std::uint16_t destination_port = 0;
  Sequence sequence;
  Sequence acknowledgment;
  std::uint8_t flags = 0;
  std::uint16_t window = 0;
  Options options;

  [[nodiscard]] bool has(Flag flag) const noexcept { return (flags & flag) != 0; }
};

// Reads header and options from the start of `bytes` (header and payload). Returns the header's
// size, or 0 when it is truncated, its data offset is wrong, or a known option has a wrong length.
// Options that are not known are skipped; window scale, MSS and SACK-permitted are only read from a
// SYN.
std::size_t parse_header(std::span<const std::uint8_t> bytes, Header& out) noexcept;

// Writes header and options, padded with NOPs to a multiple of four, checksum and urgent pointer
// zero. Returns the size. SACK blocks that would not fit into 40 bytes of options are left out.
std::size_t build_header(const Header& header, std::span<std::uint8_t, 60> out) noexcept;

// The size of the options that build_header writes.
std::size_t options_size(const Options& options) noexcept;

}  // namespace brink::tcp
