// GzipDecoder: one body of gzip members (RFC 1952) at a time, over zlib. It writes no more than the
// room, so a bomb costs what its reader takes. Its memory is given once and used again for every
// body. One thread.
#pragma once

#include <cstddef>
#include <span>

#include "dataplane/base/arena.h"
#include "l7/compress/step.h"

struct z_stream_s;

namespace brink::l7::compress {

class GzipDecoder {
 public:
  static constexpr std::size_t kMemoryBytes = 48 * 1024;

  // `memory` is 16-byte aligned, kMemoryBytes, and outlives the decoder.
  explicit GzipDecoder(std::span<std::byte> memory) noexcept;
  GzipDecoder(const GzipDecoder&) = delete;
  GzipDecoder& operator=(const GzipDecoder&) = delete;

  bool start() noexcept;
  void stop() noexcept {}
  // Input and room as of an encoder, Flow::flush means no more than Flow::more. A body of no bytes
  // at all is an empty one.
  Step step(Input in, Room room, Flow flow) noexcept;

 private:
  base::Arena arena_;
  z_stream_s* stream_;
  bool between_ = true;   // before a member's first byte
  bool started_ = false;  // there was a member
  bool failed_ = false;
};

}  // namespace brink::l7::compress
