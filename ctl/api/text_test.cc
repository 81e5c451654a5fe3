// The texts that the API reads and writes: targets, envelopes, forms.
#include <gtest/gtest.h>

#include "ctl/api/http.h"
#include "ctl/api/json_input.h"
#include "ctl/api/multipart.h"
#include "ctl/api/router.h"

namespace brink::ctl::api {
namespace {

TEST(Target, IsSplitAndDecoded) {
  Request request;
  set_target(request, "/client/v4/zones/?name=a%2Eexample.com&per_page=1&flag&x=a+b#part");
  EXPECT_EQ(request.path, "/client/v4/zones");
  EXPECT_EQ(*request.query_value("name"), "a.example.com");
  EXPECT_EQ(*request.query_value("per_page"), "1");
  EXPECT_EQ(*request.query_value("flag"), "");
  EXPECT_EQ(*request.query_value("x"), "a b");
  EXPECT_EQ(request.query_value("absent"), nullptr);
}

TEST(Target, KeepsBrokenEscapes) {
  Request request;
  set_target(request, "/a%zz%4?x=%");
  EXPECT_EQ(request.path, "/a%zz%4");
  EXPECT_EQ(*request.query_value("x"), "%");
}

TEST(Envelope, IsCompactAndComplete) {
  EXPECT_EQ(to_json(Envelope{}), R"({"result":null,"success":true,"errors":[],"messages":[]})");
  Envelope envelope;
  envelope.result = "[]";
  envelope.info = {2, 20, 0, 41};
  EXPECT_EQ(to_json(envelope),
            R"({"result":[],"success":true,"errors":[],"messages":[],"result_info":)"
            R"({"page":2,"per_page":20,"count":0,"total_count":41,"total_pages":3}})");
}

TEST(Envelope, CarriesTheErrorChain) {
  const Reply reply = refuse(model::invalid_record(model::kCodeNotProxiable, "Not \"this\"."));
  EXPECT_EQ(reply.status, 400);
  EXPECT_EQ(to_json(reply.envelope),
            R"({"result":null,"success":false,"errors":[{"code":1004,"message":)"
            R"("DNS Validation Error","error_chain":[{"code":9004,"message":"Not \"this\"."}]}],)"
            R"("messages":[]})");
}

// The refusal's message, or what is not refused.
std::string refusal_of(const std::string& body) {
  const auto parsed = parse_object(body);
  return parsed ? "taken: " + to_text(parsed.value()) : parsed.error().message;
}

TEST(Body, IsAnObjectOrNothing) {
  EXPECT_EQ(refusal_of(""), "taken: {}");
  EXPECT_EQ(refusal_of(R"({"a":{"a":[1,{"a":2}]},"b":{"a":3}})"),
            R"(taken: {"a":{"a":[1,{"a":2}]},"b":{"a":3}})");
  EXPECT_EQ(refusal_of("[]"), "The request body must be a JSON object.");
  for (const char* bad :
       {"{", "x", "{}{}", R"({"a":"\xff"})", R"({"a":"\ud800"})", R"({"a":1e999})"}) {
    EXPECT_EQ(parse_object(bad).error().code, kCodeMalformedJson) << bad;
  }
}

TEST(Body, HasEachMemberOnce) {
  EXPECT_EQ(refusal_of(R"({"a":1,"b":{"c":1,"c":1}})"),
            "Field \"c\" appears twice in the request body.");
  EXPECT_EQ(refusal_of(R"({"a":1,"\u0061":2})"), "Field \"a\" appears twice in the request body.");
}

TEST(Body, HasNoNulInItsTexts) {
  EXPECT_EQ(refusal_of(R"({"a":["x\u0000y"]})"), "Field \"a\" has a NUL character.");
  EXPECT_EQ(refusal_of(R"({"a\u0000":1})"), "Field \"a\" has a NUL character.");
}

TEST(Body, IsNotNestedDeep) {
  const auto nested = [](std::size_t levels) {
    return std::string("{\"a\":") + std::string(levels - 1, '[') + std::string(levels - 1, ']') +
           "}";
  };
  EXPECT_TRUE(parse_object(nested(kJsonDepthMax)).ok());
  const std::string said = "The request body is nested more than 32 levels deep.";
  EXPECT_EQ(refusal_of(nested(kJsonDepthMax + 1)), said);
  EXPECT_EQ(refusal_of("{\"a\":" + std::string(1'000'000, '[')), said);
}

TEST(Router, FindsHandlersByMethodAndPath) {
  Router router;
  router.add("GET", "/zones/:zone", Access::everybody(), [](const Request& request) {
    return answer("\"" + request.parameters.at("zone") + "\"");
  });
  Request request;
  request.method = "GET";
  request.path = "/zones/42";
  const auto found = router.find(request);
  ASSERT_TRUE(found.ok());
  EXPECT_EQ(found.value()->handler(request).envelope.result, "\"42\"");
  request.method = "PUT";
  EXPECT_EQ(router.find(request).error().http_status, 405);
  request.path = "/zones/42/more";
  EXPECT_EQ(router.find(request).error().http_status, 404);
}

TEST(Multipart, FindsThePartsOfAForm) {
  const std::string body =
      "--XX\r\nContent-Disposition: form-data; name=\"file\"; filename=\"z\"\r\n"
      "Content-Type: text/plain\r\n\r\n@ A 192.0.2.1\r\n--X\r\n\r\n--XX\r\n"
      "content-disposition: form-data; name=proxied\r\n\r\ntrue\r\n--XX--\r\n";
  const auto parts = parse_multipart("multipart/form-data; boundary=XX", body);
  ASSERT_TRUE(parts.ok());
  EXPECT_EQ(parts.value().at("file"), "@ A 192.0.2.1\r\n--X\r\n");
  EXPECT_EQ(parts.value().at("proxied"), "true");
}

TEST(Multipart, RefusesWhatIsNoForm) {
  EXPECT_FALSE(parse_multipart("application/json", "{}").ok());
  EXPECT_FALSE(parse_multipart("multipart/form-data", "--\r\n").ok());
  EXPECT_FALSE(parse_multipart("multipart/form-data; boundary=XX", "nothing").ok());
  EXPECT_FALSE(parse_multipart("multipart/form-data; boundary=XX", "--XX\r\nA: b").ok());
  EXPECT_FALSE(parse_multipart("multipart/form-data; boundary=XX", "--XX\r\nA: b\r\n\r\nx").ok());
}

}  // namespace
}  // namespace brink::ctl::api
