// BrDecoder: one brotli stream (RFC 7932) at a time, over libbrotlidec, with windows up to the
// greatest that the RFC has, 16 MiB. It writes no more than the room. All memory is from an arena
// that is empty again when the body ends. One thread.
#pragma once

#include <cstddef>
#include <span>

#include "dataplane/base/arena.h"
#include "l7/compress/step.h"

struct BrotliDecoderStateStruct;

namespace brink::l7::compress {

class BrDecoder {
 public:
  // The window at once, tables, and what the arena rounds up. Pages of it that no body has reached
  // are never touched.
  static constexpr std::size_t kMemoryBytes = 18 * 1024 * 1024;

  // `memory` is 16-byte aligned, kMemoryBytes, and outlives the decoder.
  explicit BrDecoder(std::span<std::byte> memory) noexcept;
  BrDecoder(const BrDecoder&) = delete;
  BrDecoder& operator=(const BrDecoder&) = delete;

  bool start() noexcept;
  // Ends a body, at any point of it.
  void stop() noexcept;
  // As GzipDecoder::step.
  Step step(Input in, Room room, Flow flow) noexcept;

 private:
  base::Arena arena_;
  BrotliDecoderStateStruct* state_ = nullptr;
  bool started_ = false;  // a byte was seen
  bool ended_ = false;
  bool failed_ = false;
};

}  // namespace brink::l7::compress
