// Frames in: DNS, drops, echo, ARP, the kernel's share.
#include "dataplane/worker/worker_fixture.h"

namespace brink::worker::test {
namespace {

TEST_F(WorkerTest, AnswersADatagramTheWayItCame) {
  Worker& worker = make(0);
  ports_[0]->push(query(hex("010203")));
  EXPECT_TRUE(worker.turn(kNow));
  ASSERT_EQ(ports_[0]->sent().size(), 1U);
  EXPECT_EQ(ports_[0]->sent()[0], answer(hex("030201aa")));
  EXPECT_EQ(count(Counter::kRxPackets), 1U);
  EXPECT_EQ(count(Counter::kTxPackets), 1U);
  EXPECT_EQ(count(Counter::kTxBytes), answer(hex("030201aa")).size());
  EXPECT_FALSE(worker.turn(kNow)) << "nothing is left to do";
}

TEST_F(WorkerTest, OptionsExtensionsAndPaddingDoNotComeBack) {
  Worker& worker = make(0);
  ports_[0]->push(query(hex("01"), Frame(40, 1)) + Frame(9, 0x77));
  Frame extension = hex("1100000000000000");
  ports_[0]->push(ethernet(
      0x86dd, ipv6(60, kClient6, kDns6, extension + udp(kClient6, 4000, kDns6, 53, hex("01")))));
  worker.turn(kNow);
  ASSERT_EQ(ports_[0]->sent().size(), 2U);
  EXPECT_EQ(ports_[0]->sent()[0], answer(hex("01aa")));
  EXPECT_EQ(ports_[0]->sent()[1].size(), 14U + 40 + 8 + 2);
  EXPECT_EQ(count(Counter::kIpv4Options), 1U);
}

TEST_F(WorkerTest, AnAnswerIsNeverLargerThanTheLink) {
  Worker& worker = make(0);
  ports_[0]->push(query(hex("01")));
  worker.turn(kNow);
  EXPECT_EQ(stages_[0].last_capacity, 1500 - 28);
  WorkerConfig jumbo = base_config(0);
  jumbo.mtu = 9000;
  Worker& large = make(jumbo);
  ports_[0]->push(query(hex("01")));
  large.turn(kNow);
  EXPECT_EQ(stages_[0].last_capacity, 2048 - 42) << "bounded by the buffer";
}

TEST_F(WorkerTest, ABurstLargerThanTheBatchIsAnsweredWhole) {
  Worker& worker = make(0);
  for (std::uint8_t i = 0; i < 100; ++i) ports_[0]->push(query(Frame{i}));
  while (worker.turn(kNow)) {
  }
  ASSERT_EQ(ports_[0]->sent().size(), 100U);
  for (std::uint8_t i = 0; i < 100; ++i) EXPECT_EQ(ports_[0]->sent()[i], answer(Frame{i, 0xaa}));
}

TEST_F(WorkerTest, NotesHowLongAnswersTookOnceTheyAreWithThePort) {
  Worker& worker = make(0);
  const auto counts = [&](std::uint64_t ns) {
    latencies_[0].close(kNow + std::chrono::nanoseconds(ns));
    return base::percentiles_of(shared_latencies_[0].kinds[0].counts);
  };
  stages_[0].refuse = true;
  ports_[0]->push(query(hex("01")));
  worker.turn(kNow);
  EXPECT_TRUE(latencies_[0].empty()) << "what was not answered";
  stages_[0].refuse = false;
  for (std::uint8_t i = 0; i < 5; ++i) ports_[0]->push(query(Frame{i}));
  worker.turn(kNow);
  EXPECT_EQ(counts(200).count, 5U);
  EXPECT_LE(counts(200).max, 207U);

  ports_[0]->set_room(2);
  for (std::uint8_t i = 0; i < 5; ++i) ports_[0]->push(query(Frame{i}));
  worker.turn(kNow + std::chrono::nanoseconds(1000));
  EXPECT_TRUE(latencies_[0].empty()) << "three wait";
  ports_[0]->set_room(10);
  worker.turn(kNow + std::chrono::nanoseconds(2000));
  const auto told = counts(3000);
  EXPECT_EQ(told.count, 10U);
  EXPECT_GE(told.max, 2000U) << "since they came";
}

TEST_F(WorkerTest, AStageMayRefuseToAnswer) {
  Worker& worker = make(0);
  stages_[0].refuse = true;
  ports_[0]->push(query(hex("01")));
  worker.turn(kNow);
  EXPECT_EQ(stages_[0].requests.size(), 1U);
  EXPECT_TRUE(ports_[0]->sent().empty());
}

TEST_F(WorkerTest, EveryDropHasItsNameAndNothingComesOut) {
  struct Case {
    Counter counter;
    Frame frame;
  };
  const auto changed = [](Frame frame, std::size_t at, std::uint8_t value) {
    frame[at] = value;
    return frame;
  };
  const Case cases[] = {
      {Counter::kDropEthernetTruncated, Frame(13)},
      {Counter::kDropEthernetForeign, changed(query(hex("01")), 5, 9)},
      {Counter::kDropEthertypeUnknown, ethernet(0x88cc, Frame(40))},
      {Counter::kDropVlanUnknown, vlan(7, 0x0800, Frame(40))},
      {Counter::kDropIpv4Malformed, changed(query(hex("01")), 14, 0x44)},
      {Counter::kDropIpv4Checksum, changed(query(hex("01")), 24, 0)},
      {Counter::kDropIpv6Malformed, ethernet(0x86dd, Frame(39, 0x60))},
      {Counter::kDropIpv6Extension, ethernet(0x86dd, ipv6(60, kClient6, kDns6, Frame(4)))},
      {Counter::kDropUdpChecksum, changed(query(hex("01")), 42, 2)},
      {Counter::kDropUdpMalformed, changed(query(hex("01")), 39, 99)},
      {Counter::kDropIcmpMalformed, ethernet(0x0800, ipv4(1, kClient, kDns, hex("0800")))},
      {Counter::kDropBadSource,
       ethernet(0x0800, ipv4(17, "127.0.0.1", kDns, udp("127.0.0.1", 4, kDns, 53, {})))},
      {Counter::kDropPortClosed,
       ethernet(0x0800, ipv4(17, kClient, kDns, udp(kClient, 4, kDns, 54, {})))},
      {Counter::kDropArpMalformed,
       ethernet(0x0806, hex("0001 0800 06 04 0002 020000000099 c0000201 000000000000") +
                            address_bytes(kDns))},
  };
  Worker& worker = make(0);
  for (const Case& c : cases) {
    ports_[0]->push(c.frame);
    worker.turn(kNow);
    EXPECT_EQ(count(c.counter), 1U) << ipc::kCounterInfo[static_cast<int>(c.counter)].name;
  }
  EXPECT_TRUE(ports_[0]->sent().empty());
  EXPECT_TRUE(stages_[0].requests.empty());
  EXPECT_TRUE(kernel_frames().empty());
}

TEST_F(WorkerTest, AnswersEchoUpToItsLimit) {
  WorkerConfig config = base_config(0);
  config.echo_per_s = 10;  // and a burst of two
  Worker& worker = make(config);
  for (int i = 0; i < 5; ++i) {
    ports_[0]->push(ethernet(0x0800, ipv4(1, kClient, kDns, echo_request(hex("77")))));
  }
  worker.turn(kNow);
  EXPECT_EQ(ports_[0]->sent().size(), 2U);
  EXPECT_EQ(count(Counter::kIcmpEchoReplies), 2U);
  EXPECT_EQ(count(Counter::kDropIcmpLimit), 3U);
}

TEST_F(WorkerTest, AnswersArpAndSolicitationsForServiceAddresses) {
  Worker& worker = make(0);
  const Frame arp = hex("0001 0800 06 04 0001 020000000099 c0000201 000000000000");
  ports_[0]->push(ethernet(0x0806, arp + address_bytes(kDns)));
  const std::string group = "ff02::1:ff00:129";
  const Frame solicitation =
      summed(58, "fe80::99", group, hex("87 00 0000 00000000") + address_bytes(kDns6), 2);
  ports_[0]->push(ethernet(0x86dd, ipv6(58, "fe80::99", group, solicitation, 255),
                           *net::MacAddress::parse("33:33:ff:00:01:29")));
  worker.turn(kNow);
  EXPECT_EQ(ports_[0]->sent().size(), 2U);
  EXPECT_EQ(count(Counter::kLinkReplies), 2U);
  EXPECT_EQ(count(Counter::kExceptionOut), 0U);
}

TEST_F(WorkerTest, TheBoxsOwnFramesReachTheKernelUnchanged) {
  Worker& worker = make(0);
  const Frame ssh = ethernet(0x0800, ipv4(6, kClient, kOwn, tcp_syn(kClient, 4000, kOwn, 22)));
  ports_[0]->push(ssh);
  worker.turn(kNow);
  ASSERT_EQ(kernel_frames(), std::vector<Frame>{ssh});
  EXPECT_EQ(count(Counter::kExceptionOut), 1U);
}

TEST_F(WorkerTest, AFloodToTheBoxDoesNotStarveArp) {
  WorkerConfig config = base_config(0);
  config.kernel_host_per_s = 10;
  config.kernel_link_per_s = 10;
  Worker& worker = make(config);
  const Frame arp = ethernet(
      0x0806, hex("0001 0800 06 04 0001 020000000099 c0000201 000000000000") + address_bytes(kOwn));
  for (int i = 0; i < 20; ++i) {
    ports_[0]->push(ethernet(0x0800, ipv4(6, kClient, kOwn, tcp_syn(kClient, 1, kOwn, 22))));
  }
  ports_[0]->push(arp);
  worker.turn(kNow);
  EXPECT_EQ(count(Counter::kDropExceptionLimit), 18U);
  const auto frames = kernel_frames();
  ASSERT_EQ(frames.size(), 3U);
  EXPECT_EQ(frames.back(), arp);
}

TEST_F(WorkerTest, AFullKernelRingDropsAndCounts) {
  WorkerConfig config = base_config(0);
  config.kernel_host_per_s = 0;
  Worker& worker = make(config);
  const Frame ssh = ethernet(0x0800, ipv4(6, kClient, kOwn, tcp_syn(kClient, 4000, kOwn, 22)));
  for (std::uint32_t i = 0; i < steer::kKernelRingSize + 10; ++i) ports_[0]->push(ssh);
  while (worker.turn(kNow)) {
  }
  EXPECT_EQ(count(Counter::kExceptionOut), steer::kKernelRingSize - 1);
  EXPECT_EQ(count(Counter::kDropExceptionFull), 11U);
}

TEST_F(WorkerTest, WithoutAKernelPathItsFramesAreDropped) {
  WorkerConfig config = base_config(0);
  config.kernel_path = false;
  Worker& worker = make(config);
  ports_[0]->push(ethernet(0x0800, ipv4(6, kClient, kOwn, tcp_syn(kClient, 4000, kOwn, 22))));
  worker.turn(kNow);
  EXPECT_EQ(count(Counter::kDropNoKernelPath), 1U);
}

TEST_F(WorkerTest, TheKernelsFramesGoOutUnchanged) {
  Worker& worker = make(0);
  const Frame frame = query(hex("0102"));
  rte_mbuf* mbuf = rte_pktmbuf_alloc(pool_.get());
  std::copy(frame.begin(), frame.end(),
            reinterpret_cast<std::uint8_t*>(
                rte_pktmbuf_append(mbuf, static_cast<std::uint16_t>(frame.size()))));
  ASSERT_EQ(rte_ring_sp_enqueue(mesh_->transmit(mesh_->workers(), 0), mbuf), 0);
  worker.turn(kNow);
  EXPECT_EQ(ports_[0]->sent(), std::vector<Frame>{frame});
  EXPECT_EQ(count(Counter::kExceptionIn), 1U);
}

TEST_F(WorkerTest, DnsOnAWorkerWithoutTheRoleIsHandedToOneThatHasIt) {
  steer::SteeringConfig config = steering_->config();
  config.dns = {};
  config.dns.add(0);
  steering_ = std::make_unique<steer::Steering>(config);
  steering_->add_service(address(kDns), steer::kServiceDns);
  Worker& first = make(0);
  Worker& second = make(1);
  ports_[1]->push(query(hex("01")));
  second.turn(kNow);
  first.turn(kNow);
  EXPECT_EQ(ports_[0]->sent(), std::vector<Frame>{answer(hex("01aa"))});
  EXPECT_TRUE(stages_[1].requests.empty());
}

}  // namespace
}  // namespace brink::worker::test
