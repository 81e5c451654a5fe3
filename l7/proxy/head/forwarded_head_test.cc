#include "l7/proxy/head/forwarded_head.h"

#include <gtest/gtest.h>

#include <string>

#include "l7/http1/request_parser.h"
#include "l7/http1/response_parser.h"
#include "l7/proxy/head/http_date.h"
#include "l7/proxy/head/loop_guard.h"

namespace brink::l7::proxy {
namespace {

class ForwardedRequest : public ::testing::Test {
 protected:
  void parse(const std::string& lines, const std::string& start = "GET /p HTTP/1.1") {
    text_ = start + "\r\nHost: A.example.com:8080\r\n" + lines + "\r\n";
    http1::Progress progress;
    std::uint32_t size = 0;
    ASSERT_EQ(http1::parse_request(text_, {}, 80, progress, head_, size), http1::Verdict::ok);
  }
  std::string forwarded(const std::string& lines, const std::string& start = "GET /p HTTP/1.1",
                        std::string_view accept_encoding = {}) {
    parse(lines, start);
    char buffer[4096];
    http1::HeadWriter writer(buffer);
    write_origin_request(writer, head_,
                         {.client = *base::IpAddress::parse("198.51.100.7"),
                          .country = country_,
                          .tells_country = tells_country_,
                          .ray = "0123456789abcdef-TST",
                          .zone = "example.com",
                          .accept_encoding = accept_encoding});
    EXPECT_TRUE(writer.ok());
    return std::string(writer.text());
  }
  RequestRule rule(const std::string& lines, bool strict = false) {
    parse(lines);
    return check_request(head_, "example.com", strict);
  }
  std::string text_;
  http::RequestHead head_;
  country::Code country_;
  bool tells_country_ = true;
};

bool has(const std::string& text, const std::string& line) {
  return text.find("\r\n" + line + "\r\n") != std::string::npos;
}

TEST_F(ForwardedRequest, CarriesExactlyTheEdgeFields) {
  EXPECT_EQ(forwarded("Accept: */*\r\n"),
            "GET /p HTTP/1.1\r\n"
            "Host: a.example.com:8080\r\n"
            "Accept: */*\r\n"
            "Connection: Keep-Alive\r\n"
            "CF-Connecting-IP: 198.51.100.7\r\n"
            "X-Forwarded-For: 198.51.100.7\r\n"
            "X-Forwarded-Proto: http\r\n"
            "CF-Visitor: {\"scheme\":\"http\"}\r\n"
            "CF-Ray: 0123456789abcdef-TST\r\n"
            "CF-IPCountry: XX\r\n"
            "CDN-Loop: brink; zone=example.com\r\n\r\n");
}

TEST_F(ForwardedRequest, TellsTheCountryUnlessTheZoneDoesNot) {
  country_ = {{'D', 'E'}};
  EXPECT_TRUE(has(forwarded("CF-IPCountry: SE\r\n"), "CF-IPCountry: DE"));
  tells_country_ = false;
  EXPECT_EQ(forwarded("CF-IPCountry: SE\r\n").find("CF-IPCountry"), std::string::npos);
}

TEST_F(ForwardedRequest, AppendsToForwardedForAndJoinsSeveral) {
  EXPECT_TRUE(
      has(forwarded("X-Forwarded-For: 1.1.1.1\r\n"), "X-Forwarded-For: 1.1.1.1,198.51.100.7"));
  EXPECT_TRUE(has(forwarded("X-Forwarded-For: 1.1.1.1, 2.2.2.2\r\nx-forwarded-for: 3.3.3.3\r\n"),
                  "X-Forwarded-For: 1.1.1.1, 2.2.2.2,3.3.3.3,198.51.100.7"));
}

TEST_F(ForwardedRequest, ReplacesWhatAClientMayNotClaim) {
  const std::string out = forwarded(
      "X-Forwarded-Proto: https\r\nCF-Visitor: x\r\nCF-Ray: y\r\nCF-IPCountry: T1\r\n"
      "X-Real-IP: 9.9.9.9\r\nTrue-Client-IP: 9.9.9.9\r\nCF-Worker: w\r\nCF-EW-Via: v\r\n"
      "CF_Connecting_IP: 9.9.9.9\r\nX_Forwarded_For: 9.9.9.9\r\nTransfer_Encoding: chunked\r\n"
      "Cf-Pseudo-IPv4: 9.9.9.9\r\nX_Custom: stays\r\n");
  EXPECT_EQ(out.find("9.9.9.9"), std::string::npos) << out;
  EXPECT_EQ(out.find("https"), std::string::npos);
  EXPECT_EQ(out.find("chunked"), std::string::npos);
  EXPECT_EQ(out.find("T1"), std::string::npos);
  EXPECT_TRUE(has(out, "X_Custom: stays"));
}

TEST_F(ForwardedRequest, TakesNoClientsWordForItsCertificate) {
  const std::string out = forwarded(
      "Client-Cert: :YQ==:\r\nclient-cert-chain: :YQ==:\r\nClient_Cert: :YQ==:\r\n"
      "CF-Client-Cert-Der-Base64: YQ==\r\ncf-client-cert-sha256: YQ==\r\nClient-Certain: yes\r\n");
  EXPECT_EQ(out.find("YQ=="), std::string::npos) << out;
  EXPECT_TRUE(has(out, "Client-Certain: yes"));
}

TEST_F(ForwardedRequest, DropsHopByHopFieldsAndCannotLoseTheEdgesOwn) {
  const std::string out = forwarded(
      "Connection: close, X-Drop, Host, CF-Connecting-IP, X-Forwarded-For\r\nX-Drop: 1\r\n"
      "Keep-Alive: 5\r\nTE: trailers\r\nUpgrade: websocket\r\nProxy-Authorization: x\r\n");
  for (const char* gone : {"X-Drop", "Keep-Alive: 5", "TE:", "Upgrade", "Proxy-", "close"}) {
    EXPECT_EQ(out.find(gone), std::string::npos) << gone;
  }
  EXPECT_TRUE(has(out, "Host: a.example.com:8080"));
  EXPECT_TRUE(has(out, "CF-Connecting-IP: 198.51.100.7"));
  EXPECT_TRUE(has(out, "X-Forwarded-For: 198.51.100.7"));
}

TEST_F(ForwardedRequest, AcceptEncodingIsTheEdgesOwn) {
  const std::string get = "GET /p HTTP/1.1";
  for (const char* lines : {"", "Accept-Encoding: zstd\r\n",
                            "Accept-Encoding: gzip\r\naccept-encoding: deflate\r\n"}) {
    const std::string out = forwarded(lines, get, "br, gzip");
    EXPECT_TRUE(has(out, "Accept-Encoding: br, gzip"));
    EXPECT_EQ(out.find("zstd"), std::string::npos);
    EXPECT_EQ(out.find("deflate"), std::string::npos);
  }
  EXPECT_TRUE(has(forwarded("Accept-Encoding: zstd\r\n"), "Accept-Encoding: zstd"));
  EXPECT_EQ(forwarded("").find("Accept-Encoding"), std::string::npos);
}

TEST_F(ForwardedRequest, WritesTheFramingAnew) {
  EXPECT_TRUE(has(forwarded("Content-Length: 0007\r\n", "POST / HTTP/1.1"), "Content-Length: 7"));
  EXPECT_TRUE(has(forwarded("transfer-encoding: Chunked\r\n", "POST / HTTP/1.1"),
                  "Transfer-Encoding: chunked"));
  EXPECT_TRUE(has(forwarded("", "POST / HTTP/1.1"), "Content-Length: 0"));
  EXPECT_EQ(forwarded("").find("Content-Length"), std::string::npos);
}

TEST_F(ForwardedRequest, RefusesAClientSuppliedConnectingIp) {
  EXPECT_EQ(rule("CF-Connecting-IP: 1.1.1.1\r\n"), RequestRule::connecting_ip_given);
  EXPECT_EQ(rule(""), RequestRule::pass);
}

TEST_F(ForwardedRequest, ForwardedForIsCoalescedUnlessStrict) {
  const std::string twice = "X-Forwarded-For: 1.1.1.1\r\nX-Forwarded-For: 1.1.1.1\r\n";
  const std::string long_one = "X-Forwarded-For: " + std::string(101, '1') + "\r\n";
  EXPECT_EQ(rule(twice), RequestRule::pass);
  EXPECT_EQ(rule(long_one), RequestRule::pass);
  EXPECT_EQ(rule(twice, true), RequestRule::forwarded_for);
  EXPECT_EQ(rule(long_one, true), RequestRule::forwarded_for);
}

TEST_F(ForwardedRequest, LoopIsTheSameZoneOnceOrAnyZoneSixteenTimes) {
  EXPECT_EQ(rule("CDN-Loop: brink; zone=example.com\r\n"), RequestRule::loop);
  EXPECT_EQ(rule("CDN-Loop: other, BRINK;zone=\"Example.com\"\r\n"), RequestRule::loop);
  EXPECT_EQ(rule("CDN-Loop: brink; zone=example.org\r\n"), RequestRule::pass);
  EXPECT_EQ(rule("CDN-Loop: other; zone=example.com\r\n"), RequestRule::pass);
  std::string many;
  for (int i = 0; i < kLoopEntriesMax - 1; ++i) many += "CDN-Loop: brink; zone=z\r\n";
  EXPECT_EQ(rule(many), RequestRule::pass);
  EXPECT_EQ(rule(many + "CDN-Loop: brink\r\n"), RequestRule::loop);
}

TEST_F(ForwardedRequest, LoopListMustBeWellFormed) {
  for (const char* value :
       {"a b", "a;", "a;b", "a;b=", "a;b=\"x", "a; b =c", "\"a\"", "a/b", "a;b=\"\\"}) {
    EXPECT_EQ(rule(std::string("CDN-Loop: ") + value + "\r\n"), RequestRule::loop_malformed)
        << value;
  }
  for (const char* value :
       {"", ",", "a, ,b", "[2001:db8::1]:80;x=y", "h.example:8080 ; a=\"b,;\""}) {
    EXPECT_EQ(rule(std::string("CDN-Loop: ") + value + "\r\n"), RequestRule::pass) << value;
  }
  EXPECT_TRUE(has(forwarded("CDN-Loop: a\r\nCDN-Loop: b; c=d\r\n"),
                  "CDN-Loop: a, b; c=d, brink; zone=example.com"));
}

std::string client_head(const std::string& text, const ResponseContext& context) {
  http::ResponseHead head;
  http1::Progress progress;
  std::uint32_t size = 0;
  EXPECT_EQ(http1::parse_response(text, {}, http::Method::get, progress, head, size),
            http1::Verdict::ok);
  char buffer[4096];
  http1::HeadWriter writer(buffer);
  write_client_response(writer, head, context);
  return std::string(writer.text());
}

TEST(ForwardedResponse, AddsAndRemovesExactlyWhatItShould) {
  ResponseContext context{.ray = "r-TST", .date = "now", .body_out = http::BodyKind::length};
  EXPECT_EQ(
      client_head("HTTP/1.1 404 Nope\r\nDate: then\r\nServer: secret\r\nX-Accel-Redirect: /x\r\n"
                  "X-Accel-Buffering: no\r\nX-Accel-Charset: a\r\nX-Accel-Limit-Rate: 1\r\n"
                  "Cache-Tag: t\r\nCloudflare-CDN-Cache-Control: x\r\nCDN-Cache-Control: y\r\n"
                  "cf-error-type: 1\r\ncf-error-origin: z\r\nCF-Ray: own\r\nConnection: h\r\n"
                  "H: hop\r\nContent-Length: 3\r\nSet-Cookie: a\r\nSet-Cookie: b\r\n\r\n",
                  context),
      "HTTP/1.1 404 Nope\r\nDate: then\r\nCDN-Cache-Control: y\r\nSet-Cookie: a\r\n"
      "Set-Cookie: b\r\nContent-Length: 3\r\nServer: brink\r\nCF-Cache-Status: DYNAMIC\r\n"
      "CF-Ray: r-TST\r\n\r\n");
  EXPECT_TRUE(has(client_head("HTTP/1.1 200 OK\r\n\r\n", context), "Date: now"));
}

route::SettingsLayout security_headers() {
  route::SettingsLayout settings;
  settings.flags |= route::kHsts | route::kHstsSubdomains | route::kHstsPreload | route::kNosniff;
  settings.hsts_max_age_s = 31536000;
  return settings;
}

TEST(ForwardedResponse, SaysWhatTheZoneAsksForInTheOriginsPlace) {
  const std::string origin =
      "HTTP/1.1 200 OK\r\nStrict-Transport-Security: max-age=1\r\n"
      "X-Content-Type-Options: other\r\n\r\n";
  ResponseContext context{.ray = "r-TST", .date = "now"};
  context.zone = ZoneFields(security_headers(), true);
  const std::string secure = client_head(origin, context);
  EXPECT_TRUE(
      has(secure, "Strict-Transport-Security: max-age=31536000; includeSubDomains; preload"));
  EXPECT_TRUE(has(secure, "X-Content-Type-Options: nosniff"));
  EXPECT_FALSE(has(secure, "Strict-Transport-Security: max-age=1"));
  EXPECT_FALSE(has(secure, "X-Content-Type-Options: other"));
  context.zone = ZoneFields(security_headers(), false);
  const std::string plain = client_head("HTTP/1.1 200 OK\r\n\r\n", context);
  EXPECT_EQ(plain.find("Strict-Transport-Security"), std::string::npos);
  EXPECT_TRUE(has(plain, "X-Content-Type-Options: nosniff"));
  context.zone = {};
  EXPECT_TRUE(has(client_head(origin, context), "Strict-Transport-Security: max-age=1"));
  EXPECT_TRUE(has(client_head(origin, context), "X-Content-Type-Options: other"));
}

TEST(EdgeErrors, SayWhatTheZoneAsksForToo) {
  char buffer[4096];
  http1::HeadWriter writer(buffer);
  AnswerContext context{.ray = "abc-TST", .date = "now"};
  context.zone = ZoneFields(security_headers(), true);
  write_error_head(writer, EdgeError::origin_tls, 0, context);
  EXPECT_TRUE(has(std::string(writer.text()),
                  "Strict-Transport-Security: max-age=31536000; includeSubDomains; preload"));
}

TEST(ForwardedResponse, InterimHeadsStayAsTheyAre) {
  EXPECT_EQ(client_head("HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n", {}),
            "HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n");
}

TEST(EdgeErrors, EveryPageIsAWellFormedResponseWithItsType) {
  for (std::size_t i = 0; i < kEdgeErrorCount; ++i) {
    const auto error = static_cast<EdgeError>(i);
    char buffer[4096];
    http1::HeadWriter writer(buffer);
    const ErrorPage page(error, "abc-TST");
    write_error_head(writer, error, page.text().size(), {.ray = "abc-TST", .date = "now"});
    writer.raw(page.text());
    ASSERT_TRUE(writer.ok());
    http::ResponseHead head;
    http1::Progress progress;
    std::uint32_t size = 0;
    ASSERT_EQ(http1::parse_response(writer.text(), {}, http::Method::get, progress, head, size),
              http1::Verdict::ok);
    EXPECT_EQ(head.status, info_of(error).status);
    EXPECT_EQ(head.body.length, writer.size() - size);
    const std::string text(writer.text());
    EXPECT_TRUE(has(text, "cf-error-type: " + std::to_string(info_of(error).type))) << text;
    EXPECT_TRUE(has(text, "CF-Ray: abc-TST"));
    EXPECT_NE(text.find("Ray ID: abc-TST"), std::string::npos);
  }
}

TEST(HttpDate, IsImfFixdate) {
  EXPECT_EQ(http_date(784111777).view(), "Sun, 06 Nov 1994 08:49:37 GMT");
  EXPECT_EQ(http_date(0).view(), "Thu, 01 Jan 1970 00:00:00 GMT");
  EXPECT_EQ(http_date(1709164800).view(), "Thu, 29 Feb 2024 00:00:00 GMT");
}

}  // namespace
}  // namespace brink::l7::proxy
