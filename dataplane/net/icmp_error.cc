#include "dataplane/net/icmp_error.h"

#include <algorithm>

#include "dataplane/net/checksum.h"

namespace brink::net {
namespace {

using base::IpAddress;
using base::load_be16;
using base::load_be32;
using Bytes = std::span<const std::uint8_t>;

constexpr std::size_t kIcmpHeaderSize = 8;
constexpr std::size_t kQuotedTcpSize = 8;  // ports and sequence number

std::uint16_t clamp_mtu(std::uint32_t mtu) noexcept {
  return static_cast<std::uint16_t>(std::min<std::uint32_t>(mtu, 0xffff));
}

Verdict read_quoted_tcp(Bytes tcp, const IpAddress& source, const IpAddress& destination,
                        IcmpError& error) noexcept {
  if (tcp.size() < kQuotedTcpSize) return Verdict::kIcmpMalformed;
  error.local = {source, load_be16(tcp.data())};
  error.remote = {destination, load_be16(tcp.data() + 2)};
  error.sequence = load_be32(tcp.data() + 4);
  return Verdict::kAccepted;
}

Verdict parse_v4(Bytes message, IcmpError& error) noexcept {
  const std::uint8_t type = message[0];
  const std::uint8_t code = message[1];
  if (type == 3) {
    error.kind = code == 4 ? IcmpErrorKind::kPacketTooBig : IcmpErrorKind::kUnreachable;
    if (code == 4) error.mtu = load_be16(message.data() + 6);
  } else if (type != 11 && type != 12) {  // time exceeded, parameter problem
    return Verdict::kIcmpOther;
  }
  const Bytes quoted = message.subspan(kIcmpHeaderSize);
  if (quoted.size() < kIpv4Size || quoted[0] >> 4 != 4) return Verdict::kIcmpMalformed;
  const std::size_t header_size = std::size_t{quoted[0]} % 16 * 4;
  if (header_size < kIpv4Size || header_size > quoted.size()) return Verdict::kIcmpMalformed;
  // Only a first fragment carries a TCP header.
  if (quoted[9] != kProtocolTcp || (load_be16(quoted.data() + 6) & 0x1fff) != 0) {
    return Verdict::kIcmpOther;
  }
  return read_quoted_tcp(quoted.subspan(header_size), IpAddress::v4_from_wire(quoted.data() + 12),
                         IpAddress::v4_from_wire(quoted.data() + 16), error);
}

Verdict parse_v6(Bytes message, IcmpError& error) noexcept {
  const std::uint8_t type = message[0];
  if (type == 1) {
    error.kind = IcmpErrorKind::kUnreachable;
  } else if (type == 2) {
    error.kind = IcmpErrorKind::kPacketTooBig;
    error.mtu = clamp_mtu(load_be32(message.data() + 4));
  } else if (type != 3 && type != 4) {
    return Verdict::kIcmpOther;
  }
  const Bytes quoted = message.subspan(kIcmpHeaderSize);
  if (quoted.size() < kIpv6Size || quoted[0] >> 4 != 6) return Verdict::kIcmpMalformed;
  // What we send has no extension headers, so a quotation with one is not about us.
  if (quoted[6] != kProtocolTcp) return Verdict::kIcmpOther;
  return read_quoted_tcp(quoted.subspan(kIpv6Size), IpAddress::v6_from_wire(quoted.data() + 8),
                         IpAddress::v6_from_wire(quoted.data() + 24), error);
}

}  // namespace

Verdict parse_icmp_error(Bytes frame, const Packet& packet, IcmpError& error) noexcept {
  const Bytes message = segment_of(frame, packet);
  if (message.size() < kIcmpHeaderSize) return Verdict::kIcmpMalformed;
  error = IcmpError{};
  if (packet.network == Network::kIpv4) {
    return checksum(message) == 0 ? parse_v4(message, error) : Verdict::kIcmpMalformed;
  }
  const bool good =
      transport_checksum(packet.source, packet.destination, kProtocolIcmpv6, message) == 0;
  return good ? parse_v6(message, error) : Verdict::kIcmpMalformed;
}

}  // namespace brink::net
