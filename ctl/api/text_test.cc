// The texts that the API reads and writes: targets, envelopes, forms.
#include <gtest/gtest.h>

#include "ctl/api/http.h"
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
