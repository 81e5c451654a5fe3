// StageTable: what a worker calls to have packets answered. dataplane/edge fills one in for each
// worker; this folder knows neither DNS nor HTTP. Pointers to functions instead of a template: the
// DNS stage is called once a burst and the TCP stage once a segment, so an indirect call is noise,
// and the loop stays one object file that tests run with stages of their own.
#pragma once

#include <array>
#include <cstdint>
#include <span>

#include "dataplane/base/clock.h"
#include "dataplane/base/ip.h"
#include "dataplane/net/icmp_error.h"

namespace brink::worker {

// A UDP request whose answer is written over it.
struct Datagram {
  base::Endpoint source;
  base::Endpoint destination;
  std::uint8_t* data = nullptr;
  std::uint16_t size = 0;      // in: the request; out: the response, 0 to drop
  std::uint16_t capacity = 0;  // the largest response: what fits into one packet
  std::uint16_t room = 0;      // writable bytes at `data`, at least `capacity`
};

inline constexpr std::size_t kSegmentPartsMax = 9;

// A TCP segment to be sent: header first, then payload, borrowed until the next call of a stage.
struct SegmentOut {
  base::IpAddress source;
  base::IpAddress destination;
  std::array<std::span<const std::uint8_t>, kSegmentPartsMax> parts;
  std::uint8_t part_count = 0;
  std::uint16_t size = 0;  // of all parts
};

// All functions are called by the worker's thread, none may block. Every entry is set.
struct StageTable {
  void* self = nullptr;
  // Takes the current image when it is called: the packets are there by then, so that whoever was
  // told of a change before it asked is answered with it. Nothing of the last turn's image is used.
  void (*answer)(void* self, std::span<Datagram> datagrams) noexcept = nullptr;
  // A whole TCP segment with a good checksum.
  void (*receive)(void* self, const base::IpAddress& source, const base::IpAddress& destination,
                  std::span<const std::uint8_t> segment, base::Time now) noexcept = nullptr;
  void (*unreachable)(void* self, const net::IcmpError& error, base::Time now) noexcept = nullptr;
  // Timers and the proxy, with the current image. Returns whether anything was done.
  bool (*run)(void* self, base::Time now) noexcept = nullptr;
  bool (*next_segment)(void* self, SegmentOut& out, base::Time now) noexcept = nullptr;
  // When run() has to be called again at the latest; Time::max() for never.
  base::Time (*next_deadline)(void* self) noexcept = nullptr;
};

}  // namespace brink::worker
