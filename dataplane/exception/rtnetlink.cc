#include "dataplane/exception/rtnetlink.h"

#include <linux/neighbour.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <net/if.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

namespace brink::exception {
namespace {

using base::IpAddress;

constexpr std::size_t kAskedMax = 1024;
constexpr std::uint16_t kUsable =
    NUD_REACHABLE | NUD_STALE | NUD_DELAY | NUD_PROBE | NUD_PERMANENT | NUD_NOARP;

base::Error system_error(const std::string& what, const std::string& where,
                         const std::string& remedy) {
  return {what + ": " + std::strerror(errno), where, remedy};
}

// One netlink request: a header, the family's fixed part, attributes.
class Request {
 public:
  template <typename Fixed>
  Request(std::uint16_t type, std::uint16_t flags, const Fixed& fixed) {
    auto* header = reinterpret_cast<nlmsghdr*>(bytes_);
    header->nlmsg_type = type;
    header->nlmsg_flags = static_cast<std::uint16_t>(NLM_F_REQUEST | flags);
    std::memcpy(bytes_ + NLMSG_HDRLEN, &fixed, sizeof fixed);
    header->nlmsg_len = NLMSG_LENGTH(sizeof fixed);
  }
  void add(std::uint16_t type, const void* data, std::size_t size) {
    auto* header = reinterpret_cast<nlmsghdr*>(bytes_);
    const std::size_t at = NLMSG_ALIGN(header->nlmsg_len);
    CHECK(at + RTA_LENGTH(size) <= sizeof bytes_);
    auto* attribute = reinterpret_cast<rtattr*>(bytes_ + at);
    attribute->rta_type = type;
    attribute->rta_len = static_cast<std::uint16_t>(RTA_LENGTH(size));
    std::memcpy(RTA_DATA(attribute), data, size);
    header->nlmsg_len = static_cast<std::uint32_t>(at + RTA_LENGTH(size));
  }
  void add(std::uint16_t type, const IpAddress& address) {
    if (address.is_v4()) {
      add(type, address.v4_wire(), 4);
    } else {
      add(type, address.bytes().data(), 16);
    }
  }
  bool send(int fd) const {
    const auto size = static_cast<ssize_t>(reinterpret_cast<const nlmsghdr*>(bytes_)->nlmsg_len);
    return ::send(fd, bytes_, static_cast<std::size_t>(size), 0) == size;
  }

 private:
  alignas(nlmsghdr) char bytes_[256] = {};
};

std::uint8_t family_of(const IpAddress& address) {
  return address.is_v4() ? AF_INET : AF_INET6;
}

base::Result<base::UniqueFd> open_socket(std::uint32_t groups, bool blocking) {
  base::UniqueFd fd(::socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC | (blocking ? 0 : SOCK_NONBLOCK),
                             NETLINK_ROUTE));
  sockaddr_nl address{};
  address.nl_family = AF_NETLINK;
  address.nl_groups = groups;
  if (fd.get() < 0 ||
      ::bind(fd.get(), reinterpret_cast<sockaddr*>(&address), sizeof address) != 0) {
    return system_error("cannot open a netlink socket", "", "the kernel must offer NETLINK_ROUTE");
  }
  return fd;
}

// Sends a request and waits for its acknowledgement. EEXIST is fine: it is there.
base::Result<void> acknowledge(int fd, const Request& request, const std::string& what,
                               const std::string& where) {
  alignas(nlmsghdr) char reply[4096];
  const ssize_t size = request.send(fd) ? ::recv(fd, reply, sizeof reply, 0) : -1;
  const auto* header = reinterpret_cast<const nlmsghdr*>(reply);
  if (size < static_cast<ssize_t>(NLMSG_LENGTH(sizeof(nlmsgerr))) ||
      header->nlmsg_type != NLMSG_ERROR) {
    return system_error(what, where, "");
  }
  errno = -static_cast<const nlmsgerr*>(NLMSG_DATA(header))->error;
  if (errno == 0 || errno == EEXIST) return {};
  return system_error(what, where, "run with CAP_NET_ADMIN, or set exception.configure = no");
}

base::Result<void> add_address(int fd, int index, const InterfaceAddress& address,
                               const std::string& interface) {
  ifaddrmsg fixed{};
  fixed.ifa_family = family_of(address.address);
  fixed.ifa_prefixlen = address.bits;
  fixed.ifa_flags = IFA_F_NODAD;
  fixed.ifa_index = static_cast<std::uint32_t>(index);
  Request request(RTM_NEWADDR, NLM_F_ACK | NLM_F_CREATE, fixed);
  request.add(IFA_LOCAL, address.address);
  request.add(IFA_ADDRESS, address.address);
  return acknowledge(fd, request,
                     "cannot add address " + std::string(address.address.text().view()), interface);
}

base::Result<void> add_default_route(int fd, int index, const IpAddress& gateway,
                                     const std::string& interface) {
  rtmsg fixed{};
  fixed.rtm_family = family_of(gateway);
  fixed.rtm_table = RT_TABLE_MAIN;
  fixed.rtm_protocol = RTPROT_STATIC;
  fixed.rtm_scope = RT_SCOPE_UNIVERSE;
  fixed.rtm_type = RTN_UNICAST;
  Request request(RTM_NEWROUTE, NLM_F_ACK | NLM_F_CREATE, fixed);
  request.add(RTA_GATEWAY, gateway);
  request.add(RTA_OIF, &index, sizeof index);
  return acknowledge(fd, request,
                     "cannot add a default route by " + std::string(gateway.text().view()),
                     interface);
}

}  // namespace

base::Result<void> set_up_interface(const std::string& interface,
                                    const std::vector<InterfaceAddress>& addresses,
                                    const std::vector<IpAddress>& gateways) {
  const int index = static_cast<int>(::if_nametoindex(interface.c_str()));
  if (index == 0) return system_error("no such interface", interface, "");
  auto socket = open_socket(0, true);
  if (!socket) return socket.error();
  const int fd = socket.value().get();
  ifinfomsg link{};
  link.ifi_index = index;
  link.ifi_flags = IFF_UP;
  link.ifi_change = IFF_UP;
  auto done = acknowledge(fd, Request(RTM_NEWLINK, NLM_F_ACK, link), "cannot be set up", interface);
  for (const InterfaceAddress& address : addresses) {
    if (done) done = add_address(fd, index, address, interface);
  }
  for (const IpAddress& gateway : gateways) {
    if (done) done = add_default_route(fd, index, gateway, interface);
  }
  return done;
}

base::Result<std::unique_ptr<NeighbourFeed>> NeighbourFeed::open(const std::string& interface,
                                                                 net::NeighbourTable& table) {
  const int index = static_cast<int>(::if_nametoindex(interface.c_str()));
  if (index == 0) return system_error("no such interface", interface, "");
  auto socket = open_socket(RTMGRP_NEIGH, false);
  if (!socket) return socket.error();
  std::unique_ptr<NeighbourFeed> feed(new NeighbourFeed(std::move(socket).value(), index, table));
  const auto dumped = feed->request_dump();
  if (!dumped) return dumped.error();
  return feed;
}

base::Result<void> NeighbourFeed::request_dump() {
  ndmsg fixed{};
  fixed.ndm_family = AF_UNSPEC;
  fixed.ndm_ifindex = interface_index_;
  if (!Request(RTM_GETNEIGH, NLM_F_DUMP, fixed).send(socket_.get())) {
    return system_error("cannot ask for the neighbour table", "", "");
  }
  return {};
}

base::Result<void> NeighbourFeed::poll() {
  alignas(nlmsghdr) char buffer[16384];
  for (;;) {
    const ssize_t size = ::recv(socket_.get(), buffer, sizeof buffer, 0);
    if (size < 0 && (errno == EAGAIN || errno == EINTR)) return {};
    if (size < 0 && errno == ENOBUFS) {  // reports were lost: start over
      const auto dumped = request_dump();
      if (!dumped) return dumped;
      continue;
    }
    if (size <= 0) return system_error("the netlink socket failed", "", "");
    auto left = static_cast<std::size_t>(size);
    for (auto* header = reinterpret_cast<nlmsghdr*>(buffer); NLMSG_OK(header, left);
         header = NLMSG_NEXT(header, left)) {
      take(header, header->nlmsg_len);
    }
  }
}

void NeighbourFeed::take(const void* message, std::size_t size) {
  const auto* header = static_cast<const nlmsghdr*>(message);
  if (header->nlmsg_type != RTM_NEWNEIGH && header->nlmsg_type != RTM_DELNEIGH) return;
  if (size < NLMSG_LENGTH(sizeof(ndmsg))) return;
  const auto* fixed = static_cast<const ndmsg*>(NLMSG_DATA(header));
  if (fixed->ndm_ifindex != interface_index_) return;
  const std::uint8_t* address = nullptr;
  const std::uint8_t* mac = nullptr;
  const std::size_t address_size = fixed->ndm_family == AF_INET ? 4 : 16;
  if (fixed->ndm_family != AF_INET && fixed->ndm_family != AF_INET6) return;
  auto left = static_cast<int>(size - NLMSG_LENGTH(sizeof(ndmsg)));
  const auto* attribute = reinterpret_cast<const rtattr*>(static_cast<const char*>(message) +
                                                          NLMSG_LENGTH(sizeof(ndmsg)));
  for (; RTA_OK(attribute, left); attribute = RTA_NEXT(attribute, left)) {
    const auto* data = static_cast<const std::uint8_t*>(RTA_DATA(attribute));
    if (attribute->rta_type == NDA_DST && RTA_PAYLOAD(attribute) == address_size) address = data;
    if (attribute->rta_type == NDA_LLADDR && RTA_PAYLOAD(attribute) == 6) mac = data;
  }
  if (address == nullptr) return;
  const IpAddress neighbour =
      address_size == 4 ? IpAddress::v4_from_wire(address) : IpAddress::v6_from_wire(address);
  if (header->nlmsg_type == RTM_NEWNEIGH && (fixed->ndm_state & kUsable) != 0 && mac != nullptr) {
    table_.put(neighbour, net::MacAddress::from_wire(mac));
  } else {
    table_.erase(neighbour);
  }
}

void NeighbourFeed::resolve(const IpAddress& address, base::Time now) {
  const auto asked = asked_.find(address);
  if (asked != asked_.end() && now - asked->second < kResolveInterval) return;
  if (asked_.size() >= kAskedMax) asked_.clear();
  asked_[address] = now;
  ndmsg fixed{};
  fixed.ndm_family = family_of(address);
  fixed.ndm_ifindex = interface_index_;
  fixed.ndm_state = NUD_NONE;
  fixed.ndm_flags = NTF_USE;
  Request request(RTM_NEWNEIGH, NLM_F_CREATE, fixed);
  request.add(NDA_DST, address);
  request.send(socket_.get());  // lost, it is asked for again with the next packet
}

}  // namespace brink::exception
