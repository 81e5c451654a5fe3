#include "dataplane/net/packet.h"

#include <immintrin.h>

#include <cstring>

#include "dataplane/net/checksum.h"

namespace brink::net {
namespace {

using base::IpAddress;
using base::load_be16;
using Bytes = std::span<const std::uint8_t>;

constexpr std::uint8_t kHopByHop = 0;
constexpr std::uint8_t kRouting = 43;
constexpr std::uint8_t kFragmentHeader = 44;
constexpr std::uint8_t kAuthentication = 51;
constexpr std::uint8_t kDestinationOptions = 60;

Verdict parse_arp(Bytes body, Packet& packet) noexcept {
  if (body.size() < kArpSize) return Verdict::kArpMalformed;
  // Hardware type Ethernet, protocol type IPv4, their address sizes (RFC 826).
  if (load_be16(body.data()) != 1 || load_be16(body.data() + 2) != kEthertypeIpv4 || body[4] != 6 ||
      body[5] != 4) {
    return Verdict::kArpMalformed;
  }
  packet.network = Network::kArp;
  packet.source = IpAddress::v4_from_wire(body.data() + 14);
  packet.destination = IpAddress::v4_from_wire(body.data() + 24);
  return Verdict::kAccepted;
}

// In one store of 16 bytes: an address is hashed and copied at once, and what was written in pieces
// can only be read whole once it has reached the cache.
IpAddress v4_address(const std::uint8_t* bytes) noexcept {
  std::uint32_t address;
  std::memcpy(&address, bytes, sizeof address);
  const auto high = static_cast<long long>(std::uint64_t{address} << 32 | 0xffff0000U);
  alignas(16) std::uint8_t mapped[16];
  _mm_store_si128(reinterpret_cast<__m128i*>(mapped), _mm_set_epi64x(high, 0));
  return IpAddress::v6_from_wire(mapped);
}

Verdict parse_ipv4(Bytes body, bool checksum_known_good, Packet& packet) noexcept {
  if (body.size() < kIpv4Size) return Verdict::kIpv4Malformed;
  const std::size_t header_size = std::size_t{body[0]} % 16 * 4;
  const std::size_t total_size = load_be16(body.data() + 2);
  if (body[0] >> 4 != 4 || header_size < kIpv4Size || total_size < header_size ||
      total_size > body.size()) {
    return Verdict::kIpv4Malformed;
  }
  if (!checksum_known_good && checksum(body.first(header_size)) != 0) {
    return Verdict::kIpv4Checksum;
  }
  packet.network = Network::kIpv4;
  packet.options = header_size > kIpv4Size;
  packet.fragment = (load_be16(body.data() + 6) & 0x3fff) != 0;  // MF or an offset
  packet.hop_limit = body[8];
  packet.protocol = body[9];
  packet.source = v4_address(body.data() + 12);
  packet.destination = v4_address(body.data() + 16);
  packet.l4_offset = static_cast<std::uint16_t>(packet.l3_offset + header_size);
  packet.l4_size = static_cast<std::uint16_t>(total_size - header_size);
  return Verdict::kAccepted;
}

// Walks extension headers (RFC 8200 4) from `offset` in `body` and leaves it at the upper layer.
Verdict walk_extensions(Bytes body, std::size_t& offset, Packet& packet) noexcept {
  for (std::size_t count = 0;; ++count) {
    const std::uint8_t type = packet.protocol;
    if (type != kHopByHop && type != kRouting && type != kFragmentHeader &&
        type != kAuthentication && type != kDestinationOptions) {
      return Verdict::kAccepted;
    }
    if (count == kExtensionCountMax || body.size() - offset < 8) return Verdict::kIpv6Extension;
    // RFC 8200 4.1: hop-by-hop options come first or not at all.
    if (type == kHopByHop && count != 0) return Verdict::kIpv6Extension;
    const std::uint8_t* header = body.data() + offset;
    std::size_t size = (std::size_t{header[1]} + 1) * 8;
    if (type == kFragmentHeader) {
      size = 8;
      // RFC 6946: offset zero and no more fragments is a whole packet.
      packet.fragment = (load_be16(header + 2) & 0xfff9) != 0;
    }
    if (type == kAuthentication) size = (std::size_t{header[1]} + 2) * 4;  // RFC 4302 2.2
    // RFC 8200 4.4: a routing header with segments left asks us to forward; we are a host.
    if (type == kRouting && header[3] != 0) return Verdict::kIpv6Extension;
    if (size > body.size() - offset || offset + size - kIpv6Size > kExtensionBytesMax) {
      return Verdict::kIpv6Extension;
    }
    packet.protocol = header[0];
    offset += size;
    if (packet.fragment) return Verdict::kAccepted;  // what follows may lie in another fragment
  }
}

Verdict parse_ipv6(Bytes body, Packet& packet) noexcept {
  if (body.size() < kIpv6Size || body[0] >> 4 != 6) return Verdict::kIpv6Malformed;
  const std::size_t payload_size = load_be16(body.data() + 4);
  if (payload_size > body.size() - kIpv6Size) return Verdict::kIpv6Malformed;
  packet.network = Network::kIpv6;
  packet.protocol = body[6];
  packet.hop_limit = body[7];
  packet.source = IpAddress::v6_from_wire(body.data() + 8);
  packet.destination = IpAddress::v6_from_wire(body.data() + 24);
  // RFC 4291 2.5.5.2: mapped addresses never appear on the wire; accepting them here would let an
  // IPv6 packet pass for IPv4.
  if (packet.source.is_v4() || packet.destination.is_v4()) return Verdict::kIpv6Malformed;
  std::size_t offset = kIpv6Size;
  const Bytes whole = body.first(kIpv6Size + payload_size);
  const Verdict verdict = walk_extensions(whole, offset, packet);
  if (verdict != Verdict::kAccepted) return verdict;
  packet.l4_offset = static_cast<std::uint16_t>(packet.l3_offset + offset);
  packet.l4_size = static_cast<std::uint16_t>(whole.size() - offset);
  return Verdict::kAccepted;
}

}  // namespace

Verdict parse_frame(Bytes frame, const Link& link, bool checksum_known_good,
                    Packet& packet) noexcept {
  if (frame.size() < kEthernetSize) return Verdict::kEthernetTruncated;
  packet = Packet{};
  const MacAddress station = MacAddress::from_wire(frame.data());
  packet.group_mac = station.is_group();
  if (!packet.group_mac && station != link.mac && !link.any_destination) {
    return Verdict::kEthernetForeign;
  }
  std::size_t offset = kEthernetSize;
  std::uint16_t ethertype = load_be16(frame.data() + 12);
  std::uint16_t vlan_id = 0;
  if (ethertype == kEthertypeQinq) return Verdict::kVlanUnknown;
  if (ethertype == kEthertypeVlan) {
    if (frame.size() < kEthernetSize + kVlanTagSize) return Verdict::kEthernetTruncated;
    vlan_id = load_be16(frame.data() + 14) & 0x0fff;
    ethertype = load_be16(frame.data() + 16);
    offset += kVlanTagSize;
  }
  if (vlan_id != link.vlan_id) return Verdict::kVlanUnknown;
  packet.l3_offset = static_cast<std::uint16_t>(offset);
  const Bytes body = frame.subspan(offset);
  switch (ethertype) {
    case kEthertypeIpv4:
      return parse_ipv4(body, checksum_known_good, packet);
    case kEthertypeIpv6:
      return parse_ipv6(body, packet);
    case kEthertypeArp:
      return parse_arp(body, packet);
    case kEthertypeVlan:
      return Verdict::kVlanUnknown;  // a second tag
    default:
      return Verdict::kEthertypeUnknown;
  }
}

Verdict check_udp(Bytes frame, const Packet& packet, bool checksum_known_good,
                  std::uint16_t& data_size) noexcept {
  if (packet.l4_size < kUdpSize) return Verdict::kUdpMalformed;
  const std::uint8_t* header = frame.data() + packet.l4_offset;
  const std::uint16_t size = load_be16(header + 4);
  if (size < kUdpSize || size > packet.l4_size) return Verdict::kUdpMalformed;
  data_size = static_cast<std::uint16_t>(size - kUdpSize);
  if (load_be16(header + 6) == 0) {
    return packet.network == Network::kIpv4 ? Verdict::kAccepted : Verdict::kUdpChecksum;
  }
  if (checksum_known_good) return Verdict::kAccepted;
  const bool good = transport_checksum(packet.source, packet.destination, kProtocolUdp,
                                       frame.subspan(packet.l4_offset, size)) == 0;
  return good ? Verdict::kAccepted : Verdict::kUdpChecksum;
}

Verdict check_tcp(Bytes frame, const Packet& packet, bool checksum_known_good) noexcept {
  if (packet.l4_size < kTcpSize) return Verdict::kTcpMalformed;
  const std::size_t header_size = std::size_t{frame[packet.l4_offset + 12U]} / 16 * 4;
  if (header_size < kTcpSize || header_size > packet.l4_size) return Verdict::kTcpMalformed;
  if (checksum_known_good) return Verdict::kAccepted;
  const bool good = transport_checksum(packet.source, packet.destination, kProtocolTcp,
                                       segment_of(frame, packet)) == 0;
  return good ? Verdict::kAccepted : Verdict::kTcpChecksum;
}

bool source_is_usable(const IpAddress& source) noexcept {
  if (source.is_v4()) {
    const std::uint32_t address = source.v4_host_order();
    const std::uint32_t first = address >> 24;
    return first != 0 && first != 127 && first < 224;
  }
  const auto& bytes = source.bytes();
  if (bytes[0] == 0xff) return false;
  static constexpr std::uint8_t kZero[15] = {};
  return std::memcmp(bytes.data(), kZero, sizeof kZero) != 0 || bytes[15] > 1;  // :: and ::1
}

}  // namespace brink::net
