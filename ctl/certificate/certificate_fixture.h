// Keys, certificates and requests that are made while a test runs. For tests, of any folder.
#pragma once

#include <openssl/pem.h>
#include <openssl/rsa.h>
#include <openssl/x509v3.h>

#include <cstring>
#include <memory>
#include <string>
#include <vector>

#include "ctl/certificate/handles.h"

namespace brink::ctl::certificate {

// A key with its PEM.
struct TestKey {
  std::shared_ptr<EVP_PKEY> key;
  std::string pem;

  static TestKey of(EVP_PKEY* made) {
    CHECK(made != nullptr);
    const Bio bio = writer();
    CHECK(PEM_write_bio_PrivateKey(bio.get(), made, nullptr, nullptr, 0, nullptr, nullptr) == 1);
    return {std::shared_ptr<EVP_PKEY>(made, EVP_PKEY_free), text_of(bio.get())};
  }
  static TestKey ec(const char* curve = "P-256") { return of(EVP_EC_gen(curve)); }
  static TestKey rsa(unsigned bits) { return of(EVP_RSA_gen(bits)); }
  static TestKey ed25519() { return of(EVP_PKEY_Q_keygen(nullptr, nullptr, "ED25519")); }
};

struct TestCertificate {
  TestKey key;
  std::shared_ptr<X509> x509;
  std::string pem;
};

// How a certificate is made; without an issuer it signs itself.
struct Recipe {
  std::string common_name = "leaf";
  std::vector<std::string> hosts = {};
  const TestCertificate* issuer = nullptr;
  bool is_authority = false;
  std::int64_t from_s = 1'700'000'000, to_s = 2'700'000'000;
  const EVP_MD* digest = EVP_sha256();
  std::string organization = "Example";
  std::string responder = "";  // OCSP URL
  bool must_staple = false;
  bool may_answer = false;  // for its issuer, as a responder
};

inline TestCertificate make(const Recipe& recipe, TestKey key = TestKey::ec()) {
  static long serial = 1000;
  std::shared_ptr<X509> x509(X509_new(), X509_free);
  X509_set_version(x509.get(), X509_VERSION_3);
  ASN1_INTEGER_set(X509_get_serialNumber(x509.get()), ++serial);
  const auto add_part = [&](const char* part, const std::string& text) {
    X509_NAME_add_entry_by_txt(X509_get_subject_name(x509.get()), part, MBSTRING_UTF8,
                               reinterpret_cast<const std::uint8_t*>(text.c_str()), -1, -1, 0);
  };
  add_part("O", recipe.organization);
  add_part("CN", recipe.common_name);
  X509* issuer = recipe.issuer != nullptr ? recipe.issuer->x509.get() : x509.get();
  X509_set_issuer_name(x509.get(), X509_get_subject_name(issuer));
  ASN1_TIME_set(X509_getm_notBefore(x509.get()), recipe.from_s);
  ASN1_TIME_set(X509_getm_notAfter(x509.get()), recipe.to_s);
  X509_set_pubkey(x509.get(), key.key.get());
  const auto extend = [&](int nid, const std::string& value) {
    X509V3_CTX context;
    X509V3_set_ctx(&context, issuer, x509.get(), nullptr, nullptr, 0);
    X509_EXTENSION* extension = X509V3_EXT_conf_nid(nullptr, &context, nid, value.c_str());
    CHECK(extension != nullptr);
    X509_add_ext(x509.get(), extension, -1);
    X509_EXTENSION_free(extension);
  };
  extend(NID_basic_constraints, recipe.is_authority ? "critical,CA:TRUE" : "critical,CA:FALSE");
  std::string names;
  for (const std::string& host : recipe.hosts) names += (names.empty() ? "DNS:" : ",DNS:") + host;
  if (!names.empty()) extend(NID_subject_alt_name, names);
  if (!recipe.responder.empty()) extend(NID_info_access, "OCSP;URI:" + recipe.responder);
  if (recipe.must_staple) extend(NID_tlsfeature, "status_request");
  if (recipe.may_answer) extend(NID_ext_key_usage, "OCSPSigning");
  EVP_PKEY* signer = recipe.issuer != nullptr ? recipe.issuer->key.key.get() : key.key.get();
  const int kind = EVP_PKEY_get_base_id(signer);
  const bool is_ed = kind == EVP_PKEY_ED25519 || kind == EVP_PKEY_ED448;
  CHECK(X509_sign(x509.get(), signer, is_ed ? nullptr : recipe.digest) > 0);
  return {std::move(key), x509, to_pem(x509.get())};
}

inline TestCertificate make_root(const std::string& name = "Test Root") {
  return make({.common_name = name, .is_authority = true});
}

// A signing request for a client.
inline std::string make_request(const std::string& common_name, const TestKey& key = TestKey::ec(),
                                const TestKey* signer = nullptr) {
  const X509RequestPtr request(X509_REQ_new());
  X509_NAME* subject = X509_REQ_get_subject_name(request.get());
  const auto add_part = [&](const char* part, const std::string& text) {
    X509_NAME_add_entry_by_txt(subject, part, MBSTRING_UTF8,
                               reinterpret_cast<const std::uint8_t*>(text.c_str()), -1, -1, 0);
  };
  if (!common_name.empty()) {
    add_part("C", "DE");
    add_part("O", "Example");
    add_part("CN", common_name);
  }
  X509_REQ_set_pubkey(request.get(), key.key.get());
  EVP_PKEY* with = (signer != nullptr ? *signer : key).key.get();
  const bool is_ed = EVP_PKEY_get_base_id(with) == EVP_PKEY_ED25519;
  CHECK(X509_REQ_sign(request.get(), with, is_ed ? nullptr : EVP_sha256()) > 0);
  const Bio bio = writer();
  CHECK(PEM_write_bio_X509_REQ(bio.get(), request.get()) == 1);
  return text_of(bio.get());
}

}  // namespace brink::ctl::certificate
