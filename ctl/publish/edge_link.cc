#include "ctl/publish/edge_link.h"

#include <poll.h>

#include <algorithm>
#include <cerrno>

#include "dataplane/base/check.h"

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
  const ipc::ControlMessage& message = welcome.value().message;
  return EdgeState{message.snapshot_version, message.snapshot_token};
}

base::Result<EdgeReply> EdgeLink::publish(ipc::MessageType type, int memfd,
                                          const EdgeState& leads_to, std::uint64_t size_bytes,
                                          milliseconds timeout) {
  ipc::ControlMessage request;
  request.type = type;
  request.snapshot_version = leads_to.version;
  request.snapshot_token = leads_to.token;
  request.payload_size_bytes = size_bytes;
  return exchange(request, memfd, timeout);
}

base::Result<EdgeReply> EdgeLink::ask(ipc::MessageType type, std::span<const std::uint8_t> name,
                                      milliseconds timeout) {
  ipc::ControlMessage request;
  request.type = type;
  CHECK(name.size() <= sizeof request.name);
  request.name_size = static_cast<std::uint8_t>(name.size());
  std::copy(name.begin(), name.end(), request.name);
  return exchange(request, -1, timeout);
}

base::Result<EdgeReply> EdgeLink::exchange(ipc::ControlMessage request, int memfd,
                                           milliseconds timeout) {
  request.sequence = ++sequence_;
  if (auto sent = ipc::send_control(socket_.get(), request, memfd); !sent) {
    disconnect();
    return sent.error();
  }
  auto reply = receive(ipc::MessageType::kReply, timeout);
  if (!reply) return reply.error();
  const ipc::ControlMessage& message = reply.value().message;
  return EdgeReply{message.status, message.snapshot_version, message.reason,
                   std::move(reply.value().descriptor), message.payload_size_bytes};
}

base::Result<EdgeLink::Received> EdgeLink::receive(ipc::MessageType expected,
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
    Received got{received.value()->message, base::UniqueFd(received.value()->descriptor)};
    // A late reply to a request that was given up on carries an older sequence.
    if (got.message.type == expected && got.message.sequence == sequence_) return got;
  }
}

}  // namespace brink::ctl::publish
