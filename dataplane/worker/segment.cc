// The TCP stage: segments and errors in, segments out by way of the next hop's link address.
#include <rte_mbuf.h>

#include <cstring>

#include "dataplane/worker/mbuf.h"
#include "dataplane/worker/worker.h"

namespace brink::worker {

using ipc::Counter;
using net::Verdict;

void Worker::deliver_segment(rte_mbuf* mbuf, const net::Packet& packet, base::Time now) noexcept {
  const Frame frame = frame_of(mbuf);
  const Verdict verdict = net::check_tcp(frame, packet, l4_checksum_known_good(mbuf));
  if (verdict != Verdict::kAccepted) return drop(mbuf, steer::counter_of(verdict));
  config_.stages.receive(config_.stages.self, packet.source, packet.destination,
                         net::segment_of(frame, packet), now);
  rte_pktmbuf_free(mbuf);
}

void Worker::deliver_error(rte_mbuf* mbuf, const net::Packet& packet, base::Time now) noexcept {
  net::IcmpError error;
  const Verdict verdict = net::parse_icmp_error(frame_of(mbuf), packet, error);
  if (verdict != Verdict::kAccepted) return drop(mbuf, steer::counter_of(verdict));
  config_.stages.unreachable(config_.stages.self, error, now);
  counters_.add(Counter::kIcmpErrors);
  rte_pktmbuf_free(mbuf);
}

std::uint32_t Worker::send_segments(base::Time now) noexcept {
  std::uint32_t sent = 0;
  SegmentOut out;
  while (sent < kSegmentBudget) {
    // A segment that is left with the stack is not lost, so nothing is pulled that cannot go out.
    if (!transmitter_.has_room(port::kBurst)) transmitter_.flush();
    if (!transmitter_.has_room(port::kBurst)) break;
    if (!config_.stages.next_segment(config_.stages.self, out, now)) break;
    send_segment(out);
    ++sent;
  }
  return sent;
}

void Worker::send_segment(const SegmentOut& out) noexcept {
  const auto hop = config_.routes->next_hop(out.destination);
  if (!hop) return counters_.add(Counter::kDropNoRoute);
  const auto mac = config_.neighbours->find(*hop);
  if (!mac) {
    config_.wanted->post(*hop);
    return counters_.add(Counter::kDropNoNeighbour);
  }
  rte_mbuf* mbuf = rte_pktmbuf_alloc(config_.segment_pool);
  if (mbuf == nullptr) return counters_.add(Counter::kDropNoMbuf);
  if (out.size > rte_pktmbuf_tailroom(mbuf)) return drop(mbuf, Counter::kDropOversized);
  static_assert(RTE_PKTMBUF_HEADROOM >= net::kHeaderSizeMax);

  auto* segment = rte_pktmbuf_mtod(mbuf, std::uint8_t*);
  std::uint8_t* at = segment;
  for (std::uint8_t i = 0; i < out.part_count; ++i) {
    std::memcpy(at, out.parts[i].data(), out.parts[i].size());
    at += out.parts[i].size();
  }
  const net::Route route{config_.link.mac, *mac, config_.link.vlan_id, out.source, out.destination};
  const std::uint8_t* first =
      net::write_headers(segment, route, net::kProtocolTcp, out.size, config_.checksums_by_port);
  const auto header_size = static_cast<std::uint16_t>(segment - first);
  mbuf->data_off = static_cast<std::uint16_t>(mbuf->data_off - header_size);
  set_frame(mbuf, 0, static_cast<std::uint16_t>(header_size + out.size));
  if (config_.checksums_by_port) {
    net::seed_checksum(route, net::kProtocolTcp, {segment, out.size}, 16);
    request_port_checksums(mbuf, route, net::kProtocolTcp);
  } else {
    net::fill_tcp_checksum(route, {segment, out.size});
  }
  transmitter_.push(mbuf);
}

void Worker::request_port_checksums(rte_mbuf* mbuf, const net::Route& route,
                                    std::uint8_t protocol) noexcept {
  const bool v4 = route.destination.is_v4();
  mbuf->l2_len = net::kEthernetSize + (route.vlan_id != 0 ? net::kVlanTagSize : 0);
  mbuf->l3_len = v4 ? net::kIpv4Size : net::kIpv6Size;
  mbuf->ol_flags |=
      (v4 ? RTE_MBUF_F_TX_IPV4 | RTE_MBUF_F_TX_IP_CKSUM : RTE_MBUF_F_TX_IPV6) |
      (protocol == net::kProtocolUdp ? RTE_MBUF_F_TX_UDP_CKSUM : RTE_MBUF_F_TX_TCP_CKSUM);
}

}  // namespace brink::worker
