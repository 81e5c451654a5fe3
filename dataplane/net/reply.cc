#include "dataplane/net/reply.h"

#include "dataplane/net/checksum.h"

namespace brink::net {
namespace {

using base::load_be16;
using base::store_be16;
using base::store_be32;

constexpr std::uint8_t kEchoReply = 0;
constexpr std::uint8_t kEchoRequest = 8;
constexpr std::uint8_t kEchoReplyV6 = 129;
constexpr std::uint8_t kEchoRequestV6 = 128;
constexpr std::uint8_t kNeighbourSolicitation = 135;
constexpr std::uint8_t kNeighbourAdvertisement = 136;
constexpr std::size_t kSolicitationSize = 24;   // without options
constexpr std::size_t kAdvertisementSize = 32;  // with the target link-layer address option

Reply reply_at(std::span<std::uint8_t> frame, const std::uint8_t* first,
               const std::uint8_t* end) noexcept {
  return {static_cast<std::uint16_t>(first - frame.data()),
          static_cast<std::uint16_t>(end - first)};
}

// In registers: to sum what was just written in other pieces would be to wait for the cache.
void write_ipv4(std::uint8_t* at, const Route& route, std::uint8_t protocol, std::uint16_t l4_size,
                bool checksum_by_port) noexcept {
  // 32-bit words of the header, host order.
  const std::uint32_t version_to_size =
      0x45000000U | static_cast<std::uint32_t>(kIpv4Size + l4_size);
  constexpr std::uint32_t kIdAndFlags = 0x00004000;  // ID 0, DF
  std::uint32_t ttl_to_sum = std::uint32_t{kReplyHopLimit} << 24 | std::uint32_t{protocol} << 16;
  const std::uint32_t source = route.source.v4_host_order();
  const std::uint32_t destination = route.destination.v4_host_order();
  if (!checksum_by_port) {
    const std::uint64_t sum =
        std::uint64_t{version_to_size} + kIdAndFlags + ttl_to_sum + source + destination;
    // The words are swapped already: so is what checksum_finish makes of their sum.
    ttl_to_sum |= __builtin_bswap16(checksum_finish(sum));
  }
  base::store_be64(at, std::uint64_t{version_to_size} << 32 | kIdAndFlags);
  store_be32(at + 8, ttl_to_sum);
  base::store_be64(at + 12, std::uint64_t{source} << 32 | destination);
}

}  // namespace

std::uint8_t* write_headers(std::uint8_t* l4, const Route& route, std::uint8_t protocol,
                            std::uint16_t l4_size, bool checksum_by_port) noexcept {
  std::uint8_t* at = l4;
  const bool v4 = route.destination.is_v4();
  if (v4) {
    at -= kIpv4Size;
    write_ipv4(at, route, protocol, l4_size, checksum_by_port);
  } else {
    at -= kIpv6Size;
    store_be32(at, 0x60000000);
    store_be16(at + 4, l4_size);
    at[6] = protocol;
    at[7] = kReplyHopLimit;
    std::memcpy(at + 8, route.source.bytes().data(), 16);
    std::memcpy(at + 24, route.destination.bytes().data(), 16);
  }
  at -= 2;
  store_be16(at, v4 ? kEthertypeIpv4 : kEthertypeIpv6);
  if (route.vlan_id != 0) {
    at -= kVlanTagSize;
    store_be16(at, kEthertypeVlan);
    store_be16(at + 2, route.vlan_id);
  }
  at -= 12;
  route.destination_mac.to_wire(at);
  route.source_mac.to_wire(at + 6);
  return at;
}

Route route_back(std::span<const std::uint8_t> frame, const Packet& packet,
                 const Link& link) noexcept {
  return {link.mac, MacAddress::from_wire(frame.data() + 6), link.vlan_id, packet.destination,
          packet.source};
}

void write_udp_header(const Route& route, Ports ports, std::span<std::uint8_t> datagram,
                      bool checksum_by_port) noexcept {
  const auto size = static_cast<std::uint16_t>(datagram.size());
  std::uint64_t sum = pseudo_header_sum(route.source, route.destination, kProtocolUdp, size);
  std::uint16_t field;
  if (checksum_by_port) {
    field = static_cast<std::uint16_t>(~checksum_finish(sum));
  } else {
    sum = checksum_add(sum, datagram.subspan(kUdpSize));
    for (const std::uint16_t word : {ports.source, ports.destination, size}) {
      sum += __builtin_bswap16(word);
    }
    field = checksum_finish(sum);
    if (field == 0) field = 0xffff;  // RFC 768
  }
  base::store_be64(datagram.data(), std::uint64_t{ports.source} << 48 |
                                        std::uint64_t{ports.destination} << 32 |
                                        std::uint64_t{size} << 16 | field);
}

void fill_tcp_checksum(const Route& route, std::span<std::uint8_t> segment) noexcept {
  store_be16(segment.data() + 16, 0);
  store_be16(segment.data() + 16,
             transport_checksum(route.source, route.destination, kProtocolTcp, segment));
}

void seed_checksum(const Route& route, std::uint8_t protocol, std::span<std::uint8_t> segment,
                   std::size_t field_offset) noexcept {
  const auto size = static_cast<std::uint32_t>(segment.size());
  const std::uint16_t complement =
      checksum_finish(pseudo_header_sum(route.source, route.destination, protocol, size));
  store_be16(segment.data() + field_offset, static_cast<std::uint16_t>(~complement));
}

Verdict echo_reply(std::span<std::uint8_t> frame, const Packet& packet, const Link& link,
                   Reply& reply) noexcept {
  if (packet.l4_size < 8) return Verdict::kIcmpMalformed;
  std::uint8_t* icmp = frame.data() + packet.l4_offset;
  const std::span<std::uint8_t> message(icmp, packet.l4_size);
  const bool v4 = packet.network == Network::kIpv4;
  const std::uint16_t sum =
      v4 ? checksum(message)
         : transport_checksum(packet.source, packet.destination, kProtocolIcmpv6, message);
  if (sum != 0) return Verdict::kIcmpMalformed;
  if (icmp[0] != (v4 ? kEchoRequest : kEchoRequestV6)) return Verdict::kIcmpOther;
  if (icmp[1] != 0) return Verdict::kIcmpMalformed;
  const Route route = route_back(frame, packet, link);
  icmp[0] = v4 ? kEchoReply : kEchoReplyV6;
  store_be16(icmp + 2, 0);
  store_be16(icmp + 2,
             v4 ? checksum(message)
                : transport_checksum(route.source, route.destination, kProtocolIcmpv6, message));
  const std::uint8_t* first = write_headers(icmp, route, packet.protocol, packet.l4_size, false);
  reply = reply_at(frame, first, icmp + packet.l4_size);
  return Verdict::kAccepted;
}

Verdict arp_reply(std::span<std::uint8_t> frame, const Packet& packet, const Link& link,
                  Reply& reply) noexcept {
  std::uint8_t* arp = frame.data() + packet.l3_offset;
  if (load_be16(arp + 6) != 1) return Verdict::kArpMalformed;
  store_be16(arp + 6, 2);
  std::memcpy(arp + 18, arp + 8, 10);  // the sender becomes the target
  link.mac.to_wire(arp + 8);
  std::memcpy(arp + 14, packet.destination.v4_wire(), 4);
  std::memcpy(frame.data(), arp + 18, 6);
  link.mac.to_wire(frame.data() + 6);
  reply = {0, static_cast<std::uint16_t>(packet.l3_offset + kArpSize)};
  return Verdict::kAccepted;
}

bool is_neighbour_solicitation(std::span<const std::uint8_t> frame, const Packet& packet,
                               base::IpAddress& target) noexcept {
  if (packet.network != Network::kIpv6 || packet.protocol != kProtocolIcmpv6 || packet.fragment ||
      packet.hop_limit != 255 || packet.l4_size < kSolicitationSize) {
    return false;
  }
  const std::uint8_t* icmp = frame.data() + packet.l4_offset;
  if (icmp[0] != kNeighbourSolicitation || icmp[1] != 0) return false;
  target = base::IpAddress::v6_from_wire(icmp + 8);
  return true;
}

Verdict neighbour_reply(std::span<std::uint8_t> buffer, const Packet& packet, const Link& link,
                        const base::IpAddress& target, Reply& reply) noexcept {
  std::uint8_t* icmp = buffer.data() + packet.l4_offset;
  if (!source_is_usable(packet.source)) return Verdict::kBadSource;
  if (transport_checksum(packet.source, packet.destination, kProtocolIcmpv6,
                         {icmp, packet.l4_size}) != 0) {
    return Verdict::kIcmpMalformed;
  }
  Route route = route_back(buffer, packet, link);
  route.source = target;
  icmp[0] = kNeighbourAdvertisement;
  icmp[1] = 0;
  store_be16(icmp + 2, 0);
  store_be32(icmp + 4, 0x40000000);  // solicited; no override: anycast (RFC 4861 7.2.7)
  std::memcpy(icmp + 8, target.bytes().data(), 16);
  icmp[24] = 2;  // target link-layer address
  icmp[25] = 1;
  link.mac.to_wire(icmp + 26);
  store_be16(icmp + 2, transport_checksum(route.source, route.destination, kProtocolIcmpv6,
                                          {icmp, kAdvertisementSize}));
  std::uint8_t* first = write_headers(icmp, route, kProtocolIcmpv6, kAdvertisementSize, false);
  // RFC 4861 7.1.2: hop limit 255, which proves that no router forwarded it.
  *(icmp - kIpv6Size + 7) = 255;
  reply = reply_at(buffer, first, icmp + kAdvertisementSize);
  return Verdict::kAccepted;
}

}  // namespace brink::net
