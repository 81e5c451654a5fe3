#include "dataplane/port/eth_port.h"

#include <gtest/gtest.h>
#include <rte_mbuf.h>
#include <unistd.h>

#include "dataplane/eal/environment.h"
#include "dataplane/eal/pool.h"

namespace brink::port {
namespace {

// The EAL starts once a process and is shared by the tests of this file.
class EthPortTest : public ::testing::Test {
 protected:
  static void SetUpTestSuite() {
    eal::EalConfig config;
    config.hugepages = eal::Hugepages::kOff;
    config.memory_mb = 128;
    config.log_level = 1;
    config.file_prefix = "brink_port_test_" + std::to_string(::getpid());
    auto started = eal::Environment::start(config);
    ASSERT_TRUE(started.ok()) << started.error().message();
    environment_ = std::move(started).value().release();
    auto pool = eal::make_pool("port_test", 8192, 2048, -1);
    ASSERT_TRUE(pool.ok());
    pool_ = std::move(pool).value().release();
  }
  static void TearDownTestSuite() {
    eal::PoolDeleter{}(pool_);
    delete environment_;
  }
  static PortConfig config(const std::string& device, std::uint32_t queues) {
    PortConfig config;
    config.device = device;
    config.queues = queues;
    config.rx_descriptors = config.tx_descriptors = 256;
    return config;
  }

  std::vector<rte_mempool*> pools(std::size_t count) { return std::vector(count, pool_); }
  std::vector<std::string> fallbacks_;
  static inline eal::Environment* environment_ = nullptr;
  static inline rte_mempool* pool_ = nullptr;
};

TEST_F(EthPortTest, GivesEachWorkerItsQueueAndTheRestNone) {
  auto port = EthPort::open(config("net_null0,size=64,copy=0", 2), pools(2), fallbacks_);
  ASSERT_TRUE(port.ok()) << port.error().message();
  EXPECT_GE(port.value()->queues(), 1U);
  rte_mbuf* burst[kBurst];
  const std::uint16_t count = port.value()->queue(0).receive(burst, kBurst);
  EXPECT_EQ(count, kBurst);
  EXPECT_EQ(burst[0]->data_len, 64);
  EXPECT_EQ(port.value()->queue(0).transmit(burst, count), count);
  const Queue none = port.value()->queue(port.value()->queues());
  EXPECT_FALSE(none.can_receive());
  EXPECT_FALSE(none.can_transmit());
  EXPECT_EQ(none.receive(burst, kBurst), 0);
  EXPECT_EQ(port.value()->state().rx_packets, kBurst);
}

TEST_F(EthPortTest, CanBeOpenedAgainAfterClosing) {
  for (int i = 0; i < 2; ++i) {
    auto port = EthPort::open(config("net_null0", 1), pools(1), fallbacks_);
    ASSERT_TRUE(port.ok()) << port.error().message();
  }
}

TEST_F(EthPortTest, SaysWhyADeviceDoesNotWork) {
  const auto port = EthPort::open(config("net_nonesuch0", 1), pools(1), fallbacks_);
  ASSERT_FALSE(port.ok());
  EXPECT_EQ(port.error().where, "net_nonesuch0");
  EXPECT_NE(port.error().what.find("cannot attach"), std::string::npos);
}

TEST_F(EthPortTest, AutoNamesEveryDeviceItGaveUp) {
  const auto port = EthPort::open(config("auto:nonesuch", 1), pools(1), fallbacks_);
  ASSERT_FALSE(port.ok());
  EXPECT_EQ(port.error().where, "net_af_packet0");
  ASSERT_EQ(fallbacks_.size(), 1U);
  EXPECT_NE(fallbacks_[0].find("net_af_xdp0"), std::string::npos);
}

}  // namespace
}  // namespace brink::port
