#include "dataplane/ipc/control_message.h"

#include <fcntl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <cerrno>

namespace brink::ipc {
namespace {

base::Error system_error(const std::string& what, const std::string& where, const char* remedy) {
  return {what + ": " + std::strerror(errno), where, remedy};
}

base::Result<sockaddr_un> address_of(const std::string& path) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  if (path.empty() || path.size() >= sizeof address.sun_path) {
    return base::Error{"the socket path must have 1 to 107 bytes", path, "choose a shorter path"};
  }
  std::memcpy(address.sun_path, path.data(), path.size());
  return address;
}

// Takes the first descriptor of the control data and closes any further one.
int take_descriptor(msghdr& header) {
  int kept = -1;
  for (cmsghdr* c = CMSG_FIRSTHDR(&header); c != nullptr; c = CMSG_NXTHDR(&header, c)) {
    if (c->cmsg_level != SOL_SOCKET || c->cmsg_type != SCM_RIGHTS) continue;
    const std::size_t count = (c->cmsg_len - CMSG_LEN(0)) / sizeof(int);
    for (std::size_t i = 0; i < count; ++i) {
      int fd;
      std::memcpy(&fd, CMSG_DATA(c) + i * sizeof(int), sizeof fd);
      if (kept < 0) {
        kept = fd;
      } else {
        ::close(fd);
      }
    }
  }
  return kept;
}

}  // namespace

base::Result<void> send_control(int socket, const ControlMessage& message, int descriptor) {
  iovec part{const_cast<ControlMessage*>(&message), sizeof message};
  alignas(cmsghdr) char space[CMSG_SPACE(sizeof(int))] = {};
  msghdr header{};
  header.msg_iov = &part;
  header.msg_iovlen = 1;
  if (descriptor >= 0) {
    header.msg_control = space;
    header.msg_controllen = sizeof space;
    cmsghdr* c = CMSG_FIRSTHDR(&header);
    c->cmsg_level = SOL_SOCKET;
    c->cmsg_type = SCM_RIGHTS;
    c->cmsg_len = CMSG_LEN(sizeof(int));
    std::memcpy(CMSG_DATA(c), &descriptor, sizeof descriptor);
  }
  if (::sendmsg(socket, &header, MSG_NOSIGNAL) != static_cast<ssize_t>(sizeof message)) {
    return system_error("cannot send to the control socket", "", "");
  }
  return {};
}

base::Result<std::optional<ReceivedControl>> receive_control(int socket) {
  ReceivedControl received;
  iovec part{&received.message, sizeof received.message};
  alignas(cmsghdr) char space[CMSG_SPACE(4 * sizeof(int))] = {};
  msghdr header{};
  header.msg_iov = &part;
  header.msg_iovlen = 1;
  header.msg_control = space;
  header.msg_controllen = sizeof space;
  const ssize_t size = ::recvmsg(socket, &header, MSG_CMSG_CLOEXEC);
  if (size < 0 && (errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR)) {
    return std::optional<ReceivedControl>{};
  }
  if (size < 0) return system_error("cannot receive from the control socket", "", "");
  received.descriptor = take_descriptor(header);
  const bool whole = size == static_cast<ssize_t>(sizeof received.message) &&
                     (header.msg_flags & (MSG_TRUNC | MSG_CTRUNC)) == 0;
  if (whole && received.message.protocol_version == kControlProtocolVersion) {
    received.message.reason[kControlReasonMax] = '\0';
    return std::optional<ReceivedControl>{received};
  }
  if (received.descriptor >= 0) ::close(received.descriptor);
  if (size == 0) return base::Error{"the peer closed the control socket", "", ""};
  return base::Error{
      "not a message of control protocol version " + std::to_string(kControlProtocolVersion), "",
      "use programs of the same release"};
}

base::Result<int> listen_control(const std::string& path) {
  auto address = address_of(path);
  if (!address) return address.error();
  const int fd = ::socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
  if (fd < 0) return system_error("cannot create a socket", path, "");
  ::unlink(path.c_str());
  const mode_t old_mask = ::umask(0177);
  const int bound = ::bind(fd, reinterpret_cast<sockaddr*>(&address.value()), sizeof(sockaddr_un));
  ::umask(old_mask);
  if (bound != 0 || ::listen(fd, 4) != 0) {
    base::Error error = system_error("cannot listen", path, "make its directory writable");
    ::close(fd);
    return error;
  }
  return fd;
}

base::Result<int> connect_control(const std::string& path) {
  auto address = address_of(path);
  if (!address) return address.error();
  const int fd = ::socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
  if (fd < 0) return system_error("cannot create a socket", path, "");
  if (::connect(fd, reinterpret_cast<sockaddr*>(&address.value()), sizeof(sockaddr_un)) != 0) {
    base::Error error = system_error("cannot connect", path, "start brink-edge");
    ::close(fd);
    return error;
  }
  return fd;
}

}  // namespace brink::ipc
