#include "l7/compress/br_decoder.h"

#include <brotli/decode.h>

#include "dataplane/base/check.h"

namespace brink::l7::compress {
namespace {

void* allocate(void* arena, std::size_t size) noexcept {
  return static_cast<base::Arena*>(arena)->allocate(size);
}
void release(void* arena, void* memory) noexcept {
  static_cast<base::Arena*>(arena)->release(memory);
}

}  // namespace

BrDecoder::BrDecoder(std::span<std::byte> memory) noexcept : arena_(memory.first(kMemoryBytes)) {}

bool BrDecoder::start() noexcept {
  stop();
  state_ = BrotliDecoderCreateInstance(allocate, release, &arena_);
  started_ = false;
  ended_ = false;
  failed_ = false;
  // A window that grew would be in memory twice while it is copied.
  return state_ != nullptr &&
         BrotliDecoderSetParameter(state_, BROTLI_DECODER_PARAM_DISABLE_RING_BUFFER_REALLOCATION,
                                   1) != 0;
}

void BrDecoder::stop() noexcept {
  if (state_ != nullptr) BrotliDecoderDestroyInstance(state_);
  state_ = nullptr;
  CHECK(arena_.used_bytes() == 0);
}

Step BrDecoder::step(Input in, Room room, Flow flow) noexcept {
  Step step;
  const auto end = [&](StepState state) noexcept {
    failed_ = state == StepState::failed;
    step.state = state;
    return step;
  };
  if (failed_) return end(StepState::failed);
  started_ |= !in.empty();
  if (!ended_ && started_) {
    std::size_t in_left = in.size();
    std::size_t room_left = room.size();
    const std::uint8_t* next_in = in.data();
    std::uint8_t* next_out = room.data();
    const BrotliDecoderResult result =
        BrotliDecoderDecompressStream(state_, &in_left, &next_in, &room_left, &next_out, nullptr);
    step.consumed = in.size() - in_left;
    step.produced = room.size() - room_left;
    if (result == BROTLI_DECODER_RESULT_ERROR) return end(StepState::failed);
    if (result == BROTLI_DECODER_RESULT_NEEDS_MORE_OUTPUT) return end(StepState::needs_room);
    ended_ = result == BROTLI_DECODER_RESULT_SUCCESS;
  }
  const bool is_whole = ended_ || !started_;
  if (ended_ && step.consumed != in.size()) return end(StepState::failed);
  if (flow != Flow::finish) return end(StepState::needs_input);
  return end(is_whole ? StepState::done : StepState::failed);
}

}  // namespace brink::l7::compress
