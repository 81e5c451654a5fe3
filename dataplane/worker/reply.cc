// What a worker answers by itself (ICMP echo, ARP and neighbour solicitations for service
// addresses), and what it leaves to the kernel.
#include "dataplane/net/reply.h"

#include <rte_ring.h>

#include "dataplane/worker/mbuf.h"
#include "dataplane/worker/worker.h"

namespace brink::worker {

using ipc::Counter;
using net::Verdict;

void Worker::to_kernel(rte_mbuf* mbuf, const net::Packet& packet, base::Time now) noexcept {
  if (!config_.kernel_path) return drop(mbuf, Counter::kDropNoKernelPath);
  const bool neighbour_discovery = packet.network == net::Network::kIpv6 &&
                                   packet.protocol == net::kProtocolIcmpv6 &&
                                   packet.hop_limit == 255;
  const bool link = packet.network == net::Network::kArp || neighbour_discovery;
  if (!(link ? kernel_link_ : kernel_host_).take(now)) {
    return drop(mbuf, Counter::kDropExceptionLimit);
  }
  if (rte_ring_sp_enqueue(config_.mesh->kernel(config_.index), mbuf) != 0) {
    return drop(mbuf, Counter::kDropExceptionFull);
  }
  counters_.add(Counter::kExceptionOut);
}

void Worker::answer_icmp(rte_mbuf* mbuf, const net::Packet& packet, base::Time now) noexcept {
  net::Reply reply;
  const Verdict verdict = net::echo_reply(frame_of(mbuf), packet, config_.link, reply);
  if (verdict != Verdict::kAccepted) return drop(mbuf, steer::counter_of(verdict));
  if (!echo_.take(now)) return drop(mbuf, Counter::kDropIcmpLimit);
  counters_.add(Counter::kIcmpEchoReplies);
  send_reply(mbuf, reply);
}

void Worker::answer_link(rte_mbuf* mbuf, const net::Packet& packet, steer::Action action) noexcept {
  const Frame frame = frame_of(mbuf);
  net::Reply reply;
  Verdict verdict = Verdict::kArpMalformed;
  if (action == steer::Action::kArpReply) {
    verdict = net::arp_reply(frame, packet, config_.link, reply);
  } else {
    base::IpAddress target;
    const bool room = room_of(mbuf) >= frame.size() + net::kNeighbourReplyRoom;
    if (!room || !net::is_neighbour_solicitation(frame, packet, target)) {
      return drop(mbuf, Counter::kDropOversized);
    }
    verdict = net::neighbour_reply({frame.data(), frame.size() + net::kNeighbourReplyRoom}, packet,
                                   config_.link, target, reply);
  }
  if (verdict != Verdict::kAccepted) return drop(mbuf, steer::counter_of(verdict));
  counters_.add(Counter::kLinkReplies);
  send_reply(mbuf, reply);
}

void Worker::send_reply(rte_mbuf* mbuf, const net::Reply& reply) noexcept {
  set_frame(mbuf, reply.begin, reply.size);
  transmitter_.push(mbuf);
}

}  // namespace brink::worker
