#include "dataplane/tls/certificates_fixture.h"

#include <openssl/ec.h>
#include <openssl/ocsp.h>
#include <openssl/pem.h>
#include <openssl/rand.h>
#include <openssl/x509v3.h>

#include "dataplane/base/check.h"

namespace brink::tls::test {
namespace {

using BioPtr = std::unique_ptr<BIO, ReleasedBy<BIO_free>>;

void add_extension(X509* certificate, X509* issuer, int nid, const std::string& value) {
  X509V3_CTX context;
  X509V3_set_ctx_nodb(&context);
  X509V3_set_ctx(&context, issuer, certificate, nullptr, nullptr, 0);
  X509_EXTENSION* extension = X509V3_EXT_conf_nid(nullptr, &context, nid, value.c_str());
  CHECK(extension != nullptr && X509_add_ext(certificate, extension, -1) == 1);
  X509_EXTENSION_free(extension);
}

std::string alternative_names(const std::vector<std::string>& names) {
  std::string text;
  for (const std::string& name : names) {
    if (!text.empty()) text += ",";
    text += name.starts_with("IP:") ? name : "DNS:" + name;
  }
  return text;
}

std::string text_of(BIO* bio) {
  char* text = nullptr;
  const long size = BIO_get_mem_data(bio, &text);
  return {text, static_cast<std::size_t>(size)};
}

template <typename Object>
Bytes der_of(const Object* object, int (*encode)(const Object*, unsigned char**)) {
  std::uint8_t* raw = nullptr;
  const int size = encode(object, &raw);
  CHECK(size > 0);
  Bytes der(raw, raw + size);
  OPENSSL_free(raw);
  return der;
}

}  // namespace

Certificate::Certificate(const Request& request)
    : key_(request.kind == KeyKind::kEcdsa ? EVP_EC_gen("P-256") : EVP_RSA_gen(2048U)),
      x509_(X509_new()) {
  X509* x509 = x509_.get();
  X509* issuer = request.issuer != nullptr ? request.issuer->x509() : x509;
  EVP_PKEY* signer = request.issuer != nullptr ? request.issuer->key() : key_.get();
  CHECK(key_ && X509_set_version(x509, X509_VERSION_3) == 1);
  std::uint8_t serial[8];
  RAND_bytes(serial, sizeof serial);
  serial[0] = static_cast<std::uint8_t>((serial[0] & 0x3f) | 0x40);
  ASN1_STRING_set(X509_get_serialNumber(x509), serial, sizeof serial);
  X509_gmtime_adj(X509_getm_notBefore(x509), request.from_seconds);
  X509_gmtime_adj(X509_getm_notAfter(x509), request.to_seconds);
  X509_set_pubkey(x509, key_.get());
  X509_NAME* name = X509_get_subject_name(x509);
  const auto add = [name](const char* field, const std::string& value) {
    X509_NAME_add_entry_by_txt(name, field, MBSTRING_UTF8,
                               reinterpret_cast<const unsigned char*>(value.c_str()), -1, -1, 0);
  };
  add("O", "Example");
  add("CN", request.common_name);
  X509_set_issuer_name(x509, X509_get_subject_name(issuer));
  add_extension(x509, issuer, NID_basic_constraints,
                request.is_authority ? "critical,CA:TRUE" : "critical,CA:FALSE");
  add_extension(x509, issuer, NID_key_usage,
                request.is_authority ? "critical,keyCertSign,digitalSignature"
                                     : "critical,digitalSignature,keyEncipherment");
  add_extension(x509, issuer, NID_subject_key_identifier, "hash");
  if (request.issuer != nullptr) {
    add_extension(x509, issuer, NID_authority_key_identifier, "keyid");
  }
  if (!request.is_authority) {
    add_extension(x509, issuer, NID_ext_key_usage,
                  request.for_clients ? "clientAuth" : "serverAuth");
  }
  if (!request.names.empty()) {
    add_extension(x509, issuer, NID_subject_alt_name, alternative_names(request.names));
  }
  CHECK(X509_sign(x509, signer, EVP_sha256()) > 0);
  der_ = der_of<X509>(x509, i2d_X509);
  PKCS8_PRIV_KEY_INFO* info = EVP_PKEY2PKCS8(key_.get());
  private_key_ = der_of<PKCS8_PRIV_KEY_INFO>(info, i2d_PKCS8_PRIV_KEY_INFO);
  PKCS8_PRIV_KEY_INFO_free(info);
}

std::string Certificate::pem() const {
  const BioPtr bio(BIO_new(BIO_s_mem()));
  PEM_write_bio_X509(bio.get(), x509_.get());
  return text_of(bio.get());
}

std::string Certificate::private_key_pem() const {
  const BioPtr bio(BIO_new(BIO_s_mem()));
  PEM_write_bio_PrivateKey(bio.get(), key_.get(), nullptr, nullptr, 0, nullptr, nullptr);
  return text_of(bio.get());
}

Certificate authority(const std::string& common_name) {
  return Certificate({.common_name = common_name, .is_authority = true});
}

Certificate leaf(const Certificate& issuer, std::vector<std::string> names, KeyKind kind) {
  return Certificate(
      {.common_name = names.front(), .names = std::move(names), .kind = kind, .issuer = &issuer});
}

Bytes ocsp_response(const Certificate& of, const Certificate& issuer) {
  OCSP_BASICRESP* basic = OCSP_BASICRESP_new();
  OCSP_CERTID* id = OCSP_cert_to_id(EVP_sha1(), of.x509(), issuer.x509());
  ASN1_TIME* now = X509_gmtime_adj(nullptr, 0);
  ASN1_TIME* later = X509_gmtime_adj(nullptr, 86400);
  OCSP_basic_add1_status(basic, id, V_OCSP_CERTSTATUS_GOOD, 0, nullptr, now, later);
  CHECK(OCSP_basic_sign(basic, issuer.x509(), issuer.key(), EVP_sha256(), nullptr, 0) == 1);
  OCSP_RESPONSE* response = OCSP_response_create(OCSP_RESPONSE_STATUS_SUCCESSFUL, basic);
  Bytes der = der_of<OCSP_RESPONSE>(response, i2d_OCSP_RESPONSE);
  OCSP_RESPONSE_free(response);
  OCSP_BASICRESP_free(basic);
  OCSP_CERTID_free(id);
  ASN1_TIME_free(now);
  ASN1_TIME_free(later);
  return der;
}

}  // namespace brink::tls::test
