// Feeds arbitrary frames through every parser and in-place answer of dataplane/net.
#include <cstdint>
#include <cstdlib>
#include <vector>

#include "dataplane/net/icmp_error.h"
#include "dataplane/net/packet.h"
#include "dataplane/net/reply.h"

using namespace brink::net;

namespace {

void answer(const std::vector<std::uint8_t>& frame, const Packet& packet, const Link& link) {
  Reply reply;
  std::vector<std::uint8_t> buffer = frame;
  if (packet.network == Network::kArp) {
    arp_reply(buffer, packet, link, reply);
    return;
  }
  IcmpError error;
  parse_icmp_error(frame, packet, error);
  brink::base::IpAddress target;
  const bool solicitation = is_neighbour_solicitation(frame, packet, target);
  buffer.resize(frame.size() + kNeighbourReplyRoom);
  const Verdict verdict = solicitation
                              ? neighbour_reply(buffer, packet, link, target, reply)
                              : echo_reply({buffer.data(), frame.size()}, packet, link, reply);
  if (verdict == Verdict::kAccepted && std::size_t{reply.begin} + reply.size > buffer.size()) {
    std::abort();
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size < 1 || size > 9000) return 0;
  // The first byte chooses the link; a checksum the fuzzer cannot guess is taken as good.
  const Link link{MacAddress{}, static_cast<std::uint16_t>(data[0] & 1), true};
  const std::vector<std::uint8_t> frame(data + 1, data + size);
  Packet packet;
  if (parse_frame(frame, link, (data[0] & 2) != 0, packet) != Verdict::kAccepted) return 0;
  if (packet.network != Network::kArp) {
    if (std::size_t{packet.l4_offset} + packet.l4_size > frame.size()) std::abort();
    std::uint16_t data_size = 0;
    if (packet.protocol == kProtocolUdp && !packet.fragment &&
        check_udp(frame, packet, true, data_size) == Verdict::kAccepted &&
        data_size + kUdpSize > packet.l4_size) {
      std::abort();
    }
    if (packet.protocol == kProtocolTcp) check_tcp(frame, packet, (data[0] & 4) != 0);
  }
  answer(frame, packet, link);
  return 0;
}
