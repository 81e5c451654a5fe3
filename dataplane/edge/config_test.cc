#include "dataplane/edge/config.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <regex>
#include <set>

#include "dataplane/ipc/stats_segment.h"

namespace brink::edge {
namespace {

class ConfigTest : public ::testing::Test {
 protected:
  void TearDown() override { std::filesystem::remove(path_); }
  // Reads `text` as the settings file, with further arguments behind it.
  base::Result<Invocation> read(const std::string& text, std::vector<std::string> more = {}) {
    std::ofstream(path_) << text;
    std::vector<std::string> arguments = {"--config", path_};
    arguments.insert(arguments.end(), more.begin(), more.end());
    return parse_arguments(arguments);
  }
  std::string path_ =
      std::filesystem::temp_directory_path() / ("brink-config-" + std::to_string(::getpid()));
};

const std::string kLeast = "[port]\ndevice = auto:eth0\n[service]\ndns = 192.0.2.129\n";

TEST_F(ConfigTest, TheLeastFileNamesAPortAndAService) {
  const auto read_back = read(kLeast);
  ASSERT_TRUE(read_back.ok()) << read_back.error().message();
  const Config& config = read_back.value().config;
  EXPECT_EQ(config.port.device, "auto:eth0");
  EXPECT_EQ(config.dns_addresses.size(), 1U);
  EXPECT_EQ(config.http_ports.size(), 7U);
  EXPECT_EQ(config.https_ports, (std::vector<std::uint16_t>{443, 2053, 2083, 2087, 2096, 8443}));
  EXPECT_EQ(config.origin_port_first, 32768);
  EXPECT_TRUE(config.workers.empty());
  EXPECT_EQ(config.kernel_device, exception::KernelDevice::kTap);
}

TEST_F(ConfigTest, EverySettingIsTakenIn) {
  const auto read_back = read(
      "[eal]\nhugepages = off\nmemory-mb = 512\n"
      "[port]\ndevice = 0000:00:04.0\nvlan = 42\nmtu = 1400\npromiscuous = yes\n"
      "[topology]\nworker = 1:dns\nworker = 2:l7\nidle = poll\nidle-sleep-max-us = 100\n"
      "[address]\nown-v4 = 192.0.2.2/28\nown-v6 = 2001:db8:e::2/64\ngateway-v4 = 192.0.2.1\n"
      "neighbour = 192.0.2.1=02:00:00:00:00:01\n"
      "[service]\ndns = 192.0.2.129\nproxied = 2001:db8:a::140\nhttp-port = 8000\n"
      "https-port = none\nproxy-protocol-from = 192.0.2.0/24\n"
      "proxy-protocol-from = 2001:db8::7\n[tls]\nkey-file = /k\nticket-key-file = "
      "/t\norigin-trust-file =\n"
      "handshake-s = 3\nbuffer-mb = 2\nhandshakes-per-prefix = 7\nhandshakes-burst = 9\n"
      "origin-pull-certificate = /c\norigin-pull-key = /p\n"
      "[exception]\ndevice = none\nconfigure = no\n[l7]\ncolo = AMS\ndrain-s = 0\n"
      "origin-connections = 1\norigin-requests = 2\norigin-pending = 3\nretry-percent = 4\n"
      "retry-floor = 5\neject-failures = 6\neject-max-s = 7\nrace-ms = 80\n");
  ASSERT_TRUE(read_back.ok()) << read_back.error().message();
  const Config& c = read_back.value().config;
  EXPECT_EQ(c.eal.hugepages, eal::Hugepages::kOff);
  EXPECT_EQ(c.eal.memory_mb, 512U);
  EXPECT_EQ(c.eal.pci_devices, std::vector<std::string>{"0000:00:04.0"});
  EXPECT_EQ(c.vlan_id, 42);
  EXPECT_EQ(c.port.mtu, 1400);
  EXPECT_TRUE(c.port.promiscuous);
  ASSERT_EQ(c.workers.size(), 2U);
  EXPECT_EQ(c.workers[1].cpu, 2U);
  EXPECT_EQ(c.workers[1].roles, ipc::kRoleL7);
  EXPECT_EQ(c.idle, worker::IdleMode::kPoll);
  EXPECT_EQ(c.idle_sleep_max, std::chrono::microseconds(100));
  EXPECT_EQ(c.own_v4->bits, 28);
  EXPECT_EQ(c.own_v6->address, base::IpAddress::parse("2001:db8:e::2"));
  EXPECT_EQ(c.neighbours.size(), 1U);
  EXPECT_EQ(c.http_ports, std::vector<std::uint16_t>{8000});
  EXPECT_TRUE(c.https_ports.empty());
  EXPECT_EQ(c.tls_key_file, "/k");
  EXPECT_EQ(c.tls_ticket_key_file, "/t");
  EXPECT_EQ(c.tls_origin_trust_file, "");
  EXPECT_EQ(c.tls_handshake, std::chrono::seconds(3));
  EXPECT_EQ(c.tls_buffer_mb, 2U);
  EXPECT_EQ(c.tls_handshakes_per_prefix, 7U);
  EXPECT_EQ(c.tls_handshakes_burst, 9U);
  EXPECT_EQ(c.tls_origin_pull_certificate, "/c");
  EXPECT_EQ(c.tls_origin_pull_key, "/p");
  EXPECT_FALSE(c.kernel_device.has_value());
  EXPECT_FALSE(c.kernel_configure);
  EXPECT_EQ(c.colo, "AMS");
  EXPECT_EQ(c.l7_drain.count(), 0);
  ASSERT_EQ(c.proxy_protocol_from.size(), 2U);
  EXPECT_EQ(c.proxy_protocol_from[0], *base::IpPrefix::parse("192.0.2.0/24"));
  EXPECT_EQ(c.l7_origin_connections, 1U);
  EXPECT_EQ(c.l7_origin_requests, 2U);
  EXPECT_EQ(c.l7_origin_pending, 3U);
  EXPECT_EQ(c.l7_retry_percent, 4U);
  EXPECT_EQ(c.l7_retry_floor, 5U);
  EXPECT_EQ(c.l7_eject_failures, 6U);
  EXPECT_EQ(c.l7_eject_max, std::chrono::seconds(7));
  EXPECT_EQ(c.l7_race, std::chrono::milliseconds(80));
}

TEST_F(ConfigTest, TheCommandLineWinsAndTheRestIsDpdks) {
  const auto read_back =
      read(kLeast, {"--port.device=net_null0", "--check", "--", "--iova-mode=va"});
  ASSERT_TRUE(read_back.ok()) << read_back.error().message();
  EXPECT_EQ(read_back.value().config.port.device, "net_null0");
  EXPECT_TRUE(read_back.value().check_only);
  EXPECT_EQ(read_back.value().config.eal.extra, std::vector<std::string>{"--iova-mode=va"});
}

TEST_F(ConfigTest, ErrorsNameTheFieldTheValueAndTheRemedy) {
  struct Case {
    std::string text;
    std::string where;
    std::string remedy;
  };
  const Case cases[] = {
      {"[service]\ndns = 192.0.2.129\n", "port.device", "auto:eth0"},
      {"[port]\ndevice = auto:eth0\n", "service.dns", "at least one address"},
      {"[port]\ndevice = eth0\n[service]\ndns = ::1\n", "eth0", "auto:IFACE"},
      {kLeast + "dns = 192.0.2\n", "service.dns = 192.0.2", "IPv4 or IPv6"},
      {kLeast + "http-port = 0\n", "service.http-port = 0", "1 to 65535"},
      {kLeast + "http-port = 53\n", "service.http-port = 53", "another port"},
      {kLeast + "https-port = 0\n", "service.https-port = 0", "1 to 65535"},
      {kLeast + "https-port = 53\n", "service.https-port = 53", "another port"},
      {kLeast + "https-port = 8080\n", "service.https-port = 8080", "take it out"},
      {kLeast + "https-port = none\nhttps-port = 443\n", "service.https-port = none",
       "whole number"},
      {kLeast + "proxy-protocol-from = 192.0.2.1/24\n",
       "service.proxy-protocol-from = 192.0.2.1/24", "192.0.2.0/24"},
      {kLeast + "[l7]\nretry-percent = 101\n", "l7.retry-percent = 101", "to 100"},
      {kLeast + "[l7]\neject-max-s = 0\n", "l7.eject-max-s = 0", "from 1"},
      {kLeast + "[l7]\nrace-ms = 5\n", "l7.race-ms = 5", "10 to 10000"},
      {kLeast + "[l7]\norigin-pending = many\n", "l7.origin-pending = many", "whole number"},
      {kLeast + "[tls]\nhandshake-s = 0\n", "tls.handshake-s = 0", "from 1"},
      {kLeast + "[tls]\nhandshakes-per-prefix = 16384\n", "tls.handshakes-per-prefix = 16384",
       "to 16383"},
      {kLeast + "[tls]\nhandshakes-per-prefix = 5\nhandshakes-burst = 4\n",
       "tls.handshakes-burst = 4", "at least"},
      {kLeast + "[tls]\nbuffer-mb = 0\n", "tls.buffer-mb = 0", "from 1"},
      {kLeast + "dot-port = 0\n", "service.dot-port = 0", "1 to 65535"},
      {kLeast + "dot-port = 53\n", "service.dot-port = 53", "853"},
      {kLeast + "dot-port = 443\n", "service.dot-port = 443", "853"},
      {kLeast + "dot-port = 40000\n", "service.dot-port = 40000", "origin-port-first"},
      {"[port]\ndevice = auto:eth0\n[service]\nproxied = 192.0.2.140\ndot-port = 853\n",
       "service.dot-port = 853", "service.dns"},
      {kLeast + "[tls]\ndot-certificate = /c\n", "tls.dot-certificate = /c", "tls.dot-key"},
      {kLeast + "[tls]\ndot-key = /k\n", "tls.dot-key = /k", "tls.dot-certificate"},
      {kLeast + "[tls]\ndot-certificate = /c\ndot-key = /k\ndot-host = ns1.example\n",
       "tls.dot-host = ns1.example", "or tls.dot-host"},
      {kLeast + "[tls]\ndot-host = a..b\n", "tls.dot-host = a..b", ""},
      {kLeast + "http-port = 80x\n", "service.http-port = 80x", "whole number"},
      {kLeast + "[eal]\nhugepages = maybe\n", "eal.hugepages = maybe", "auto required off"},
      {kLeast + "[eal]\nmemory-mb = 1\n", "eal.memory-mb = 1", "from 64"},
      {kLeast + "[port]\nvlan = 4095\n", "port.vlan = 4095", "to 4094"},
      {kLeast + "[port]\npromiscuous = 1\n", "port.promiscuous = 1", "yes or no"},
      {kLeast + "[topology]\nworker = 1\n", "topology.worker = 1", "CPU:ROLES"},
      {kLeast + "[topology]\nworker = 1:http\n", "topology.worker = 1:http", "dns, l7"},
      {kLeast + "[topology]\nworker = x:dns\n", "topology.worker = x", "whole number"},
      {kLeast + "[address]\nown-v4 = 192.0.2.2\n", "address.own-v4 = 192.0.2.2", "/28"},
      {kLeast + "[address]\nown-v4 = 192.0.2.2/33\n", "address.own-v4 = 33", "to 32"},
      {kLeast + "[address]\nown-v6 = 192.0.2.2/28\n", "address.own-v6 = 192.0.2.2", "an IPv6"},
      {kLeast + "[address]\ngateway-v4 = ::1\n", "address.gateway-v4 = ::1", "an IPv4"},
      {kLeast + "[address]\nneighbour = 192.0.2.1\n", "address.neighbour = 192.0.2.1", "ADDRESS="},
      {kLeast + "[address]\nown-v4 = 192.0.2.129/28\n", "service.dns = 192.0.2.129", "routed"},
      {kLeast + "[exception]\ninterface = a-name-that-is-too-long\n", "exception.interface",
       "15 characters"},
      {kLeast + "[l7]\ncolo = LONG\n", "l7.colo = LONG", "AMS"},
      {kLeast + "[port]\nspeed = 10\n", path_, "edge.conf"},
      {kLeast + "no equals sign\n", path_, "edge.conf"},
  };
  for (const Case& c : cases) {
    const auto read_back = read(c.text);
    ASSERT_FALSE(read_back.ok()) << c.text;
    EXPECT_NE(read_back.error().where.find(c.where), std::string::npos)
        << c.text << read_back.error().message();
    EXPECT_NE(read_back.error().remedy.find(c.remedy), std::string::npos)
        << c.text << read_back.error().message();
  }
}

TEST_F(ConfigTest, ErrorsNameFileAndLine) {
  for (const auto& [text, line] :
       {std::pair{"[port]\ndevice = auto:eth0\n\n[topology]\nworker = 11:dns\nworker = 1:http\n",
                  6},
        {"[port]\ndevice = auto:eth0\n[address]\nown-v4 = 192.0.2.2/33 # own\n", 4},
        {"[port]\nspeed = 10\n", 2},
        {"[port]\n\n no equals sign # at all\n", 3}}) {
    const auto read_back = read(text);
    ASSERT_FALSE(read_back.ok()) << text;
    const std::string place = path_ + ", line " + std::to_string(line) + ", ";
    EXPECT_TRUE(read_back.error().where.starts_with(place)) << read_back.error().message();
  }
}

TEST_F(ConfigTest, AMissingFileAndAStrayWordAreErrors) {
  EXPECT_EQ(parse_arguments({"--config", "/nonesuch"}).error().where, "/nonesuch");
  EXPECT_FALSE(parse_arguments({"stray"}).ok());
  EXPECT_FALSE(parse_arguments({"--port.nonesuch=1"}).ok());
}

// The example is the documentation: it must be right, and it must be complete.
TEST_F(ConfigTest, TheExampleDocumentsEverySettingWithItsDefault) {
  const std::string path = std::string(BRINK_SOURCE_ROOT) + "/docs/examples/edge.conf";
  const auto example = parse_arguments({"--config", path});
  ASSERT_TRUE(example.ok()) << example.error().message();
  const auto least = read(kLeast);
  EXPECT_EQ(example.value().config.http_ports, least.value().config.http_ports);
  EXPECT_EQ(example.value().config.https_ports, least.value().config.https_ports);
  EXPECT_EQ(example.value().config.tls_origin_trust_file,
            least.value().config.tls_origin_trust_file);
  EXPECT_EQ(example.value().config.tls_handshake, least.value().config.tls_handshake);
  EXPECT_EQ(example.value().config.tls_buffer_mb, least.value().config.tls_buffer_mb);
  EXPECT_EQ(example.value().config.eal.memory_mb, least.value().config.eal.memory_mb);
  EXPECT_EQ(example.value().config.l7_clients, least.value().config.l7_clients);
  EXPECT_EQ(example.value().config.stats_file, least.value().config.stats_file);

  std::set<std::string> documented;
  std::ifstream file(path);
  std::string section;
  for (std::string line; std::getline(file, line);) {
    std::smatch match;
    if (std::regex_match(line, match, std::regex(R"(\[([a-z0-9]+)\])"))) section = match[1];
    if (std::regex_match(line, match, std::regex(R"(#?([a-z0-9-]+) = .*)"))) {
      documented.insert(section + "." + match[1].str());
    }
  }
  std::set<std::string> existing;
  const std::string text = usage();
  const std::regex option(R"(--([a-z0-9]+\.[a-z0-9-]+))");
  for (std::sregex_iterator it(text.begin(), text.end(), option), end; it != end; ++it) {
    existing.insert((*it)[1]);
  }
  EXPECT_GT(existing.size(), 35U);
  EXPECT_EQ(documented, existing);
}

TEST_F(ConfigTest, CountsOfZonesAndOriginsArePowersOfTwo) {
  for (const char* name : {"zone-statistics", "origin-statistics"}) {
    for (const char* good : {"0", "8", "65536"}) {
      EXPECT_TRUE(read(kLeast + "[l7]\n" + name + " = " + good + "\n").ok()) << good;
    }
    for (const char* bad : {"4", "100", "131072"}) {
      const auto refused = read(kLeast + "[l7]\n" + name + " = " + bad + "\n");
      ASSERT_FALSE(refused.ok()) << bad;
      EXPECT_NE(refused.error().message().find("l7." + std::string(name) + " = " + bad),
                std::string::npos)
          << refused.error().message();
    }
  }
}

}  // namespace
}  // namespace brink::edge
