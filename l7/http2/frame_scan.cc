#include "l7/http2/frame_scan.h"

#include <algorithm>
#include <cstring>

namespace brink::l7::http2 {
namespace {

StreamId stream_at(const unsigned char* p) noexcept {
  return static_cast<StreamId>((p[0] & 0x7fU) << 24 | unsigned{p[1]} << 16 | unsigned{p[2]} << 8 |
                               p[3]);
}

}  // namespace

std::size_t FrameScan::take(std::string_view bytes, std::size_t until) noexcept {
  const std::size_t n = std::min(bytes.size(), until - gathered_);
  std::memcpy(raw_.data() + gathered_, bytes.data(), n);
  gathered_ = static_cast<std::uint8_t>(gathered_ + n);
  return n;
}

FrameScan::Step FrameScan::step(std::string_view bytes) noexcept {
  Step step;
  if (preface_left_ != 0) {
    step.size = std::min(bytes.size(), preface_left_);
    step.bytes = bytes.substr(0, step.size);
    preface_left_ -= step.size;
    return step;
  }
  if (gathered_ < kHeaderSize) {
    // nghttp2 counts a CONTINUATION once for each piece of its header, so it gets headers whole.
    step.size = take(bytes, kHeaderSize);
    if (gathered_ < kHeaderSize) return step;
    step.bytes = {reinterpret_cast<const char*>(raw_.data()), kHeaderSize};
    header_.length = std::uint32_t{raw_[0]} << 16 | std::uint32_t{raw_[1]} << 8 | raw_[2];
    header_.type = static_cast<FrameType>(raw_[3]);
    header_.flags = raw_[4];
    header_.stream = stream_at(raw_.data() + 5);
    payload_left_ = header_.length;
    step.frame_known = true;
  } else {
    const bool peek = header_.type == FrameType::priority && gathered_ < kPeekSize;
    step.bytes = bytes.substr(0, payload_left_);
    step.size = peek ? take(step.bytes, kPeekSize) : step.bytes.size();
    step.bytes = step.bytes.substr(0, step.size);
    step.peek_known = peek && gathered_ == kPeekSize;
    payload_left_ -= static_cast<std::uint32_t>(step.size);
  }
  if (payload_left_ == 0) gathered_ = 0;
  return step;
}

StreamId FrameScan::dependency() const noexcept {
  return stream_at(raw_.data() + kHeaderSize);
}

}  // namespace brink::l7::http2
