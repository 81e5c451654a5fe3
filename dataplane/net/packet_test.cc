#include "dataplane/net/packet.h"

#include <gtest/gtest.h>

#include <random>

#include "dataplane/net/checksum.h"
#include "dataplane/net/test_frames.h"

namespace brink::net {
namespace {

using namespace test;  // NOLINT: the frame builders are this file's vocabulary

const std::string kClient = "198.51.100.10";
const std::string kService = "192.0.2.129";
const std::string kClient6 = "2001:db8:c::10";
const std::string kService6 = "2001:db8:a::129";
const Frame kData = hex("0102030405");

const Link kUntagged{kOurMac, 0, false};
const Link kTagged{kOurMac, 42, false};

Frame udp4() {
  return udp(kClient, 4000, kService, 53, kData);
}
Frame udp6() {
  return udp(kClient6, 4000, kService6, 53, kData);
}
Frame plain4() {
  return ipv4(17, kClient, kService, udp4());
}
Frame plain6() {
  return ipv6(17, kClient6, kService6, udp6());
}

Frame changed(Frame frame, std::size_t at, std::uint8_t value) {
  frame[at] = value;
  return frame;
}

// An IPv4 header after a change of one byte, with its checksum made right again.
Frame resummed4(Frame packet, std::size_t at, std::uint8_t value) {
  packet[at] = value;
  const std::size_t size = std::min<std::size_t>(packet.size(), (packet[0] & 15U) * 4U);
  if (size >= 20) {
    put16(packet, 10, 0);
    put16(packet, 10, plain_checksum(Frame(packet.begin(), packet.begin() + size)));
  }
  return packet;
}

// The whole way of a DNS or HTTP packet: headers, then the transport.
Verdict judge(const Frame& frame, const Link& link, Packet& packet) {
  const Verdict verdict = parse_frame(frame, link, false, packet);
  if (verdict != Verdict::kAccepted || packet.network == Network::kArp) return verdict;
  if (packet.fragment) return Verdict::kFragment;
  std::uint16_t size = 0;
  if (packet.protocol == kProtocolUdp) return check_udp(frame, packet, false, size);
  if (packet.protocol == kProtocolTcp) return check_tcp(frame, packet, false);
  return Verdict::kAccepted;
}

struct Case {
  const char* description;
  Frame frame;
  Verdict verdict;
  const Link* link = &kUntagged;
};

Frame extension(std::uint8_t next, std::size_t size = 8) {
  Frame header(size);
  header[0] = next;
  header[1] = static_cast<std::uint8_t>(size / 8 - 1);
  return header;
}

Frame with_extensions(std::uint8_t first, const Frame& chain) {
  return ethernet(0x86dd, ipv6(first, kClient6, kService6, chain + udp6()));
}

std::vector<Case> link_cases() {
  return {
      {"IPv4 UDP", ethernet(0x0800, plain4()), Verdict::kAccepted},
      {"IPv6 UDP", ethernet(0x86dd, plain6()), Verdict::kAccepted},
      {"padding behind the IP packet", ethernet(0x0800, plain4() + Frame(20)), Verdict::kAccepted},
      {"unknown ethertype", ethernet(0x88cc, plain4()), Verdict::kEthertypeUnknown},
      {"802.3 length instead of a type", ethernet(0x0040, plain4()), Verdict::kEthertypeUnknown},
      {"another station's frame",
       ethernet(0x0800, plain4(), *MacAddress::parse("02:00:00:00:00:02")),
       Verdict::kEthernetForeign},
      {"broadcast", ethernet(0x0800, plain4(), *MacAddress::parse("ff:ff:ff:ff:ff:ff")),
       Verdict::kAccepted},
      {"a tag where none is configured", vlan(42, 0x0800, plain4()), Verdict::kVlanUnknown},
      {"the configured tag", vlan(42, 0x0800, plain4()), Verdict::kAccepted, &kTagged},
      {"the configured tag with priority bits", vlan(0xe02a, 0x86dd, plain6()), Verdict::kAccepted,
       &kTagged},
      {"another tag", vlan(43, 0x0800, plain4()), Verdict::kVlanUnknown, &kTagged},
      {"no tag where one is configured", ethernet(0x0800, plain4()), Verdict::kVlanUnknown,
       &kTagged},
      {"a priority tag (VLAN 0)", vlan(0xe000, 0x0800, plain4()), Verdict::kAccepted},
      {"two tags", vlan(0, 0x8100, Frame(4) + plain4()), Verdict::kVlanUnknown},
      {"a service tag", ethernet(0x88a8, Frame(4) + plain4()), Verdict::kVlanUnknown},
  };
}

std::vector<Case> ipv4_cases() {
  const Frame options = hex("01 01 01 00");
  return {
      {"options are skipped", ethernet(0x0800, ipv4(17, kClient, kService, udp4(), options)),
       Verdict::kAccepted},
      {"40 bytes of options", ethernet(0x0800, ipv4(17, kClient, kService, udp4(), Frame(40, 1))),
       Verdict::kAccepted},
      {"version 5", ethernet(0x0800, resummed4(plain4(), 0, 0x55)), Verdict::kIpv4Malformed},
      {"header length 16", ethernet(0x0800, resummed4(plain4(), 0, 0x44)), Verdict::kIpv4Malformed},
      {"header length past the packet", ethernet(0x0800, resummed4(plain4(), 0, 0x4f)),
       Verdict::kIpv4Malformed},
      {"total length below the header", ethernet(0x0800, resummed4(plain4(), 3, 19)),
       Verdict::kIpv4Malformed},
      {"total length past the frame", ethernet(0x0800, resummed4(plain4(), 3, 34)),
       Verdict::kIpv4Malformed},
      {"wrong checksum", ethernet(0x0800, changed(plain4(), 8, 54)), Verdict::kIpv4Checksum},
      {"more fragments", ethernet(0x0800, resummed4(plain4(), 6, 0x20)), Verdict::kFragment},
      {"fragment offset", ethernet(0x0800, resummed4(plain4(), 7, 1)), Verdict::kFragment},
      {"do not fragment is no fragment", ethernet(0x0800, resummed4(plain4(), 6, 0x40)),
       Verdict::kAccepted},
  };
}

std::vector<Case> ipv6_cases() {
  Frame nine;
  for (int i = 0; i < 8; ++i) nine = nine + extension(60);
  Frame eight = nine;
  eight.resize(7 * 8);
  return {
      {"version 4", ethernet(0x86dd, changed(plain6(), 0, 0x40)), Verdict::kIpv6Malformed},
      {"payload length past the frame", ethernet(0x86dd, changed(plain6(), 5, 14)),
       Verdict::kIpv6Malformed},
      {"mapped source", ethernet(0x86dd, ipv6(17, kClient6, kService6, udp6()).size() > 0
                                             ? [] {
                                                 Frame p = plain6();
                                                 for (std::size_t i = 8; i < 18; ++i) p[i] = 0;
                                                 p[18] = p[19] = 0xff;
                                                 return p;
                                               }()
                                             : Frame{}),
       Verdict::kIpv6Malformed},
      {"hop-by-hop", with_extensions(0, extension(17)), Verdict::kAccepted},
      {"destination options of 64 bytes", with_extensions(60, extension(17, 64)),
       Verdict::kAccepted},
      {"hop-by-hop second", with_extensions(60, extension(0) + extension(17)),
       Verdict::kIpv6Extension},
      {"routing header, nothing left", with_extensions(43, extension(17)), Verdict::kAccepted},
      {"routing header with a segment left", with_extensions(43, changed(extension(17), 3, 1)),
       Verdict::kIpv6Extension},
      {"authentication header", with_extensions(51, hex("11 04") + Frame(22)), Verdict::kAccepted},
      {"extension longer than the packet", with_extensions(60, changed(extension(17), 1, 9)),
       Verdict::kIpv6Extension},
      {"eight headers", with_extensions(60, eight + extension(17)), Verdict::kAccepted},
      {"nine headers", with_extensions(60, nine + extension(17)), Verdict::kIpv6Extension},
      {"more than 256 bytes of headers",
       with_extensions(60, extension(60, 200) + extension(17, 64)), Verdict::kIpv6Extension},
      {"fragment header with an offset", with_extensions(44, changed(extension(17), 3, 8)),
       Verdict::kFragment},
      {"fragment header, more to come", with_extensions(44, changed(extension(17), 3, 1)),
       Verdict::kFragment},
      {"atomic fragment", with_extensions(44, changed(extension(17), 1, 0)), Verdict::kAccepted},
  };
}

std::vector<Case> transport_cases() {
  const Frame syn = tcp_syn(kClient, 4000, kService, 80);
  const auto in4 = [](std::uint8_t protocol, const Frame& segment) {
    return ethernet(0x0800, ipv4(protocol, kClient, kService, segment));
  };
  const auto in6 = [](const Frame& segment) {
    return ethernet(0x86dd, ipv6(17, kClient6, kService6, segment));
  };
  return {
      {"UDP header cut", in4(17, Frame(7)), Verdict::kUdpMalformed},
      {"UDP length below its header", in4(17, changed(udp4(), 5, 7)), Verdict::kUdpMalformed},
      {"UDP length past the packet", in4(17, changed(udp4(), 5, 14)), Verdict::kUdpMalformed},
      {"UDP length short of the packet, sum over its own length", in4(17, udp4() + Frame(3)),
       Verdict::kAccepted},
      {"UDP checksum wrong", in4(17, changed(udp4(), 12, 99)), Verdict::kUdpChecksum},
      {"UDP without a checksum over IPv4", in4(17, changed(changed(udp4(), 6, 0), 7, 0)),
       Verdict::kAccepted},
      {"UDP without a checksum over IPv6", in6(changed(changed(udp6(), 6, 0), 7, 0)),
       Verdict::kUdpChecksum},
      {"UDP checksum wrong over IPv6", in6(changed(udp6(), 12, 99)), Verdict::kUdpChecksum},
      {"TCP", in4(6, syn), Verdict::kAccepted},
      {"TCP header cut", in4(6, Frame(syn.begin(), syn.begin() + 19)), Verdict::kTcpMalformed},
      {"TCP data offset below five", in4(6, changed(syn, 12, 0x40)), Verdict::kTcpMalformed},
      {"TCP data offset past the segment", in4(6, changed(syn, 12, 0x60)), Verdict::kTcpMalformed},
      {"TCP checksum wrong", in4(6, changed(syn, 4, 1)), Verdict::kTcpChecksum},
  };
}

std::vector<Case> arp_cases() {
  const Frame request = hex("0001 0800 06 04 0001 020000000099 c6336401 000000000000 c0000281");
  return {
      {"ARP request", ethernet(0x0806, request), Verdict::kAccepted},
      {"ARP cut", ethernet(0x0806, Frame(request.begin(), request.begin() + 27)),
       Verdict::kArpMalformed},
      {"ARP of other hardware", ethernet(0x0806, changed(request, 1, 6)), Verdict::kArpMalformed},
      {"ARP for another protocol", ethernet(0x0806, changed(request, 2, 9)),
       Verdict::kArpMalformed},
      {"ARP with long addresses", ethernet(0x0806, changed(request, 5, 16)),
       Verdict::kArpMalformed},
  };
}

TEST(ParseFrame, GivesEachPacketItsVerdict) {
  for (const auto& cases :
       {link_cases(), ipv4_cases(), ipv6_cases(), transport_cases(), arp_cases()}) {
    for (const Case& c : cases) {
      Packet packet;
      EXPECT_EQ(static_cast<int>(judge(c.frame, *c.link, packet)), static_cast<int>(c.verdict))
          << c.description;
    }
  }
}

TEST(ParseFrame, LocatesTheTransportSegment) {
  Packet packet;
  const Frame frame = ethernet(0x0800, ipv4(17, kClient, kService, udp4(), hex("01010100")));
  ASSERT_EQ(parse_frame(frame, kUntagged, false, packet), Verdict::kAccepted);
  EXPECT_EQ(packet.l3_offset, 14);
  EXPECT_EQ(packet.l4_offset, 14 + 24);
  EXPECT_EQ(packet.l4_size, 8 + kData.size());
  EXPECT_TRUE(packet.options);
  EXPECT_EQ(packet.source, base::IpAddress::parse(kClient));
  EXPECT_EQ(packet.destination, base::IpAddress::parse(kService));
  const Ports ports = ports_of(frame, packet);
  EXPECT_EQ(ports.source, 4000);
  EXPECT_EQ(ports.destination, 53);
  std::uint16_t size = 0;
  EXPECT_EQ(check_udp(frame, packet, false, size), Verdict::kAccepted);
  EXPECT_EQ(size, kData.size());
}

TEST(ParseFrame, PaddingIsNotPartOfTheSegment) {
  Packet packet;
  const Frame frame = ethernet(0x86dd, plain6() + Frame(30, 0xee));
  ASSERT_EQ(parse_frame(frame, kUntagged, false, packet), Verdict::kAccepted);
  EXPECT_EQ(packet.l4_size, 8 + kData.size());
}

TEST(ParseFrame, APortsVerdictOnTheChecksumIsTrusted) {
  Packet packet;
  const Frame frame = ethernet(0x0800, changed(plain4(), 10, 0));
  EXPECT_EQ(parse_frame(frame, kUntagged, false, packet), Verdict::kIpv4Checksum);
  EXPECT_EQ(parse_frame(frame, kUntagged, true, packet), Verdict::kAccepted);
}

// Every prefix of every kind of packet has a verdict, and none but the whole packet is accepted
// once the cut goes into a header that says how long the packet is.
TEST(ParseFrame, TruncationAtEveryByteIsADrop) {
  const Frame frames[] = {
      ethernet(0x0800, plain4()),
      ethernet(0x86dd, plain6()),
      vlan(42, 0x0800, plain4()),
      ethernet(0x0800, ipv4(17, kClient, kService, udp4(), Frame(12, 1))),
      with_extensions(0, extension(60) + extension(43) + extension(17)),
      ethernet(0x0800, ipv4(6, kClient, kService, tcp_syn(kClient, 1, kService, 80))),
      ethernet(0x0806, hex("0001 0800 06 04 0001 020000000099 c6336401 000000000000 c0000281")),
  };
  for (const Frame& whole : frames) {
    const Link& link = whole[12] == 0x81 ? kTagged : kUntagged;
    Packet packet;
    ASSERT_EQ(judge(whole, link, packet), Verdict::kAccepted);
    for (std::size_t size = 0; size < whole.size(); ++size) {
      // A copy of exactly that size, so that a sanitizer sees any read behind it.
      const Frame cut(whole.begin(), whole.begin() + static_cast<std::ptrdiff_t>(size));
      EXPECT_NE(judge(cut, link, packet), Verdict::kAccepted) << "size " << size;
    }
  }
}

// Random damage: whatever is accepted must lie inside the frame.
TEST(ParseFrame, AcceptedGeometryStaysInsideTheFrame) {
  std::mt19937 random(7);
  const Frame seeds[] = {
      ethernet(0x0800, ipv4(17, kClient, kService, udp4(), Frame(8, 1))),
      with_extensions(0, extension(60) + extension(44) + extension(17)),
  };
  std::size_t accepted = 0;
  for (int round = 0; round < 200000; ++round) {
    Frame frame = seeds[round % 2];
    for (int i = 0; i < 3; ++i)
      frame[random() % frame.size()] = static_cast<std::uint8_t>(random());
    frame.resize(frame.size() - random() % 8);
    Packet packet;
    if (parse_frame(frame, kUntagged, true, packet) != Verdict::kAccepted) continue;
    ++accepted;
    if (packet.network == Network::kArp) continue;
    ASSERT_LE(packet.l4_offset + packet.l4_size, frame.size());
    ASSERT_GE(packet.l4_offset, packet.l3_offset + (packet.network == Network::kIpv4 ? 20 : 40));
  }
  EXPECT_GT(accepted, 1000U);
}

TEST(SourceIsUsable, RefusesWhatMayNotBeAnswered) {
  for (const char* text : {"0.0.0.0", "0.1.2.3", "127.0.0.1", "224.0.0.1", "255.255.255.255",
                           "::", "::1", "ff02::1"}) {
    EXPECT_FALSE(source_is_usable(*base::IpAddress::parse(text))) << text;
  }
  for (const char* text : {"198.51.100.1", "223.255.255.255", "2001:db8::1", "fe80::1", "::2"}) {
    EXPECT_TRUE(source_is_usable(*base::IpAddress::parse(text))) << text;
  }
}

TEST(Checksum, AgreesWithThePlainSumAtEverySize) {
  std::mt19937 random(3);
  for (std::size_t size = 0; size < 130; ++size) {
    Frame data(size);
    for (auto& byte : data) byte = static_cast<std::uint8_t>(random());
    EXPECT_EQ(checksum(data), plain_checksum(data)) << size;
  }
  EXPECT_EQ(checksum(Frame(65535, 0xff)), plain_checksum(Frame(65535, 0xff)));
}

TEST(MacAddress, ParsesExactlyOneForm) {
  EXPECT_EQ(MacAddress::parse("02:AB:cd:00:00:ff")->text().view(), "02:ab:cd:00:00:ff");
  for (const char* text :
       {"", "02:ab:cd:00:00", "02-ab-cd-00-00-ff", "02:ab:cd:00:00:fg", "02:ab:cd:00:00:ff:"}) {
    EXPECT_FALSE(MacAddress::parse(text).has_value()) << text;
  }
}

}  // namespace
}  // namespace brink::net
