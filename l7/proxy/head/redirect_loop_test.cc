#include "l7/proxy/head/redirect_loop.h"

#include <gtest/gtest.h>

#include <string>

#include "l7/http1/response_parser.h"

namespace brink::l7::proxy {
namespace {

using route::SslMode;

struct Case {
  std::string lines = "Location: https://www.example.com/a?b\r\n";
  int status = 301;
  bool client_secure = true;
  bool origin_secure = false;
  SslMode ssl = SslMode::kFlexible;
  std::uint32_t flags = 0;
  std::string target = "/a?b";
};

bool loops(const Case& given) {
  const std::string text =
      "HTTP/1.1 " + std::to_string(given.status) + " Moved\r\n" + given.lines + "\r\n";
  http::ResponseHead head;
  http1::Progress progress;
  std::uint32_t size = 0;
  EXPECT_EQ(http1::parse_response(text, {}, http::Method::get, progress, head, size),
            http1::Verdict::ok);
  route::SettingsLayout settings;
  settings.ssl = given.ssl;
  settings.flags = given.flags;
  return is_redirect_loop(head,
                          {.client_secure = given.client_secure,
                           .origin_secure = given.origin_secure,
                           .host = "www.example.com",
                           .target = given.target},
                          settings);
}

TEST(RedirectLoop, AnOriginThatNeverSeesHttpsAsksForItForEver) {
  for (const int status : {301, 302, 303, 307, 308}) EXPECT_TRUE(loops({.status = status}));
  EXPECT_TRUE(loops({.client_secure = false}));  // the next request will be as the first
  EXPECT_TRUE(loops({.lines = "Location: HTTPS://WWW.example.com:443/a?b\r\n"}));
  EXPECT_TRUE(loops({.lines = "Location: https://www.example.com\r\n", .target = "/"}));
  EXPECT_FALSE(loops({.status = 200}));
  EXPECT_FALSE(loops({.lines = ""}));
  EXPECT_FALSE(loops({.ssl = SslMode::kFull, .flags = 0}));
  EXPECT_FALSE(loops({.origin_secure = true}));  // flexible, on a port where it means full
}

TEST(RedirectLoop, AnotherPlaceIsNone) {
  EXPECT_FALSE(loops({.lines = "Location: https://www.example.com/a?c\r\n"}));
  EXPECT_FALSE(loops({.lines = "Location: https://www.example.com/a\r\n"}));
  EXPECT_FALSE(loops({.lines = "Location: https://example.com/a?b\r\n"}));
  EXPECT_FALSE(loops({.lines = "Location: https://www.example.com.evil/a?b\r\n"}));
  EXPECT_FALSE(loops({.lines = "Location: https://www.example.com:8443/a?b\r\n"}));
  EXPECT_FALSE(loops({.lines = "Location: https://www.example.com\r\n"}));
  EXPECT_FALSE(loops({.lines = "Location: /a?b\r\n"}));
  EXPECT_FALSE(loops({.lines = "Location: \r\n"}));
}

TEST(RedirectLoop, ACookieMayEndIt) {
  EXPECT_FALSE(loops({.lines = "Set-Cookie: seen=1\r\nLocation: https://www.example.com/a?b\r\n"}));
}

TEST(RedirectLoop, WhoMustUseHttpsIsNotSentToHttp) {
  Case given{.lines = "Location: http://www.example.com/a?b\r\n",
             .origin_secure = true,
             .ssl = SslMode::kFull,
             .flags = route::kAlwaysUseHttps};
  EXPECT_TRUE(loops(given));
  given.flags = route::kHsts;
  EXPECT_TRUE(loops(given));
  given.flags = 0;
  EXPECT_FALSE(loops(given));
  given.flags = route::kAlwaysUseHttps;
  given.client_secure = false;
  EXPECT_FALSE(loops(given));
}

}  // namespace
}  // namespace brink::l7::proxy
