// WorkerTest: workers over fake ports, with stages that show what reached them. Every test must
// give back every packet.
#pragma once

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
#include "dataplane/worker/worker.h"

namespace brink::worker::test {

using namespace net::test;  // NOLINT: the frame builders are this file's vocabulary
using base::IpAddress;
using ipc::Counter;

inline const std::string kClient = "198.51.100.10";
inline const std::string kDns = "192.0.2.129";
inline const std::string kProxied = "192.0.2.140";
inline const std::string kOwn = "192.0.2.2";
inline const std::string kGateway = "192.0.2.1";
inline const std::string kClient6 = "2001:db8:c::10";
inline const std::string kDns6 = "2001:db8:a::129";
inline const base::Time kNow{std::chrono::seconds(5)};

inline IpAddress address(const std::string& text) {
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
  std::uint16_t last_capacity = 0;
  bool refuse = false;

  static TestStages& of(void* self) { return *static_cast<TestStages*>(self); }
  StageTable table() {
    StageTable t;
    t.self = this;
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
    config.latency = &latencies_[index];
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
  ipc::WorkerLatency shared_latencies_[2];
  ipc::TurnLatency latencies_[2] = {ipc::TurnLatency(shared_latencies_[0]),
                                    ipc::TurnLatency(shared_latencies_[1])};
  TestStages stages_[2];
  std::unique_ptr<Worker> workers_[2];
};

inline Frame query(const Frame& data, const Frame& options = {}) {
  return ethernet(0x0800, ipv4(17, kClient, kDns, udp(kClient, 4000, kDns, 53, data), options));
}

inline Frame answer(const Frame& data) {
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

}  // namespace brink::worker::test
