// The Route blob: what the proxy needs to know about one proxied name; what is said of all names of
// its zone is in the zone's table (settings_layout.h). Rendered by the control side
// (l7/render), carried opaquely by the snapshot, read by route.h. Position-independent,
// little-endian, starts at any multiple of 8.
//
//   OFFSET SIZE  MEANING
//   0      4     magic "BRT1"
//   4      2     layout version, 2
//   6      2     flags (RouteFlags)
//   8      4     size of the whole blob in bytes
//   12     2     number of origins, 0..16
//   14     2     size of the zone name in bytes, 1..253
//   16     4     connect timeout, ms
//   20     4     acknowledgement timeout, ms
//   24     4     read timeout, ms
//   28     2     origin port for all origins; 0: the port the client came to
//   30     2     size of the target name, 0..253; 0: none
//   32     24*n  origins (RouteOrigin)
//   ..     z     zone name, lower-case text without a trailing dot
//   ..     t     target name: what the name's CNAME leads to, in the same form
//   ..     0-7   zero padding to a multiple of 8
#pragma once

#include <cstddef>
#include <cstdint>

namespace brink::l7::route {

inline constexpr std::uint32_t kRouteMagic = 0x31545242;  // "BRT1"
inline constexpr std::uint16_t kRouteLayoutVersion = 2;
inline constexpr std::size_t kMaxOrigins = 16;
inline constexpr std::size_t kZoneNameMax = 253;

enum RouteFlags : std::uint16_t {
  kRouteFlagsKnown = 0,  // bits that this version understands; any other is refused
};

struct RouteLayout {
  std::uint32_t magic;
  std::uint16_t layout_version;
  std::uint16_t flags;
  std::uint32_t size_bytes;
  std::uint16_t origin_count;
  std::uint16_t zone_name_size;
  std::uint32_t connect_timeout_ms;
  std::uint32_t ack_timeout_ms;
  std::uint32_t read_timeout_ms;
  std::uint16_t origin_port;
  std::uint16_t target_name_size;
};
static_assert(sizeof(RouteLayout) == 32);
static_assert(offsetof(RouteLayout, size_bytes) == 8);
static_assert(offsetof(RouteLayout, connect_timeout_ms) == 16);
static_assert(offsetof(RouteLayout, origin_port) == 28);

//   0      16    address, network order, IPv4 as IPv4-mapped IPv6
//   16     2     port of this origin; 0: as the route says
//   18     6     reserved, 0
struct RouteOrigin {
  std::uint8_t address[16];
  std::uint16_t port;
  std::uint16_t reserved[3];
};
static_assert(sizeof(RouteOrigin) == 24);

}  // namespace brink::l7::route
