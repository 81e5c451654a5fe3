#include "l7/http1/response_parser.h"

#include <gtest/gtest.h>

#include <string>

namespace brink::l7::http1 {
namespace {

using http::BodyKind;
using http::Method;
using http::ResponseHead;

struct Parsed {
  Verdict verdict;
  std::uint32_t size = 0;
  ResponseHead head;
};

Parsed parse(const std::string& text, Method method = Method::get, const Limits& limits = {}) {
  Parsed out;
  Progress progress;
  out.verdict = parse_response(text, limits, method, progress, out.head, out.size);
  return out;
}

TEST(ResponseParser, ReadsAPlainResponse) {
  const std::string text = "HTTP/1.1 200 Fine by me\r\nContent-Length: 3\r\nX: y\r\n\r\nabc";
  const Parsed p = parse(text);
  ASSERT_EQ(p.verdict, Verdict::ok);
  EXPECT_EQ(p.size, text.size() - 3);
  EXPECT_EQ(p.head.status, 200);
  EXPECT_EQ(p.head.fields.text(p.head.reason), "Fine by me");
  EXPECT_EQ(p.head.body.kind, BodyKind::length);
  EXPECT_EQ(p.head.body.length, 3U);
  EXPECT_TRUE(p.head.keep_alive);
}

TEST(ResponseParser, EveryPrefixIsIncomplete) {
  const std::string text = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n";
  for (std::size_t cut = 0; cut < text.size(); ++cut) {
    EXPECT_EQ(parse(text.substr(0, cut)).verdict, Verdict::incomplete) << cut;
  }
  EXPECT_EQ(parse(text).head.body.kind, BodyKind::chunked);
}

TEST(ResponseParser, ReasonMayBeEmptyOrAbsent) {
  EXPECT_EQ(parse("HTTP/1.1 204 \r\n\r\n").verdict, Verdict::ok);
  EXPECT_EQ(parse("HTTP/1.1 204\r\n\r\n").verdict, Verdict::ok);
}

TEST(ResponseParser, HeadAnd304HaveNoBodyButKeepTheirLength) {
  const Parsed head = parse("HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\n", Method::head);
  EXPECT_EQ(head.head.body.kind, BodyKind::none);
  EXPECT_TRUE(head.head.has_content_length);
  EXPECT_EQ(head.head.content_length, 99U);
  EXPECT_TRUE(head.head.keep_alive);
  const Parsed not_modified = parse("HTTP/1.1 304 Same\r\nContent-Length: 99\r\n\r\n");
  EXPECT_EQ(not_modified.head.body.kind, BodyKind::none);
  EXPECT_TRUE(not_modified.head.keep_alive);
}

TEST(ResponseParser, InterimAnd204HaveNoBody) {
  EXPECT_EQ(parse("HTTP/1.1 100 Continue\r\n\r\n").head.body.kind, BodyKind::none);
  EXPECT_EQ(parse("HTTP/1.1 103 Hints\r\nLink: <a>\r\n\r\n").head.body.kind, BodyKind::none);
  const Parsed p = parse("HTTP/1.1 204 None\r\nContent-Length: 5\r\n\r\n");
  EXPECT_EQ(p.verdict, Verdict::ok);
  EXPECT_EQ(p.head.body.kind, BodyKind::none);
  EXPECT_FALSE(p.head.keep_alive) << "what follows such a head is doubtful";
}

TEST(ResponseParser, WithoutFramingTheBodyEndsWithTheConnection) {
  const Parsed p = parse("HTTP/1.1 200 OK\r\n\r\n");
  EXPECT_EQ(p.head.body.kind, BodyKind::until_close);
  EXPECT_FALSE(p.head.keep_alive);
}

TEST(ResponseParser, Http10ClosesUnlessItSaysOtherwise) {
  EXPECT_FALSE(parse("HTTP/1.0 200 OK\r\nContent-Length: 1\r\n\r\n").head.keep_alive);
  EXPECT_TRUE(parse("HTTP/1.0 200 OK\r\nContent-Length: 1\r\nConnection: keep-alive\r\n\r\n")
                  .head.keep_alive);
  EXPECT_FALSE(
      parse("HTTP/1.1 200 OK\r\nContent-Length: 1\r\nConnection: close\r\n\r\n").head.keep_alive);
}

TEST(ResponseParser, RefusesMalformedHeads) {
  using enum Verdict;
  using namespace std::string_literals;
  const struct {
    std::string text;
    Verdict verdict;
  } cases[] = {
      {"HTTP/0.9 200 OK\r\n\r\n", bad_status_line},
      {"HTTP/2 200\r\n\r\n", bad_status_line},
      {"HTTP/1.2 200 OK\r\n\r\n", version_not_supported},
      {"HTTP/1.1  200 OK\r\n\r\n", bad_status_line},
      {"HTTP/1.1 20 OK\r\n\r\n", bad_status_line},
      {"HTTP/1.1 2000 OK\r\n\r\n", bad_status_line},
      {"HTTP/1.1 099 OK\r\n\r\n", bad_status_line},
      {"HTTP/1.1 600 OK\r\n\r\n", bad_status_line},
      {"HTTP/1.1 +20 OK\r\n\r\n", bad_status_line},
      {"ICY 200 OK\r\n\r\n", bad_status_line},
      {"<html>hello</html>", bad_status_line},
      {"HTTP/1.1 200 OK\nX: y\r\n\r\n", bare_cr_or_lf},
      {"HTTP/1.1 200 O\0K\r\n\r\n"s, bad_status_line},
      {"HTTP/1.1 200 OK\r\nX : y\r\n\r\n", bad_field_name},
      {"HTTP/1.1 200 OK\r\nX: y\r\n z\r\n\r\n", obs_fold},
      {"HTTP/1.1 200 OK\r\nX: \x01\r\n\r\n", bad_field_value},
      {"HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 1\r\n\r\n", length_duplicate},
      {"HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\n", length_invalid},
      {"HTTP/1.1 200 OK\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n",
       length_and_coding},
      {"HTTP/1.0 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", coding_on_http_1_0},
      {"HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip\r\n\r\n", coding_not_implemented},
  };
  for (const auto& c : cases)
    EXPECT_EQ(name_of(parse(c.text).verdict), name_of(c.verdict)) << c.text;
}

TEST(ResponseParser, HeadLimitHolds) {
  Limits limits;
  limits.head_max = 200;
  const std::string start = "HTTP/1.1 200 OK\r\nX: ";
  EXPECT_EQ(parse(start + std::string(400, 'x'), Method::get, limits).verdict,
            Verdict::head_too_large);
}

}  // namespace
}  // namespace brink::l7::http1
