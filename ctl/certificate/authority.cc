#include "ctl/certificate/authority.h"

#include <openssl/pem.h>
#include <openssl/x509v3.h>

#include <algorithm>
#include <array>
#include <cstring>

#include "ctl/certificate/handles.h"

namespace brink::ctl::certificate {
namespace {

using model::Certificate;
using model::invalid_certificate;
using model::Outcome;

constexpr std::int64_t kDayS = 86'400;
constexpr std::int64_t kAuthorityDays = kValidityDaysMax + 365;
constexpr std::int64_t kClockSkewS = 300;  // of whoever verifies
constexpr std::size_t kCsrMax = 16 * 1024;

std::int64_t seconds_of(model::Timestamp time) {
  return time.micros / 1'000'000;
}

// 159 bits (RFC 5280 4.1.2.2: positive, at most 20 octets).
void set_serial(X509* certificate, const model::Entropy& entropy) {
  std::array<std::uint8_t, 20> octets;
  entropy(octets);
  octets[0] &= 0x7f;
  const Number number(BN_bin2bn(octets.data(), static_cast<int>(octets.size()), nullptr));
  CHECK(number != nullptr &&
        BN_to_ASN1_INTEGER(number.get(), X509_get_serialNumber(certificate)) != nullptr);
}

void set_times(X509* certificate, std::int64_t from_s, std::int64_t to_s) {
  CHECK(ASN1_TIME_set(X509_getm_notBefore(certificate), from_s) != nullptr);
  CHECK(ASN1_TIME_set(X509_getm_notAfter(certificate), to_s) != nullptr);
}

void add_extension(X509* certificate, X509* issuer, int nid, const char* value) {
  X509V3_CTX context;
  X509V3_set_ctx(&context, issuer, certificate, nullptr, nullptr, 0);
  using Extension = std::unique_ptr<X509_EXTENSION, ReleasedBy<X509_EXTENSION_free>>;
  const Extension extension(X509V3_EXT_conf_nid(nullptr, &context, nid, value));
  CHECK(extension != nullptr && X509_add_ext(certificate, extension.get(), -1) == 1);
}

X509Ptr new_certificate(const model::Entropy& entropy) {
  X509Ptr certificate(X509_new());
  CHECK(certificate != nullptr && X509_set_version(certificate.get(), X509_VERSION_3) == 1);
  set_serial(certificate.get(), entropy);
  return certificate;
}

void sign(X509* certificate, EVP_PKEY* key) {
  const EVP_MD* digest = EVP_PKEY_get_base_id(key) == EVP_PKEY_ED25519 ? nullptr : EVP_sha256();
  CHECK(X509_sign(certificate, key, digest) > 0);
}

Certificate finished(X509* certificate) {
  Certificate facts = describe(certificate);
  facts.pem = to_pem(certificate);
  return facts;
}

Outcome<X509RequestPtr> read_request(std::string_view csr) {
  if (csr.size() > kCsrMax) {
    return invalid_certificate("The certificate signing request is longer than " +
                               std::to_string(kCsrMax) + " octets.");
  }
  const Bio bio = reader(csr);
  X509RequestPtr request(PEM_read_bio_X509_REQ(bio.get(), nullptr, nullptr, nullptr));
  if (request == nullptr) {
    return invalid_certificate("The certificate signing request (csr) is not PKCS #10 in PEM.");
  }
  EVP_PKEY* key = X509_REQ_get0_pubkey(request.get());
  if (const std::string fault = key_fault(key, "the key of the request"); !fault.empty()) {
    return invalid_certificate("Not taken: " + fault + ".");
  }
  if (X509_REQ_verify(request.get(), key) != 1) {
    return invalid_certificate("The certificate signing request is not signed by its own key.");
  }
  if (X509_NAME_entry_count(X509_REQ_get_subject_name(request.get())) == 0) {
    return invalid_certificate("The certificate signing request has no subject; give it a CN.");
  }
  return request;
}

}  // namespace

NewAuthority make_authority(const std::string& name, const model::Entropy& entropy,
                            model::Timestamp now) {
  const ErrorsCleared cleared;
  const PublicOrPrivateKey key(EVP_EC_gen("P-256"));
  CHECK(key != nullptr);
  const X509Ptr certificate = new_certificate(entropy);
  X509* const self = certificate.get();
  X509_NAME* subject = X509_get_subject_name(self);
  const auto add_part = [&](const char* part, const std::string& text) {
    CHECK(X509_NAME_add_entry_by_txt(subject, part, MBSTRING_UTF8,
                                     reinterpret_cast<const std::uint8_t*>(text.data()),
                                     static_cast<int>(text.size()), -1, 0) == 1);
  };
  add_part("O", "Brink");
  add_part("CN", name);
  CHECK(X509_set_issuer_name(self, subject) == 1);
  set_times(self, seconds_of(now) - kClockSkewS, seconds_of(now) + kAuthorityDays * kDayS);
  CHECK(X509_set_pubkey(self, key.get()) == 1);
  add_extension(self, self, NID_basic_constraints, "critical,CA:TRUE,pathlen:0");
  add_extension(self, self, NID_key_usage, "critical,keyCertSign,cRLSign");
  add_extension(self, self, NID_subject_key_identifier, "hash");
  sign(self, key.get());
  const Bio out(BIO_new(BIO_s_secmem()));
  CHECK(out != nullptr && PEM_write_bio_PKCS8PrivateKey(out.get(), key.get(), nullptr, nullptr, 0,
                                                        nullptr, nullptr) == 1);
  return {finished(self), text_of(out.get())};
}

Outcome<Certificate> issue(std::string_view csr, std::uint32_t validity_days,
                           const std::string& authority_pem, const std::string& authority_key,
                           const model::Entropy& entropy, model::Timestamp now) {
  const ErrorsCleared cleared;
  if (validity_days == 0 || validity_days > kValidityDaysMax) {
    return invalid_certificate("validity_days must be from 1 to " +
                               std::to_string(kValidityDaysMax) + ".");
  }
  const auto request = read_request(csr);
  if (!request) return request.error();
  const Bio issuer_text = reader(authority_pem), key_text = reader(authority_key);
  const X509Ptr issuer(PEM_read_bio_X509(issuer_text.get(), nullptr, nullptr, nullptr));
  const PublicOrPrivateKey key(PEM_read_bio_PrivateKey(key_text.get(), nullptr, nullptr, nullptr));
  CHECK(issuer != nullptr && key != nullptr);
  const X509Ptr certificate = new_certificate(entropy);
  X509* const made = certificate.get();
  CHECK(X509_set_subject_name(made, X509_REQ_get_subject_name(request.value().get())) == 1);
  CHECK(X509_set_issuer_name(made, X509_get_subject_name(issuer.get())) == 1);
  const std::int64_t end = std::min(seconds_of(now) + validity_days * kDayS,
                                    seconds_of(read_time(X509_get0_notAfter(issuer.get()))));
  set_times(made, seconds_of(now) - kClockSkewS, end);
  CHECK(X509_set_pubkey(made, X509_REQ_get0_pubkey(request.value().get())) == 1);
  add_extension(made, issuer.get(), NID_basic_constraints, "critical,CA:FALSE");
  add_extension(made, issuer.get(), NID_key_usage, "critical,digitalSignature");
  add_extension(made, issuer.get(), NID_ext_key_usage, "clientAuth");
  add_extension(made, issuer.get(), NID_subject_key_identifier, "hash");
  add_extension(made, issuer.get(), NID_authority_key_identifier, "keyid");
  sign(made, key.get());
  return finished(made);
}

}  // namespace brink::ctl::certificate
