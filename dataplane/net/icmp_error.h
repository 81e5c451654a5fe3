// ICMP and ICMPv6 errors about a TCP segment that one of our addresses sent (RFC 792, RFC 4443 3,
// RFC 1191). Only what is quoted is read; whether it is believed is the TCP stack's decision
// (RFC 5927). Any thread. Hot.
#pragma once

#include <cstdint>
#include <span>

#include "dataplane/net/packet.h"

namespace brink::net {

enum class IcmpErrorKind : std::uint8_t { kUnreachable, kPacketTooBig, kOther };

struct IcmpError {
  IcmpErrorKind kind = IcmpErrorKind::kOther;
  base::Endpoint local;        // the quoted source: us
  base::Endpoint remote;       // the quoted destination
  std::uint32_t sequence = 0;  // of the quoted TCP header
  std::uint16_t mtu = 0;       // kPacketTooBig: of the next hop, 0 when it was not told (IPv4)
};

// parse_icmp_error reads an error message whose quotation holds at least eight bytes of TCP header.
// kIcmpOther: no error, or about something else than TCP; kIcmpMalformed: bad checksum or cut.
Verdict parse_icmp_error(std::span<const std::uint8_t> frame, const Packet& packet,
                         IcmpError& error) noexcept;

}  // namespace brink::net
