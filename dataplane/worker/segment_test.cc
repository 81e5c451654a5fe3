// TCP segments in and out, steering between workers, full ports and rings.
#include "dataplane/worker/worker_fixture.h"

namespace brink::worker::test {
namespace {

Frame segment_to(const std::string& to, std::uint16_t port) {
  return ethernet(0x0800, ipv4(6, kClient, to, tcp_syn(kClient, 4000, to, port)));
}

TEST_F(WorkerTest, ASegmentOfAnotherWorkersFlowIsHandedOver) {
  Worker& first = make(0);
  Worker& second = make(1);
  ports_[0]->push(segment_to(kProxied, 80));
  ports_[0]->push(
      ethernet(0x0800, ipv4(6, kClient, kOwn, tcp_segment(kClient, 80, kOwn, 40000, 0x12))));
  first.turn(kNow);
  EXPECT_TRUE(stages_[0].segments.empty());
  EXPECT_EQ(count(Counter::kSteeredOut, 0), 2U);
  second.turn(kNow);
  ASSERT_EQ(stages_[1].segments.size(), 2U);
  EXPECT_EQ(stages_[1].segments[0], tcp_syn(kClient, 4000, kProxied, 80));
  EXPECT_EQ(count(Counter::kSteeredIn, 1), 2U);
}

TEST_F(WorkerTest, AFullRingToAnotherWorkerDropsAndCounts) {
  Worker& first = make(0);
  for (std::uint32_t i = 0; i < steer::kSteerRingSize + 9; ++i) {
    ports_[0]->push(segment_to(kProxied, 80));
  }
  while (first.turn(kNow)) {
  }
  EXPECT_EQ(count(Counter::kSteeredOut), steer::kSteerRingSize - 1);
  EXPECT_EQ(count(Counter::kDropSteerFull), 10U);
}

TEST_F(WorkerTest, ABadTcpChecksumNeverReachesTheStack) {
  Worker& worker = make(1);
  Frame bad = segment_to(kProxied, 80);
  bad[14 + 20 + 4] ^= 1;
  ports_[1]->push(bad);
  worker.turn(kNow);
  EXPECT_TRUE(stages_[1].segments.empty());
  EXPECT_EQ(count(Counter::kDropTcpChecksum, 1), 1U);
  ports_[1]->set_receive_flags(RTE_MBUF_F_RX_L4_CKSUM_GOOD);
  ports_[1]->push(bad);
  worker.turn(kNow);
  EXPECT_EQ(stages_[1].segments.size(), 1U) << "the port says that it is good";
}

TEST_F(WorkerTest, AnIcmpErrorReachesTheStackOfItsConnection) {
  Worker& worker = make(1);
  Frame message =
      hex("0304 0000 0000 0500") + ipv4(6, kProxied, kClient, tcp_syn(kProxied, 80, kClient, 4000));
  put16(message, 2, plain_checksum(message));
  ports_[1]->push(ethernet(0x0800, ipv4(1, "198.51.100.1", kProxied, message)));
  worker.turn(kNow);
  ASSERT_EQ(stages_[1].errors.size(), 1U);
  EXPECT_EQ(stages_[1].errors[0].mtu, 1280);
  EXPECT_EQ(count(Counter::kIcmpErrors, 1), 1U);
}

TestStages::Out outgoing(const Frame& payload) {
  Frame header = tcp_syn(kProxied, 80, kClient, 4000);
  put16(header, 16, 0);
  return {address(kProxied), address(kClient), header, payload};
}

TEST_F(WorkerTest, ASegmentGoesOutByTheGateway) {
  Worker& worker = make(1);
  stages_[1].out.push_back(outgoing(hex("cafe")));
  EXPECT_TRUE(worker.turn(kNow));
  ASSERT_EQ(ports_[1]->sent().size(), 1U);
  const Frame& frame = ports_[1]->sent()[0];
  EXPECT_EQ(net::MacAddress::from_wire(frame.data()), kPeerMac);
  net::Packet packet;
  const net::Link peer{kPeerMac, 0, false};
  ASSERT_EQ(net::parse_frame(frame, peer, false, packet), net::Verdict::kAccepted);
  EXPECT_EQ(net::check_tcp(frame, packet, false), net::Verdict::kAccepted);
  EXPECT_EQ(packet.l4_size, 22);
}

TEST_F(WorkerTest, APortThatSumsGetsTheSeedAndTheFlags) {
  WorkerConfig config = base_config(1);
  config.checksums_by_port = true;
  Worker& worker = make(config);
  stages_[1].out.push_back(outgoing({}));
  ports_[1]->push(query(hex("01")));
  worker.turn(kNow);
  ASSERT_EQ(ports_[1]->sent_flags().size(), 2U);
  const auto has = [&](std::size_t i, std::uint64_t flags) {
    return (ports_[1]->sent_flags()[i] & flags) == flags;
  };
  EXPECT_TRUE(has(0, RTE_MBUF_F_TX_IPV4 | RTE_MBUF_F_TX_IP_CKSUM | RTE_MBUF_F_TX_UDP_CKSUM));
  EXPECT_TRUE(has(1, RTE_MBUF_F_TX_IPV4 | RTE_MBUF_F_TX_IP_CKSUM | RTE_MBUF_F_TX_TCP_CKSUM));
  // What the port would compute from the seed is what software computes.
  const Frame& frame = ports_[1]->sent()[1];
  const Frame segment(frame.begin() + 34, frame.end());
  Frame whole = tcp_syn(kProxied, 80, kClient, 4000);
  EXPECT_EQ(plain_checksum(segment), static_cast<std::uint16_t>(whole[16] << 8 | whole[17]));
}

TEST_F(WorkerTest, WithoutALinkAddressTheKernelIsAskedAndTheDropCounted) {
  Worker& worker = make(1);
  neighbours_.erase(address(kGateway));
  stages_[1].out.push_back(outgoing({}));
  worker.turn(kNow);
  EXPECT_TRUE(ports_[1]->sent().empty());
  EXPECT_EQ(count(Counter::kDropNoNeighbour, 1), 1U);
  EXPECT_EQ(wanted_.take(), address(kGateway));

  routes_.gateway_v4.reset();
  stages_[1].out.push_back(outgoing({}));
  worker.turn(kNow);
  EXPECT_EQ(count(Counter::kDropNoRoute, 1), 1U);
}

TEST_F(WorkerTest, SegmentsWaitInTheStackWhileThePortIsFull) {
  Worker& worker = make(1);
  for (int i = 0; i < 60; ++i) stages_[1].out.push_back(outgoing({}));
  ports_[1]->set_room(5);
  worker.turn(kNow);
  EXPECT_EQ(ports_[1]->sent().size(), 5U);
  EXPECT_EQ(count(Counter::kDropTxFull, 1), 0U);
  const std::size_t left = stages_[1].out.size();
  EXPECT_GT(left, 0U);
  EXPECT_TRUE(worker.turn(kNow)) << "frames wait: no time to sleep";
  ports_[1]->set_room(SIZE_MAX);
  while (worker.turn(kNow)) {
  }
  EXPECT_EQ(ports_[1]->sent().size(), 60U);
}

TEST_F(WorkerTest, ASegmentPoolRunDryLeavesDnsAlone) {
  Worker& worker = make(1);
  std::vector<rte_mbuf*> taken;
  while (rte_mbuf* mbuf = rte_pktmbuf_alloc(segment_pool_.get())) taken.push_back(mbuf);
  stages_[1].out.push_back(outgoing({}));
  ports_[1]->push(query(hex("01")));
  worker.turn(kNow);
  EXPECT_EQ(count(Counter::kDropNoMbuf, 1), 1U);
  EXPECT_EQ(ports_[1]->sent().size(), 1U);
  for (rte_mbuf* mbuf : taken) rte_pktmbuf_free(mbuf);
}

TEST_F(WorkerTest, AFullPortDropsAnswersAndCounts) {
  Worker& worker = make(0);
  ports_[0]->set_room(0);
  for (int i = 0; i < 100; ++i) ports_[0]->push(query(hex("01")));
  for (int i = 0; i < 10; ++i) worker.turn(kNow);
  EXPECT_EQ(count(Counter::kDropTxFull), 100U - kTransmitBuffer);
  EXPECT_EQ(count(Counter::kTxPackets), 0U);
}

TEST_F(WorkerTest, AWorkerWithoutAQueueSendsByTheOwnersRing) {
  WorkerConfig config = base_config(1);
  config.queue = {};
  config.transmit_owner = 0;
  Worker& second = make(config);
  Worker& first = make(0);
  stages_[1].out.push_back(outgoing(hex("cafe")));
  second.turn(kNow);
  EXPECT_TRUE(ports_[0]->sent().empty());
  EXPECT_TRUE(first.turn(kNow));
  ASSERT_EQ(ports_[0]->sent().size(), 1U);
  EXPECT_EQ(count(Counter::kTxPackets, 0), 1U);
  EXPECT_EQ(count(Counter::kTxPackets, 1), 0U);
}

}  // namespace
}  // namespace brink::worker::test
