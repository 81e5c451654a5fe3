#include "dataplane/steer/steering.h"

#include <gtest/gtest.h>

#include <memory>
#include <set>

#include "dataplane/net/test_frames.h"

namespace brink::steer {
namespace {

using namespace net::test;  // NOLINT: the frame builders are this file's vocabulary
using base::IpAddress;
using ipc::Counter;

const std::string kClient = "198.51.100.10";
const std::string kDns = "192.0.2.129";
const std::string kProxied = "192.0.2.140";
const std::string kOwn = "192.0.2.2";
const std::string kClient6 = "2001:db8:c::10";
const std::string kDns6 = "2001:db8:a::129";
const std::string kProxied6 = "2001:db8:a::140";
const std::string kOwn6 = "2001:db8:e::2";

IpAddress address(const std::string& text) {
  return *IpAddress::parse(text);
}

// Workers 0 and 1 do dns, 2 and 3 do l7.
std::unique_ptr<Steering> make_steering() {
  SteeringConfig config;
  config.key.bytes[0] = 1;
  config.dns.add(0);
  config.dns.add(1);
  config.l7.add(2);
  config.l7.add(3);
  config.dot_port = 853;
  config.ports = PortPartition::split(32768, 2);
  config.own_v4 = address(kOwn);
  config.own_v6 = address(kOwn6);
  auto steering = std::make_unique<Steering>(config);
  for (const auto& text : {kDns, kDns6}) steering->add_service(address(text), kServiceDns);
  for (const auto& text : {kProxied, kProxied6}) {
    steering->add_service(address(text), kServiceHttp);
  }
  steering->add_http_port(80);
  steering->add_http_port(8080);
  return steering;
}

Decision decide(const Frame& frame, std::uint8_t self = 0) {
  net::Packet packet;
  const net::Link link{kOurMac, 0, false};
  EXPECT_EQ(net::parse_frame(frame, link, false, packet), net::Verdict::kAccepted);
  return make_steering()->decide(frame, packet, self);
}

Frame udp_frame(const std::string& from, const std::string& to, std::uint16_t port) {
  const Frame segment = udp(from, 4000, to, port, hex("00"));
  const bool v4 = address(to).is_v4();
  return v4 ? ethernet(0x0800, ipv4(17, from, to, segment))
            : ethernet(0x86dd, ipv6(17, from, to, segment));
}

Frame tcp_frame(const std::string& from, std::uint16_t source, const std::string& to,
                std::uint16_t destination, std::uint8_t flags = 0x02) {
  const Frame segment = tcp_segment(from, source, to, destination, flags);
  const bool v4 = address(to).is_v4();
  return v4 ? ethernet(0x0800, ipv4(6, from, to, segment))
            : ethernet(0x86dd, ipv6(6, from, to, segment));
}

Frame icmp_frame(const std::string& to, Frame message) {
  put16(message, 2, 0);
  put16(message, 2, plain_checksum(message));
  return ethernet(0x0800, ipv4(1, kClient, to, message));
}

Frame quoting(const std::string& local, std::uint16_t port) {
  return hex("0301 0000 00000000") + ipv4(6, local, kClient, tcp_syn(local, port, kClient, 4000));
}

struct Case {
  const char* description;
  Frame frame;
  Action action;
  Counter drop = Counter::kRxPackets;
};

std::vector<Case> service_cases() {
  Frame fragment = ipv4(17, kClient, kDns, udp(kClient, 4000, kDns, 53, {}));
  fragment[6] = 0x20;
  put16(fragment, 10, 0);
  put16(fragment, 10, plain_checksum(Frame(fragment.begin(), fragment.begin() + 20)));
  return {
      {"DNS over IPv4", udp_frame(kClient, kDns, 53), Action::kDns},
      {"DNS over IPv6", udp_frame(kClient6, kDns6, 53), Action::kDns},
      {"another UDP port", udp_frame(kClient, kDns, 54), Action::kDrop, Counter::kDropPortClosed},
      {"DNS to a proxied address", udp_frame(kClient, kProxied, 53), Action::kDrop,
       Counter::kDropPortClosed},
      {"HTTP over IPv4", tcp_frame(kClient, 4000, kProxied, 80), Action::kTcp},
      {"HTTP over IPv6", tcp_frame(kClient6, 4000, kProxied6, 8080), Action::kTcp},
      {"DNS over TCP", tcp_frame(kClient, 4000, kDns, 53), Action::kTcp},
      {"DNS over TCP over IPv6", tcp_frame(kClient6, 4000, kDns6, 53), Action::kTcp},
      {"DNS over TCP to a proxied address", tcp_frame(kClient, 4000, kProxied, 53), Action::kDrop,
       Counter::kDropPortClosed},
      {"DNS over TLS", tcp_frame(kClient, 4000, kDns, 853), Action::kTcp},
      {"DNS over TLS to a proxied address", tcp_frame(kClient, 4000, kProxied, 853), Action::kDrop,
       Counter::kDropPortClosed},
      {"its port over UDP", udp_frame(kClient, kDns, 853), Action::kDrop,
       Counter::kDropPortClosed},
      {"an error about DNS over TLS", icmp_frame(kDns, quoting(kDns, 853)), Action::kIcmpError},
      {"an error about DNS over TCP", icmp_frame(kDns, quoting(kDns, 53)), Action::kIcmpError},
      {"another TCP port", tcp_frame(kClient, 4000, kProxied, 22), Action::kDrop,
       Counter::kDropPortClosed},
      {"HTTP to a DNS address", tcp_frame(kClient, 4000, kDns, 80), Action::kDrop,
       Counter::kDropPortClosed},
      {"a fragment", ethernet(0x0800, fragment), Action::kDrop, Counter::kDropFragment},
      {"a protocol nobody serves", ethernet(0x0800, ipv4(47, kClient, kDns, Frame(8))),
       Action::kDrop, Counter::kDropPortClosed},
      {"UDP header cut", ethernet(0x0800, ipv4(17, kClient, kDns, Frame(7))), Action::kDrop,
       Counter::kDropUdpMalformed},
      {"TCP header cut", ethernet(0x0800, ipv4(6, kClient, kProxied, Frame(19))), Action::kDrop,
       Counter::kDropTcpMalformed},
      {"our own service address as source", udp_frame(kProxied, kDns, 53), Action::kDrop,
       Counter::kDropBadSource},
      {"the box's address as source", udp_frame(kOwn, kDns, 53), Action::kDrop,
       Counter::kDropBadSource},
      {"loopback as source", udp_frame("127.0.0.1", kDns, 53), Action::kDrop,
       Counter::kDropBadSource},
      {"multicast as source", udp_frame("224.0.0.5", kDns, 53), Action::kDrop,
       Counter::kDropBadSource},
      {"no port to reply to",
       ethernet(0x0800, ipv4(17, kClient, kDns, udp(kClient, 0, kDns, 53, {}))), Action::kDrop,
       Counter::kDropBadSource},
      {"echo request", icmp_frame(kDns, hex("0800 0000 00010001")), Action::kIcmp},
      {"timestamp request", icmp_frame(kDns, hex("0d00 0000 00010001")), Action::kIcmp},
  };
}

std::vector<Case> other_cases() {
  const Frame arp = hex("0001 0800 06 04 0001 020000000099 c0000201 000000000000");
  const std::string group = "ff02::1:ff00:129";
  const auto solicitation = [&](const std::string& target) {
    const Frame message =
        summed(58, "fe80::99", group, hex("87 00 0000 00000000") + address_bytes(target), 2);
    return ethernet(0x86dd, ipv6(58, "fe80::99", group, message, 255),
                    *net::MacAddress::parse("33:33:ff:00:01:29"));
  };
  return {
      {"ARP for a service address", ethernet(0x0806, arp + address_bytes(kDns)), Action::kArpReply},
      {"ARP for the box", ethernet(0x0806, arp + address_bytes(kOwn)), Action::kKernel},
      {"solicitation of a service address", solicitation(kDns6), Action::kNeighbourReply},
      {"solicitation of the box", solicitation(kOwn6), Action::kKernel},
      {"SSH to the box", tcp_frame(kClient, 4000, kOwn, 22), Action::kKernel},
      {"UDP to the box", udp_frame(kClient, kOwn, 53), Action::kKernel},
      {"echo to the box", icmp_frame(kOwn, hex("0800 0000 00010001")), Action::kKernel},
      {"an origin's packet", tcp_frame(kClient, 80, kOwn, 40000, 0x12), Action::kTcp},
      {"a SYN to a port of the partition", tcp_frame(kClient, 80, kOwn, 40000), Action::kDrop,
       Counter::kDropPortClosed},
      {"an origin's packet over IPv6", tcp_frame(kClient6, 80, kOwn6, 40000, 0x10), Action::kTcp},
      {"error about an origin connection", icmp_frame(kOwn, quoting(kOwn, 40000)),
       Action::kIcmpError},
      {"error about a kernel connection", icmp_frame(kOwn, quoting(kOwn, 2000)), Action::kKernel},
      {"error about a client connection", icmp_frame(kProxied, quoting(kProxied, 80)),
       Action::kIcmpError},
      {"error about what another address sent", icmp_frame(kProxied, quoting(kDns, 80)),
       Action::kDrop, Counter::kDropIcmpOther},
      {"error with its quotation cut", icmp_frame(kProxied, hex("0301 0000 00000000 4500")),
       Action::kDrop, Counter::kDropIcmpMalformed},
      {"an address that is not here", udp_frame(kClient, "192.0.2.7", 53), Action::kKernel},
  };
}

TEST(Steering, GivesEachPacketItsStage) {
  for (const auto& cases : {service_cases(), other_cases()}) {
    for (const Case& c : cases) {
      const Decision decision = decide(c.frame);
      EXPECT_EQ(static_cast<int>(decision.action), static_cast<int>(c.action)) << c.description;
      if (c.action == Action::kDrop) {
        EXPECT_EQ(ipc::kCounterInfo[static_cast<std::size_t>(decision.drop)].name,
                  ipc::kCounterInfo[static_cast<std::size_t>(c.drop)].name)
            << c.description;
      }
    }
  }
}

TEST(Steering, DnsStaysOnAWorkerThatHasTheRole) {
  EXPECT_EQ(decide(udp_frame(kClient, kDns, 53), 0).worker, 0);
  EXPECT_EQ(decide(udp_frame(kClient, kDns, 53), 1).worker, 1);
  EXPECT_LE(decide(udp_frame(kClient, kDns, 53), 2).worker, 1) << "worker 2 has no DNS";
}

TEST(Steering, EveryWorkerSendsAFlowToTheSameL7Worker) {
  std::set<int> used;
  for (std::uint16_t port = 1000; port < 1100; ++port) {
    const Frame frame = tcp_frame(kClient, port, kProxied, 80);
    const std::uint8_t worker = decide(frame, 0).worker;
    used.insert(worker);
    for (std::uint8_t self = 1; self < 4; ++self) EXPECT_EQ(decide(frame, self).worker, worker);
  }
  EXPECT_EQ(used, (std::set<int>{2, 3}));
}

TEST(Steering, TheFlowHashIsSymmetricAndKeyed) {
  auto first = make_steering();
  SteeringConfig config = first->config();
  config.key.bytes[5] = 77;
  const WorkerSet& l7 = config.l7;
  const auto second = std::make_unique<Steering>(config);
  int differ = 0;
  for (std::uint16_t port = 1; port < 200; ++port) {
    const base::Endpoint local{address(kProxied), 80};
    const base::Endpoint remote{address(kClient), port};
    EXPECT_EQ(first->worker_of_flow(l7, local, remote), first->worker_of_flow(l7, remote, local));
    if (first->worker_of_flow(l7, local, remote) != second->worker_of_flow(l7, local, remote))
      ++differ;
  }
  EXPECT_GT(differ, 50) << "without the key nobody can tell the worker";
}

TEST(Steering, OriginPacketsAndTheirErrorsFindTheWorkerOfTheirPort) {
  const auto partition = PortPartition::split(32768, 2);
  for (std::uint8_t i = 0; i < 2; ++i) {
    for (const std::uint16_t port : {partition.range_of(i).first, partition.range_of(i).last}) {
      EXPECT_EQ(decide(tcp_frame(kClient, 80, kOwn, port, 0x10)).worker, 2 + i);
      EXPECT_EQ(decide(icmp_frame(kOwn, quoting(kOwn, port))).worker, 2 + i);
    }
  }
}

TEST(Steering, AnErrorFindsTheWorkerOfTheConnectionItQuotes) {
  const Decision segment = decide(tcp_frame(kClient, 4000, kProxied, 80));
  EXPECT_EQ(decide(icmp_frame(kProxied, quoting(kProxied, 80))).worker, segment.worker);
}

TEST(Steering, WithoutL7WorkersTheKernelKeepsThePortsAndClientsAreRefused) {
  SteeringConfig config = make_steering()->config();
  config.l7 = {};
  config.ports = PortPartition::split(32768, 0);
  Steering steering(config);
  steering.add_service(address(kProxied), kServiceHttp);
  steering.add_http_port(80);
  const auto ask = [&](const Frame& frame) {
    net::Packet packet;
    EXPECT_EQ(net::parse_frame(frame, net::Link{kOurMac, 0, false}, false, packet),
              net::Verdict::kAccepted);
    return steering.decide(frame, packet, 0);
  };
  EXPECT_EQ(ask(tcp_frame(kClient, 80, kOwn, 40000)).action, Action::kKernel);
  EXPECT_EQ(ask(tcp_frame(kClient, 4000, kProxied, 80)).drop, Counter::kDropPortClosed);
}

TEST(ServiceTable, RefusesMoreThanItsCapacityAndKeepsWhatItHas) {
  auto table = std::make_unique<ServiceTable>(base::HashKey{});
  for (std::uint32_t i = 0; i < kServiceAddressesMax; ++i) {
    ASSERT_TRUE(table->add(IpAddress::v4(0x0a000000 + i), kServiceDns));
  }
  EXPECT_FALSE(table->add(IpAddress::v4(1), kServiceDns));
  EXPECT_TRUE(table->add(IpAddress::v4(0x0a000000), kServiceHttp)) << "already there";
  EXPECT_EQ(table->find(IpAddress::v4(0x0a000000)), kServiceDns | kServiceHttp);
  EXPECT_EQ(table->find(IpAddress::v4(0x0a0001ff)), kServiceDns);
  EXPECT_EQ(table->find(IpAddress::v4(1)), kServiceNone);
}

}  // namespace
}  // namespace brink::steer
