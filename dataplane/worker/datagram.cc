// The DNS stage's batch: datagrams of a turn are collected, answered together in their own buffers,
// and sent back the way they came.
#include <rte_mbuf.h>

#include <algorithm>

#include "dataplane/worker/mbuf.h"
#include "dataplane/worker/worker.h"

namespace brink::worker {

using net::kUdpSize;

void Worker::add_datagram(rte_mbuf* mbuf) noexcept {
  const net::Packet& packet = pending_[pending_count_].packet;
  const Frame frame = frame_of(mbuf);
  std::uint16_t size = 0;
  const net::Verdict verdict = net::check_udp(frame, packet, l4_checksum_known_good(mbuf), size);
  if (verdict != net::Verdict::kAccepted) return drop(mbuf, steer::counter_of(verdict));

  const net::Ports ports = net::ports_of(frame, packet);
  const std::size_t data_offset = packet.l4_offset + kUdpSize;
  const std::size_t ip_size =
      packet.network == net::Network::kIpv4 ? net::kIpv4Size : net::kIpv6Size;
  Datagram& datagram = datagrams_[pending_count_];
  datagram.source.address = packet.source;
  datagram.source.port = ports.source;
  datagram.destination.address = packet.destination;
  datagram.destination.port = ports.destination;
  datagram.data = frame.data() + data_offset;
  datagram.size = size;
  datagram.room = static_cast<std::uint16_t>(room_of(mbuf) - data_offset);
  // An answer is one packet: no larger than the link, nor than what is left of the buffer.
  datagram.capacity = static_cast<std::uint16_t>(
      std::min<std::size_t>(datagram.room, config_.mtu - ip_size - kUdpSize));
  pending_[pending_count_].mbuf = mbuf;
  if (++pending_count_ == pending_.size()) answer_datagrams();
}

void Worker::answer_datagrams() noexcept {
  if (pending_count_ == 0) return;
  config_.stages.answer(config_.stages.self, {datagrams_.data(), pending_count_});
  for (std::uint32_t i = 0; i < pending_count_; ++i) {
    const std::uint16_t size = datagrams_[i].size;
    if (size == 0) {
      rte_pktmbuf_free(pending_[i].mbuf);  // the stage has counted why
    } else {
      DCHECK(size <= datagrams_[i].capacity);
      send_answer(pending_[i], size);
      ++unsent_answers_;
    }
  }
  pending_count_ = 0;
}

// A full port keeps answers for the next turn: they are late by it.
void Worker::note_answers() noexcept {
  if (unsent_answers_ == 0 || !transmitter_.empty()) return;
  config_.latency->add(ipc::LatencyKind::kDnsUdp, unsent_since_, unsent_answers_);
  unsent_answers_ = 0;
}

void Worker::send_answer(const Pending& pending, std::uint16_t size) noexcept {
  rte_mbuf* mbuf = pending.mbuf;
  const net::Packet& packet = pending.packet;
  auto* frame = rte_pktmbuf_mtod(mbuf, std::uint8_t*);
  std::uint8_t* udp = frame + packet.l4_offset;
  const net::Route route = net::route_back(frame_of(mbuf), packet, config_.link);
  const net::Ports asked = net::ports_of(frame_of(mbuf), packet);
  const auto l4_size = static_cast<std::uint16_t>(kUdpSize + size);
  net::write_udp_header(route, {asked.destination, asked.source}, {udp, l4_size},
                        config_.checksums_by_port);
  const std::uint8_t* first =
      net::write_headers(udp, route, net::kProtocolUdp, l4_size, config_.checksums_by_port);
  const auto begin = static_cast<std::uint16_t>(first - frame);
  set_frame(mbuf, begin, static_cast<std::uint16_t>(udp - first + l4_size));
  if (config_.checksums_by_port) request_port_checksums(mbuf, route, net::kProtocolUdp);
  transmitter_.push(mbuf);
}

}  // namespace brink::worker
