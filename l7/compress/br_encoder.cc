#include "l7/compress/br_encoder.h"

#include <brotli/encode.h>

#include "dataplane/base/check.h"

namespace brink::l7::compress {
namespace {

void* allocate(void* arena, std::size_t size) noexcept {
  return static_cast<base::Arena*>(arena)->allocate(size);
}
void release(void* arena, void* memory) noexcept {
  static_cast<base::Arena*>(arena)->release(memory);
}

BrotliEncoderOperation operation_of(Flow flow) noexcept {
  switch (flow) {
    case Flow::more:
      return BROTLI_OPERATION_PROCESS;
    case Flow::flush:
      return BROTLI_OPERATION_FLUSH;
    case Flow::finish:
      return BROTLI_OPERATION_FINISH;
  }
  return BROTLI_OPERATION_PROCESS;
}

}  // namespace

BrEncoder::BrEncoder(std::span<std::byte> memory) noexcept : arena_(memory.first(kMemoryBytes)) {}

bool BrEncoder::start() noexcept {
  stop();
  state_ = BrotliEncoderCreateInstance(allocate, release, &arena_);
  if (state_ == nullptr) return false;
  held_bytes_ = 0;
  flushing_ = false;
  return BrotliEncoderSetParameter(state_, BROTLI_PARAM_QUALITY, kBrotliLevel) != 0 &&
         BrotliEncoderSetParameter(state_, BROTLI_PARAM_LGWIN, kBrotliWindowBits) != 0;
}

void BrEncoder::stop() noexcept {
  if (state_ != nullptr) BrotliEncoderDestroyInstance(state_);
  state_ = nullptr;
  CHECK(arena_.used_bytes() == 0);
}

Step BrEncoder::step(Input in, Room room, Flow flow) noexcept {
  Step step;
  const std::uint8_t* next_in = in.data();
  std::uint8_t* next_out = room.data();
  std::size_t room_left = room.size();
  std::size_t in_left = 0;
  bool ok = true;
  const auto run = [&](Flow how) noexcept {
    ok = BrotliEncoderCompressStream(state_, operation_of(how), &in_left, &next_in, &room_left,
                                     &next_out, nullptr) != 0;
    const bool whole = in_left == 0 && BrotliEncoderHasMoreOutput(state_) == 0;
    flushing_ = how == Flow::flush && in_left == 0 && !whole;
    if (how == Flow::flush && whole) held_bytes_ = 0;
  };
  if (flushing_) run(Flow::flush);
  in_left = in.size();
  if (ok && !flushing_) {
    held_bytes_ += in.size();  // what is not taken is given again
    const bool block_ends = flow == Flow::more && held_bytes_ >= kBlockBytes;
    const bool due = in_left != 0 || flow != Flow::flush || held_bytes_ != 0;
    if (due) run(block_ends ? Flow::flush : flow);
    if (held_bytes_ != 0) held_bytes_ -= in_left;
  }
  step.consumed = in.size() - in_left;
  step.produced = room.size() - room_left;
  if (!ok) {
    step.state = StepState::failed;
  } else if (flow == Flow::finish) {
    step.state = BrotliEncoderIsFinished(state_) != 0 ? StepState::done : StepState::needs_room;
  } else if (in_left != 0 || BrotliEncoderHasMoreOutput(state_) != 0) {
    step.state = StepState::needs_room;
  }
  return step;
}

}  // namespace brink::l7::compress
