#include "l7/compress/policy.h"

#include <gtest/gtest.h>

#include <string>

#include "l7/compress/media_type.h"
#include "l7/http1/request_parser.h"
#include "l7/http1/response_parser.h"

namespace brink::l7::compress {
namespace {

const std::string kAll = "Accept-Encoding: gzip, br, zstd\r\n";
const std::string kHtml = "Content-Type: text/html\r\n";

ClientFacts client(const std::string& fields, const std::string& method = "GET",
                   const std::string& version = "1.1") {
  const std::string text = method + " / HTTP/" + version + "\r\nHost: a\r\n" + fields + "\r\n";
  http::RequestHead head;
  http1::Progress progress;
  std::uint32_t size = 0;
  EXPECT_EQ(http1::parse_request(text, {}, 80, progress, head, size), http::Verdict::ok) << text;
  return read_client(head);
}

// The response is of unknown length if `fields` say none.
Plan plan(const ClientFacts& from, const std::string& fields, const Settings& settings = {},
          const std::string& status = "200") {
  const bool framed = fields.find("Content-Length") != std::string::npos;
  const std::string text = "HTTP/1.1 " + status + " X\r\n" + fields +
                           (framed ? "" : "Transfer-Encoding: chunked\r\n") + "\r\n";
  http::ResponseHead head;
  http1::Progress progress;
  std::uint32_t size = 0;
  const auto method = from.is_head ? http::Method::head : http::Method::get;
  EXPECT_EQ(http1::parse_response(text, {}, method, progress, head, size), http::Verdict::ok)
      << text;
  return plan_response(settings, from, head);
}
Coding encoding(const std::string& fields, const Settings& settings = {},
                const std::string& status = "200") {
  return plan(client(kAll), fields, settings, status).encode;
}

TEST(Policy, APageIsEncodedAndCachesAreTold) {
  const Plan p = plan(client(kAll), kHtml);
  EXPECT_EQ(p.encode, Coding::zstd);
  EXPECT_EQ(p.decode, Coding::identity);
  EXPECT_TRUE(p.add_vary);
  EXPECT_FALSE(p.weaken_etag);
}

TEST(Policy, SettingsTakeCodingsAway) {
  EXPECT_EQ(encoding(kHtml, {.zstd = false}), Coding::br);
  EXPECT_EQ(encoding(kHtml, {.brotli = false, .zstd = false}), Coding::gzip);
}

TEST(Policy, WhatTheClientDoesNotTakeIsStillSaidToVary) {
  const Plan p = plan(client(""), kHtml);
  EXPECT_FALSE(p.changes_body());
  EXPECT_TRUE(p.add_vary);
}

TEST(Policy, OnlySomeStatusesAreEncoded) {
  for (const char* const status : {"200", "403", "404"}) {
    EXPECT_EQ(encoding(kHtml, {}, status), Coding::zstd) << status;
  }
  for (const char* const status : {"201", "203", "206", "301", "410", "416", "500", "503"}) {
    EXPECT_EQ(encoding(kHtml, {}, status), Coding::identity) << status;
  }
}

TEST(Policy, RangesNoTransformAndCodedBodiesAreLeftAlone) {
  EXPECT_EQ(encoding(kHtml + "Content-Range: bytes 0-99/200\r\n"), Coding::identity);
  EXPECT_EQ(encoding(kHtml + "Cache-Control: max-age=5, No-Transform\r\n"), Coding::identity);
  EXPECT_EQ(encoding(kHtml + "Cache-Control: max-age=5\r\n"), Coding::zstd);
  EXPECT_EQ(encoding(kHtml + "Content-Encoding: compress\r\n"), Coding::identity);
  EXPECT_EQ(encoding(kHtml + "Content-Encoding: gzip, br\r\n"), Coding::identity);
  EXPECT_EQ(encoding(kHtml + "Content-Encoding: identity\r\n"), Coding::zstd);
  EXPECT_EQ(encoding(kHtml + "Content-Encoding:\r\n"), Coding::zstd);
  EXPECT_FALSE(plan(client(kAll), kHtml + "Cache-Control: no-transform\r\n").add_vary);
}

TEST(Policy, ShortBodiesAreLeftAlone) {
  const std::string gzip = "Accept-Encoding: gzip\r\n";
  const auto of_length = [](const std::string& accept, int length) {
    return plan(client(accept), kHtml + "Content-Length: " + std::to_string(length) + "\r\n")
        .encode;
  };
  EXPECT_EQ(of_length(gzip, 47), Coding::identity);
  EXPECT_EQ(of_length(gzip, 48), Coding::gzip);
  EXPECT_EQ(of_length(kAll, 49), Coding::gzip);
  EXPECT_EQ(of_length(kAll, 50), Coding::zstd);
  EXPECT_EQ(of_length("Accept-Encoding: br\r\n", 49), Coding::identity);
}

TEST(Policy, OldClientsGetNoEncoding) {
  EXPECT_EQ(plan(client(kAll, "GET", "1.0"), kHtml).encode, Coding::identity);
}

TEST(Policy, HeadIsAnsweredAsGetWouldBe) {
  const std::string etag = "ETag: \"a\"\r\n";
  for (const std::string& fields : {kHtml + etag, kHtml + etag + "Content-Length: 1000\r\n",
                                    kHtml + etag + "Content-Length: 10\r\n"}) {
    const Plan get = plan(client(kAll), fields);
    const Plan head = plan(client(kAll, "HEAD"), fields);
    EXPECT_EQ(head.encode, get.encode) << fields;
    EXPECT_EQ(head.add_vary, get.add_vary) << fields;
    EXPECT_EQ(head.weaken_etag, get.weaken_etag) << fields;
  }
}

TEST(Policy, VaryIsAddedOnce) {
  const auto adds = [](const std::string& vary) {
    return plan(client(kAll), kHtml + "Vary: " + vary + "\r\n").add_vary;
  };
  EXPECT_TRUE(adds("Cookie"));
  EXPECT_FALSE(adds("*"));
  EXPECT_FALSE(adds("Cookie, accept-encoding"));
  EXPECT_FALSE(adds("Cookie\r\nVary: Accept-Encoding"));
}

TEST(Policy, AStrongEtagOfAChangedBodyIsWeakened) {
  EXPECT_TRUE(plan(client(kAll), kHtml + "ETag: \"a\"\r\n").weaken_etag);
  EXPECT_FALSE(plan(client(kAll), kHtml + "ETag: W/\"a\"\r\n").weaken_etag);
  EXPECT_FALSE(plan(client(""), kHtml + "ETag: \"a\"\r\n").weaken_etag);
  const Settings respect{.respect_strong_etags = true};
  EXPECT_EQ(encoding(kHtml + "ETag: \"a\"\r\n", respect), Coding::identity);
  EXPECT_EQ(encoding(kHtml + "ETag: W/\"a\"\r\n", respect), Coding::zstd);
}

TEST(Policy, A304HasTheEtagThatItsClientKnows) {
  const std::string etag = "ETag: \"a\"\r\nContent-Length: 1000\r\n";
  const auto weakens = [&](const std::string& request) {
    const Plan p = plan(client(kAll + request), etag, {}, "304");
    EXPECT_FALSE(p.changes_body() || p.add_vary);
    return p.weaken_etag;
  };
  EXPECT_TRUE(weakens("If-None-Match: \"b\", W/\"a\"\r\n"));
  EXPECT_FALSE(weakens("If-None-Match: \"a\"\r\n"));
  EXPECT_FALSE(weakens(""));
}

TEST(Policy, ACodingThatTheClientTakesPasses) {
  const Plan p = plan(client("Accept-Encoding: br\r\n"), kHtml + "Content-Encoding: br\r\n");
  EXPECT_FALSE(p.changes_body());
  EXPECT_TRUE(p.add_vary);
}

TEST(Policy, ACodingThatTheClientDoesNotTakeIsTakenOff) {
  const Plan plain = plan(client(""), kHtml + "Content-Encoding: br\r\nETag: \"a\"\r\n");
  EXPECT_EQ(plain.decode, Coding::br);
  EXPECT_EQ(plain.encode, Coding::identity);
  EXPECT_TRUE(plain.add_vary && plain.weaken_etag);
  const Plan other = plan(client("Accept-Encoding: gzip\r\n"), kHtml + "Content-Encoding: br\r\n");
  EXPECT_EQ(other.decode, Coding::br);
  EXPECT_EQ(other.encode, Coding::gzip);
  const Plan image = plan(client("Accept-Encoding: br\r\n"),
                          "Content-Type: image/png\r\nContent-Encoding: X-GZIP\r\n", {}, "500");
  EXPECT_EQ(image.decode, Coding::gzip);
  EXPECT_EQ(image.encode, Coding::identity);
  const Plan old = plan(client("", "GET", "1.0"), kHtml + "Content-Encoding: gzip\r\n");
  EXPECT_EQ(old.decode, Coding::gzip);
}

TEST(Policy, WhatCannotBeTakenOffPasses) {
  const std::string br = kHtml + "Content-Encoding: br\r\n";
  EXPECT_FALSE(plan(client(""), br + "Content-Range: bytes 0-9/20\r\n", {}, "206").changes_body());
  EXPECT_FALSE(plan(client(""), br + "Cache-Control: no-transform\r\n").changes_body());
  EXPECT_FALSE(plan(client(""), br + "Content-Length: 0\r\n").changes_body());
  EXPECT_FALSE(plan(client(""), kHtml + "Content-Encoding: zstd\r\n").changes_body());
}

TEST(Policy, WithoutAnEncoderTheDecoderStays) {
  const Plan both =
      plan(client("Accept-Encoding: gzip\r\n"), kHtml + "Content-Encoding: br\r\nETag: \"a\"\r\n");
  EXPECT_TRUE(without_encoding(both).weaken_etag);
  EXPECT_EQ(without_encoding(both).decode, Coding::br);
  const Plan one = plan(client(kAll), kHtml + "ETag: \"a\"\r\n");
  EXPECT_FALSE(without_encoding(one).changes_body() || without_encoding(one).weaken_etag);
  EXPECT_TRUE(without_encoding(one).add_vary);
}

TEST(Policy, TheOriginIsAskedForWhatTheEdgeCanDecode) {
  const auto asked = [](const std::string& fields, bool can_decode = true,
                        const Settings& settings = {}) {
    return std::string(accept_encoding_for_origin(settings, client(fields), can_decode));
  };
  EXPECT_EQ(asked(""), "br, gzip");
  EXPECT_EQ(asked("", true, {.brotli = false}), "gzip");
  EXPECT_EQ(asked("Range: bytes=0-9\r\n"), "identity");
  EXPECT_EQ(asked("Range: bytes=0-9\r\nAccept-Encoding: br\r\n"), "br");
  EXPECT_EQ(asked("Accept-Encoding: gzip, br, zstd\r\n", false), "br, gzip");
  EXPECT_EQ(asked("Accept-Encoding: gzip\r\n", false), "gzip");
  EXPECT_EQ(asked("", false), "identity");
  EXPECT_EQ(asked("", true, {.respect_strong_etags = true}), "");
}

TEST(Policy, FieldsOfTheOldBytesGo) {
  Plan p;
  EXPECT_EQ(action_on(p, "Content-Length"), FieldAction::keep);
  p.encode = Coding::gzip;
  for (const char* const name : {"content-encoding", "Content-Length", "Accept-Ranges",
                                 "Content-MD5", "Digest", "Content-Digest", "repr-digest"}) {
    EXPECT_EQ(action_on(p, name), FieldAction::drop) << name;
  }
  EXPECT_EQ(action_on(p, "Content-Type"), FieldAction::keep);
  EXPECT_EQ(action_on(p, "ETag"), FieldAction::keep);
  p.weaken_etag = true;
  EXPECT_EQ(action_on(p, "etag"), FieldAction::weaken);
}

TEST(MediaType, TextAndItsKinIsCompressible) {
  for (const char* const type :
       {"text/html", "TEXT/Plain; charset=utf-8", "application/json", "application/ld+json",
        "application/javascript ;x=y", "image/svg+xml", "application/xml", "application/wasm",
        "font/ttf", "application/vnd.ms-fontobject", "image/x-icon", "application/rss+xml"}) {
    EXPECT_TRUE(is_compressible(type)) << type;
  }
  for (const char* const type :
       {"", "text/", "text/event-stream", "Text/Event-Stream;charset=utf-8", "image/png",
        "font/woff2", "video/mp4", "application/zip", "application/octet-stream", "application/",
        "application/jsonx", "xtext/html"}) {
    EXPECT_FALSE(is_compressible(type)) << type;
  }
  EXPECT_FALSE(is_compressible("text/" + std::string(100, 'a')));
}

}  // namespace
}  // namespace brink::l7::compress
