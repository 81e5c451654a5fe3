#include "l7/proxy/head/trailer_fields.h"

#include <gtest/gtest.h>

#include <string>

#include "l7/http1/request_parser.h"

namespace brink::l7::proxy {
namespace {

// A head with these lines.
struct Head {
  explicit Head(const std::string& lines) : text("GET / HTTP/1.1\r\nHost: a\r\n" + lines + "\r\n") {
    http1::Progress progress;
    std::uint32_t size = 0;
    EXPECT_EQ(http1::parse_request(text, {}, 80, progress, head, size), http1::Verdict::ok);
  }
  std::string text;
  http::RequestHead head;
};

bool passes(const std::string& name) {
  const Head with(name + ": 1\r\n");
  const http::Field& last = *(with.head.fields.end() - 1);
  return may_be_trailer(last, with.head.fields.name(last));
}

TEST(TrailerFields, WhatIsLearnedWhileABodyIsSentPasses) {
  for (const char* name :
       {"grpc-status", "X-Checksum", "Content-Digest", "Server-Timing", "ETag"}) {
    EXPECT_TRUE(passes(name)) << name;
  }
}

TEST(TrailerFields, WhatHasToBeKnownBeforeTheBodyDoesNot) {
  for (const char* name :
       {"Authorization", "Cache-Control", "content-encoding", "Content-Range", "Content-Type",
        "Cookie", "Set-Cookie", "Range", "If-Match", "Location", "Max-Forwards", "Vary", "TE",
        "Trailer", "Keep-Alive", "Proxy-Authorization", "Date", "WWW-Authenticate"}) {
    EXPECT_FALSE(passes(name)) << name;
  }
}

TEST(TrailerFields, WhatTheEdgeSaysItselfDoesNot) {
  for (const char* name : {"CF-Ray", "CF-Connecting-IP", "X-Forwarded-For", "x_forwarded_for",
                           "Client-Cert", "CDN-Loop", "CF-Cache-Status", "Server"}) {
    EXPECT_FALSE(passes(name)) << name;
  }
}

TEST(TrailerFields, AreTakenByWhoSaysSo) {
  const auto takes = [](const std::string& lines) {
    return takes_trailers(Head(lines).head.fields);
  };
  EXPECT_TRUE(takes("TE: trailers\r\n"));
  EXPECT_TRUE(takes("TE: deflate;q=0.5 ,\tTrailers\r\n"));
  EXPECT_TRUE(takes("TE: gzip\r\nTE: trailers\r\n"));
  EXPECT_FALSE(takes(""));
  EXPECT_FALSE(takes("TE: gzip, trailersx\r\n"));
  EXPECT_FALSE(takes("TE: ,,\r\n"));
}

}  // namespace
}  // namespace brink::l7::proxy
