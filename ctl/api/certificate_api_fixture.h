// The endpoints of certificates with a zone, and what to upload to it. For tests.
#pragma once

#include "ctl/api/access_fixture.h"
#include "ctl/certificate/certificate_fixture.h"
#include "ctl/model/certificate.h"

namespace brink::ctl::api {

class CertificateApiTest : public AccessTest {
 protected:
  using TestCertificate = certificate::TestCertificate;
  using Recipe = certificate::Recipe;

  // The fixture's clock starts at 2026-01-01 and goes on by a second a look.
  static constexpr std::int64_t kStartS = 1'767'225'600;

  static Json pair(const TestCertificate& leaf, const std::string& more = "") {
    return {{"certificate", leaf.pem + more}, {"private_key", leaf.key.pem}};
  }
  Json post(const std::string& path, const Json& body) { return call("POST", path, to_text(body)); }
  Json put(const std::string& path, const Json& body) { return call("PUT", path, to_text(body)); }
  Json patch(const std::string& path, const Json& body) {
    return call("PATCH", path, to_text(body));
  }
  // The refusal's code and message.
  std::string refusal(const Json& reply) {
    if (reply["errors"].empty()) return "accepted";
    return std::to_string(code(reply)) + " " + reply["errors"][0]["message"].get<std::string>();
  }
  void expect_refusal(const Json& reply, int expected, const std::string& part) {
    const std::string said = refusal(reply);
    EXPECT_TRUE(said.starts_with(std::to_string(expected) + " ")) << said;
    EXPECT_NE(said.find(part), std::string::npos) << said;
  }
  Json newest_audit() { return call("GET", "/brink/v1/audit_logs")["result"][0]; }
  static std::string id_of(const Json& reply) { return reply["result"]["id"].get<std::string>(); }

  const std::string zone_ = add_zone("example.com");
  const TestCertificate root_ = certificate::make_root();
  const TestCertificate leaf_ = certificate::make(
      {.common_name = "www", .hosts = {"example.com", "*.example.com"}, .issuer = &root_});
};

}  // namespace brink::ctl::api
