#include "l7/http1/request_parser.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "l7/http1/head_writer.h"

namespace brink::l7::http1 {
namespace {

using http::BodyKind;
using http::RequestHead;

struct Parsed {
  Verdict verdict;
  std::uint32_t size = 0;
  RequestHead head;
};

// `text` must outlive the result.
Parsed parse(const std::string& text, const Limits& limits = {}) {
  Parsed out;
  Progress progress;
  out.verdict = parse_request(text, limits, 80, progress, out.head, out.size);
  return out;
}

Verdict verdict_of(const std::string& text) {
  return parse(text).verdict;
}

// A request with these lines between the request line + Host and the empty line.
std::string with(const std::string& lines, const std::string& version = "1.1") {
  return "POST /x HTTP/" + version + "\r\nHost: a.example\r\n" + lines + "\r\n";
}

TEST(RequestParser, ReadsAPlainGet) {
  const std::string text =
      "GET /a/b?c=d HTTP/1.1\r\nHost: WWW.Example.com\r\nAccept:  */* \t\r\nX-Empty:\r\n\r\nrest";
  const Parsed p = parse(text);
  ASSERT_EQ(p.verdict, Verdict::ok);
  EXPECT_EQ(p.size, text.size() - 4);
  EXPECT_EQ(p.head.method, http::Method::get);
  EXPECT_EQ(p.head.fields.text(p.head.target), "/a/b?c=d");
  EXPECT_EQ(p.head.authority.host(), "www.example.com");
  EXPECT_EQ(p.head.body.kind, BodyKind::none);
  EXPECT_TRUE(p.head.keep_alive);
  ASSERT_EQ(p.head.fields.count, 3U);
  EXPECT_EQ(p.head.fields.value(p.head.fields.entries[1]), "*/*");
  EXPECT_EQ(p.head.fields.value(p.head.fields.entries[2]), "");
}

TEST(RequestParser, EveryPrefixIsIncompleteAndEverySplitGivesTheSameHead) {
  const std::string text =
      "POST /upload HTTP/1.1\r\nHost: a.example:8080\r\nContent-Length: 12\r\nX: y\r\n\r\n";
  for (std::size_t cut = 0; cut < text.size(); ++cut) {
    RequestHead head;
    Progress progress;
    std::uint32_t size = 0;
    ASSERT_EQ(parse_request(text.substr(0, cut), {}, 8080, progress, head, size),
              Verdict::incomplete)
        << cut;
    ASSERT_EQ(parse_request(text, {}, 8080, progress, head, size), Verdict::ok) << cut;
    EXPECT_EQ(size, text.size());
  }
  RequestHead head;
  Progress progress;
  std::uint32_t size = 0;
  for (std::size_t n = 0; n < text.size(); ++n) {
    ASSERT_EQ(parse_request(std::string_view(text).substr(0, n), {}, 8080, progress, head, size),
              Verdict::incomplete);
  }
  EXPECT_EQ(parse_request(text, {}, 8080, progress, head, size), Verdict::ok);
  EXPECT_EQ(head.body.length, 12U);
}

TEST(RequestParser, SkipsOneEmptyLineBeforeTheRequestLine) {
  EXPECT_EQ(verdict_of("\r\nGET / HTTP/1.1\r\nHost: a\r\n\r\n"), Verdict::ok);
  EXPECT_NE(verdict_of("\r\n\r\nGET / HTTP/1.1\r\nHost: a\r\n\r\n"), Verdict::ok);
}

TEST(RequestParser, KeepAliveFollowsVersionAndConnection) {
  const auto keep = [](const std::string& text) {
    const Parsed p = parse(text);
    EXPECT_EQ(p.verdict, Verdict::ok) << text;
    return p.head.keep_alive;
  };
  EXPECT_TRUE(keep(with("")));
  EXPECT_FALSE(keep(with("Connection: close\r\n")));
  EXPECT_FALSE(keep(with("Connection: x, CLOSE\r\n")));
  EXPECT_FALSE(keep(with("", "1.0")));
  EXPECT_TRUE(keep(with("Connection: keep-alive\r\n", "1.0")));
  EXPECT_FALSE(keep(with("Connection: keep-alive\r\nConnection: close\r\n", "1.0")));
}

TEST(RequestParser, ReadsBothBodyFramings) {
  EXPECT_EQ(parse(with("Transfer-Encoding: CHUNKED\r\n")).head.body.kind, BodyKind::chunked);
  const Parsed p = parse(with("Content-Length: 999999999999999999\r\n"));
  EXPECT_EQ(p.verdict, Verdict::ok);
  EXPECT_EQ(p.head.body.kind, BodyKind::length);
  EXPECT_EQ(p.head.body.length, 999999999999999999U);
  EXPECT_EQ(parse(with("Content-Length: 0\r\n")).head.body.kind, BodyKind::none);
}

TEST(RequestParser, AbsoluteFormMustAgreeWithHost) {
  const auto request = [](const std::string& target, const std::string& host) {
    return "GET " + target + " HTTP/1.1\r\nHost: " + host + "\r\n\r\n";
  };
  const std::string good = request("HTTP://A.example:80/p?q", "a.example");
  const Parsed p = parse(good);
  EXPECT_EQ(p.verdict, Verdict::ok);
  EXPECT_EQ(p.head.fields.text(p.head.target), "/p?q");
  const std::string bare = request("http://a.example", "a.example");
  const Parsed q = parse(bare);
  EXPECT_EQ(q.verdict, Verdict::ok);
  EXPECT_EQ(q.head.fields.text(q.head.target), "/");
  EXPECT_EQ(verdict_of(request("http://b.example/", "a.example")), Verdict::host_mismatch);
  EXPECT_EQ(verdict_of(request("http://a.example:81/", "a.example")), Verdict::host_mismatch);
  EXPECT_EQ(verdict_of(request("http://u@a.example/", "a.example")), Verdict::host_invalid);
  EXPECT_EQ(verdict_of(request("http://a.example?x", "a.example")), Verdict::bad_target);
  EXPECT_EQ(verdict_of(request("ftp://a.example/", "a.example")), Verdict::bad_target);
  EXPECT_EQ(verdict_of(request("a.example:80", "a.example")), Verdict::bad_target);
}

TEST(RequestParser, AbsoluteFormSaysItsScheme) {
  const auto scheme_of = [](const std::string& target) {
    const std::string text = "GET " + target + " HTTP/1.1\r\nHost: a.example\r\n\r\n";
    const Parsed p = parse(text);
    EXPECT_EQ(p.verdict, Verdict::ok) << target;
    EXPECT_EQ(p.head.fields.text(p.head.target), "/") << target;
    return p.head.scheme;
  };
  EXPECT_EQ(scheme_of("http://a.example/"), http::Scheme::http);
  EXPECT_EQ(scheme_of("HTTPS://A.example"), http::Scheme::https);
  EXPECT_EQ(scheme_of("/"), http::Scheme::unsaid);
  EXPECT_EQ(verdict_of("GET https:// HTTP/1.1\r\nHost: a.example\r\n\r\n"), Verdict::bad_target);
  EXPECT_EQ(verdict_of("GET https://b.example/ HTTP/1.1\r\nHost: a.example\r\n\r\n"),
            Verdict::host_mismatch);
}

TEST(RequestParser, AsteriskIsForOptionsOnlyAndConnectIsNotImplemented) {
  EXPECT_EQ(verdict_of("OPTIONS * HTTP/1.1\r\nHost: a\r\n\r\n"), Verdict::ok);
  EXPECT_EQ(verdict_of("GET * HTTP/1.1\r\nHost: a\r\n\r\n"), Verdict::bad_target);
  EXPECT_EQ(verdict_of("CONNECT a:443 HTTP/1.1\r\nHost: a\r\n\r\n"),
            Verdict::method_not_implemented);
  EXPECT_EQ(status_of(Verdict::method_not_implemented), 501);
}

TEST(RequestParser, OnlyOneExpectationIsKnown) {
  EXPECT_TRUE(parse(with("Expect: 100-Continue\r\n")).head.expect_continue);
  EXPECT_EQ(verdict_of(with("Expect: 200-ok\r\n")), Verdict::expectation_failed);
}

TEST(RequestParser, Http10ExpectIsNeitherHeardNorForwarded) {
  const std::string text = with("Expect: 200-ok\r\n", "1.0");
  const Parsed p = parse(text);
  ASSERT_EQ(p.verdict, Verdict::ok);
  EXPECT_FALSE(p.head.expect_continue);
  EXPECT_NE(p.head.fields.entries[1].flags & http::kFieldHopByHop, 0);
}

struct Refusal {
  const char* name;
  std::string text;
  Verdict verdict;
  int status;
};

class Smuggling : public ::testing::TestWithParam<Refusal> {};

TEST_P(Smuggling, IsRefused) {
  EXPECT_EQ(name_of(verdict_of(GetParam().text)), name_of(GetParam().verdict));
  EXPECT_EQ(status_of(GetParam().verdict), GetParam().status);
  // Dripping it in byte by byte must not change the verdict, only when it is known: at the latest
  // with the next empty line.
  RequestHead head;
  Progress progress;
  std::uint32_t size = 0;
  const std::string text = GetParam().text + "\r\n\r\n";
  Verdict verdict = Verdict::incomplete;
  for (std::size_t n = 0; n <= text.size() && verdict == Verdict::incomplete; ++n) {
    verdict = parse_request(std::string_view(text).substr(0, n), {}, 80, progress, head, size);
  }
  EXPECT_EQ(name_of(verdict), name_of(GetParam().verdict));
}

std::string request(const std::string& line, const std::string& lines) {
  return line + "\r\n" + lines + "\r\n";
}
std::string host_lines(const std::string& lines) {
  return request("GET / HTTP/1.1", lines);
}

const std::vector<Refusal>& refusals() {
  using namespace std::string_literals;
  using enum Verdict;
  static const std::vector<Refusal> kAll = {
      {"LengthAndCoding", with("Content-Length: 4\r\nTransfer-Encoding: chunked\r\n"),
       length_and_coding, 400},
      {"CodingAndLength", with("Transfer-Encoding: chunked\r\nContent-Length: 4\r\n"),
       length_and_coding, 400},
      {"LengthTwiceSame", with("Content-Length: 4\r\nContent-Length: 4\r\n"), length_duplicate,
       400},
      {"LengthTwiceDifferent", with("Content-Length: 4\r\nContent-Length: 5\r\n"), length_duplicate,
       400},
      {"LengthList", with("Content-Length: 4, 4\r\n"), length_invalid, 400},
      {"LengthEmpty", with("Content-Length:\r\n"), length_invalid, 400},
      {"LengthPlus", with("Content-Length: +4\r\n"), length_invalid, 400},
      {"LengthMinus", with("Content-Length: -4\r\n"), length_invalid, 400},
      {"LengthHex", with("Content-Length: 0x4\r\n"), length_invalid, 400},
      {"LengthInnerSpace", with("Content-Length: 4 4\r\n"), length_invalid, 400},
      {"LengthUnderscore", with("Content-Length: 1_0\r\n"), length_invalid, 400},
      {"LengthOverflow", with("Content-Length: 18446744073709551620\r\n"), length_invalid, 400},
      {"LengthVerticalTab", with("Content-Length: \v4\r\n"), bad_field_value, 400},
      {"CodingTwice", with("Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n"),
       coding_invalid, 400},
      {"CodingChunkedChunked", with("Transfer-Encoding: chunked, chunked\r\n"), coding_invalid,
       400},
      {"CodingLeadingComma", with("Transfer-Encoding: ,chunked\r\n"), coding_invalid, 400},
      {"CodingTrailingComma", with("Transfer-Encoding: chunked,\r\n"), coding_invalid, 400},
      {"CodingNotFinal", with("Transfer-Encoding: chunked, identity\r\n"), coding_invalid, 400},
      {"CodingQuoted", with("Transfer-Encoding: \"chunked\"\r\n"), coding_invalid, 400},
      {"CodingParameter", with("Transfer-Encoding: chunked;q=1\r\n"), coding_invalid, 400},
      {"CodingEmpty", with("Transfer-Encoding:\r\n"), coding_invalid, 400},
      {"CodingControl",
       with("Transfer-Encoding: \x0b"
            "chunked\r\n"),
       bad_field_value, 400},
      {"CodingIdentity", with("Transfer-Encoding: identity\r\n"), coding_not_implemented, 501},
      {"CodingGzipChunked", with("Transfer-Encoding: gzip, chunked\r\n"), coding_not_implemented,
       501},
      {"CodingMisspelt", with("Transfer-Encoding: xchunked\r\n"), coding_not_implemented, 501},
      {"CodingOnHttp10", with("Transfer-Encoding: chunked\r\n", "1.0"), coding_on_http_1_0, 400},
      {"CodingNameSpace", with("Transfer-Encoding : chunked\r\n"), bad_field_name, 400},
      {"CodingNameTab", with("Transfer-Encoding\t: chunked\r\n"), bad_field_name, 400},
      {"ObsFold", with("X: a\r\n b\r\n"), obs_fold, 400},
      {"ObsFoldTab", with("Transfer-Encoding:\r\n\tchunked\r\n"), obs_fold, 400},
      {"FirstFieldFolded", "GET / HTTP/1.1\r\n Host: a\r\n\r\n", obs_fold, 400},
      {"BareLfInRequestLine", "GET / HTTP/1.1\nHost: a\r\n\r\n", bare_cr_or_lf, 400},
      {"BareLfAfterField", with("X: a\nY: b\r\n"), bare_cr_or_lf, 400},
      {"BareCrInValue", with("X: a\rY: b\r\n"), bare_cr_or_lf, 400},
      {"BareLfAsEnd", "GET / HTTP/1.1\r\nHost: a\r\n\n", bare_cr_or_lf, 400},
      {"BareCrAsEnd", "GET / HTTP/1.1\r\nHost: a\r\n\rX", bare_cr_or_lf, 400},
      {"NulInValue", with("X: a\0b\r\n"s), bad_field_value, 400},
      {"NulInName", with("X\0: a\r\n"s), bad_field_name, 400},
      {"NulInTarget", request("GET /\0 HTTP/1.1"s, "Host: a\r\n"), bad_target, 400},
      {"DelInValue", with("X: a\x7f\r\n"), bad_field_value, 400},
      {"ControlInValue", with("X: a\x01\r\n"), bad_field_value, 400},
      {"SpaceBeforeColon", with("X : a\r\n"), bad_field_name, 400},
      {"EmptyName", with(": a\r\n"), bad_field_name, 400},
      {"NoColon", with("abc\r\n"), bad_field_name, 400},
      {"NameWithBracket", with("X[0]: a\r\n"), bad_field_name, 400},
      {"NameHighByte", with("X\xc3\xa9: a\r\n"), bad_field_name, 400},
      {"HostMissing", host_lines("Accept: */*\r\n"), host_missing, 400},
      {"HostTwice", host_lines("Host: a\r\nHost: a\r\n"), host_duplicate, 400},
      {"HostTwiceHttp10", request("GET / HTTP/1.0", "Host: a\r\nHost: b\r\n"), host_duplicate, 400},
      {"HostEmpty", host_lines("Host:\r\n"), host_invalid, 400},
      {"HostList", host_lines("Host: a, b\r\n"), host_invalid, 400},
      {"HostUserinfo", host_lines("Host: a@b\r\n"), host_invalid, 400},
      {"HostPath", host_lines("Host: a/b\r\n"), host_invalid, 400},
      {"HostSpaceColon", host_lines("Host : a\r\n"), bad_field_name, 400},
      {"HostMismatch", request("GET http://b/ HTTP/1.1", "Host: a\r\n"), host_mismatch, 400},
      {"Http09", "GET /\r\n\r\n", bad_request_line, 400},
      {"Http2Preface", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", version_not_supported, 505},
      {"Http12", request("GET / HTTP/1.2", "Host: a\r\n"), version_not_supported, 505},
      {"Http30", request("GET / HTTP/3.0", "Host: a\r\n"), version_not_supported, 505},
      {"Http011", request("GET / HTTP/01.1", "Host: a\r\n"), bad_version, 400},
      {"HttpLower", request("GET / http/1.1", "Host: a\r\n"), bad_version, 400},
      {"HttpTrailing", request("GET / HTTP/1.1 x", "Host: a\r\n"), bad_version, 400},
      {"HttpTwoDigits", request("GET / HTTP/1.10", "Host: a\r\n"), bad_version, 400},
      {"TwoSpaces", request("GET  / HTTP/1.1", "Host: a\r\n"), bad_request_line, 400},
      {"TabSeparator", request("GET\t/ HTTP/1.1", "Host: a\r\n"), bad_request_line, 400},
      {"LeadingSpace", request(" GET / HTTP/1.1", "Host: a\r\n"), bad_request_line, 400},
      {"Fragment", request("GET /a#b HTTP/1.1", "Host: a\r\n"), bad_target, 400},
      {"HighByteTarget", request("GET /\xff HTTP/1.1", "Host: a\r\n"), bad_target, 400},
      {"RelativeTarget", request("GET a HTTP/1.1", "Host: a\r\n"), bad_target, 400},
      {"LongMethod", request(std::string(33, 'A') + " / HTTP/1.1", "Host: a\r\n"), bad_request_line,
       400},
      {"TlsClientHello", "\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03", bad_request_line, 400},
      {"ConnectionNotToken", with("Connection: a b\r\n"), connection_invalid, 400},
  };
  return kAll;
}

INSTANTIATE_TEST_SUITE_P(Table, Smuggling, ::testing::ValuesIn(refusals()),
                         [](const auto& test) { return std::string(test.param.name); });

TEST(RequestLimits, TargetOverLimitIs414EvenBeforeItEnds) {
  Limits limits;
  limits.target_max = 100;
  const std::string start = "GET /" + std::string(100, 'a');
  EXPECT_EQ(parse(start, limits).verdict, Verdict::target_too_long);
  EXPECT_EQ(status_of(Verdict::target_too_long), 414);
  const std::string at_limit = "GET /" + std::string(99, 'a') + " HTTP/1.1\r\nHost: a\r\n\r\n";
  EXPECT_EQ(parse(at_limit, limits).verdict, Verdict::ok);
}

TEST(RequestLimits, HeadOverLimitIs431) {
  Limits limits;
  limits.head_max = 256;
  const std::string head = "GET / HTTP/1.1\r\nHost: a\r\nX: ";
  const std::string fits = head + std::string(256 - head.size() - 4, 'x') + "\r\n\r\n";
  ASSERT_EQ(fits.size(), 256U);
  EXPECT_EQ(parse(fits, limits).verdict, Verdict::ok);
  const std::string over = head + std::string(256 - head.size() - 3, 'x') + "\r\n\r\n";
  EXPECT_EQ(parse(over, limits).verdict, Verdict::head_too_large);
  EXPECT_EQ(status_of(Verdict::head_too_large), 431);
  // Body bytes behind a complete head do not count.
  EXPECT_EQ(parse(fits + std::string(1000, 'b'), limits).verdict, Verdict::ok);
}

TEST(RequestLimits, FieldsAreCountedAndBounded) {
  std::string lines;
  for (std::size_t i = 0; i + 1 < http::kMaxFields; ++i) lines += "X: 1\r\n";
  EXPECT_EQ(verdict_of(with(lines)), Verdict::ok);
  EXPECT_EQ(verdict_of(with(lines + "X: 1\r\n")), Verdict::too_many_fields);
  Limits limits;
  limits.field_max = 10;
  EXPECT_EQ(parse(with("X: 1234567890\r\n"), limits).verdict, Verdict::ok);
  EXPECT_EQ(parse(with("X: 12345678901\r\n"), limits).verdict, Verdict::head_too_large);
}

TEST(RequestWriter, WritesAForwardableHeadThatParsesBack) {
  const std::string text = with("A: 1\r\nConnection: b\r\nB: 2\r\nC: 3\r\nContent-Length: 7\r\n");
  const Parsed p = parse(text);
  ASSERT_EQ(p.verdict, Verdict::ok);
  char buffer[512];
  HeadWriter writer(buffer);
  writer.request_line("POST", "/x");
  writer.field("Host", p.head.authority.host());
  write_forwardable(writer, p.head.fields);
  writer.field("Content-Length", p.head.body.length);
  writer.end_head();
  ASSERT_TRUE(writer.ok());
  EXPECT_EQ(writer.text(),
            "POST /x HTTP/1.1\r\nHost: a.example\r\nA: 1\r\nC: 3\r\nContent-Length: 7\r\n\r\n");
}

TEST(RequestWriter, OverflowIsSticky) {
  char buffer[8];
  HeadWriter writer(buffer);
  writer.raw("123456");
  writer.raw("789");
  EXPECT_FALSE(writer.ok());
  writer.raw("7");
  EXPECT_FALSE(writer.ok());
}

}  // namespace
}  // namespace brink::l7::http1
