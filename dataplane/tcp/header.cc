#include "dataplane/tcp/header.h"

#include "dataplane/base/bytes.h"
#include "dataplane/base/check.h"

namespace brink::tcp {
namespace {

enum OptionKind : std::uint8_t {
  kEnd = 0,
  kNop = 1,
  kMss = 2,
  kWindowScale = 3,
  kSackPermitted = 4,
  kSack = 5,
  kTimestamps = 8,
};

// One option whose length octet has been checked against the space; false for a wrong length.
bool read_option(std::uint8_t kind, base::ByteReader body, bool syn, Options& out) noexcept {
  const std::size_t size = body.remaining();
  switch (kind) {
    case kMss:
      if (size != 2) return false;
      if (syn) {
        out.has_mss = true;
        out.mss = body.u16();
      }
      return true;
    case kWindowScale:
      if (size != 1) return false;
      if (syn) {
        out.has_window_scale = true;
        const std::uint8_t shift = body.u8();
        out.window_scale = shift > kMaxWindowScale ? kMaxWindowScale : shift;
      }
      return true;
    case kSackPermitted:
      if (size != 0) return false;
      out.sack_permitted = out.sack_permitted || syn;
      return true;
    case kSack:
      if (size == 0 || size % 8 != 0) return false;
      out.sack_count = 0;
      while (body.remaining() >= 8 && out.sack_count < kMaxSackBlocks) {
        const Sequence start(body.u32());
        out.sack[out.sack_count++] = {start, Sequence(body.u32())};
      }
      return true;
    case kTimestamps:
      if (size != 8) return false;
      out.has_timestamps = true;
      out.timestamp_value = body.u32();
      out.timestamp_echo = body.u32();
      return true;
    case kEnd:
    case kNop:
      break;
  }
  return true;
}

bool read_options(std::span<const std::uint8_t> bytes, bool syn, Options& out) noexcept {
  base::ByteReader reader(bytes);
  while (reader.remaining() > 0) {
    const std::uint8_t kind = reader.u8();
    if (kind == kEnd) return true;
    if (kind == kNop) continue;
    const std::uint8_t length = reader.u8();
    if (!reader.ok() || length < 2) return false;
    const auto body = reader.bytes(length - 2U);
    if (!reader.ok()) return false;
    if (!read_option(kind, base::ByteReader(body), syn, out)) return false;
  }
  return true;
}

std::size_t sack_blocks_that_fit(const Options& options, std::size_t used) noexcept {
  if (options.sack_count == 0 || used + 4 + 8 > kMaxOptionsSize) return 0;
  const std::size_t room = (kMaxOptionsSize - used - 4) / 8;
  return options.sack_count < room ? options.sack_count : room;
}

std::size_t fixed_options_size(const Options& options) noexcept {
  std::size_t size = 0;
  if (options.has_mss) size += 4;
  if (options.has_window_scale) size += 4;
  if (options.has_timestamps) {
    size += 12;
  } else if (options.sack_permitted) {
    size += 4;
  }
  return size;
}

}  // namespace

std::size_t parse_header(std::span<const std::uint8_t> bytes, Header& out) noexcept {
  if (bytes.size() < kMinHeaderSize) return 0;
  base::ByteReader reader(bytes);
  out.source_port = reader.u16();
  out.destination_port = reader.u16();
  out.sequence = Sequence(reader.u32());
  out.acknowledgment = Sequence(reader.u32());
  const std::size_t size = static_cast<std::size_t>(reader.u8() >> 4) * 4;
  out.flags = reader.u8() & 0x3f;
  out.window = reader.u16();
  out.options = Options{};
  if (size < kMinHeaderSize || size > bytes.size()) return 0;
  const auto options = bytes.subspan(kMinHeaderSize, size - kMinHeaderSize);
  return read_options(options, out.has(kSyn), out.options) ? size : 0;
}

std::size_t options_size(const Options& options) noexcept {
  const std::size_t fixed = fixed_options_size(options);
  const std::size_t blocks = sack_blocks_that_fit(options, fixed);
  return fixed + (blocks == 0 ? 0 : 4 + 8 * blocks);
}

std::size_t build_header(const Header& header, std::span<std::uint8_t, 60> out) noexcept {
  const std::size_t size = kMinHeaderSize + options_size(header.options);
  base::ByteWriter writer(out);
  writer.u16(header.source_port);
  writer.u16(header.destination_port);
  writer.u32(header.sequence.value());
  writer.u32(header.has(kAck) ? header.acknowledgment.value() : 0);
  writer.u8(static_cast<std::uint8_t>(size / 4 << 4));
  writer.u8(header.flags);
  writer.u16(header.window);
  writer.u32(0);  // checksum, urgent pointer

  const Options& options = header.options;
  if (options.has_mss) {
    writer.u8(kMss);
    writer.u8(4);
    writer.u16(options.mss);
  }
  if (options.has_timestamps) {
    // SACK-permitted takes the place of the two NOPs in front.
    writer.u8(options.sack_permitted ? kSackPermitted : kNop);
    writer.u8(options.sack_permitted ? std::uint8_t{2} : std::uint8_t{kNop});
    writer.u8(kTimestamps);
    writer.u8(10);
    writer.u32(options.timestamp_value);
    writer.u32(options.timestamp_echo);
  } else if (options.sack_permitted) {
    writer.u16(kNop << 8 | kNop);
    writer.u8(kSackPermitted);
    writer.u8(2);
  }
  if (options.has_window_scale) {
    writer.u8(kNop);
    writer.u8(kWindowScale);
    writer.u8(3);
    writer.u8(options.window_scale);
  }
  const std::size_t blocks = sack_blocks_that_fit(options, fixed_options_size(options));
  if (blocks > 0) {
    writer.u16(kNop << 8 | kNop);
    writer.u8(kSack);
    writer.u8(static_cast<std::uint8_t>(2 + 8 * blocks));
    for (std::size_t i = 0; i < blocks; ++i) {
      writer.u32(options.sack[i].start.value());
      writer.u32(options.sack[i].end.value());
    }
  }
  DCHECK(writer.ok() && writer.position() == size);
  return size;
}

}  // namespace brink::tcp
