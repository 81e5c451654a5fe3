#include "dataplane/net/neighbour.h"

#include <gtest/gtest.h>

#include <memory>
#include <thread>

#include "dataplane/net/wanted_neighbours.h"

namespace brink::net {
namespace {

using base::IpAddress;

MacAddress mac_of(std::uint32_t n) {
  const std::uint8_t bytes[6] = {2,
                                 0,
                                 static_cast<std::uint8_t>(n >> 8),
                                 static_cast<std::uint8_t>(n),
                                 static_cast<std::uint8_t>(n >> 8),
                                 static_cast<std::uint8_t>(n)};
  return MacAddress::from_wire(bytes);
}

TEST(NeighbourTable, FindsWhatWasPutUntilItIsErased) {
  auto table = std::make_unique<NeighbourTable>();
  const auto gateway = *IpAddress::parse("2001:db8::1");
  EXPECT_FALSE(table->find(gateway).has_value());
  EXPECT_TRUE(table->put(gateway, mac_of(1)));
  EXPECT_TRUE(table->put(*IpAddress::parse("192.0.2.1"), mac_of(2)));
  EXPECT_EQ(table->find(gateway), mac_of(1));
  EXPECT_TRUE(table->put(gateway, mac_of(3)));
  EXPECT_EQ(table->find(gateway), mac_of(3));
  table->erase(gateway);
  EXPECT_FALSE(table->find(gateway).has_value());
  EXPECT_EQ(table->find(*IpAddress::parse("192.0.2.1")), mac_of(2));
}

TEST(NeighbourTable, RefusesWhenFullAndRecoversAfterErasing) {
  auto table = std::make_unique<NeighbourTable>();
  std::uint32_t refused = 0;
  for (std::uint32_t i = 0; i < 2 * kNeighbourCapacity; ++i) {
    if (table->put(IpAddress::v4(i), mac_of(i))) {
      EXPECT_EQ(table->find(IpAddress::v4(i)), mac_of(i));
    } else {
      ++refused;
    }
  }
  EXPECT_GE(refused, kNeighbourCapacity);
  for (std::uint32_t i = 0; i < 2 * kNeighbourCapacity; ++i) table->erase(IpAddress::v4(i));
  EXPECT_TRUE(table->put(IpAddress::v4(99999), mac_of(7)));
}

// The halves of a MAC written by mac_of agree; a torn read would show one that does not.
TEST(NeighbourTable, AReaderNeverSeesAHalfWrittenEntry) {
  auto table = std::make_unique<NeighbourTable>();
  const auto address = IpAddress::v4(0xc0000201);
  table->put(address, mac_of(0));
  std::atomic<bool> stop{false};
  std::thread writer([&] {
    for (std::uint32_t i = 0; i < 300000; ++i) table->put(address, mac_of(i));
    stop = true;
  });
  std::uint64_t seen = 0;
  while (!stop) {
    const auto mac = table->find(address);
    if (!mac) continue;
    ++seen;
    ASSERT_EQ(mac->bytes()[2], mac->bytes()[4]);
    ASSERT_EQ(mac->bytes()[3], mac->bytes()[5]);
  }
  writer.join();
  EXPECT_GT(seen, 0U);
}

TEST(LinkRoutes, ChoosesTheLinkBeforeTheGateway) {
  LinkRoutes routes;
  routes.on_link_v4 = {*IpAddress::parse("192.0.2.2"), 28, true};
  routes.on_link_v6 = {*IpAddress::parse("2001:db8:e::2"), 64, true};
  routes.gateway_v4 = IpAddress::parse("192.0.2.1");
  const auto hop = [&](const char* text) { return routes.next_hop(*IpAddress::parse(text)); };
  EXPECT_EQ(hop("192.0.2.14"), IpAddress::parse("192.0.2.14"));
  EXPECT_EQ(hop("192.0.2.16"), IpAddress::parse("192.0.2.1"));
  EXPECT_EQ(hop("203.0.113.10"), IpAddress::parse("192.0.2.1"));
  EXPECT_EQ(hop("2001:db8:e::77"), IpAddress::parse("2001:db8:e::77"));
  EXPECT_FALSE(hop("2001:db8:f::1").has_value()) << "no IPv6 gateway is configured";
}

TEST(WantedNeighbours, KeepsOrderAndRefusesWhenFull) {
  WantedNeighbours wanted;
  EXPECT_FALSE(wanted.take().has_value());
  for (std::uint32_t i = 0; i < WantedNeighbours::kCapacity + 5; ++i) {
    wanted.post(base::IpAddress::v4(i));
  }
  for (std::uint32_t i = 0; i < WantedNeighbours::kCapacity; ++i) {
    EXPECT_EQ(wanted.take(), base::IpAddress::v4(i));
  }
  EXPECT_FALSE(wanted.take().has_value());
  wanted.post(base::IpAddress::v4(7));
  EXPECT_EQ(wanted.take(), base::IpAddress::v4(7));
}

}  // namespace
}  // namespace brink::net
