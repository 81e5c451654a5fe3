#include "ctl/daemon/config.h"

#include <gtest/gtest.h>
#include <stdlib.h>
#include <unistd.h>

#include <fstream>

namespace brink::ctl::daemon {
namespace {

class ConfigTest : public ::testing::Test {
 protected:
  ConfigTest() {
    char pattern[] = "/tmp/brink_config_XXXXXX";
    const int fd = ::mkstemp(pattern);
    ::close(fd);
    path_ = pattern;
  }
  ~ConfigTest() override { ::unlink(path_.c_str()); }

  base::Result<CommandLine> read(const std::string& file, std::vector<std::string> more = {}) {
    std::ofstream(path_) << file;
    more.insert(more.begin(), {"--config", path_});
    return read_command_line(more);
  }
  // The message of a file that must be refused.
  std::string fault(const std::string& file) {
    const auto line = read(file);
    return line.ok() ? "accepted" : line.error().message();
  }

  const std::string kGood =
      "# the node\n"
      "edge-address = 192.0.2.1   # first\n"
      "edge-address = 2001:db8::1\n"
      "name-server = ns1.brink.test\n";
  std::string path_;
};

TEST_F(ConfigTest, ReadsAFileAndFillsInDefaults) {
  const auto line = read(kGood);
  ASSERT_TRUE(line.ok()) << line.error().message();
  const Config& config = line.value().config;
  EXPECT_EQ(line.value().action, Action::kRun);
  EXPECT_EQ(config.file, path_);
  EXPECT_EQ(config.edge_addresses.size(), 2U);
  EXPECT_EQ(config.name_servers.at(0).text(), "ns1.brink.test");
  EXPECT_EQ(config.listen, "127.0.0.1:8053");
  EXPECT_EQ(config.ttl_min, 60U);
  EXPECT_EQ(config.history_versions_max, 10'000U);
  EXPECT_EQ(config.history_age_max_days, 30U);
}

TEST_F(ConfigTest, ReadsSetsThatZonesAreAssignedFrom) {
  const auto line =
      read(kGood +
           "edge-address-set = 192.0.2.9 2001:db8::9\nedge-address-set = 192.0.2.10\n"
           "name-server-set = ns3.brink.test ns4.brink.test\n"
           "apex-ns-records = ignored\nunproxiable-defaults = off\nhttps-records = off\n"
           "unproxiable-target = sub Keys.test\n");
  ASSERT_TRUE(line.ok()) << line.error().message();
  const Config& config = line.value().config;
  ASSERT_EQ(config.more_edge_addresses.size(), 2U);
  EXPECT_EQ(config.more_edge_addresses[0].size(), 2U);
  EXPECT_EQ(config.more_name_servers.at(0).at(1).text(), "ns4.brink.test");
  EXPECT_FALSE(config.own_apex_ns);
  EXPECT_FALSE(config.https_records);
  ASSERT_EQ(config.unproxiable_targets.size(), 1U);
  EXPECT_EQ(config.unproxiable_targets[0].name, "keys.test");
  EXPECT_EQ(config.unproxiable_targets[0].match, model::TargetMatch::kBelow);
  for (const char* bad :
       {"edge-address-set = 192.0.2.9 x", "edge-address-set =", "name-server-set = a..b",
        "apex-ns-records = maybe", "https-records = maybe", "unproxiable-target = keys.test",
        "unproxiable-target = near keys.test", "unproxiable-defaults = yes", "tags-max = 1001"}) {
    const std::string setting = std::string(bad).substr(0, std::string(bad).find(' '));
    EXPECT_NE(fault(kGood + bad + "\n").find("setting " + setting), std::string::npos) << bad;
  }
}

TEST_F(ConfigTest, TheCommandLineWins) {
  const auto line = read(kGood + "listen = 127.0.0.1:1\n", {"--listen", "off", "--check"});
  ASSERT_TRUE(line.ok()) << line.error().message();
  EXPECT_EQ(line.value().config.listen, "");
  EXPECT_EQ(line.value().action, Action::kCheck);
}

TEST_F(ConfigTest, MetricsAreNowhereUnlessAnAddressIsNamed) {
  EXPECT_FALSE(read(kGood).value().config.metrics_listen.has_value());
  const auto line = read(kGood + "metrics-listen = [2001:db8::1]:9153\n");
  ASSERT_TRUE(line.ok()) << line.error().message();
  EXPECT_EQ(line.value().config.metrics_listen,
            (base::Endpoint{*base::IpAddress::parse("2001:db8::1"), 9153}));
  for (const char* bad : {"9153", "127.0.0.1", "localhost:9153", "127.0.0.1:0", "on", ""}) {
    EXPECT_NE(fault(kGood + "metrics-listen = " + bad + "\n")
                  .find("setting metrics-listen: \"" + std::string(bad) + "\" is not an address"),
              std::string::npos)
        << bad;
  }
}

TEST_F(ConfigTest, TlsNeedsBothFiles) {
  EXPECT_NE(fault(kGood + "api-key = /k.pem\n").find("line 5, setting api-key: \"/k.pem\" stands"),
            std::string::npos);
  EXPECT_NE(fault(kGood + "api-certificate = /c.pem\n").find("name its key with api-key"),
            std::string::npos);
  EXPECT_NE(fault(kGood + "api-key = k.pem\n").find("absolute path"), std::string::npos);
  EXPECT_NE(fault(kGood + "api-tls-min = 1.1\n").find("write 1.2 or 1.3"), std::string::npos);
  EXPECT_NE(fault(kGood + "api-plain-anywhere = yes\n").find("write off or on"), std::string::npos);
  const auto line = read(kGood + "api-key = /k.pem\napi-certificate = /c.pem\napi-tls-min = 1.3\n");
  ASSERT_TRUE(line.ok()) << line.error().message();
  EXPECT_TRUE(line.value().config.tls_13_only);
  EXPECT_EQ(line.value().config.key_file, line.value().config.store + ".key");
}

TEST_F(ConfigTest, NamesSettingValueAndRemedy) {
  EXPECT_EQ(
      fault(kGood + "ttl-min = 0\n"),
      path_ + ", line 5, setting ttl-min: \"0\" is out of range (write a number from 2 to 86400)");
  EXPECT_NE(fault(kGood + "edge-address = 192.0.2\n").find("\"192.0.2\" is not an IP address"),
            std::string::npos);
  EXPECT_NE(fault(kGood + "name-server = a..b\n").find("\"a..b\" is not a host name"),
            std::string::npos);
  EXPECT_NE(fault(kGood + "store = brink.db\n").find("absolute path"), std::string::npos);
  EXPECT_NE(fault(kGood + "log-level = loud\n").find("\"loud\" is not a level"), std::string::npos);
  EXPECT_EQ(fault(kGood + "history-versions-max = 0\n"),
            path_ +
                ", line 5, setting history-versions-max: \"0\" is out of range (write a number "
                "from 1 to 10000000)");
  EXPECT_NE(fault(kGood + "history-age-max-days = 40000\n").find("from 1 to 36500"),
            std::string::npos);
  EXPECT_NE(fault(kGood + "ttl-min = 900\nttl-max = 600\n").find("larger than ttl-max"),
            std::string::npos);
}

TEST_F(ConfigTest, ReadsResolversAndPrefixes) {
  const auto line = read(kGood +
                         "resolver = 203.0.113.53\nresolver = 203.0.113.54:5353\n"
                         "resolver = 2001:db8::53\nresolver = [2001:db8::54]:5353\n"
                         "origin-allow = 10.1.0.0/16\norigin-allow = fd00::/8\n");
  ASSERT_TRUE(line.ok()) << line.error().message();
  const auto address = [](const char* text) { return *base::IpAddress::parse(text); };
  EXPECT_EQ(line.value().config.resolvers,
            (std::vector<base::Endpoint>{{address("203.0.113.53"), 53},
                                         {address("203.0.113.54"), 5353},
                                         {address("2001:db8::53"), 53},
                                         {address("2001:db8::54"), 5353}}));
  EXPECT_EQ(line.value().config.origin_allow.size(), 2U);
  for (const char* bad :
       {"dns.example.net", "203.0.113.53:", "203.0.113.53:0", "203.0.113.53:99999",
        "[203.0.113.53]:53", "2001:db8::53:x", "[2001:db8::53]"}) {
    EXPECT_NE(fault(kGood + "resolver = " + bad + "\n")
                  .find("line 5, setting resolver: \"" + std::string(bad) + "\" is not an address"),
              std::string::npos)
        << bad << ": " << fault(kGood + "resolver = " + bad + "\n");
  }
  EXPECT_NE(fault(kGood + "origin-allow = 10.1.0.1/16\n").find("\"10.1.0.1/16\" is not a prefix"),
            std::string::npos);
  EXPECT_NE(fault(kGood + "resolve-ttl-min = 90\nresolve-ttl-max = 60\n").find("resolve-ttl-max"),
            std::string::npos);
  EXPECT_NE(fault(kGood + "activation-first = 0\n").find("from 1 to 86400"), std::string::npos);
}

TEST_F(ConfigTest, SignaturesOutliveTheTimeUntilTheyAreReplaced) {
  const auto line = read(kGood + "dnssec-validity = 694800\ndnssec-ksk-lifetime = 31536000\n");
  ASSERT_TRUE(line.ok()) << line.error().message();
  EXPECT_EQ(line.value().config.dnssec_period, 604'800U);
  EXPECT_EQ(line.value().config.dnssec_ksk_lifetime, 31'536'000U);
  EXPECT_NE(fault(kGood + "dnssec-validity = 694799\n").find("make it at least 694800"),
            std::string::npos);
  EXPECT_NE(fault(kGood + "dnssec-period = 1209600\n").find("setting dnssec-validity"),
            std::string::npos);
}

TEST_F(ConfigTest, NamesTheLineOnlyOfWhatStandsThere) {
  const auto line = read(kGood, {"--history-versions-max", "0"});
  ASSERT_FALSE(line.ok());
  EXPECT_EQ(line.error().where, path_ + ", setting history-versions-max");
}

TEST_F(ConfigTest, RefusesWhatItDoesNotKnow) {
  EXPECT_NE(fault(kGood + "colour = blue\n").find("colour"), std::string::npos);
  EXPECT_NE(fault(kGood + "ttl-min = many\n").find("ttl-min"), std::string::npos);
  EXPECT_FALSE(read_command_line({"--bogus"}).ok());
  EXPECT_FALSE(read_command_line({"stray"}).ok());
  EXPECT_FALSE(read_command_line({"--config", path_ + ".absent"}).ok());
}

TEST_F(ConfigTest, RequiresAddressesAndNameServers) {
  EXPECT_NE(fault("name-server = ns1.brink.test\n").find("edge-address"), std::string::npos);
  EXPECT_NE(fault("edge-address = 192.0.2.1\n").find("name-server"), std::string::npos);
}

TEST_F(ConfigTest, HelpNeedsNoFile) {
  const auto line = read_command_line({"--help"});
  ASSERT_TRUE(line.ok());
  EXPECT_EQ(line.value().action, Action::kHelp);
  for (const char* name : {"--edge-address", "--listen", "--check", "--config"}) {
    EXPECT_NE(help_text().find(name), std::string::npos) << name;
  }
}

}  // namespace
}  // namespace brink::ctl::daemon
