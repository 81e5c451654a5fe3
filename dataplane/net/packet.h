// Parsing of a received frame down to its transport header: Ethernet II (IEEE 802.3), one VLAN tag
// (802.1Q), ARP (RFC 826), IPv4 (RFC 791), IPv6 (RFC 8200) with its extension headers, UDP (RFC
// 768). Spans in, offsets out: nothing is copied but addresses, nothing is kept. Any thread. Hot.
//
// What it is not: TCP options and flags are dataplane/tcp's; reassembly does not exist here.
#pragma once

#include <cstdint>
#include <span>

#include "dataplane/base/bytes.h"
#include "dataplane/base/ip.h"
#include "dataplane/net/mac.h"

namespace brink::net {

inline constexpr std::size_t kEthernetSize = 14;
inline constexpr std::size_t kVlanTagSize = 4;
inline constexpr std::size_t kIpv4Size = 20;  // without options
inline constexpr std::size_t kIpv6Size = 40;  // without extension headers
inline constexpr std::size_t kUdpSize = 8;
inline constexpr std::size_t kTcpSize = 20;  // without options
inline constexpr std::size_t kArpSize = 28;  // Ethernet and IPv4

inline constexpr std::uint16_t kEthertypeIpv4 = 0x0800;
inline constexpr std::uint16_t kEthertypeArp = 0x0806;
inline constexpr std::uint16_t kEthertypeVlan = 0x8100;
inline constexpr std::uint16_t kEthertypeQinq = 0x88a8;
inline constexpr std::uint16_t kEthertypeIpv6 = 0x86dd;

inline constexpr std::uint8_t kProtocolIcmp = 1;
inline constexpr std::uint8_t kProtocolTcp = 6;
inline constexpr std::uint8_t kProtocolUdp = 17;
inline constexpr std::uint8_t kProtocolIcmpv6 = 58;

// A chain of IPv6 extension headers longer than either is dropped (RFC 8504 5.3 allows limits).
inline constexpr std::size_t kExtensionCountMax = 8;
inline constexpr std::size_t kExtensionBytesMax = 256;

// What a parser decided about a peer's bytes. All but kAccepted are drops, each with its counter.
enum class Verdict : std::uint8_t {
  kAccepted,
  kEthernetTruncated,
  kEthernetForeign,
  kEthertypeUnknown,
  kVlanUnknown,
  kArpMalformed,
  kIpv4Malformed,
  kIpv4Checksum,
  kIpv6Malformed,
  kIpv6Extension,
  kFragment,
  kUdpMalformed,
  kUdpChecksum,
  kTcpMalformed,
  kTcpChecksum,
  kIcmpMalformed,
  kIcmpOther,
  kBadSource,
};

// What this station is on its link.
struct Link {
  MacAddress mac;
  std::uint16_t vlan_id = 0;     // 0: untagged (priority tags are accepted), else the one VLAN
  bool any_destination = false;  // take unicast frames for other stations too
};

enum class Network : std::uint8_t { kArp, kIpv4, kIpv6 };

// Geometry of an accepted frame. Offsets are from the frame's first byte.
struct Packet {
  base::IpAddress source;       // ARP: sender protocol address
  base::IpAddress destination;  // ARP: target protocol address
  std::uint16_t l3_offset = 0;
  std::uint16_t l4_offset = 0;  // ARP: unused
  std::uint16_t l4_size = 0;    // from the IP header: Ethernet padding is not in it
  Network network{};
  std::uint8_t protocol = 0;  // of the header at l4_offset
  std::uint8_t hop_limit = 0;
  bool fragment = false;   // any but an unfragmented packet; an IPv6 "atomic" fragment is not one
  bool options = false;    // IPv4 options were present
  bool group_mac = false;  // sent to a multicast or broadcast station address
};

// parse_frame accepts a frame whose link and network headers are sound. When the verdict is a drop,
// `packet` is unspecified. The IPv4 header checksum is verified unless `checksum_known_good`.
Verdict parse_frame(std::span<const std::uint8_t> frame, const Link& link, bool checksum_known_good,
                    Packet& packet) noexcept;

// Ports of a UDP or TCP packet. Precondition: packet.l4_size >= 4.
struct Ports {
  std::uint16_t source;
  std::uint16_t destination;
};
inline Ports ports_of(std::span<const std::uint8_t> frame, const Packet& packet) noexcept {
  const std::uint8_t* at = frame.data() + packet.l4_offset;
  return {base::load_be16(at), base::load_be16(at + 2)};
}

// The transport segment of an accepted packet.
inline std::span<const std::uint8_t> segment_of(std::span<const std::uint8_t> frame,
                                                const Packet& packet) noexcept {
  return frame.subspan(packet.l4_offset, packet.l4_size);
}

// check_udp verifies length and checksum of the datagram and gives its data's size (from the UDP
// length; the data begins at l4_offset + 8). A zero checksum means none over IPv4 and is refused
// over IPv6 (RFC 8200 8.1).
Verdict check_udp(std::span<const std::uint8_t> frame, const Packet& packet,
                  bool checksum_known_good, std::uint16_t& data_size) noexcept;

// check_tcp verifies that a whole TCP header is there (data offset included) and its checksum.
Verdict check_tcp(std::span<const std::uint8_t> frame, const Packet& packet,
                  bool checksum_known_good) noexcept;

// source_is_usable: a source that may be answered (RFC 1122 3.2.1.3): not unspecified, multicast,
// broadcast or loopback.
bool source_is_usable(const base::IpAddress& source) noexcept;

}  // namespace brink::net
