#include "ctl/resolve/address_filter.h"

#include <gtest/gtest.h>

#include "ctl/resolve/message_fixture.h"

namespace brink::ctl::resolve {
namespace {

TEST(Prefix, ReadsAddressesAndLengths) {
  EXPECT_TRUE(Prefix::parse("203.0.113.0/24")->contains(address("203.0.113.255")));
  EXPECT_FALSE(Prefix::parse("203.0.113.0/24")->contains(address("203.0.114.0")));
  EXPECT_TRUE(Prefix::parse("203.0.113.128/25")->contains(address("203.0.113.200")));
  EXPECT_FALSE(Prefix::parse("203.0.113.128/25")->contains(address("203.0.113.127")));
  EXPECT_TRUE(Prefix::parse("203.0.113.9")->contains(address("203.0.113.9")));
  EXPECT_FALSE(Prefix::parse("203.0.113.9")->contains(address("203.0.113.8")));
  EXPECT_TRUE(Prefix::parse("0.0.0.0/0")->contains(address("198.51.100.1")));
  EXPECT_FALSE(Prefix::parse("0.0.0.0/0")->contains(address("2001:db8::1")));
  EXPECT_TRUE(Prefix::parse("2001:db8::/33")->contains(address("2001:db8:7fff::1")));
  EXPECT_FALSE(Prefix::parse("2001:db8::/33")->contains(address("2001:db8:8000::1")));
}

TEST(Prefix, RefusesWhatIsNone) {
  for (const char* text : {"", "203.0.113.0/33", "203.0.113.1/24", "203.0.113.0/", "2001:db8::/129",
                           "example.com", "203.0.113.0/2x", "203.0.113.0/-1"}) {
    EXPECT_FALSE(Prefix::parse(text).has_value()) << text;
  }
}

TEST(IsPublic, KnowsTheInsideOfANetwork) {
  for (const char* text :
       {"0.0.0.0",         "10.1.2.3",     "100.64.0.1",  "127.0.0.1",      "169.254.169.254",
        "172.31.255.255",  "192.0.0.8",    "192.0.2.1",   "192.88.99.1",    "192.168.1.1",
        "198.19.0.1",      "198.51.100.1", "203.0.113.1", "224.0.0.1",      "240.0.0.1",
        "255.255.255.255", "::",           "::1",         "::7f00:1",       "64:ff9b::7f00:1",
        "100::1",          "2001::1",      "2001:db8::1", "2002:7f00:1::1", "3fff::1",
        "fc00::1",         "fd12::1",      "fe80::1",     "fec0::1",        "ff02::1"}) {
    EXPECT_FALSE(is_public(address(text))) << text;
  }
  for (const char* text : {"1.1.1.1", "9.255.255.255", "11.0.0.0", "100.63.255.255", "100.128.0.0",
                           "172.15.0.1", "172.32.0.0", "192.0.3.1", "198.20.0.0", "223.255.255.254",
                           "2001:4860:4860::8888", "2606:4700::1111", "2a00:1450::1"}) {
    EXPECT_TRUE(is_public(address(text))) << text;
  }
}

TEST(AddressFilter, AdmitsPublicAndAllowedButNeverItsOwn) {
  const AddressFilter filter({*Prefix::parse("203.0.113.0/24")},
                             {address("9.9.9.9"), address("203.0.113.40")});
  EXPECT_TRUE(filter.admits(address("1.1.1.1")));
  EXPECT_TRUE(filter.admits(address("203.0.113.10")));
  EXPECT_FALSE(filter.admits(address("198.51.100.1")));
  EXPECT_FALSE(filter.admits(address("9.9.9.9")));
  EXPECT_FALSE(filter.admits(address("203.0.113.40")));
}

}  // namespace
}  // namespace brink::ctl::resolve
