// FrameScan: finds the frames in a peer's bytes before nghttp2 reads them, so that each can be
// judged by what it costs, and so that no more than one frame is read at a time. RFC 9113 4.1, 3.4.
#pragma once

#include <array>
#include <cstdint>
#include <string_view>

#include "l7/http2/event.h"

namespace brink::l7::http2 {

enum class FrameType : std::uint8_t {
  data = 0,
  headers = 1,
  priority = 2,
  rst_stream = 3,
  settings = 4,
  push_promise = 5,
  ping = 6,
  goaway = 7,
  window_update = 8,
  continuation = 9,
  priority_update = 16,
};

inline constexpr std::uint8_t kFlagEndStream = 1;  // DATA, HEADERS
inline constexpr std::uint8_t kFlagAck = 1;        // SETTINGS, PING

struct FrameHeader {
  std::uint32_t length = 0;
  FrameType type{};  // may be one without a name
  std::uint8_t flags = 0;
  StreamId stream = 0;
};

class FrameScan {
 public:
  // OFFSET  SIZE  MEANING
  //      0     3  length of the payload
  //      3     1  type
  //      4     1  flags
  //      5     4  stream; the first bit is ignored
  static constexpr std::size_t kHeaderSize = 9;
  // Of the payload this much is kept as well: the stream that a PRIORITY depends on.
  static constexpr std::size_t kPeekSize = kHeaderSize + 4;
  static constexpr std::size_t kPrefaceSize = 24;

  struct Step {
    std::size_t size = 0;      // bytes of the input that were taken
    std::string_view bytes;    // what to read now; headers come whole, from here
    bool frame_known = false;  // they are a frame's header: look at header()
    bool peek_known = false;   // they end a PRIORITY frame's dependency: look at dependency()
  };

  // A server's peer begins with the connection preface.
  void start(bool server) noexcept { preface_left_ = server ? kPrefaceSize : 0; }
  // The next step into `bytes`, which are not empty. It stays within one frame. `bytes` of the step
  // is valid until the next.
  Step step(std::string_view bytes) noexcept;

  [[nodiscard]] const FrameHeader& header() const noexcept { return header_; }
  [[nodiscard]] StreamId dependency() const noexcept;

 private:
  std::size_t take(std::string_view bytes, std::size_t until) noexcept;

  std::size_t preface_left_ = 0;
  std::uint32_t payload_left_ = 0;
  std::uint8_t gathered_ = 0;  // bytes in raw_
  std::array<unsigned char, kPeekSize> raw_{};
  FrameHeader header_;
};

}  // namespace brink::l7::http2
