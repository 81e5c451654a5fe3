// Counters: every event a worker counts, by name. A drop's name is its counter.
//
// One WorkerCounters a worker, in the shared-memory segment (stats_segment.h). Only its worker
// writes it (plain adds to aligned 64-bit words); readers in any process may see a value that is a
// few events old, never a torn one.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <string_view>

// X(enumerator, "name", "what it counts"). Append within the section of the folder that counts.
// clang-format off
#define BRINK_COUNTERS(X) \
  /* port, worker */ \
  X(kRxPackets, "rx_packets", "frames taken from the port") \
  X(kRxBytes, "rx_bytes", "bytes of those frames") \
  X(kTxPackets, "tx_packets", "frames given to the port") \
  X(kTxBytes, "tx_bytes", "bytes of those frames") \
  X(kDropTxFull, "drop_tx_full", "the transmit queue had no room") \
  X(kDropNoMbuf, "drop_no_mbuf", "the worker's packet pool was empty") \
  X(kDropOversized, "drop_oversized", "a frame or segment larger than one buffer") \
  X(kSteeredOut, "steered_out", "packets handed to another worker") \
  X(kSteeredIn, "steered_in", "packets taken from another worker") \
  X(kDropSteerFull, "drop_steer_full", "the ring to the other worker was full") \
  /* net */ \
  X(kDropEthernetTruncated, "drop_ethernet_truncated", "shorter than its Ethernet header") \
  X(kDropEthernetForeign, "drop_ethernet_foreign", "unicast to another station") \
  X(kDropEthertypeUnknown, "drop_ethertype_unknown", "neither IPv4, IPv6, ARP nor VLAN") \
  X(kDropVlanUnknown, "drop_vlan_unknown", "a VLAN that is not configured") \
  X(kDropArpMalformed, "drop_arp_malformed", "ARP for us that is cut, foreign or no request") \
  X(kDropIpv4Malformed, "drop_ipv4_malformed", "bad version, header length or total length") \
  X(kDropIpv4Checksum, "drop_ipv4_checksum", "bad IPv4 header checksum") \
  X(kDropIpv6Malformed, "drop_ipv6_malformed", "bad version or payload length") \
  X(kDropIpv6Extension, "drop_ipv6_extension", "too many or malformed extension headers") \
  X(kDropFragment, "drop_fragment", "an IP fragment to a service address") \
  X(kDropUdpMalformed, "drop_udp_malformed", "bad UDP length") \
  X(kDropUdpChecksum, "drop_udp_checksum", "bad, or absent over IPv6, UDP checksum") \
  X(kDropTcpMalformed, "drop_tcp_malformed", "bad TCP header") \
  X(kDropTcpChecksum, "drop_tcp_checksum", "bad TCP checksum") \
  X(kDropIcmpMalformed, "drop_icmp_malformed", "bad ICMP length or checksum") \
  X(kDropIcmpOther, "drop_icmp_other", "neither an echo request nor an error about our TCP") \
  X(kDropIcmpLimit, "drop_icmp_limit", "echo requests over the rate limit") \
  X(kDropBadSource, "drop_bad_source", "source address multicast, unspecified or our own; port 0") \
  X(kDropPortClosed, "drop_port_closed", "a service address, but no service on that port") \
  X(kIpv4Options, "ipv4_options", "IPv4 packets with options, handled") \
  X(kIcmpEchoReplies, "icmp_echo_replies", "echo requests answered by a worker") \
  X(kIcmpErrors, "icmp_errors", "ICMP errors about our TCP segments, handed to the stack") \
  X(kLinkReplies, "link_replies", "ARP and NDP for service addresses answered") \
  /* exception */ \
  X(kExceptionOut, "exception_out", "frames passed to the kernel") \
  X(kExceptionIn, "exception_in", "frames taken from the kernel") \
  X(kDropExceptionLimit, "drop_exception_limit", "over the rate limit of the kernel path") \
  X(kDropExceptionFull, "drop_exception_full", "the ring to the kernel path was full") \
  X(kDropNoKernelPath, "drop_no_kernel_path", "for the box itself, but no kernel path is set up") \
  X(kDropNoNeighbour, "drop_no_neighbour", "the next hop's link address is not known yet") \
  X(kDropNoRoute, "drop_no_route", "no gateway for the destination's family") \
  /* dns */ \
  X(kDnsQueries, "dns_queries", "DNS messages taken in") \
  X(kDnsAnswers, "dns_answers", "DNS responses built") \
  X(kDnsNoError, "dns_noerror", "responses with RCODE NOERROR and data") \
  X(kDnsNoData, "dns_nodata", "responses with RCODE NOERROR and no answer") \
  X(kDnsReferral, "dns_referral", "delegations") \
  X(kDnsNxDomain, "dns_nxdomain", "responses with RCODE NXDOMAIN") \
  X(kDnsFormErr, "dns_formerr", "responses with RCODE FORMERR") \
  X(kDnsServFail, "dns_servfail", "responses with RCODE SERVFAIL") \
  X(kDnsNotImp, "dns_notimp", "responses with RCODE NOTIMP") \
  X(kDnsRefused, "dns_refused", "responses with RCODE REFUSED") \
  X(kDnsBadVers, "dns_badvers", "responses with extended RCODE BADVERS") \
  X(kDnsYxDomain, "dns_yxdomain", "responses with RCODE YXDOMAIN") \
  X(kDnsTruncated, "dns_truncated", "responses with TC set") \
  X(kDropDnsShort, "drop_dns_short", "shorter than a DNS header") \
  X(kDropDnsResponse, "drop_dns_response", "QR was set") \
  X(kDnsCookieGood, "dns_cookie_good", "queries with a cookie of ours") \
  X(kDnsCookieBad, "dns_cookie_bad", "queries with a server cookie that is old, forged or foreign") \
  X(kDnsBadCookie, "dns_badcookie", "responses with extended RCODE BADCOOKIE") \
  X(kDnsRateSlipped, "dns_rate_slipped", "answers over a limit sent without their records") \
  X(kDropDnsRate, "drop_dns_rate", "like answers over the limit of their network") \
  X(kDropDnsSource, "drop_dns_source", "answers over the ceiling of their network") \
  X(kDropDnsNegative, "drop_dns_negative", "answers over the ceiling of negative ones") \
  X(kDropDnsCeiling, "drop_dns_ceiling", "answers over the ceiling of all") \
  X(kDnsStreamQueries, "dns_stream_queries", "DNS messages taken in over TCP") \
  X(kDnsStreamWaits, "dns_stream_waits", "responses that waited for their reader") \
  X(kDropDnsStreamLimit, "drop_dns_stream_limit", "connections reset: too many of one client") \
  X(kDropDnsStreamFraming, "drop_dns_stream_framing", "connections ended: no length of a query") \
  X(kDotConnections, "dot_connections", "connections for DNS over TLS whose handshake was done") \
  X(kDotResumed, "dot_resumed", "of them those that resumed a session") \
  X(kDotFailed, "dot_failed", "connections for DNS over TLS that failed, before or after the handshake") \
  X(kDotQueries, "dot_queries", "DNS messages taken in over TLS") \
  X(kDotWaits, "dot_waits", "responses over TLS that waited for their reader") \
  X(kDropDotLimit, "drop_dot_limit", "connections for DNS over TLS reset: too many of one client") \
  X(kDropDotFraming, "drop_dot_framing", "connections for DNS over TLS ended: no length of a query") \
  /* tcp */ \
  X(kTcpSegmentsIn, "tcp_segments_in", "TCP segments taken in") \
  X(kTcpSegmentsOut, "tcp_segments_out", "TCP segments sent") \
  X(kTcpAccepted, "tcp_accepted", "connections accepted") \
  X(kTcpConnected, "tcp_connected", "connections opened to origins") \
  X(kTcpRetransmits, "tcp_retransmits", "segments sent again") \
  X(kTcpResetsSent, "tcp_resets_sent", "RST segments sent") \
  X(kDropTcpBacklog, "drop_tcp_backlog", "a SYN over the backlog or connection limit") \
  X(kDropTcpOutOfWindow, "drop_tcp_out_of_window", "segments outside the receive window") \
  X(kTcpTimeouts, "tcp_timeouts", "retransmission timers that expired") \
  X(kTcpFastRetransmits, "tcp_fast_retransmits", "losses found by duplicate or selective ACKs") \
  X(kTcpOutOfOrder, "tcp_out_of_order", "segments kept until the bytes before them came") \
  X(kTcpChallengeAcks, "tcp_challenge_acks", "challenge ACKs sent (RFC 5961)") \
  X(kTcpResetsIn, "tcp_resets_in", "connections ended by the peer's RST") \
  X(kTcpTimedOut, "tcp_timed_out", "connections ended by a timeout of ours") \
  X(kTcpPoolWaits, "tcp_pool_waits", "times a window or write was short for want of buffers") \
  X(kTcpTimeWaitRecycled, "tcp_time_wait_recycled", "TIME_WAITs cut short for want of a slot") \
  X(kDropTcpFlags, "drop_tcp_flags", "a combination of flags that no TCP sends") \
  X(kDropTcpNoConnection, "drop_tcp_no_connection", "segments of no connection") \
  X(kDropTcpNotAccepting, "drop_tcp_not_accepting", "a SYN while draining") \
  X(kDropTcpOldTimestamp, "drop_tcp_old_timestamp", "segments refused by PAWS (RFC 7323)") \
  X(kDropTcpChallenged, "drop_tcp_challenged", "a RST or SYN answered by a challenge ACK") \
  X(kDropTcpBadAck, "drop_tcp_bad_ack", "segments that acknowledge what was never sent") \
  X(kDropTcpNoMemory, "drop_tcp_no_memory", "segments refused because the chunk pool was low") \
  X(kDropTcpControlFull, "drop_tcp_control_full", "replies not sent: the control ring was full") \
  X(kHttpRequests, "http_requests", "request heads accepted") \
  X(kHttpResponses, "http_responses", "response heads sent to clients") \
  X(kHttpBadRequests, "http_bad_requests", "requests refused as malformed or over a limit") \
  X(kHttpUnknownHost, "http_unknown_host", "requests for a Host that is not proxied here") \
  X(kHttpBlocked, "http_blocked", "requests blocked by a rule of their zone") \
  X(kHttpEdgeErrors, "http_edge_errors", "error pages made by the edge (52x, 1xxx)") \
  X(kHttpOriginRetries, "http_origin_retries", "requests sent again to the same or next origin") \
  X(kHttpOriginReused, "http_origin_reused", "requests sent over a pooled origin connection") \
  X(kHttpClientAborts, "http_client_aborts", "clients gone before their response ended") \
  X(kDropHttpClientLimit, "drop_http_client_limit", "connections reset: all client slots in use") \
  X(kHttpOverloaded, "http_overloaded", "requests answered 503 for want of a slot or port") \
  X(kHttpOriginMalformed, "http_origin_malformed", "520: the origin's response was unusable") \
  X(kHttpOriginRefused, "http_origin_refused", "521: the origin refused the connection") \
  X(kHttpOriginTimeout, "http_origin_timeout", "522: no connection, or request not acknowledged") \
  X(kHttpOriginUnreachable, "http_origin_unreachable", "523: no way to the origin") \
  X(kHttpOriginSilent, "http_origin_silent", "524: connected, but no response in time") \
  X(kHttpTruncated, "http_truncated", "responses cut short because their origin failed") \
  X(kTlsHandshakes, "tls_handshakes", "TLS handshakes with clients that were done") \
  X(kTlsResumed, "tls_resumed", "of them those that resumed a session") \
  X(kTlsFailed, "tls_failed", "TLS connections of clients that failed, before or after the handshake") \
  X(kTlsLimited, "tls_limited", "connections reset: their network began too many handshakes, see tls.handshakes-per-prefix") \
  X(kTlsUnknownName, "tls_unknown_name", "handshakes for a name that no certificate is here for") \
  X(kTlsKeysRefused, "tls_keys_refused", "handshakes whose private key cannot be opened: see tls.key-file") \
  X(kTlsOriginHandshakes, "tls_origin_handshakes", "TLS handshakes with origins that were done") \
  X(kTlsOriginFailed, "tls_origin_failed", "525 and 526: TLS connections to origins that failed") \
  X(kHttpsRedirects, "https_redirects", "requests sent from HTTP to HTTPS") \
  X(kHttp2Sessions, "http2_sessions", "connections of clients over HTTP/2") \
  X(kHttp2Faults, "http2_faults", "of them, ended since the client broke the protocol") \
  X(kHttp2Floods, "http2_floods", "of them, ended since the client made work without use: resets, pings, empty frames, heads") \
  X(kHttp2OriginSessions, "http2_origin_sessions", "connections to origins over HTTP/2") \
  X(kHttpRedirectLoops, "http_redirect_loops", "508: redirects of origins that lead back to themselves by the zone's SSL settings") \
  X(kHttpTunnels, "http_tunnels", "WebSockets that an origin granted") \
  X(kHttpEncoded, "http_encoded", "response bodies compressed for their client") \
  X(kHttpDecoded, "http_decoded", "response bodies decoded for a client that does not take their coding") \
  X(kHttpNoEncoder, "http_no_encoder", "response bodies not compressed: no encoder was free, see l7.encoders") \
  X(kHttpNoDecoder, "http_no_decoder", "requests answered 503: no decoder was free, see l7.decoders") \
  X(kProxyHeaders, "proxy_headers", "connections of clients that began with a PROXY header") \
  X(kDropProxyHeader, "drop_proxy_header", "connections reset: from service.proxy-protocol-from, without a good PROXY header") \
  X(kHttpOriginRaces, "http_origin_races", "connections to a second address family, since the first took longer than l7.race-ms") \
  X(kHttpOriginRacesWon, "http_origin_races_won", "of them, those that were there first") \
  X(kHttpOriginEjections, "http_origin_ejections", "times an origin address was taken out for failures in a row, see l7.eject-failures") \
  X(kHttpOriginEjected, "http_origin_ejected", "attempts not made: the origin address was taken out") \
  X(kHttpOriginBusy, "http_origin_busy", "1200: requests over a limit of their origin, see l7.origin-requests") \
  X(kHttpRetriesRefused, "http_retries_refused", "retries not made: the origin's budget was spent, see l7.retry-percent") \
  X(kHttpOriginUntracked, "http_origin_untracked", "connections to origins without limits: the table of origins had no room") \
  X(kAccessLogDropped, "access_log_dropped", "requests not logged: the log's writer is behind")
// clang-format on

namespace brink::ipc {

enum class Counter : std::uint16_t {
#define X(enumerator, name, help) enumerator,
  BRINK_COUNTERS(X)
#undef X
};

struct CounterInfo {
  std::string_view name;
  std::string_view help;
};

// In the order of Counter.
inline constexpr CounterInfo kCounterInfo[] = {
#define X(enumerator, name, help) {name, help},
    BRINK_COUNTERS(X)
#undef X
};
inline constexpr std::size_t kCounterCount = sizeof kCounterInfo / sizeof kCounterInfo[0];

// worker: wo; any other thread or process: ro.
struct alignas(64) WorkerCounters {
  std::uint64_t values[kCounterCount] = {};

  void add(Counter counter, std::uint64_t amount = 1) noexcept {
    std::atomic_ref<std::uint64_t> word(values[static_cast<std::size_t>(counter)]);
    // Single writer: a relaxed load and store compile to plain moves, no locked instruction.
    word.store(word.load(std::memory_order_relaxed) + amount, std::memory_order_relaxed);
  }
  [[nodiscard]] std::uint64_t get(Counter counter) const noexcept {
    return std::atomic_ref<std::uint64_t>(
               const_cast<std::uint64_t&>(values[static_cast<std::size_t>(counter)]))
        .load(std::memory_order_relaxed);
  }
};

}  // namespace brink::ipc
