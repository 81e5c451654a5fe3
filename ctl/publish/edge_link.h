// EdgeLink: the conversation with brink-edge over its control socket. One thread; the calls block
// up to their timeout and return early when `wake` becomes readable.
#pragma once

#include <chrono>
#include <cstdint>
#include <span>
#include <string>

#include "dataplane/base/result.h"
#include "dataplane/base/unique_fd.h"
#include "dataplane/ipc/control_message.h"

namespace brink::ctl::publish {

// A version, and what tells it from another store's of the same number.
struct EdgeState {
  std::uint64_t version = 0;
  std::uint64_t token = 0;

  bool operator==(const EdgeState&) const = default;
};

struct EdgeReply {
  ipc::ReplyStatus status{};
  std::uint64_t served_version = 0;
  std::string reason;
  base::UniqueFd memfd;          // to ShowName: a sealed transaction
  std::uint64_t size_bytes = 0;  // of it
};

class EdgeLink {
 public:
  // `wake` is borrowed: a descriptor that becomes readable when the caller must stop waiting.
  EdgeLink(std::string socket_path, int wake) : path_(std::move(socket_path)), wake_(wake) {}

  [[nodiscard]] bool connected() const { return socket_.valid(); }
  [[nodiscard]] int descriptor() const { return socket_.get(); }
  void disconnect() { socket_.reset(); }

  // Connects and exchanges Hello for Welcome. Returns what the edge serves.
  base::Result<EdgeState> connect(std::chrono::milliseconds timeout);

  // Sends a sealed image or transaction that leads to a state, or (-1) the word for one that was
  // staged, and waits for the edge's word on it. An Error leaves the link closed: then nobody knows
  // what the edge did with it, and the next Welcome tells.
  base::Result<EdgeReply> publish(ipc::MessageType type, int memfd, const EdgeState& leads_to,
                                  std::uint64_t size_bytes, std::chrono::milliseconds timeout);

  // Compact, Verify, ShowName or CookieSecrets (`name` is the message's, at most 255 octets) and
  // the edge's answer. As with publish, an Error leaves the link closed.
  base::Result<EdgeReply> ask(ipc::MessageType type, std::span<const std::uint8_t> name,
                              std::chrono::milliseconds timeout);

 private:
  struct Received {
    ipc::ControlMessage message;
    base::UniqueFd descriptor;
  };
  base::Result<EdgeReply> exchange(ipc::ControlMessage request, int memfd,
                                   std::chrono::milliseconds timeout);
  base::Result<Received> receive(ipc::MessageType expected, std::chrono::milliseconds timeout);

  std::string path_;
  int wake_;
  base::UniqueFd socket_;
  std::uint64_t sequence_ = 0;
};

}  // namespace brink::ctl::publish
