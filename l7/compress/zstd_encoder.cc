// A context in given memory is part of libzstd's interface only for those who link it statically.
#define ZSTD_STATIC_LINKING_ONLY
#include "l7/compress/zstd_encoder.h"

#include <zstd.h>

#include "dataplane/base/check.h"

namespace brink::l7::compress {
namespace {

void set(ZSTD_CCtx* context, ZSTD_cParameter parameter, int value) noexcept {
  CHECK(ZSTD_isError(ZSTD_CCtx_setParameter(context, parameter, value)) == 0);
}

}  // namespace

ZstdEncoder::ZstdEncoder(std::span<std::byte> memory) noexcept
    : context_(ZSTD_initStaticCCtx(memory.data(), kMemoryBytes)) {
  CHECK(memory.size() >= kMemoryBytes && context_ != nullptr);
  set(context_, ZSTD_c_compressionLevel, kZstdLevel);
  set(context_, ZSTD_c_windowLog, kZstdWindowBits);
  set(context_, ZSTD_c_hashLog, kZstdHashBits);
  set(context_, ZSTD_c_chainLog, kZstdChainBits);
  // The memory suffices, whatever comes: libzstd takes all of it with a frame's first byte.
  CHECK(start());
  std::uint8_t in = 0;
  std::uint8_t out[64];
  CHECK(step({&in, 1}, out, Flow::finish).state == StepState::done);
}

bool ZstdEncoder::start() noexcept {
  held_bytes_ = 0;
  return ZSTD_isError(ZSTD_CCtx_reset(context_, ZSTD_reset_session_only)) == 0;
}

Step ZstdEncoder::step(Input in, Room room, Flow flow) noexcept {
  ZSTD_inBuffer input{in.data(), in.size(), 0};
  ZSTD_outBuffer output{room.data(), room.size(), 0};
  const bool block_ends = flow == Flow::more && held_bytes_ + in.size() >= kBlockBytes;
  const ZSTD_EndDirective directive = flow == Flow::finish                ? ZSTD_e_end
                                      : flow == Flow::flush || block_ends ? ZSTD_e_flush
                                                                          : ZSTD_e_continue;
  Step step;
  if (flow == Flow::flush && in.empty() && held_bytes_ == 0) return step;
  std::size_t left = 0;
  bool whole = false;
  do {
    left = ZSTD_compressStream2(context_, &output, &input, directive);
    CHECK(ZSTD_isError(left) == 0);
    whole = input.pos == input.size && (left == 0 || directive == ZSTD_e_continue);
  } while (!whole && output.pos < output.size);
  step.consumed = input.pos;
  step.produced = output.pos;
  held_bytes_ = whole && directive != ZSTD_e_continue ? 0 : held_bytes_ + input.pos;
  // Without a flush the library does not say whether it has more: a full room may mean so.
  if (!whole || (directive == ZSTD_e_continue && output.pos == output.size)) {
    step.state = StepState::needs_room;
  } else if (flow == Flow::finish) {
    step.state = StepState::done;
  }
  return step;
}

}  // namespace brink::l7::compress
