#include "dataplane/worker/worker.h"

#include <gtest/gtest.h>
#include <rte_mbuf.h>
#include <rte_mempool.h>
#include <rte_ring.h>
#include <unistd.h>

#include <algorithm>
#include <deque>
#include <memory>
#include <set>

#include "dataplane/eal/environment.h"
#include "dataplane/eal/pool.h"
#include "dataplane/net/test_frames.h"
#include "dataplane/port/fake_port.h"

namespace brink::worker {
namespace {

using namespace net::test;  // NOLINT: the frame builders are this file's vocabulary
using base::IpAddress;
using ipc::Counter;

const std::string kClient = "198.51.100.10";
const std::string kDns = "192.0.2.129";
const std::string kProxied = "192.0.2.140";
const std::string kOwn = "192.0.2.2";
const std::string kGateway = "192.0.2.1";
const std::string kClient6 = "2001:db8:c::10";
const std::string kDns6 = "2001:db8:a::129";
const base::Time kNow{std::chrono::seconds(5)};

IpAddress address(const std::string& text) {
  return *IpAddress::parse(text);
}

// Stages that do the least that shows what reached them: DNS reverses the request and appends 0xaa;
// TCP keeps segments and sends what a test queues.
struct TestStages {
  struct Out {
    IpAddress source, destination;
    Frame header, payload;
  };
  std::vector<Frame> requests;
  std::vector<Frame> segments;
  std::vector<net::IcmpError> errors;
  std::deque<Out> out;
  Out sending;
  int turns = 0;
  std::uint16_t last_capacity = 0;
  bool refuse = false;

  static TestStages& of(void* self) { return *static_cast<TestStages*>(self); }
  StageTable table() {
    StageTable t;
    t.self = this;
    t.begin = [](void* self, base::Time) noexcept { ++of(self).turns; };
    t.answer = [](void* self, std::span<Datagram> datagrams) noexcept {
      for (Datagram& d : datagrams) of(self).answer_one(d);
    };
    t.receive = [](void* self, const IpAddress&, const IpAddress&,
                   std::span<const std::uint8_t> segment, base::Time) noexcept {
      of(self).segments.emplace_back(segment.begin(), segment.end());
    };
    t.unreachable = [](void* self, const net::IcmpError& error, base::Time) noexcept {
      of(self).errors.push_back(error);
    };
    t.run = [](void*, base::Time) noexcept { return false; };
    t.next_segment = [](void* self, SegmentOut& segment, base::Time) noexcept {
      return of(self).take_segment(segment);
    };
    t.next_deadline = [](void*) noexcept { return base::Time::max(); };
    return t;
  }
  void answer_one(Datagram& d) noexcept {
    requests.emplace_back(d.data, d.data + d.size);
    last_capacity = d.capacity;
    if (refuse || d.size + 1 > d.capacity) {
      d.size = 0;
      return;
    }
    std::reverse(d.data, d.data + d.size);
    d.data[d.size++] = 0xaa;
  }
  bool take_segment(SegmentOut& s) noexcept {
    if (out.empty()) return false;
    sending = out.front();
    out.pop_front();
    s.source = sending.source;
    s.destination = sending.destination;
    s.parts[0] = sending.header;
    s.parts[1] = sending.payload;
    s.part_count = 2;
    s.size = static_cast<std::uint16_t>(sending.header.size() + sending.payload.size());
    return true;
  }
};

// Workers 0 (dns) and 1 (dns and l7) of one process; a test sets up either or both.
class WorkerTest : public ::testing::Test {
 protected:
  static void SetUpTestSuite() {
    eal::EalConfig config;
    config.hugepages = eal::Hugepages::kOff;
    config.memory_mb = 64;
    config.log_level = 1;
    config.file_prefix = "brink_worker_test_" + std::to_string(::getpid());
    auto started = eal::Environment::start(config);
    ASSERT_TRUE(started.ok()) << started.error().message();
    environment_ = std::move(started).value().release();
  }
  static void TearDownTestSuite() { delete environment_; }

  void SetUp() override {
    pool_ = std::move(eal::make_pool("rx", 2048, 2048, -1)).value();
    segment_pool_ = std::move(eal::make_pool("segments", 64, 2048, -1)).value();
    mesh_ = std::move(steer::Mesh::create(2)).value();
    for (auto& port : ports_) port = std::make_unique<port::FakePort>(pool_.get());
    steer::SteeringConfig config;
    config.dns.add(0);
    config.dns.add(1);
    config.l7.add(1);
    config.ports = steer::PortPartition::split(32768, 1);
    config.own_v4 = address(kOwn);
    steering_ = std::make_unique<steer::Steering>(config);
    steering_->add_service(address(kDns), steer::kServiceDns);
    steering_->add_service(address(kDns6), steer::kServiceDns);
    steering_->add_service(address(kProxied), steer::kServiceHttp);
    steering_->add_http_port(80);
    routes_.gateway_v4 = address(kGateway);
    neighbours_.put(address(kGateway), kPeerMac);
  }

  // Every packet must have come back to its pool, whatever a test did.
  void TearDown() override {
    for (auto& worker : workers_) {
      if (worker) worker->stop();
    }
    mesh_->drain();
    EXPECT_EQ(rte_mempool_in_use_count(pool_.get()), 0U);
    EXPECT_EQ(rte_mempool_in_use_count(segment_pool_.get()), 0U);
    mesh_.reset();
  }

  WorkerConfig base_config(std::uint8_t index) {
    WorkerConfig config;
    config.index = index;
    config.link.mac = kOurMac;
    config.queue = ports_[index]->queue();
    config.steering = steering_.get();
    config.mesh = mesh_.get();
    config.neighbours = &neighbours_;
    config.routes = &routes_;
    config.wanted = &wanted_;
    config.segment_pool = segment_pool_.get();
    config.counters = &counters_[index];
    config.stages = stages_[index].table();
    return config;
  }
  Worker& make(std::uint8_t index) { return make(base_config(index)); }
  Worker& make(const WorkerConfig& config) {
    workers_[config.index] = std::make_unique<Worker>(config);
    return *workers_[config.index];
  }
  std::uint64_t count(Counter counter, int index = 0) { return counters_[index].get(counter); }
  std::vector<Frame> kernel_frames(int index = 0) {
    std::vector<Frame> frames;
    void* packet = nullptr;
    while (rte_ring_sc_dequeue(mesh_->kernel(static_cast<std::uint32_t>(index)), &packet) == 0) {
      auto* mbuf = static_cast<rte_mbuf*>(packet);
      const auto* at = rte_pktmbuf_mtod(mbuf, const std::uint8_t*);
      frames.emplace_back(at, at + mbuf->data_len);
      rte_pktmbuf_free(mbuf);
    }
    return frames;
  }

  static inline eal::Environment* environment_ = nullptr;
  eal::Pool pool_, segment_pool_;
  std::unique_ptr<steer::Mesh> mesh_;
  std::unique_ptr<port::FakePort> ports_[2];
  std::unique_ptr<steer::Steering> steering_;
  net::NeighbourTable neighbours_;
  net::LinkRoutes routes_;
  net::WantedNeighbours wanted_;
  ipc::WorkerCounters counters_[2];
  TestStages stages_[2];
  std::unique_ptr<Worker> workers_[2];
};

Frame query(const Frame& data, const Frame& options = {}) {
  return ethernet(0x0800, ipv4(17, kClient, kDns, udp(kClient, 4000, kDns, 53, data), options));
}

Frame answer(const Frame& data) {
  Frame packet = ipv4(17, kDns, kClient, udp(kDns, 53, kClient, 4000, data));
  put16(packet, 4, 0);       // ID of an atomic datagram
  put16(packet, 6, 0x4000);  // DF
  packet[8] = 64;
  put16(packet, 10, 0);
  put16(packet, 10, plain_checksum(Frame(packet.begin(), packet.begin() + 20)));
  Frame frame(kPeerMac.bytes().begin(), kPeerMac.bytes().end());
  frame.insert(frame.end(), kOurMac.bytes().begin(), kOurMac.bytes().end());
  return frame + hex("0800") + packet;
}

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
}  // namespace brink::worker
