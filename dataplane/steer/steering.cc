#include "dataplane/steer/steering.h"

#include "dataplane/net/reply.h"

namespace brink::steer {
namespace {

using ipc::Counter;
using net::Network;
using net::Packet;
using Bytes = std::span<const std::uint8_t>;

constexpr std::uint8_t kSyn = 0x02;  // RFC 9293 3.1
constexpr std::uint8_t kAck = 0x10;

constexpr Decision drop(Counter counter) noexcept {
  return {Action::kDrop, 0, counter};
}

bool is_icmp(const Packet& packet) noexcept {
  return packet.protocol ==
         (packet.network == Network::kIpv4 ? net::kProtocolIcmp : net::kProtocolIcmpv6);
}

// RFC 792: 3 unreachable, 11 time exceeded, 12 parameter problem. RFC 4443 2.1: below 128.
bool is_icmp_error(Bytes frame, const Packet& packet) noexcept {
  if (packet.l4_size == 0) return false;
  const std::uint8_t type = frame[packet.l4_offset];
  if (packet.network == Network::kIpv6) return type < 128;
  return type == 3 || type == 11 || type == 12;
}

}  // namespace

Counter counter_of(net::Verdict verdict) noexcept {
  switch (verdict) {
    case net::Verdict::kAccepted:
      break;
    case net::Verdict::kEthernetTruncated:
      return Counter::kDropEthernetTruncated;
    case net::Verdict::kEthernetForeign:
      return Counter::kDropEthernetForeign;
    case net::Verdict::kEthertypeUnknown:
      return Counter::kDropEthertypeUnknown;
    case net::Verdict::kVlanUnknown:
      return Counter::kDropVlanUnknown;
    case net::Verdict::kArpMalformed:
      return Counter::kDropArpMalformed;
    case net::Verdict::kIpv4Malformed:
      return Counter::kDropIpv4Malformed;
    case net::Verdict::kIpv4Checksum:
      return Counter::kDropIpv4Checksum;
    case net::Verdict::kIpv6Malformed:
      return Counter::kDropIpv6Malformed;
    case net::Verdict::kIpv6Extension:
      return Counter::kDropIpv6Extension;
    case net::Verdict::kFragment:
      return Counter::kDropFragment;
    case net::Verdict::kUdpMalformed:
      return Counter::kDropUdpMalformed;
    case net::Verdict::kUdpChecksum:
      return Counter::kDropUdpChecksum;
    case net::Verdict::kTcpMalformed:
      return Counter::kDropTcpMalformed;
    case net::Verdict::kTcpChecksum:
      return Counter::kDropTcpChecksum;
    case net::Verdict::kIcmpMalformed:
      return Counter::kDropIcmpMalformed;
    case net::Verdict::kIcmpOther:
      return Counter::kDropIcmpOther;
    case net::Verdict::kBadSource:
      return Counter::kDropBadSource;
  }
  return Counter::kDropPortClosed;
}

Steering::Steering(const SteeringConfig& config) noexcept
    : config_(config), services_(config.key) {}

std::uint8_t Steering::worker_of_flow(const WorkerSet& workers, const base::Endpoint& local,
                                      const base::Endpoint& remote) const noexcept {
  const bool in_order = local < remote;
  const base::Endpoint& low = in_order ? local : remote;
  const base::Endpoint& high = in_order ? remote : local;
  alignas(16) std::uint8_t flow[48] = {};
  std::memcpy(flow, low.address.bytes().data(), 16);
  std::memcpy(flow + 16, high.address.bytes().data(), 16);
  base::store_be16(flow + 32, low.port);
  base::store_be16(flow + 34, high.port);
  return workers.by_hash(base::keyed_hash(config_.key, flow, 36));
}

const WorkerSet* Steering::workers_of_port(std::uint16_t port, Services services) const noexcept {
  const bool dns_port = port == kDnsPort || (port == config_.dot_port && port != 0);
  const bool dns = dns_port && (services & kServiceDns) != 0;
  const bool http = is_http_port(port) && (services & kServiceHttp) != 0;
  const WorkerSet* workers = dns ? &config_.dns : http ? &config_.l7 : nullptr;
  return workers == nullptr || workers->count == 0 ? nullptr : workers;
}

Decision Steering::decide(Bytes frame, const Packet& packet, std::uint8_t self) const noexcept {
  const Services services = services_.find(packet.destination);
  if (packet.network == Network::kArp) {
    return {services != kServiceNone ? Action::kArpReply : Action::kKernel, self, {}};
  }
  base::IpAddress target;
  if (net::is_neighbour_solicitation(frame, packet, target) &&
      services_.find(target) != kServiceNone) {
    return {Action::kNeighbourReply, self, {}};
  }
  if (services != kServiceNone) return decide_service(frame, packet, services, self);
  if (is_own(packet.destination)) return decide_own(frame, packet, self);
  return {Action::kKernel, self, {}};
}

Decision Steering::decide_service(Bytes frame, const Packet& packet, Services services,
                                  std::uint8_t self) const noexcept {
  if (!net::source_is_usable(packet.source) || is_own(packet.source) ||
      services_.find(packet.source) != kServiceNone) {
    return drop(Counter::kDropBadSource);
  }
  if (packet.fragment) return drop(Counter::kDropFragment);
  if (is_icmp(packet)) return decide_icmp(frame, packet, services, self);
  if (packet.protocol == net::kProtocolUdp) {
    if (packet.l4_size < net::kUdpSize) return drop(Counter::kDropUdpMalformed);
    const net::Ports ports = net::ports_of(frame, packet);
    if (ports.destination != kDnsPort || (services & kServiceDns) == 0 || config_.dns.count == 0) {
      return drop(Counter::kDropPortClosed);
    }
    if (ports.source == 0) return drop(Counter::kDropBadSource);  // RFC 768: wants no reply
    if (config_.dns.contains(self)) return {Action::kDns, self, {}};
    const std::uint64_t spread = std::uint64_t{ports.source} * 0x9e3779b97f4a7c15;
    return {Action::kDns, config_.dns.by_hash(spread), {}};
  }
  if (packet.protocol == net::kProtocolTcp) {
    if (packet.l4_size < net::kTcpSize) return drop(Counter::kDropTcpMalformed);
    const net::Ports ports = net::ports_of(frame, packet);
    const WorkerSet* workers = workers_of_port(ports.destination, services);
    if (workers == nullptr) return drop(Counter::kDropPortClosed);
    return {Action::kTcp,
            worker_of_flow(*workers, {packet.destination, ports.destination},
                           {packet.source, ports.source}),
            {}};
  }
  return drop(Counter::kDropPortClosed);
}

Decision Steering::decide_own(Bytes frame, const Packet& packet, std::uint8_t self) const noexcept {
  const Decision kernel{Action::kKernel, self, {}};
  if (packet.fragment) return kernel;
  if (packet.protocol == net::kProtocolTcp && packet.l4_size >= net::kTcpSize) {
    const std::uint16_t port = net::ports_of(frame, packet).destination;
    if (!in_partition(port)) return kernel;
    if (!net::source_is_usable(packet.source)) return drop(Counter::kDropBadSource);
    // Nobody connects to these ports: a SYN without ACK must not open a client connection.
    const std::uint8_t flags = frame[packet.l4_offset + 13U];
    if ((flags & kSyn) != 0 && (flags & kAck) == 0) return drop(Counter::kDropPortClosed);
    return {Action::kTcp, config_.l7.workers[config_.ports.index_of(port)], {}};
  }
  if (is_icmp(packet) && is_icmp_error(frame, packet)) {
    net::IcmpError error;
    const bool ours = net::parse_icmp_error(frame, packet, error) == net::Verdict::kAccepted &&
                      is_own(error.local.address) && in_partition(error.local.port);
    if (!ours) return kernel;
    return {Action::kIcmpError, config_.l7.workers[config_.ports.index_of(error.local.port)], {}};
  }
  return kernel;
}

Decision Steering::decide_icmp(Bytes frame, const Packet& packet, Services services,
                               std::uint8_t self) const noexcept {
  if (!is_icmp_error(frame, packet)) return {Action::kIcmp, self, {}};
  net::IcmpError error;
  const net::Verdict verdict = net::parse_icmp_error(frame, packet, error);
  if (verdict != net::Verdict::kAccepted) return drop(counter_of(verdict));
  // An error is about a segment that the very address it is sent to had sent.
  const WorkerSet* workers = workers_of_port(error.local.port, services);
  if (error.local.address != packet.destination || workers == nullptr) {
    return drop(Counter::kDropIcmpOther);
  }
  return {Action::kIcmpError, worker_of_flow(*workers, error.local, error.remote), {}};
}

}  // namespace brink::steer
