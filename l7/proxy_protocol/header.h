// The PROXY protocol's header, versions 1 and 2: what a relay says, before the first byte of a
// connection, of who it relays. Reading and writing it; whom to believe is the caller's.
//
// Source: haproxy.org, doc/proxy-protocol.txt (2020/03/05), sections 2.1 and 2.2.
//
// No connection, no clock, no memory of its own; any thread.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>

#include "dataplane/base/ip.h"

namespace brink::l7::proxy_protocol {

enum class Version : std::uint8_t { kV1 = 1, kV2 = 2 };

// Who opened the relayed connection, and to where.
struct Addresses {
  base::Endpoint source;
  base::Endpoint destination;

  bool operator==(const Addresses&) const = default;
};

// The longest line of version 1, with CR and LF.
inline constexpr std::size_t kV1SizeMax = 107;
// Of version 2, with what is appended to the addresses (TLVs); longer ones are refused.
inline constexpr std::size_t kV2SizeMax = 4096;
// As many octets say all that is read.
inline constexpr std::size_t kLookMax = kV1SizeMax;

enum class Verdict : std::uint8_t {
  kIncomplete,  // so far it could become a header
  kOk,
  kMalformed,
};

struct Header {
  Version version = Version::kV1;
  // Octets up to the connection's own first one. They may be more than were looked at: TLVs are
  // skipped, unread.
  std::size_t size = 0;
  // None: the relay speaks for itself (LOCAL), or of nothing that has IP addresses over TCP.
  std::optional<Addresses> addresses;
};

// Reads the header that `bytes`, the first that a connection has brought, begin with. The first
// kLookMax of them are enough. `out` is set by kOk alone.
Verdict read_header(std::span<const std::uint8_t> bytes, Header& out) noexcept;

// Room for any header that is written here.
inline constexpr std::size_t kWrittenMax = kV1SizeMax;

// Writes a header for one TCP connection and returns its size. Where one end is IPv4 and the other
// is not, the IPv4 address is written as IPv4-mapped IPv6.
std::size_t write_header(Version version, const Addresses& addresses,
                         std::span<std::uint8_t, kWrittenMax> out) noexcept;

}  // namespace brink::l7::proxy_protocol
