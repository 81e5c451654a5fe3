// Messages between brink-control and brink-edge over a UNIX SOCK_SEQPACKET socket that the edge
// listens on. One packet is one message; a descriptor (a sealed memfd) rides along as SCM_RIGHTS.
// Fixed-size, host byte order: both ends run on one machine.
//
// control -> edge:  Hello, then requests; one at a time per connection.
//   PublishImage (+ image)              serve this image
//   PublishTransaction (+ transaction)  change what is served (dataplane/snapshot/transaction.h);
//                                       without one: by what was staged, of this version and token
//   StageTransaction (+ transaction)    apply it, and let nobody see it before it is published;
//                                       without one: take back what was staged. Only this connection
//                                       can publish it; whatever else it or another one publishes,
//                                       and its own end, takes it back
//   Compact                             make a fresh image of what is served, on the disk as well
//   Verify                              check what is served, and what is on the disk
//   ShowName                            what answers for this name
//   CookieSecrets                       show, reload or roll the secrets of DNS cookies
// edge -> control:  Welcome to Hello, Reply to everything else.
//   To ShowName a transaction comes along that would put the name as it stands, with its zone.
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

inline constexpr std::uint32_t kControlProtocolVersion = 2;
inline constexpr std::size_t kControlReasonMax = 480;
inline constexpr std::size_t kControlNameMax = 255;

enum class MessageType : std::uint32_t {
  kHello = 1,
  kWelcome,
  kPublishImage,
  kPublishTransaction,
  kCompact,
  kVerify,
  kShowName,
  kReply,
  kCookieSecrets,
  kStageTransaction
};

enum class ReplyStatus : std::uint32_t {
  kDone = 0,
  kRefused = 1,    // it is wrong, and will be next time; or the edge cannot: see the reason
  kOutOfStep = 2,  // a transaction from another version than the one served
  kBusy = 3,       // later
  kNoRoom = 4      // memory or disk: see the reason
};

// One packet. Fields that a type does not use are zero.
struct ControlMessage {
  MessageType type{};
  std::uint32_t protocol_version = kControlProtocolVersion;
  std::uint64_t sequence = 0;          // chosen by the sender of a request, echoed in its reply
  // What publishing leads to; replies: what is being served.
  std::uint64_t snapshot_version = 0;
  // Of that version (dataplane/snapshot/layout.h): Welcome, PublishTransaction without one.
  std::uint64_t snapshot_token = 0;
  std::uint64_t payload_size_bytes = 0;  // of the memfd that came along
  ReplyStatus status{};                  // Reply
  std::uint8_t name_size = 0;            // of what is in `name`
  // ShowName: wire form. CookieSecrets: an octet that says which step (CookieStep in
  // dataplane/edge/cookie_secrets.h), and behind that of adding one the 16 octets of the secret.
  std::uint8_t name[kControlNameMax] = {};
  char reason[kControlReasonMax + 1] = {};  // Reply: why not, or what was found; zero-terminated

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
