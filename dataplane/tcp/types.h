// What passes between the TCP stack and its two neighbours: the packet side (segments in and out)
// and the application side (ids, events, information). Values only; see stack.h for the operations.
#pragma once

#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <span>

#include "dataplane/base/clock.h"
#include "dataplane/base/hash.h"
#include "dataplane/base/ip.h"

namespace brink::tcp {

// Names one connection for as long as it lives. A stale id never reaches another connection: every
// operation on it does nothing and returns nothing. The default value names no connection.
struct ConnectionId {
  std::uint32_t index = 0xffffffff;
  std::uint32_t generation = 0;
  bool operator==(const ConnectionId&) const noexcept = default;
};

// A segment taken in. The caller has verified the IP header, the TCP checksum and that
// `destination` is an address of ours; `bytes` is the TCP header and payload, borrowed during the
// call.
struct Segment {
  base::IpAddress source;
  base::IpAddress destination;
  std::span<const std::uint8_t> bytes;
};

// What became of a segment. Everything but kAccepted is counted under its name by the stack.
enum class Verdict : std::uint8_t {
  kAccepted,
  kBadHeader,     // shorter than its header, or malformed options
  kBadFlags,      // a combination no TCP sends (SYN with FIN, none at all)
  kNoConnection,  // no such connection; a RST was queued unless it was a RST or over the limit
  kNotAccepting,  // a SYN while draining
  kBacklogFull,   // a SYN over the backlog or the connection limit
  kOutOfWindow,   // outside the receive window; acknowledged (RFC 9293 3.10.7.4)
  kOldTimestamp,  // PAWS (RFC 7323 5)
  kChallenged,    // a RST or SYN answered by a challenge ACK (RFC 5961)
  kBadAck,        // acknowledges what was never sent
  kNoMemory,      // dropped because the chunk pool is exhausted; the peer sends it again
};

inline constexpr std::size_t kMaxHeaderSize = 60;
inline constexpr std::size_t kMaxPayloadSpans = 8;

// A segment to send. The caller writes the IP header, copies `header` and the payload spans into
// its packet and fills in the checksum (bytes 16-17 of the header, zero here). The spans point into
// the stack's chunks and are valid until the next call into the stack.
struct SegmentOut {
  base::IpAddress source;
  base::IpAddress destination;
  std::array<std::uint8_t, kMaxHeaderSize> header;
  std::uint8_t header_size;
  std::uint8_t span_count;
  std::uint16_t payload_size;
  std::array<std::span<const std::uint8_t>, kMaxPayloadSpans> spans;

  [[nodiscard]] std::span<const std::uint8_t> header_bytes() const noexcept {
    return {header.data(), header_size};
  }
};

// An ICMP or ICMPv6 error about a segment of ours; `sequence` is from the quoted TCP header.
enum class IcmpKind : std::uint8_t {
  kUnreachable,   // network, host, protocol, port or administratively: ICMP 3 but code 4; ICMPv6 1
  kPacketTooBig,  // ICMP 3 code 4; ICMPv6 2: `mtu` is set
  kOther,         // time exceeded, parameter problem: never acted upon
};
struct IcmpError {
  IcmpKind kind = IcmpKind::kOther;
  std::uint32_t sequence = 0;
  std::uint16_t mtu = 0;  // of the next hop, IP header included
};

enum class EventKind : std::uint8_t {
  kAccepted,    // a peer's connection is established; its user value is 0 until set_user()
  kConnected,   // a connect() succeeded
  kReadable,    // new in-order bytes; not repeated until more arrive, so read until empty
  kWritable,    // room again after a short write() or a transfer() that `to` limited
  kPeerClosed,  // the peer's FIN, after all its bytes were consumed; sending still works
  kClosed,      // the end: the id is stale from here on
};

enum class CloseReason : std::uint8_t {
  kNormal,  // both directions were closed and acknowledged
  kResetByPeer,
  kRefused,         // RST in answer to our SYN
  kConnectTimeout,  // the SYN schedule ran out
  kUserTimeout,     // data unacknowledged, or keep-alives unanswered, for too long
  kIdleTimeout,     // no data in either direction for StackConfig::idle_timeout
  kUnreachable,     // ICMP in answer to our SYN (RFC 5927)
  kAborted,         // abort() by the application
};

struct Event {
  ConnectionId id;
  EventKind kind = EventKind::kClosed;
  CloseReason reason = CloseReason::kNormal;  // of kClosed
  std::uint64_t user = 0;
};

enum class ConnectError : std::uint8_t {
  kNone,
  kInUse,   // this pair of endpoints has a connection, or one in TIME_WAIT: choose another port
  kNoSlot,  // max_connections are in use
};
struct ConnectResult {
  ConnectError error = ConnectError::kNone;
  ConnectionId id;
  [[nodiscard]] bool ok() const noexcept { return error == ConnectError::kNone; }
};

enum class State : std::uint8_t {
  kClosed,
  kSynSent,
  kSynReceived,
  kEstablished,
  kFinWait1,
  kFinWait2,
  kCloseWait,
  kClosing,
  kLastAck,
  kTimeWait,
};

struct ConnectionInfo {
  base::Endpoint local;
  base::Endpoint remote;
  State state = State::kClosed;  // kClosed also for a stale id
  std::uint16_t mss = 0;         // payload bytes of the largest segment we send
  base::Duration srtt{};         // zero before the first sample
  base::Duration rto{};
  std::uint32_t cwnd = 0;            // bytes
  std::uint32_t unacked = 0;         // bytes sent and not yet acknowledged
  std::uint32_t queued = 0;          // bytes written and not yet acknowledged (sent or not)
  std::uint32_t readable = 0;        // in-order bytes not yet consumed
  std::uint32_t retransmits = 0;     // segments sent again
  std::uint64_t bytes_sent = 0;      // payload acknowledged by the peer
  std::uint64_t bytes_received = 0;  // payload taken in order
  base::Time last_acked{};   // when the peer last acknowledged new bytes (or the connection began)
  base::Time last_heard{};   // when the last acceptable segment came
  bool peer_closed = false;  // its FIN has come
};

// Sizes and times of one stack. Times below one millisecond are not kept: the wheel ticks in ms.
struct StackConfig {
  std::uint32_t max_connections = 1024;      // client and origin side together
  std::uint32_t syn_backlog = 256;           // half-open incoming connections
  std::uint32_t max_time_wait = 1024;        // over it the oldest is forgotten
  std::uint32_t chunk_count = 4096;          // of kChunkSize bytes, shared by all connections
  std::uint32_t receive_limit = 256 * 1024;  // bytes a connection may hold unread: the window
  std::uint32_t send_limit = 256 * 1024;  // bytes a connection may hold written and unacknowledged
  std::uint32_t ahead_of_window = 16 * 1024;  // of them beyond what the peer's window takes

  std::uint16_t mss_v4 = 1460;  // what we advertise and never exceed, before options
  std::uint16_t mss_v6 = 1440;
  std::uint16_t mss_min = 536;  // a smaller MSS option is raised to this (CVE-2019-11479)
  std::uint16_t initial_window_segments = 10;  // RFC 6928

  // Waits after each SYN or SYN-ACK; the connection fails after the last one. 19 s together.
  std::array<std::uint8_t, 8> syn_schedule_s = {1, 1, 1, 1, 1, 2, 4, 8};
  base::Duration rto_initial = std::chrono::seconds(1);
  base::Duration rto_min = std::chrono::milliseconds(200);
  base::Duration rto_max = std::chrono::seconds(60);
  base::Duration delayed_ack = std::chrono::milliseconds(40);
  base::Duration user_timeout = std::chrono::seconds(90);
  base::Duration time_wait = std::chrono::seconds(60);
  base::Duration fin_wait_2 = std::chrono::seconds(60);      // of a released connection
  base::Duration keepalive_idle = std::chrono::seconds(30);  // zero: no keep-alive
  base::Duration keepalive_interval = std::chrono::seconds(30);
  std::uint8_t keepalive_probes = 3;
  base::Duration idle_timeout = std::chrono::seconds(900);  // zero: none

  std::uint32_t challenge_acks_per_s = 1000;  // RFC 5961 7; jittered by the secret
  std::uint32_t resets_per_s = 1000;          // RSTs to segments of no connection

  base::HashKey flow_secret;      // of the flow table
  base::HashKey sequence_secret;  // of initial sequence numbers and timestamp offsets (RFC 6528)
};

}  // namespace brink::tcp
