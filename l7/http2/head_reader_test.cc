#include "l7/http2/head_reader.h"

#include <gtest/gtest.h>

#include <vector>

#include "l7/http2/session_test_world.h"

namespace brink::l7::http2 {
namespace {

using http::Verdict;

struct Read {
  explicit Read(const Settings& of = {})
      : settings(of), text(HeadReader::text_size(of.head_max)), reader(text) {}

  Verdict request(const HeadFields& fields, bool end_stream = true) {
    reader.begin(HeadKind::request, settings);
    for (const auto& [name, value] : fields) reader.field(name, value);
    return reader.finish_request(end_stream);
  }
  Verdict response(const HeadFields& fields, http::Method method = http::Method::get,
                   bool end_stream = false) {
    reader.begin(HeadKind::response, settings);
    for (const auto& [name, value] : fields) reader.field(name, value);
    return reader.finish_response(method, end_stream);
  }

  Settings settings;
  std::vector<char> text;
  HeadReader reader;
};

HeadFields with(HeadFields more) {
  HeadFields fields = get_fields();
  fields.insert(fields.end(), more.begin(), more.end());
  return fields;
}

TEST(HeadReader, TurnsARequestIntoOneContiguousHead) {
  Read read;
  ASSERT_EQ(read.request({{":method", "POST"},
                          {":scheme", "https"},
                          {":path", "/a?b=c"},
                          {":authority", "Shop.Example:8443"},
                          {"content-length", "5"},
                          {"te", "trailers"},
                          {"x-a", "1"}},
                         false),
            Verdict::ok);
  const http::RequestHead& head = read.reader.request();
  EXPECT_EQ(head.version, http::Version::http_2);
  EXPECT_EQ(head.method, http::Method::post);
  EXPECT_EQ(head.fields.text(head.method_text), "POST");
  EXPECT_EQ(head.fields.text(head.target), "/a?b=c");
  EXPECT_EQ(head.scheme, http::Scheme::https);
  EXPECT_EQ(head.authority.host(), "shop.example");
  EXPECT_EQ(head.authority.port, 8443);
  EXPECT_EQ(head.body.kind, http::BodyKind::length);
  EXPECT_EQ(head.body.length, 5U);
  EXPECT_EQ(copy_fields(head.fields),
            (HeadFields{{"content-length", "5"}, {"te", "trailers"}, {"x-a", "1"}}));
  EXPECT_EQ(head.fields.entries[0].id, http::FieldName::content_length);
  EXPECT_EQ(head.fields.entries[1].flags, http::kFieldHopByHop);
}

TEST(HeadReader, TakesTheHostFromEitherPlace) {
  Read read;
  EXPECT_EQ(
      read.request({{":method", "GET"}, {":scheme", "http"}, {":path", "/"}, {"host", "A.b"}}),
      Verdict::ok);
  EXPECT_EQ(read.reader.request().authority.host(), "a.b");
  EXPECT_EQ(read.request(with({{"host", "A.EXAMPLE:80"}})), Verdict::ok);
}

TEST(HeadReader, JoinsCookieCrumbs) {
  Read read;
  ASSERT_EQ(read.request(with({{"cookie", "a=1"}, {"x", "y"}, {"cookie", "b=2"}, {"cookie", "c"}})),
            Verdict::ok);
  EXPECT_EQ(copy_fields(read.reader.request().fields),
            (HeadFields{{"cookie", "a=1; b=2; c"}, {"x", "y"}}));
}

TEST(HeadReader, KnowsBodiesWithoutALength) {
  Read read;
  ASSERT_EQ(read.request(get_fields(), false), Verdict::ok);
  EXPECT_EQ(read.reader.request().body.kind, http::BodyKind::chunked);
  ASSERT_EQ(read.request(get_fields(), true), Verdict::ok);
  EXPECT_EQ(read.reader.request().body.kind, http::BodyKind::none);
}

TEST(HeadReader, TakesExtendedConnectWhereItWasOffered) {
  const HeadFields fields = {{":method", "CONNECT"},
                             {":protocol", "websocket"},
                             {":scheme", "https"},
                             {":authority", "a.example"},
                             {":path", "/chat"}};
  Read read;
  ASSERT_EQ(read.request(fields, false), Verdict::ok);
  const http::RequestHead& head = read.reader.request();
  EXPECT_EQ(head.fields.text(head.protocol), "websocket");
  EXPECT_EQ(head.body.kind, http::BodyKind::chunked);
  Settings without;
  without.connect_protocol = false;
  EXPECT_EQ(Read(without).request(fields, false), Verdict::pseudo_field_unknown);
}

struct Refused {
  const char* what;
  HeadFields fields;
  Verdict verdict;
};

TEST(HeadReader, RefusesRequestsThatTwoReadersCouldUnderstandDifferently) {
  using namespace std::string_literals;
  const HeadFields line = {{":method", "GET"}, {":scheme", "http"}, {":path", "/"}};
  const std::vector<Refused> cases = {
      {"upper case", with({{"X-A", "1"}}), Verdict::bad_field_name},
      {"empty name", with({{"", "1"}}), Verdict::bad_field_name},
      {"space in a name", with({{"x a", "1"}}), Verdict::bad_field_name},
      {"colon in a name", with({{"x:a", "1"}}), Verdict::bad_field_name},
      {"line break in a name", with({{"x\r\ny", "1"}}), Verdict::bad_field_name},
      {"CR in a value", with({{"x", "a\rb"}}), Verdict::bad_field_value},
      {"LF in a value", with({{"x", "a\nb: c"}}), Verdict::bad_field_value},
      {"NUL in a value", with({{"x", "a\0b"s}}), Verdict::bad_field_value},
      {"DEL in a value", with({{"x", "a\x7f"}}), Verdict::bad_field_value},
      {"space before a value", with({{"x", " a"}}), Verdict::bad_field_value},
      {"tab behind a value", with({{"x", "a\t"}}), Verdict::bad_field_value},
      {"connection", with({{"connection", "close"}}), Verdict::connection_field},
      {"keep-alive", with({{"keep-alive", "timeout=5"}}), Verdict::connection_field},
      {"proxy-connection", with({{"proxy-connection", "close"}}), Verdict::connection_field},
      {"upgrade", with({{"upgrade", "h2c"}}), Verdict::connection_field},
      {"chunked", with({{"transfer-encoding", "chunked"}}), Verdict::connection_field},
      {"te", with({{"te", "gzip"}}), Verdict::connection_field},
      {"te list", with({{"te", "trailers, deflate"}}), Verdict::connection_field},
      {"late pseudo-field",
       {{":method", "GET"}, {"x", "y"}, {":path", "/"}},
       Verdict::pseudo_field_misplaced},
      {"unknown pseudo-field", with({{":test", "x"}}), Verdict::pseudo_field_unknown},
      {"response pseudo-field", {{":status", "200"}}, Verdict::pseudo_field_unknown},
      {"two methods", {{":method", "GET"}, {":method", "GET"}}, Verdict::pseudo_field_duplicate},
      {"two paths", {{":path", "/"}, {":path", "/"}}, Verdict::pseudo_field_duplicate},
      {"two schemes", {{":scheme", "http"}, {":scheme", "http"}}, Verdict::pseudo_field_duplicate},
      {"two authorities",
       {{":authority", "a"}, {":authority", "a"}},
       Verdict::pseudo_field_duplicate},
      {"no method", {{":scheme", "http"}, {":path", "/"}}, Verdict::pseudo_field_missing},
      {"no scheme", {{":method", "GET"}, {":path", "/"}}, Verdict::pseudo_field_missing},
      {"no path", {{":method", "GET"}, {":scheme", "http"}}, Verdict::pseudo_field_missing},
      {"empty path", {{":path", ""}}, Verdict::bad_target},
      {"space in the path", {{":path", "/a b"}}, Verdict::bad_target},
      {"line break in the path", {{":path", "/ HTTP/1.1\r\nHost: b"}}, Verdict::bad_target},
      {"fragment", {{":path", "/#a"}}, Verdict::bad_target},
      {"path without a slash",
       {{":method", "GET"}, {":scheme", "http"}, {":authority", "a"}, {":path", "a"}},
       Verdict::bad_target},
      {"absolute target",
       {{":method", "GET"}, {":scheme", "http"}, {":authority", "a"}, {":path", "http://b/"}},
       Verdict::bad_target},
      {"star for GET",
       {{":method", "GET"}, {":scheme", "http"}, {":authority", "a"}, {":path", "*"}},
       Verdict::bad_target},
      {"space in the method", {{":method", "GET /"}}, Verdict::method_invalid},
      {"empty method", {{":method", ""}}, Verdict::method_invalid},
      {"scheme with a slash", {{":scheme", "http://a/"}}, Verdict::scheme_invalid},
      {"foreign scheme", {{":scheme", "ftp"}}, Verdict::scheme_invalid},
      {"no host at all", line, Verdict::host_missing},
      {"user information",
       {{":method", "GET"}, {":scheme", "http"}, {":path", "/"}, {":authority", "u@a"}},
       Verdict::host_invalid},
      {"empty authority",
       {{":method", "GET"}, {":scheme", "http"}, {":path", "/"}, {":authority", ""}},
       Verdict::host_invalid},
      {"another host", with({{"host", "b.example"}}), Verdict::host_mismatch},
      {"another port", with({{"host", "a.example:81"}}), Verdict::host_mismatch},
      {"two hosts", with({{"host", "a.example"}, {"host", "a.example"}}), Verdict::host_duplicate},
      {"length of words", with({{"content-length", "x"}}), Verdict::length_invalid},
      {"length with a sign", with({{"content-length", "+1"}}), Verdict::length_invalid},
      {"length as a list", with({{"content-length", "1, 1"}}), Verdict::length_invalid},
      {"two lengths", with({{"content-length", "0"}, {"content-length", "0"}}),
       Verdict::length_duplicate},
      {"length without a body", with({{"content-length", "1"}}), Verdict::length_mismatch},
      {"CONNECT",
       {{":method", "CONNECT"}, {":authority", "a:443"}},
       Verdict::method_not_implemented},
      {"protocol without CONNECT",
       {{":method", "GET"}, {":protocol", "websocket"}},
       Verdict::pseudo_field_misplaced},
      {"expectation", with({{"expect", "200-ok"}}), Verdict::expectation_failed},
      {"long target", {{":path", "/" + std::string(17000, 'a')}}, Verdict::target_too_long},
      {"long value", with({{"x", std::string(17000, 'a')}}), Verdict::head_too_large},
      {"long head",
       with({{"a", std::string(16000, 'a')},
             {"b", std::string(16000, 'a')},
             {"c", std::string(1000, 'a')}}),
       Verdict::head_too_large},
      {"many fields", with(HeadFields(129, {"a", "b"})), Verdict::too_many_fields},
  };
  for (const Refused& c : cases) {
    EXPECT_EQ(name_of(Read().request(c.fields)), name_of(c.verdict)) << c.what;
  }
}

TEST(HeadReader, RefusesResponsesThatAreNone) {
  const std::vector<Refused> cases = {
      {"no status", {{"a", "b"}}, Verdict::pseudo_field_missing},
      {"two", {{":status", "200"}, {":status", "200"}}, Verdict::pseudo_field_duplicate},
      {"short", {{":status", "20"}}, Verdict::status_invalid},
      {"words", {{":status", "2xx"}}, Verdict::status_invalid},
      {"600", {{":status", "600"}}, Verdict::status_invalid},
      {"101", {{":status", "101"}}, Verdict::status_invalid},
      {"request's", {{":path", "/"}}, Verdict::pseudo_field_unknown},
      {"connection", {{":status", "200"}, {"connection", "close"}}, Verdict::connection_field},
      {"two lengths",
       {{":status", "200"}, {"content-length", "1"}, {"content-length", "1"}},
       Verdict::length_duplicate},
  };
  for (const Refused& c : cases) {
    EXPECT_EQ(name_of(Read().response(c.fields)), name_of(c.verdict)) << c.what;
  }
  Read read;
  EXPECT_EQ(read.response({{":status", "100"}}, http::Method::get, true), Verdict::status_invalid);
  EXPECT_EQ(read.response({{":status", "200"}, {"content-length", "1"}}, http::Method::get, true),
            Verdict::length_mismatch);
  EXPECT_EQ(read.response({{":status", "200"}, {"content-length", "1"}}, http::Method::head, true),
            Verdict::ok);
  EXPECT_EQ(read.reader.response().body.kind, http::BodyKind::none);
  EXPECT_EQ(read.reader.response().content_length, 1U);
}

TEST(HeadReader, GoesOnWithAHeadThatWasPutAside) {
  Read read;
  read.reader.begin(HeadKind::request, read.settings);
  for (const auto& [name, value] : get_fields("/first")) read.reader.field(name, value);
  read.reader.field("a", "1");
  std::vector<std::byte> saved(read.reader.saved_size());
  read.reader.save(saved.data());
  ASSERT_EQ(read.request(with({{"b", "2"}})), Verdict::ok);
  read.reader.restore(saved.data());
  read.reader.field("c", "3");
  ASSERT_EQ(read.reader.finish_request(true), Verdict::ok);
  const http::RequestHead& head = read.reader.request();
  EXPECT_EQ(head.fields.text(head.target), "/first");
  EXPECT_EQ(copy_fields(head.fields), (HeadFields{{"a", "1"}, {"c", "3"}}));
}

TEST(HeadReader, CallsAHeadOfSeveralTimesTheLimitABomb) {
  Read read;
  read.reader.begin(HeadKind::request, read.settings);
  const std::string value(4000, 'a');
  int fields = 0;
  for (; !read.reader.is_bomb(); ++fields) read.reader.field("a", value);
  EXPECT_EQ(fields, 33);  // 4 * 32 KiB of 4,033 each
  EXPECT_EQ(read.reader.finish_request(true), Verdict::head_too_large);
}

}  // namespace
}  // namespace brink::l7::http2
