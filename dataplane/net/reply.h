// Building of frames: fresh headers in front of a transport segment, and the answers that need no
// more than the request's own bytes (ICMP echo, RFC 792 and RFC 4443 4; ARP, RFC 826; neighbour
// advertisement, RFC 4861 7.2.4). Spans only. Any thread. Hot.
#pragma once

#include <cstdint>
#include <span>

#include "dataplane/net/packet.h"

namespace brink::net {

inline constexpr std::uint8_t kReplyHopLimit = 64;
// The most that write_headers puts in front of a segment.
inline constexpr std::size_t kHeaderSizeMax = kEthernetSize + kVlanTagSize + kIpv6Size;

// What write_headers needs to know. Addresses are of one family.
struct Route {
  MacAddress source_mac;
  MacAddress destination_mac;
  std::uint16_t vlan_id = 0;  // 0: no tag
  base::IpAddress source;
  base::IpAddress destination;
};

// The size that write_headers will take.
inline std::size_t header_size(const Route& route) noexcept {
  return kEthernetSize + (route.vlan_id != 0 ? kVlanTagSize : 0) +
         (route.destination.is_v4() ? kIpv4Size : kIpv6Size);
}

// write_headers writes Ethernet and IP headers so that they end at `l4`, and returns their first
// byte. Precondition: header_size(route) writable bytes before `l4`. IPv4: DF set, ID zero (an
// atomic datagram, RFC 6864 4.1), header checksum filled in unless `checksum_by_port`.
std::uint8_t* write_headers(std::uint8_t* l4, const Route& route, std::uint8_t protocol,
                            std::uint16_t l4_size, bool checksum_by_port) noexcept;

// The way back to whoever sent `packet`. A VLAN tag is answered with the same VLAN.
Route route_back(std::span<const std::uint8_t> frame, const Packet& packet,
                 const Link& link) noexcept;

// Writes the 8 bytes of UDP header that `datagram` begins with, its data being there. With a port
// that computes checksums the field is seeded as by seed_checksum.
void write_udp_header(const Route& route, Ports ports, std::span<std::uint8_t> datagram,
                      bool checksum_by_port) noexcept;

// Fills the checksum field of a TCP segment.
void fill_tcp_checksum(const Route& route, std::span<std::uint8_t> segment) noexcept;

// With a port that computes checksums: the field holds the pseudo-header's sum, not complemented.
void seed_checksum(const Route& route, std::uint8_t protocol, std::span<std::uint8_t> segment,
                   std::size_t field_offset) noexcept;

// Where in the caller's buffer the reply lies: [begin, begin + size) relative to the old frame.
struct Reply {
  std::uint16_t begin = 0;
  std::uint16_t size = 0;  // 0: no reply
};

// echo_reply turns an echo request into its reply in place. Accepted with size 0 never happens:
// a message that is not an echo request is kIcmpOther, a bad one kIcmpMalformed.
Verdict echo_reply(std::span<std::uint8_t> frame, const Packet& packet, const Link& link,
                   Reply& reply) noexcept;

// arp_reply answers a request for packet.destination with our station address, in place.
// kArpMalformed for what is not a request.
Verdict arp_reply(std::span<std::uint8_t> frame, const Packet& packet, const Link& link,
                  Reply& reply) noexcept;

// The target of a sound neighbour solicitation (RFC 4861 7.1.1), for which the caller must know the
// checksum to be right (neighbour_reply verifies it). False: not a solicitation.
bool is_neighbour_solicitation(std::span<const std::uint8_t> frame, const Packet& packet,
                               base::IpAddress& target) noexcept;

// neighbour_reply advertises `target` at our station address. `buffer` starts with the frame and
// has at least kNeighbourReplyRoom more writable bytes behind it. Not for duplicate address
// detection (unspecified source): the addresses answered here are anycast and shared on purpose.
inline constexpr std::size_t kNeighbourReplyRoom = 8;
Verdict neighbour_reply(std::span<std::uint8_t> buffer, const Packet& packet, const Link& link,
                        const base::IpAddress& target, Reply& reply) noexcept;

}  // namespace brink::net
