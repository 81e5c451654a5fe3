#include "dataplane/net/reply.h"

#include <gtest/gtest.h>

#include "dataplane/net/test_frames.h"

namespace brink::net {
namespace {

using namespace test;  // NOLINT: the frame builders are this file's vocabulary

const std::string kClient = "198.51.100.10";
const std::string kService = "192.0.2.129";
const std::string kClient6 = "2001:db8:c::10";
const std::string kService6 = "2001:db8:a::129";
const Link kUntagged{kOurMac, 0, false};
const Link kTagged{kOurMac, 42, false};

Packet parsed(const Frame& frame, const Link& link) {
  Packet packet;
  EXPECT_EQ(parse_frame(frame, link, false, packet), Verdict::kAccepted);
  return packet;
}

Frame taken(const Frame& buffer, const Reply& reply) {
  return Frame(buffer.begin() + reply.begin, buffer.begin() + reply.begin + reply.size);
}

// A reply must itself be a sound frame from us to the peer.
Packet reparsed(const Frame& frame, std::uint16_t vlan_id) {
  EXPECT_EQ(MacAddress::from_wire(frame.data()), kPeerMac);
  EXPECT_EQ(MacAddress::from_wire(frame.data() + 6), kOurMac);
  Packet packet;
  EXPECT_EQ(parse_frame(frame, Link{kPeerMac, vlan_id, false}, false, packet), Verdict::kAccepted);
  return packet;
}

TEST(EchoReply, AnswersBothFamiliesWithTheSameData) {
  const Frame data = hex("00112233445566778899");
  Frame frame = ethernet(0x0800, ipv4(1, kClient, kService, echo_request(data)));
  Reply reply;
  ASSERT_EQ(echo_reply(frame, parsed(frame, kUntagged), kUntagged, reply), Verdict::kAccepted);
  const Frame out = taken(frame, reply);
  const Packet packet = reparsed(out, 0);
  EXPECT_EQ(packet.source, base::IpAddress::parse(kService));
  EXPECT_EQ(packet.destination, base::IpAddress::parse(kClient));
  EXPECT_EQ(packet.hop_limit, 64);
  const Frame message(out.begin() + packet.l4_offset, out.end());
  EXPECT_EQ(message[0], 0);
  EXPECT_EQ(plain_checksum(message), 0);
  EXPECT_EQ(Frame(message.begin() + 8, message.end()), data);

  Frame frame6 =
      ethernet(0x86dd, ipv6(58, kClient6, kService6, echo_request_v6(kClient6, kService6, data)));
  ASSERT_EQ(echo_reply(frame6, parsed(frame6, kUntagged), kUntagged, reply), Verdict::kAccepted);
  const Frame out6 = taken(frame6, reply);
  const Packet packet6 = reparsed(out6, 0);
  EXPECT_EQ(packet6.source, base::IpAddress::parse(kService6));
  const Frame message6(out6.begin() + packet6.l4_offset, out6.end());
  EXPECT_EQ(message6[0], 129);
  EXPECT_EQ(plain_checksum(pseudo(58, kService6, kClient6, message6.size()) + message6), 0);
}

TEST(EchoReply, DropsOptionsAndPaddingButKeepsTheVlan) {
  const Frame data = hex("aabb");
  Frame frame = vlan(42, 0x0800,
                     ipv4(1, kClient, kService, echo_request(data), Frame(8, 1)) + Frame(18, 0x77));
  Reply reply;
  ASSERT_EQ(echo_reply(frame, parsed(frame, kTagged), kTagged, reply), Verdict::kAccepted);
  const Frame out = taken(frame, reply);
  EXPECT_EQ(out.size(), 14 + 4 + 20 + 8 + data.size());
  EXPECT_FALSE(reparsed(out, 42).options);
}

TEST(EchoReply, RefusesWhatIsNotASoundRequest) {
  const auto verdict = [](const Frame& message) {
    Frame frame = ethernet(0x0800, ipv4(1, kClient, kService, message));
    Reply reply;
    return echo_reply(frame, parsed(frame, kUntagged), kUntagged, reply);
  };
  EXPECT_EQ(verdict(Frame(7)), Verdict::kIcmpMalformed);
  Frame damaged = echo_request(hex("01"));
  damaged[8] ^= 1;
  EXPECT_EQ(verdict(damaged), Verdict::kIcmpMalformed);
  Frame unreachable = hex("0301 0000 00000000");
  put16(unreachable, 2, plain_checksum(unreachable));
  EXPECT_EQ(verdict(unreachable), Verdict::kIcmpOther);
  Frame code = hex("0801 0000 00000000");
  put16(code, 2, plain_checksum(code));
  EXPECT_EQ(verdict(code), Verdict::kIcmpMalformed);
}

TEST(ArpReply, AnswersARequestAndNothingElse) {
  const Frame request = hex("0001 0800 06 04 0001 020000000099 c0000201 000000000000 c0000281");
  Frame frame = ethernet(0x0806, request + Frame(18), *MacAddress::parse("ff:ff:ff:ff:ff:ff"));
  Reply reply;
  ASSERT_EQ(arp_reply(frame, parsed(frame, kUntagged), kUntagged, reply), Verdict::kAccepted);
  EXPECT_EQ(taken(frame, reply),
            hex("020000000099 020000000001 0806"
                "0001 0800 06 04 0002 020000000001 c0000281 020000000099 c0000201"));
  Frame answer = ethernet(0x0806, request);
  answer[14 + 7] = 2;
  EXPECT_EQ(arp_reply(answer, parsed(answer, kUntagged), kUntagged, reply), Verdict::kArpMalformed);
}

Frame solicitation(const std::string& from, const std::string& target) {
  const std::string group = "ff02::1:ff00:129";
  return ethernet(
      0x86dd,
      ipv6(58, from, group,
           summed(58, from, group, hex("87 00 0000 00000000") + address_bytes(target), 2), 255),
      *MacAddress::parse("33:33:ff:00:01:29"));
}

TEST(NeighbourReply, AdvertisesTheTargetEvenWithoutRoomForTheOptionInTheRequest) {
  Frame frame = solicitation("fe80::99", kService6);
  const Packet packet = parsed(frame, kUntagged);
  base::IpAddress target;
  ASSERT_TRUE(is_neighbour_solicitation(frame, packet, target));
  EXPECT_EQ(target, base::IpAddress::parse(kService6));
  frame.resize(frame.size() + kNeighbourReplyRoom);
  Reply reply;
  ASSERT_EQ(neighbour_reply(frame, packet, kUntagged, target, reply), Verdict::kAccepted);
  const Frame out = taken(frame, reply);
  const Packet answer = reparsed(out, 0);
  EXPECT_EQ(answer.hop_limit, 255);
  EXPECT_EQ(answer.source, target);
  const Frame message(out.begin() + answer.l4_offset, out.end());
  EXPECT_EQ(message.size(), 32U);
  EXPECT_EQ(message[0], 136);
  EXPECT_EQ(message[4], 0x40);
  EXPECT_EQ(plain_checksum(pseudo(58, kService6, "fe80::99", message.size()) + message), 0);
  EXPECT_EQ(Frame(message.begin() + 24, message.end()), hex("02 01 020000000001"));
}

TEST(NeighbourReply, LeavesDuplicateDetectionAndForwardedSolicitationsAlone) {
  Frame probe = solicitation("::", kService6);
  Packet packet = parsed(probe, kUntagged);
  base::IpAddress target;
  ASSERT_TRUE(is_neighbour_solicitation(probe, packet, target));
  probe.resize(probe.size() + kNeighbourReplyRoom);
  Reply reply;
  EXPECT_EQ(neighbour_reply(probe, packet, kUntagged, target, reply), Verdict::kBadSource);

  Frame forwarded = solicitation("fe80::99", kService6);
  forwarded[14 + 7] = 254;
  EXPECT_FALSE(is_neighbour_solicitation(forwarded, parsed(forwarded, kUntagged), target));
}

TEST(WriteHeaders, MakesAFrameThatParses) {
  for (const std::uint16_t vlan_id : {std::uint16_t{0}, std::uint16_t{42}}) {
    Frame buffer(kHeaderSizeMax + 13);
    const Route route{kOurMac, kPeerMac, vlan_id, *base::IpAddress::parse(kService),
                      *base::IpAddress::parse(kClient)};
    std::uint8_t* l4 = buffer.data() + kHeaderSizeMax;
    const Frame datagram = udp(kService, 53, kClient, 4000, hex("0102030405"));
    std::copy(datagram.begin() + 8, datagram.end(), l4 + 8);
    write_udp_header(route, {53, 4000}, {l4, 13}, false);
    EXPECT_EQ(Frame(l4, l4 + 13), datagram);
    std::uint8_t* first = write_headers(l4, route, kProtocolUdp, 13, false);
    EXPECT_EQ(l4 - first, static_cast<std::ptrdiff_t>(header_size(route)));
    const Frame frame(first, l4 + 13);
    const Packet packet = reparsed(frame, vlan_id);
    std::uint16_t size = 0;
    EXPECT_EQ(check_udp(frame, packet, false, size), Verdict::kAccepted);
  }
}

TEST(SeedChecksum, IsWhatAPortCompletes) {
  const Route route{kOurMac, kPeerMac, 0, *base::IpAddress::parse(kService),
                    *base::IpAddress::parse(kClient)};
  const Frame whole = tcp_syn(kService, 80, kClient, 4000);
  Frame seeded = whole;
  seed_checksum(route, kProtocolTcp, seeded, 16);
  // The port sums the segment, seed included, and stores the complement.
  const std::uint16_t completed = plain_checksum(seeded);
  EXPECT_EQ(completed, static_cast<std::uint16_t>(whole[16] << 8 | whole[17]));
}

TEST(WriteUdpHeader, SeedsWhatAPortCompletes) {
  const Route route{kOurMac, kPeerMac, 0, *base::IpAddress::parse(kService),
                    *base::IpAddress::parse(kClient)};
  const Frame whole = udp(kService, 53, kClient, 4000, hex("0102030405"));
  Frame seeded = whole;
  write_udp_header(route, {53, 4000}, seeded, true);
  EXPECT_EQ(plain_checksum(seeded), static_cast<std::uint16_t>(whole[6] << 8 | whole[7]));
}

TEST(WriteUdpHeader, NeverSendsZero) {
  const Route route{kOurMac, kPeerMac, 0, *base::IpAddress::parse(kService),
                    *base::IpAddress::parse(kClient)};
  // Two bytes of data chosen so that the sum comes to zero.
  Frame datagram = udp(kService, 53, kClient, 4000, hex("0000"));
  const std::uint16_t sum = static_cast<std::uint16_t>(datagram[6] << 8 | datagram[7]);
  put16(datagram, 8, sum);
  write_udp_header(route, {53, 4000}, datagram, false);
  EXPECT_EQ(datagram[6], 0xff);
  EXPECT_EQ(datagram[7], 0xff);
}

}  // namespace
}  // namespace brink::net
