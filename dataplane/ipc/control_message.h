// Messages between brink-control and brink-edge over a UNIX SOCK_SEQPACKET socket that the edge
// listens on. One packet is one message; a descriptor (the sealed memfd of an image) rides along as
// SCM_RIGHTS. Fixed-size, host byte order: both ends run on one machine.
//
// control -> edge:  Hello, PublishImage (+ fd)
// edge -> control:  Welcome, PublishReply
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "dataplane/base/result.h"

namespace brink::ipc {

inline constexpr std::uint32_t kControlProtocolVersion = 1;
inline constexpr std::size_t kControlReasonMax = 480;

enum class MessageType : std::uint32_t { kHello = 1, kWelcome, kPublishImage, kPublishReply };

enum class PublishStatus : std::uint32_t {
  kPublished = 0,
  kRefused = 1,
  kOutOfMemory = 2,
  kBusy = 3
};

// One packet. Fields that a type does not use are zero.
struct ControlMessage {
  MessageType type{};
  std::uint32_t protocol_version = kControlProtocolVersion;
  std::uint64_t sequence = 0;          // chosen by the sender of a request, echoed in its reply
  std::uint64_t snapshot_version = 0;  // PublishImage: the image's; replies: what is being served
  std::uint64_t image_size_bytes = 0;  // PublishImage
  PublishStatus status{};              // PublishReply
  char reason[kControlReasonMax + 1] = {};  // PublishReply: why not; zero-terminated

  void set_reason(std::string_view text) noexcept {
    const std::size_t size = text.size() < kControlReasonMax ? text.size() : kControlReasonMax;
    std::memcpy(reason, text.data(), size);
    reason[size] = '\0';
  }
};

// send_control sends one message, with `descriptor` when it is not -1 (the caller keeps its own).
base::Result<void> send_control(int socket, const ControlMessage& message, int descriptor = -1);

struct ReceivedControl {
  ControlMessage message;
  int descriptor = -1;  // owned by the receiver
};

// receive_control takes one message. An empty optional: nothing there now (non-blocking socket).
// Errors: the peer closed, or sent something that is not a message of this protocol version.
base::Result<std::optional<ReceivedControl>> receive_control(int socket);

// listen_control binds the edge's socket at `path` (an old socket file is replaced), mode 0600.
base::Result<int> listen_control(const std::string& path);

// connect_control connects to it. Both return a close-on-exec descriptor that the caller owns.
base::Result<int> connect_control(const std::string& path);

}  // namespace brink::ipc
