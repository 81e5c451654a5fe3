#include "dataplane/edge/topology.h"

#include <gtest/gtest.h>

#include "dataplane/ipc/stats_segment.h"

namespace brink::edge {
namespace {

constexpr std::uint32_t kBoth = ipc::kRoleDns | ipc::kRoleL7;

Config both_services() {
  Config config;
  config.dns_addresses = {*base::IpAddress::parse("192.0.2.129")};
  config.proxied_addresses = {*base::IpAddress::parse("192.0.2.140")};
  config.http_ports = {80};
  config.https_ports = {443};
  config.own_v4 = {{*base::IpAddress::parse("192.0.2.2"), 28}};
  config.gateway_v4 = base::IpAddress::parse("192.0.2.1");
  return config;
}

TEST(Topology, WithoutWorkersOneDoesEverythingOnTheLastCpu) {
  const auto topology = make_topology(both_services(), {0, 1});
  ASSERT_TRUE(topology.ok());
  ASSERT_EQ(topology.value().workers.size(), 1U);
  EXPECT_EQ(topology.value().workers[0].cpu, 1U);
  EXPECT_EQ(topology.value().workers[0].roles, kBoth);
  EXPECT_TRUE(topology.value().fallbacks.empty());
}

TEST(Topology, OnASingleCpuAllRolesFallBackToOneWorkerAndItIsSaid) {
  Config config = both_services();
  config.workers = {{1, ipc::kRoleDns}, {2, ipc::kRoleL7}};
  const auto topology = make_topology(config, {0});
  ASSERT_TRUE(topology.ok());
  ASSERT_EQ(topology.value().workers.size(), 1U);
  EXPECT_EQ(topology.value().workers[0].cpu, 0U);
  EXPECT_EQ(topology.value().workers[0].roles, kBoth);
  ASSERT_EQ(topology.value().fallbacks.size(), 1U);
  EXPECT_NE(topology.value().fallbacks[0].find("CPU 0"), std::string::npos);
}

TEST(Topology, AMissingCpuIsAnErrorThatNamesThoseThereAre) {
  Config config = both_services();
  config.workers = {{7, kBoth}};
  const auto worker = make_topology(config, {0, 1});
  ASSERT_FALSE(worker.ok());
  EXPECT_NE(worker.error().what.find("CPU 7"), std::string::npos);
  EXPECT_NE(worker.error().remedy.find("0, 1"), std::string::npos);
  config.workers = {{1, kBoth}};
  config.main_cpu = 9;
  EXPECT_EQ(make_topology(config, {0, 1}).error().where, "topology.main-cpu");
}

TEST(Topology, AServiceNeedsAWorkerWithItsRole) {
  Config config = both_services();
  config.workers = {{1, ipc::kRoleDns}};
  EXPECT_NE(make_topology(config, {0, 1}).error().what.find("l7"), std::string::npos);
  config.workers = {{1, ipc::kRoleL7}};
  EXPECT_NE(make_topology(config, {0, 1}).error().what.find("dns"), std::string::npos);
  config.dns_addresses.clear();
  EXPECT_TRUE(make_topology(config, {0, 1}).ok());
  config.workers.assign(steer::kWorkersMax + 1, {1, kBoth});
  EXPECT_FALSE(make_topology(config, {0, 1}).ok());
}

TEST(Topology, SteeringSharesRolesAndPortsAmongItsWorkers) {
  Config config = both_services();
  config.workers = {{0, ipc::kRoleDns}, {1, ipc::kRoleL7}, {1, kBoth}};
  const auto topology = make_topology(config, {0, 1});
  ASSERT_TRUE(topology.ok());
  const auto steering = make_steering(config, topology.value(), base::HashKey{});
  ASSERT_TRUE(steering.ok());
  const auto& made = steering.value()->config();
  EXPECT_EQ(made.dns.count, 2);
  EXPECT_TRUE(made.dns.contains(0) && made.dns.contains(2));
  EXPECT_EQ(made.l7.count, 2);
  EXPECT_TRUE(made.l7.contains(1) && made.l7.contains(2));
  EXPECT_EQ(made.ports.range_of(0).first, 32768);
  EXPECT_EQ(made.ports.range_of(1).last, 65535);
  EXPECT_EQ(made.own_v4, base::IpAddress::parse("192.0.2.2"));
}

TEST(Topology, MoreServiceAddressesThanTheTableHoldsAreRefused) {
  Config config = both_services();
  for (std::uint32_t i = 0; i <= steer::kServiceAddressesMax; ++i) {
    config.dns_addresses.push_back(base::IpAddress::v4(0x0a000000 + i));
  }
  const auto topology = make_topology(config, {0, 1});
  ASSERT_TRUE(topology.ok());
  const auto steering = make_steering(config, topology.value(), base::HashKey{});
  ASSERT_FALSE(steering.ok());
  EXPECT_NE(steering.error().where.find("service.dns"), std::string::npos);
}

TEST(Topology, RoutesFollowTheAddresses) {
  const net::LinkRoutes routes = make_routes(both_services());
  EXPECT_EQ(routes.next_hop(*base::IpAddress::parse("192.0.2.9")),
            base::IpAddress::parse("192.0.2.9"));
  EXPECT_EQ(routes.next_hop(*base::IpAddress::parse("203.0.113.1")),
            base::IpAddress::parse("192.0.2.1"));
  EXPECT_FALSE(routes.next_hop(*base::IpAddress::parse("2001:db8::1")).has_value());
}

}  // namespace
}  // namespace brink::edge
