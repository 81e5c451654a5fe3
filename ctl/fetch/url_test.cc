#include "ctl/fetch/url.h"

#include <gtest/gtest.h>

namespace brink::ctl::fetch {
namespace {

TEST(Url, IsTakenApart) {
  struct Case {
    const char *text, *host;
    std::uint16_t port;
    const char *authority, *target;
  };
  for (const Case& c :
       {Case{"http://ocsp.test", "ocsp.test", 80, "ocsp.test", "/"},
        Case{"http://ocsp.test/", "ocsp.test", 80, "ocsp.test", "/"},
        Case{"http://ocsp.test:8080/a/b?c", "ocsp.test", 8080, "ocsp.test:8080", "/a/b?c"},
        Case{"http://ocsp.test?q", "ocsp.test", 80, "ocsp.test", "/?q"},
        Case{"http://ocsp.test:/x#part", "ocsp.test", 80, "ocsp.test:", "/x"},
        Case{"http://192.0.2.1:81/", "192.0.2.1", 81, "192.0.2.1:81", "/"},
        Case{"http://[2001:db8::1]:82/", "2001:db8::1", 82, "[2001:db8::1]:82", "/"}}) {
    const auto url = parse_url(c.text);
    ASSERT_TRUE(url.has_value()) << c.text;
    EXPECT_EQ(url->host, c.host) << c.text;
    EXPECT_EQ(url->port, c.port) << c.text;
    EXPECT_EQ(url->authority, c.authority) << c.text;
    EXPECT_EQ(url->target, c.target) << c.text;
  }
}

TEST(Url, WhatIsNoneIsRefused) {
  for (const char* text :
       {"", "https://ocsp.test/", "ldap://x/", "http://", "http:///x", "http://user@ocsp.test/",
        "http://ocsp.test:0/", "http://ocsp.test:65536/", "http://ocsp.test:x/",
        "http://ocsp.test/a b", "http://ocsp.test/\r\nX: y", "http://[2001:db8::1/",
        "http://[::1]x/", "http://:80/"}) {
    EXPECT_FALSE(parse_url(text).has_value()) << text;
  }
}

}  // namespace
}  // namespace brink::ctl::fetch
