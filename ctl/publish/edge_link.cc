#include "ctl/publish/edge_link.h"

#include <poll.h>

#include <cerrno>

namespace brink::ctl::publish {

using std::chrono::milliseconds;
using std::chrono::steady_clock;

base::Result<EdgeState> EdgeLink::connect(milliseconds timeout) {
  auto fd = ipc::connect_control(path_);
  if (!fd) return fd.error();
  socket_ = base::UniqueFd(fd.value());
  ipc::ControlMessage hello;
  hello.type = ipc::MessageType::kHello;
  hello.sequence = ++sequence_;
  if (auto sent = ipc::send_control(socket_.get(), hello); !sent) {
    disconnect();
    return sent.error();
  }
  auto welcome = receive(ipc::MessageType::kWelcome, timeout);
  if (!welcome) return welcome.error();
  return EdgeState{welcome.value().snapshot_version, welcome.value().snapshot_token};
}

base::Result<EdgeReply> EdgeLink::publish(ipc::MessageType type, int memfd, std::uint64_t version,
                                          std::uint64_t size_bytes, milliseconds timeout) {
  ipc::ControlMessage request;
  request.type = type;
  request.sequence = ++sequence_;
  request.snapshot_version = version;
  request.payload_size_bytes = size_bytes;
  if (auto sent = ipc::send_control(socket_.get(), request, memfd); !sent) {
    disconnect();
    return sent.error();
  }
  auto reply = receive(ipc::MessageType::kReply, timeout);
  if (!reply) return reply.error();
  return EdgeReply{reply.value().status, reply.value().snapshot_version, reply.value().reason};
}

base::Result<ipc::ControlMessage> EdgeLink::receive(ipc::MessageType expected,
                                                    milliseconds timeout) {
  const auto fail = [&](const std::string& what) {
    disconnect();
    return base::Error{what, path_, "see the log of brink-edge"};
  };
  const auto deadline = steady_clock::now() + timeout;
  for (;;) {
    const auto left = std::chrono::duration_cast<milliseconds>(deadline - steady_clock::now());
    if (left.count() <= 0) return fail("the edge did not answer in time");
    pollfd watched[] = {{socket_.get(), POLLIN, 0}, {wake_, POLLIN, 0}};
    if (::poll(watched, 2, static_cast<int>(left.count())) < 0 && errno != EINTR) {
      return fail("poll failed");
    }
    if (watched[1].revents != 0) return fail("stopped while waiting for the edge");
    if (watched[0].revents == 0) continue;
    auto received = ipc::receive_control(socket_.get());
    if (!received) return fail(received.error().what);
    if (!received.value()) continue;
    const base::UniqueFd unexpected(received.value()->descriptor);
    const ipc::ControlMessage& message = received.value()->message;
    // A late reply to a request that was given up on carries an older sequence.
    if (message.type == expected && message.sequence == sequence_) return message;
  }
}

}  // namespace brink::ctl::publish
