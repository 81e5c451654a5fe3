// BrEncoder: one body at a time into one brotli stream (RFC 7932), over libbrotlienc. All memory is
// from an arena that is empty again when the body ends. One thread.
#pragma once

#include <cstddef>
#include <span>

#include "dataplane/base/arena.h"
#include "l7/compress/step.h"

struct BrotliEncoderStateStruct;

namespace brink::l7::compress {

// 280-360 MB/s on pages and JSON of 100 KB and more, at 6.3:1 and 9.2:1. Level 4 is 5% smaller at
// half the speed and works off 64 KiB at once, which is 400 us of a worker's time; level 3 takes
// 16 KiB. Level 2 is a quarter faster and 5-7% larger.
inline constexpr unsigned kBrotliLevel = 3;
// 128 KiB. 256 KiB gain nothing on pages of 100 KB and take as much more memory.
inline constexpr unsigned kBrotliWindowBits = 17;

class BrEncoder {
 public:
  // Above the most that any input was seen to take, see the README.
  static constexpr std::size_t kMemoryBytes = 1792 * 1024;

  // `memory` is 16-byte aligned, kMemoryBytes, and outlives the encoder.
  explicit BrEncoder(std::span<std::byte> memory) noexcept;
  BrEncoder(const BrEncoder&) = delete;
  BrEncoder& operator=(const BrEncoder&) = delete;

  // Begins a body. False when the library wants more memory than there is.
  bool start() noexcept;
  // Ends a body, at any point of it.
  void stop() noexcept;
  Step step(Input in, Room room, Flow flow) noexcept;

  // The most bytes of the arena that were in use at once.
  [[nodiscard]] std::size_t peak_bytes() const noexcept { return arena_.peak_bytes(); }

 private:
  base::Arena arena_;
  BrotliEncoderStateStruct* state_ = nullptr;
  std::size_t held_bytes_ = 0;  // input taken since the last flush
  bool flushing_ = false;  // a flush waits for room; the library takes no input until it is out
};

}  // namespace brink::l7::compress
