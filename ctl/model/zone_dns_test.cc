// ZoneDns as text, and what a zone is served with because of it.
#include "ctl/model/zone_dns.h"

#include <gtest/gtest.h>

#include "ctl/model/authority.h"

namespace brink::ctl::model {
namespace {

DomainName name(const char* text) {
  return DomainName::parse(text).value();
}

ZoneDns unusual() {
  ZoneDns dns;
  dns.mode = ZoneMode::kDnsOnly;
  dns.flatten_all_cnames = dns.multi_provider = dns.enforce_dns_only = true;
  dns.foundation_dns = dns.secondary_overrides = true;
  dns.ipv6 = false;
  dns.ns_ttl = 30;
  dns.name_server_set = 2;
  dns.address_set = 4'000'000'000;
  dns.serial_policy = SerialPolicy::kDateSerial;
  dns.vanity_servers = {name("ns1.example.com"), name("ns2.example.com")};
  return dns;
}

TEST(ZoneDnsText, ComesBackAsItWas) {
  EXPECT_EQ(to_text(ZoneDns()), "");
  EXPECT_EQ(zone_dns_from_text(""), ZoneDns());
  EXPECT_EQ(zone_dns_from_text(to_text(unusual())), unusual());
}

TEST(ZoneDnsText, RefusesWhatItDoesNotKnow) {
  for (const char* text :
       {"mode", "mode=none\n", "ipv6=2\n", "ns_ttl=x\n", "colour=1\n", "vanity_server=a..b\n",
        "address_set=-1\n", "serial_policy=up\n", "address_set=4294967296\n"}) {
    EXPECT_FALSE(zone_dns_from_text(text)) << text;
  }
}

TEST(ZoneDns, TellsWhatReachesBelowTheApex) {
  const auto differs = [](auto change) {
    ZoneDns dns;
    change(dns);
    return dns.differs_below_apex({});
  };
  EXPECT_TRUE(differs([](ZoneDns& dns) { dns.mode = ZoneMode::kDnsOnly; }));
  EXPECT_TRUE(differs([](ZoneDns& dns) { dns.flatten_all_cnames = true; }));
  EXPECT_TRUE(differs([](ZoneDns& dns) { dns.enforce_dns_only = true; }));
  EXPECT_TRUE(differs([](ZoneDns& dns) { dns.ipv6 = false; }));
  EXPECT_TRUE(differs([](ZoneDns& dns) { dns.address_set = 1; }));
  EXPECT_FALSE(differs([](ZoneDns& dns) { dns.ns_ttl = 60; }));
  EXPECT_FALSE(differs([](ZoneDns& dns) { dns.multi_provider = true; }));
  EXPECT_FALSE(differs([](ZoneDns& dns) { dns.name_server_set = 1; }));
}

class AuthorityTest : public ::testing::Test {
 protected:
  AuthorityTest() {
    zone_.name = name("example.com");
    authority_.name_servers = {name("ns1.a.test"), name("ns2.a.test")};
    authority_.more_name_servers = {{name("ns1.b.test")}};
  }
  std::string first_server() { return authority_.servers_of(zone_).front().text(); }

  Zone zone_;
  Authority authority_;
};

TEST_F(AuthorityTest, AssignsTheServersOfTheZonesSet) {
  EXPECT_EQ(first_server(), "ns1.a.test");
  zone_.dns.name_server_set = 1;
  EXPECT_EQ(first_server(), "ns1.b.test");
  EXPECT_EQ(fields_of(served_soa(zone_, authority_)).master.text(), "ns1.b.test");
  zone_.dns.name_server_set = 2;
  EXPECT_EQ(first_server(), "ns1.a.test") << "a set that is gone is another one";
  zone_.dns.vanity_servers = {name("ns.example.com")};
  EXPECT_EQ(first_server(), "ns.example.com");
}

TEST_F(AuthorityTest, TakesAnSoaApartAndPutsItTogether) {
  SoaFields fields = default_soa_fields(zone_, authority_);
  EXPECT_EQ(fields.mailbox.text(), "hostmaster.example.com");
  EXPECT_EQ(fields.refresh, 10000U);
  EXPECT_EQ(fields.ttl, 3600U);
  fields.master = name("ns.other.test");
  fields.retry = 999;
  fields.ttl = 301;
  zone_.soa = soa_of(fields);
  zone_.serial = 7;
  const ZoneSoa served = served_soa(zone_, authority_);
  EXPECT_EQ(fields_of(served), fields);
  EXPECT_EQ(soa_serial(served.rdata), 7U);
}

}  // namespace
}  // namespace brink::ctl::model
