// GzipEncoder: one body at a time into one gzip member (RFC 1952), over isa-l. Its memory is given
// once and used again for every body. One thread.
#pragma once

#include <array>
#include <cstddef>
#include <span>

#include "l7/compress/step.h"

struct isal_zstream;

namespace brink::l7::compress {

// Of isa-l's four levels: 1,400 MB/s on a 100 KB page at 5.3:1. zlib is at 105 MB/s with 6.1:1
// (level 4); level 3 is at 540 MB/s with 5.5:1, level 1 a little faster and worse.
inline constexpr unsigned kGzipLevel = 2;

class GzipEncoder {
 public:
  static constexpr std::size_t kMemoryBytes = 216 * 1024;

  // `memory` is 64-byte aligned, kMemoryBytes, and outlives the encoder.
  explicit GzipEncoder(std::span<std::byte> memory) noexcept;
  GzipEncoder(const GzipEncoder&) = delete;
  GzipEncoder& operator=(const GzipEncoder&) = delete;

  // Begins a body; what was left of another is forgotten.
  bool start() noexcept;
  void stop() noexcept {}
  // After done nothing but start() may be called.
  Step step(Input in, Room room, Flow flow) noexcept;

 private:
  // Smaller rooms are filled from outbox_: isa-l writes words, and then its flushes are whole.
  static constexpr std::size_t kRoomMin = 64;

  void drain(Room room, Step& step) noexcept;
  void run(Input in, Room room, Flow flow, Step& step) noexcept;

  isal_zstream* stream_;
  std::span<std::byte> level_memory_;
  bool held_ = false;         // input was taken since the last flush
  bool more_output_ = false;  // isa-l stopped for want of room
  bool ended_ = false;        // the trailer is written, to the room or to outbox_
  std::size_t outbox_size_ = 0;
  std::size_t outbox_sent_ = 0;
  std::array<std::uint8_t, 512> outbox_;
};

}  // namespace brink::l7::compress
