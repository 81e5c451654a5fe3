#include "l7/compress/gzip_encoder.h"

#include <isa-l.h>

#include <algorithm>
#include <cstring>
#include <limits>
#include <memory>

#include "dataplane/base/check.h"

namespace brink::l7::compress {
namespace {

constexpr std::size_t kStreamBytes = (sizeof(isal_zstream) + 63) / 64 * 64;
// 16 K tokens: half the memory of isa-l's default, and the same speed and ratio.
constexpr std::size_t kLevelBytes = ISAL_DEF_LVL2_SMALL;
static_assert(kStreamBytes + kLevelBytes <= GzipEncoder::kMemoryBytes);

// With less room than this left isa-l may stop before a flush's mark.
constexpr std::size_t kFlushRoom = 8;

}  // namespace

GzipEncoder::GzipEncoder(std::span<std::byte> memory) noexcept
    : stream_(std::construct_at(reinterpret_cast<isal_zstream*>(memory.data()))),
      level_memory_(memory.subspan(kStreamBytes, kLevelBytes)) {
  CHECK(memory.size() >= kMemoryBytes);
}

bool GzipEncoder::start() noexcept {
  isal_deflate_init(stream_);
  stream_->level = kGzipLevel;
  stream_->level_buf = reinterpret_cast<std::uint8_t*>(level_memory_.data());
  stream_->level_buf_size = static_cast<std::uint32_t>(level_memory_.size());
  stream_->gzip_flag = IGZIP_GZIP;
  held_ = false;
  more_output_ = false;
  ended_ = false;
  outbox_size_ = 0;
  outbox_sent_ = 0;
  return true;
}

void GzipEncoder::drain(Room room, Step& step) noexcept {
  const std::size_t n = std::min(room.size() - step.produced, outbox_size_ - outbox_sent_);
  if (n != 0) std::memcpy(room.data() + step.produced, outbox_.data() + outbox_sent_, n);
  outbox_sent_ += n;
  step.produced += n;
}

// One call of the library, into the room or the outbox.
void GzipEncoder::run(Input in, Room room, Flow flow, Step& step) noexcept {
  Room target = room.subspan(step.produced);
  const bool boxed = target.size() < kRoomMin;
  if (boxed) target = outbox_;
  constexpr std::size_t kCallMax = std::numeric_limits<std::uint32_t>::max() / 2;
  const std::size_t there = std::min(in.size() - step.consumed, kCallMax);
  const bool whole = there == in.size() - step.consumed;
  stream_->next_in = const_cast<std::uint8_t*>(in.data()) + step.consumed;
  stream_->avail_in = static_cast<std::uint32_t>(there);
  stream_->next_out = target.data();
  stream_->avail_out = static_cast<std::uint32_t>(std::min(target.size(), kCallMax));
  stream_->end_of_stream = whole && flow == Flow::finish ? 1 : 0;
  stream_->flush = whole && flow == Flow::flush ? SYNC_FLUSH : NO_FLUSH;
  CHECK(isal_deflate(stream_) == COMP_OK);
  step.consumed += there - stream_->avail_in;
  const auto written = static_cast<std::size_t>(stream_->next_out - target.data());
  if (boxed) {
    outbox_size_ = written;
    outbox_sent_ = 0;
  } else {
    step.produced += written;
  }
  ended_ = stream_->internal_state.state == ZSTATE_END;
  more_output_ = stream_->avail_out < kFlushRoom;
  held_ |= there != 0;
  if (stream_->flush == SYNC_FLUSH && stream_->avail_in == 0 && !more_output_) held_ = false;
}

Step GzipEncoder::step(Input in, Room room, Flow flow) noexcept {
  Step step;
  // Each turn takes input, fills the room or ends it.
  for (;;) {
    drain(room, step);
    if (outbox_sent_ != outbox_size_) break;
    if (ended_) {
      step.state = StepState::done;
      return step;
    }
    const bool due = step.consumed != in.size() || more_output_ || flow == Flow::finish ||
                     (flow == Flow::flush && held_);
    if (!due) return step;
    if (step.produced == room.size()) break;
    run(in, room, flow, step);
  }
  step.state = StepState::needs_room;
  return step;
}

}  // namespace brink::l7::compress
