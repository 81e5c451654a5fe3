#include "ctl/certificate/ocsp.h"

#include <openssl/ocsp.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>

#include <utility>

#include "ctl/certificate/handles.h"

namespace brink::ctl::certificate {
namespace {

void free_certificates(STACK_OF(X509) * certificates) {
  sk_X509_pop_free(certificates, X509_free);
}

using Certificates = std::unique_ptr<STACK_OF(X509), ReleasedBy<free_certificates>>;
using Store = std::unique_ptr<X509_STORE, ReleasedBy<X509_STORE_free>>;
using Request = std::unique_ptr<OCSP_REQUEST, ReleasedBy<OCSP_REQUEST_free>>;
using Response = std::unique_ptr<OCSP_RESPONSE, ReleasedBy<OCSP_RESPONSE_free>>;
using Basic = std::unique_ptr<OCSP_BASICRESP, ReleasedBy<OCSP_BASICRESP_free>>;
using CertificateId = std::unique_ptr<OCSP_CERTID, ReleasedBy<OCSP_CERTID_free>>;
using Feature = std::unique_ptr<TLS_FEATURE, ReleasedBy<TLS_FEATURE_free>>;

constexpr std::int64_t kMicrosPerSecond = 1'000'000;
constexpr std::int64_t kSkew = 300;  // seconds that clocks may differ by
constexpr long kStatusRequest = 5;   // the TLS extension, in RFC 7633's list
constexpr const char* kWhat = "OCSP response";

base::Error refusal(std::string what, std::string remedy = "see what the responder is set to") {
  return {std::move(what), kWhat, std::move(remedy)};
}

Certificates read_certificates(std::string_view pem) {
  Certificates chain(sk_X509_new_null());
  const Bio bio = reader(pem);
  while (X509* certificate = PEM_read_bio_X509(bio.get(), nullptr, nullptr, nullptr)) {
    if (sk_X509_push(chain.get(), certificate) == 0) {
      X509_free(certificate);
      break;
    }
  }
  return chain;
}

// The one that signed the first; null: it is not there.
X509* issuer_of(const Certificates& chain) {
  return sk_X509_num(chain.get()) > 1 ? sk_X509_value(chain.get(), 1) : nullptr;
}

base::Error no_issuer() {
  return {"the chain has no issuer behind its first certificate", "OCSP",
          "upload the certificate with its intermediates"};
}

// By SHA-1, which every responder knows; it names, and proves nothing (RFC 5019 2.1.1).
CertificateId id_of(const Certificates& chain) {
  return CertificateId(
      OCSP_cert_to_id(EVP_sha1(), sk_X509_value(chain.get(), 0), issuer_of(chain)));
}

// What the issuer signed, or one that the issuer has made a responder: nobody else is trusted.
bool is_signed(OCSP_BASICRESP* basic, const Certificates& chain, std::int64_t now_s) {
  const Store store(X509_STORE_new());
  if (!store || X509_STORE_add_cert(store.get(), issuer_of(chain)) != 1) return false;
  X509_VERIFY_PARAM* const rules = X509_STORE_get0_param(store.get());
  X509_VERIFY_PARAM_set_flags(rules, X509_V_FLAG_PARTIAL_CHAIN);
  X509_VERIFY_PARAM_set_time(rules, now_s);
  return OCSP_basic_verify(basic, chain.get(), store.get(), OCSP_NOEXPLICIT) == 1;
}

std::int64_t seconds_of(const ASN1_TIME* time) {
  return read_time(time).micros / kMicrosPerSecond;
}

base::Result<OcspAnswer> judge(OCSP_BASICRESP* basic, OCSP_CERTID* id, std::int64_t now_s) {
  int status = 0, reason = 0;
  ASN1_GENERALIZEDTIME *revoked = nullptr, *from = nullptr, *until = nullptr;
  if (OCSP_resp_find_status(basic, id, &status, &reason, &revoked, &from, &until) != 1) {
    return refusal("it is about another certificate");
  }
  if (status == V_OCSP_CERTSTATUS_UNKNOWN) {
    return refusal("the responder does not know the certificate",
                   "ask its authority, or wait until its responder has heard of it");
  }
  if (from == nullptr || until == nullptr) return refusal("it does not say until when it is good");
  OcspAnswer answer;
  answer.status =
      status == V_OCSP_CERTSTATUS_REVOKED ? model::OcspStatus::kRevoked : model::OcspStatus::kGood;
  answer.this_update_s = seconds_of(from);
  answer.next_update_s = seconds_of(until);
  if (answer.this_update_s > now_s + kSkew) {
    return refusal("it is not in force yet", "compare the clocks of both sides");
  }
  if (answer.next_update_s <= now_s) return refusal("its time is over");
  return answer;
}

}  // namespace

OcspSubject ocsp_subject(std::string_view chain_pem) {
  const ErrorsCleared cleared;
  OcspSubject subject;
  const Certificates chain = read_certificates(chain_pem);
  if (sk_X509_num(chain.get()) == 0) return subject;
  X509* const leaf = sk_X509_value(chain.get(), 0);
  if (STACK_OF(OPENSSL_STRING)* const urls = X509_get1_ocsp(leaf); urls != nullptr) {
    for (int i = 0; i < sk_OPENSSL_STRING_num(urls) && subject.responder.empty(); ++i) {
      const std::string_view url = sk_OPENSSL_STRING_value(urls, i);
      if (url.starts_with("http://")) subject.responder = url;
    }
    X509_email_free(urls);
  }
  const Feature features(
      static_cast<TLS_FEATURE*>(X509_get_ext_d2i(leaf, NID_tlsfeature, nullptr, nullptr)));
  for (int i = 0; features && i < sk_ASN1_INTEGER_num(features.get()); ++i) {
    subject.must_staple |=
        ASN1_INTEGER_get(sk_ASN1_INTEGER_value(features.get(), i)) == kStatusRequest;
  }
  return subject;
}

base::Result<std::vector<std::uint8_t>> ocsp_question(std::string_view chain_pem) {
  const ErrorsCleared cleared;
  const Certificates chain = read_certificates(chain_pem);
  if (issuer_of(chain) == nullptr) return no_issuer();
  const Request request(OCSP_REQUEST_new());
  CertificateId id = id_of(chain);
  CHECK(request && id);
  CHECK(OCSP_request_add0_id(request.get(), id.get()) != nullptr);
  static_cast<void>(id.release());  // the request has it now
  std::uint8_t* der = nullptr;
  const int size = i2d_OCSP_REQUEST(request.get(), &der);
  CHECK(size > 0);
  std::vector<std::uint8_t> octets(der, der + size);
  OPENSSL_free(der);
  return octets;
}

base::Result<OcspAnswer> read_ocsp_answer(std::string_view chain_pem,
                                          std::span<const std::uint8_t> der, std::int64_t now_s) {
  const ErrorsCleared cleared;
  const Certificates chain = read_certificates(chain_pem);
  if (issuer_of(chain) == nullptr) return no_issuer();
  if (der.size() > kOcspResponseMax) return refusal("it is too large");
  const std::uint8_t* at = der.data();
  const Response response(d2i_OCSP_RESPONSE(nullptr, &at, static_cast<long>(der.size())));
  if (!response || at != der.data() + der.size()) return refusal("it is none");
  const int said = OCSP_response_status(response.get());
  if (said != OCSP_RESPONSE_STATUS_SUCCESSFUL) {
    return refusal(std::string("the responder answers: ") + OCSP_response_status_str(said));
  }
  const Basic basic(OCSP_response_get1_basic(response.get()));
  const CertificateId id = id_of(chain);
  if (!basic || !id) return refusal("it is of a kind that nobody knows");
  if (!is_signed(basic.get(), chain, now_s)) {
    return refusal("it is signed neither by the issuer nor by whom the issuer lets do it");
  }
  return judge(basic.get(), id.get(), now_s);
}

}  // namespace brink::ctl::certificate
