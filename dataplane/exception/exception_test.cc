// Runs in a network namespace of its own with a real TAP interface; needs root.
#include <gtest/gtest.h>
#include <net/if.h>
#include <rte_mbuf.h>
#include <rte_ring.h>
#include <sched.h>
#include <unistd.h>

#include <chrono>
#include <thread>

#include "dataplane/base/bytes.h"
#include "dataplane/eal/environment.h"
#include "dataplane/exception/kernel_port.h"
#include "dataplane/exception/rtnetlink.h"
#include "dataplane/net/test_frames.h"

namespace brink::exception {
namespace {

using namespace net::test;  // NOLINT: the frame builders are this file's vocabulary
using base::IpAddress;

const base::Time kNow{std::chrono::seconds(9)};

class ExceptionTest : public ::testing::Test {
 protected:
  static void SetUpTestSuite() {
    if (::geteuid() != 0 || ::unshare(CLONE_NEWNET) != 0) return;
    eal::EalConfig config;
    config.hugepages = eal::Hugepages::kOff;
    config.memory_mb = 64;
    config.log_level = 1;
    config.file_prefix = "brink_exception_test_" + std::to_string(::getpid());
    auto started = eal::Environment::start(config);
    ASSERT_TRUE(started.ok()) << started.error().message();
    environment_ = std::move(started).value().release();
  }
  static void TearDownTestSuite() { delete environment_; }
  void SetUp() override {
    if (environment_ == nullptr) GTEST_SKIP() << "needs root and network namespaces";
    mesh_ = std::move(steer::Mesh::create(1)).value();
    pool_ = std::move(eal::make_pool("frames", 256, 2048, -1)).value();
    config_.mac = kOurMac;
  }
  void TearDown() override {
    if (mesh_) mesh_->drain();
  }

  void to_kernel(const Frame& frame) {
    rte_mbuf* mbuf = rte_pktmbuf_alloc(pool_.get());
    std::copy(frame.begin(), frame.end(),
              reinterpret_cast<std::uint8_t*>(
                  rte_pktmbuf_append(mbuf, static_cast<std::uint16_t>(frame.size()))));
    ASSERT_EQ(rte_ring_sp_enqueue(mesh_->kernel(0), mbuf), 0);
  }
  // Pumps until a frame of this ethertype comes out of the kernel, at most two seconds.
  Frame from_kernel(KernelPort& kernel, std::uint16_t ethertype, std::size_t type_offset = 12) {
    for (int i = 0; i < 2000; ++i) {
      kernel.pump();
      void* packet = nullptr;
      while (rte_ring_sc_dequeue(mesh_->transmit(1, 0), &packet) == 0) {
        auto* mbuf = static_cast<rte_mbuf*>(packet);
        const auto* at = rte_pktmbuf_mtod(mbuf, const std::uint8_t*);
        const Frame frame(at, at + mbuf->data_len);
        rte_pktmbuf_free(mbuf);
        if (base::load_be16(frame.data() + type_offset) == ethertype) return frame;
      }
      std::this_thread::sleep_for(std::chrono::milliseconds(1));
    }
    return {};
  }

  static inline eal::Environment* environment_ = nullptr;
  eal::Pool pool_;
  std::unique_ptr<steer::Mesh> mesh_;
  KernelPortConfig config_;
};

Frame arp_request_for(const std::string& target) {
  return ethernet(0x0806, hex("0001 0800 06 04 0001 020000000099 c0000201 000000000000") +
                              address_bytes(target));
}

TEST_F(ExceptionTest, TheKernelAnswersArpForTheBox) {
  auto kernel = KernelPort::open(config_, *mesh_);
  ASSERT_TRUE(kernel.ok()) << kernel.error().message();
  ASSERT_TRUE(set_up_interface("brink0", {{*IpAddress::parse("192.0.2.2"), 28}},
                               {*IpAddress::parse("192.0.2.1")})
                  .ok());
  to_kernel(arp_request_for("192.0.2.2"));
  const Frame reply = from_kernel(*kernel.value(), 0x0806);
  ASSERT_GE(reply.size(), 42U);
  EXPECT_EQ(net::MacAddress::from_wire(reply.data()), kPeerMac);
  EXPECT_EQ(net::MacAddress::from_wire(reply.data() + 22), kOurMac) << "the port's own address";
  EXPECT_EQ(reply[21], 2) << "a reply";
}

TEST_F(ExceptionTest, TheKernelNeverSeesTheVlanTag) {
  config_.vlan_id = 42;
  auto kernel = KernelPort::open(config_, *mesh_);
  ASSERT_TRUE(kernel.ok()) << kernel.error().message();
  ASSERT_TRUE(set_up_interface("brink0", {{*IpAddress::parse("192.0.2.2"), 28}}, {}).ok());
  const Frame untagged = arp_request_for("192.0.2.2");
  to_kernel(vlan(42, 0x0806, Frame(untagged.begin() + 14, untagged.end())));
  const Frame reply = from_kernel(*kernel.value(), 0x0806, 16);
  ASSERT_GE(reply.size(), 46U);
  EXPECT_EQ(base::load_be16(reply.data() + 12), 0x8100);
  EXPECT_EQ(base::load_be16(reply.data() + 14), 42);
}

TEST_F(ExceptionTest, ClosingTakesTheInterfaceAwayAndItCanBeMadeAgain) {
  for (int i = 0; i < 2; ++i) {
    auto kernel = KernelPort::open(config_, *mesh_);
    ASSERT_TRUE(kernel.ok()) << kernel.error().message();
    EXPECT_NE(::if_nametoindex("brink0"), 0U);
    kernel.value().reset();
    EXPECT_EQ(::if_nametoindex("brink0"), 0U);
  }
}

TEST_F(ExceptionTest, AWantedNeighbourIsResolvedByTheKernelIntoTheTable) {
  auto kernel = KernelPort::open(config_, *mesh_);
  ASSERT_TRUE(kernel.ok()) << kernel.error().message();
  ASSERT_TRUE(set_up_interface("brink0", {{*IpAddress::parse("192.0.2.2"), 28}}, {}).ok());
  net::NeighbourTable table;
  auto feed = NeighbourFeed::open("brink0", table);
  ASSERT_TRUE(feed.ok()) << feed.error().message();
  const IpAddress gateway = *IpAddress::parse("192.0.2.1");
  ASSERT_TRUE(feed.value()->poll().ok());
  EXPECT_FALSE(table.find(gateway).has_value());

  feed.value()->resolve(gateway, kNow);
  const Frame question = from_kernel(*kernel.value(), 0x0806);
  ASSERT_GE(question.size(), 42U) << "the kernel asks who has the gateway's address";
  EXPECT_EQ(Frame(question.begin() + 38, question.begin() + 42), address_bytes("192.0.2.1"));
  to_kernel(ethernet(0x0806, hex("0001 0800 06 04 0002 020000000099 c0000201"
                                 "020000000001 c0000202")));
  for (int i = 0; i < 1000 && !table.find(gateway); ++i) {
    kernel.value()->pump();
    ASSERT_TRUE(feed.value()->poll().ok());
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
  }
  EXPECT_EQ(table.find(gateway), kPeerMac);

  // A feed opened later learns it from the dump.
  net::NeighbourTable second_table;
  auto second = NeighbourFeed::open("brink0", second_table);
  ASSERT_TRUE(second.ok());
  for (int i = 0; i < 100 && !second_table.find(gateway); ++i) {
    ASSERT_TRUE(second.value()->poll().ok());
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
  }
  EXPECT_EQ(second_table.find(gateway), kPeerMac);
}

TEST_F(ExceptionTest, SettingUpWhatIsNotThereNamesIt) {
  const auto missing = set_up_interface("nonesuch0", {}, {});
  ASSERT_FALSE(missing.ok());
  EXPECT_EQ(missing.error().where, "nonesuch0");
  net::NeighbourTable table;
  EXPECT_FALSE(NeighbourFeed::open("nonesuch0", table).ok());
  auto kernel = KernelPort::open(config_, *mesh_);
  ASSERT_TRUE(kernel.ok());
  const auto no_route = set_up_interface("brink0", {}, {*IpAddress::parse("192.0.2.1")});
  ASSERT_FALSE(no_route.ok()) << "the gateway is on no network of the interface";
  EXPECT_NE(no_route.error().what.find("192.0.2.1"), std::string::npos);
}

TEST(KernelDevice, CarriesThePortsStationAddress) {
  KernelPortConfig config;
  config.mac = kOurMac;
  EXPECT_EQ(kernel_device(config), "net_tap0,iface=brink0,mac=02:00:00:00:00:01");
  config.device = KernelDevice::kVirtioUser;
  EXPECT_NE(kernel_device(config).find("path=/dev/vhost-net"), std::string::npos);
}

}  // namespace
}  // namespace brink::exception
