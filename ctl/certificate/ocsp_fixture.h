// OCSP responses that are made while a test runs. For tests, of any folder.
#pragma once

#include <openssl/ocsp.h>

#include <vector>

#include "ctl/certificate/certificate_fixture.h"

namespace brink::ctl::certificate {

// What a responder says of `subject`; by default its issuer signs.
struct OcspRecipe {
  const TestCertificate* subject = nullptr;
  const TestCertificate* issuer = nullptr;
  const TestCertificate* signer = nullptr;  // null: the issuer
  int status = V_OCSP_CERTSTATUS_GOOD;
  std::int64_t this_update_s = 0, next_update_s = 0;  // 0: none
};

inline std::vector<std::uint8_t> make_ocsp_response(const OcspRecipe& recipe) {
  using Time = std::unique_ptr<ASN1_TIME, ReleasedBy<ASN1_TIME_free>>;
  const auto time_of = [](std::int64_t unix_s) {
    return Time(unix_s == 0 ? nullptr : ASN1_GENERALIZEDTIME_set(nullptr, unix_s));
  };
  const std::unique_ptr<OCSP_BASICRESP, ReleasedBy<OCSP_BASICRESP_free>> basic(
      OCSP_BASICRESP_new());
  const std::unique_ptr<OCSP_CERTID, ReleasedBy<OCSP_CERTID_free>> id(
      OCSP_cert_to_id(EVP_sha1(), recipe.subject->x509.get(), recipe.issuer->x509.get()));
  const Time from = time_of(recipe.this_update_s), until = time_of(recipe.next_update_s);
  const Time revoked = time_of(1'750'000'000);
  const bool is_revoked = recipe.status == V_OCSP_CERTSTATUS_REVOKED;
  CHECK(OCSP_basic_add1_status(basic.get(), id.get(), recipe.status, 0,
                               is_revoked ? revoked.get() : nullptr, from.get(),
                               until.get()) != nullptr);
  const TestCertificate& signer = recipe.signer != nullptr ? *recipe.signer : *recipe.issuer;
  CHECK(OCSP_basic_sign(basic.get(), signer.x509.get(), signer.key.key.get(), EVP_sha256(), nullptr,
                        0) == 1);
  const std::unique_ptr<OCSP_RESPONSE, ReleasedBy<OCSP_RESPONSE_free>> response(
      OCSP_response_create(OCSP_RESPONSE_STATUS_SUCCESSFUL, basic.get()));
  std::uint8_t* der = nullptr;
  const int size = i2d_OCSP_RESPONSE(response.get(), &der);
  CHECK(size > 0);
  std::vector<std::uint8_t> octets(der, der + size);
  OPENSSL_free(der);
  return octets;
}

}  // namespace brink::ctl::certificate
