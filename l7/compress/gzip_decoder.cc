#include "l7/compress/gzip_decoder.h"

#include <zlib.h>

#include <algorithm>
#include <limits>
#include <memory>

#include "dataplane/base/check.h"

namespace brink::l7::compress {
namespace {

constexpr int kWindowBits = 15 + 16;  // the greatest; gzip's frame alone, not zlib's
constexpr std::size_t kCallMax = std::numeric_limits<uInt>::max();

void* allocate(void* arena, uInt count, uInt size) noexcept {
  return static_cast<base::Arena*>(arena)->allocate(std::size_t{count} * size);
}
void release(void* arena, void* memory) noexcept {
  static_cast<base::Arena*>(arena)->release(memory);
}

}  // namespace

GzipDecoder::GzipDecoder(std::span<std::byte> memory) noexcept
    : arena_(memory.first(kMemoryBytes)) {
  void* const place = arena_.allocate(sizeof(z_stream));
  CHECK(place != nullptr);
  stream_ = std::construct_at(static_cast<z_stream*>(place));
  stream_->zalloc = allocate;
  stream_->zfree = release;
  stream_->opaque = &arena_;
  CHECK(inflateInit2(stream_, kWindowBits) == Z_OK);
}

bool GzipDecoder::start() noexcept {
  between_ = true;
  started_ = false;
  failed_ = false;
  return inflateReset(stream_) == Z_OK;
}

Step GzipDecoder::step(Input in, Room room, Flow flow) noexcept {
  Step step;
  const auto end = [&](StepState state) noexcept {
    failed_ = state == StepState::failed;
    step.state = state;
    return step;
  };
  if (failed_) return end(StepState::failed);
  // Each turn takes input or fills room; between members it takes the next one's first byte.
  for (;;) {
    const std::size_t in_left = in.size() - step.consumed;
    const std::size_t room_left = room.size() - step.produced;
    const bool is_last = flow == Flow::finish && in_left == 0;
    if (between_ && in_left == 0) return end(is_last ? StepState::done : StepState::needs_input);
    if (between_ && started_) inflateReset(stream_);
    if (room_left == 0) return end(StepState::needs_room);
    stream_->next_in = const_cast<Bytef*>(in.data()) + step.consumed;
    stream_->avail_in = static_cast<uInt>(std::min(in_left, kCallMax));
    stream_->next_out = room.data() + step.produced;
    stream_->avail_out = static_cast<uInt>(std::min(room_left, kCallMax));
    const int result = inflate(stream_, Z_NO_FLUSH);
    const auto consumed = static_cast<std::size_t>(stream_->next_in - in.data()) - step.consumed;
    const auto produced = static_cast<std::size_t>(stream_->next_out - room.data()) - step.produced;
    step.consumed += consumed;
    step.produced += produced;
    started_ = true;
    between_ = result == Z_STREAM_END;
    if (between_) continue;
    if (result != Z_OK && result != Z_BUF_ERROR) return end(StepState::failed);
    if (step.produced == room.size()) return end(StepState::needs_room);
    if (step.consumed != in.size()) continue;
    return end(flow == Flow::finish ? StepState::failed : StepState::needs_input);
  }
}

}  // namespace brink::l7::compress
