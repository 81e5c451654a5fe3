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
  held_ = false;
  return ZSTD_isError(ZSTD_CCtx_reset(context_, ZSTD_reset_session_only)) == 0;
}

Step ZstdEncoder::step(Input in, Room room, Flow flow) noexcept {
  ZSTD_inBuffer input{in.data(), in.size(), 0};
  ZSTD_outBuffer output{room.data(), room.size(), 0};
  const auto run = [&](ZSTD_EndDirective directive) noexcept {
    const std::size_t left = ZSTD_compressStream2(context_, &output, &input, directive);
    CHECK(ZSTD_isError(left) == 0);
    return left;
  };
  const auto step = [&](StepState state) noexcept { return Step{input.pos, output.pos, state}; };

  held_ |= !in.empty();
  if (flow == Flow::more) {
    do {
      run(ZSTD_e_continue);
    } while (input.pos < input.size && output.pos < output.size);
    return step(output.pos == output.size ? StepState::needs_room : StepState::needs_input);
  }
  if (flow == Flow::flush && !held_) return step(StepState::needs_input);
  const ZSTD_EndDirective directive = flow == Flow::finish ? ZSTD_e_end : ZSTD_e_flush;
  std::size_t left = 0;
  do {
    left = run(directive);
  } while (left != 0 && output.pos < output.size);
  if (left != 0) return step(StepState::needs_room);
  held_ = false;
  return step(flow == Flow::finish ? StepState::done : StepState::needs_input);
}

}  // namespace brink::l7::compress
