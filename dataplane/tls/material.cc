#include "dataplane/tls/material.h"

#include <openssl/pkcs12.h>

#include <utility>

namespace brink::tls {
namespace {

using Pkcs8Ptr = std::unique_ptr<PKCS8_PRIV_KEY_INFO, ReleasedBy<PKCS8_PRIV_KEY_INFO_free>>;

base::Error refusal(const std::string& where, const char* what, const char* remedy) {
  return {.what = what, .where = where, .remedy = remedy};
}

base::Error no_memory(const std::string& where) {
  return refusal(where, "no memory", "give the process more of it");
}

// The first certificate of `der`, which it is taken off; null: there is none.
X509Ptr take_certificate(OSSL_LIB_CTX* library, std::span<const std::uint8_t>& der) {
  X509Ptr certificate(X509_new_ex(library, nullptr));
  if (!certificate) return nullptr;
  X509* raw = certificate.get();
  const std::uint8_t* at = der.data();
  if (d2i_X509(&raw, &at, static_cast<long>(der.size())) == nullptr) {
    static_cast<void>(certificate.release());  // d2i has freed it
    return nullptr;
  }
  der = der.subspan(static_cast<std::size_t>(at - der.data()));
  return certificate;
}

KeyPtr take_key(OSSL_LIB_CTX* library, std::span<const std::uint8_t> der) {
  const std::uint8_t* at = der.data();
  const Pkcs8Ptr info(d2i_PKCS8_PRIV_KEY_INFO(nullptr, &at, static_cast<long>(der.size())));
  if (!info || at != der.data() + der.size()) return nullptr;
  return KeyPtr(EVP_PKCS82PKEY_ex(info.get(), library, nullptr));
}

}  // namespace

base::Result<CertificatesPtr> parse_certificates(OSSL_LIB_CTX* library,
                                                 std::span<const std::uint8_t> der,
                                                 const std::string& what) {
  const ErrorsCleared errors;
  CertificatesPtr all(sk_X509_new_null());
  if (!all) return no_memory(what);
  if (der.empty()) {
    return refusal(what, "has no certificate", "give at least one, in DER");
  }
  while (!der.empty()) {
    X509Ptr next = take_certificate(library, der);
    if (!next) {
      return refusal(what, "is no sequence of certificates",
                     "give whole certificates in DER, one behind the other");
    }
    if (sk_X509_push(all.get(), next.get()) == 0) return no_memory(what);
    static_cast<void>(next.release());
  }
  return all;
}

base::Result<Identity> parse_identity(OSSL_LIB_CTX* library, std::span<const std::uint8_t> chain,
                                      std::span<const std::uint8_t> private_key,
                                      const std::string& what) {
  auto certificates = parse_certificates(library, chain, what);
  if (!certificates) return certificates.error();
  const ErrorsCleared errors;
  Identity identity;
  identity.above = std::move(certificates).value();
  identity.leaf.reset(sk_X509_shift(identity.above.get()));
  identity.key = take_key(library, private_key);
  if (!identity.key) {
    return refusal(what, "its private key cannot be read",
                   "give an unencrypted PKCS #8 key in DER");
  }
  if (X509_check_private_key(identity.leaf.get(), identity.key.get()) != 1) {
    return refusal(what, "its private key belongs to another certificate",
                   "give the key that the first certificate was made for");
  }
  return identity;
}

base::Result<StorePtr> make_store(OSSL_LIB_CTX* library, std::span<const std::uint8_t> der,
                                  const std::string& what) {
  auto anchors = parse_certificates(library, der, what);
  if (!anchors) return anchors.error();
  const ErrorsCleared errors;
  StorePtr store(X509_STORE_new());
  if (!store || X509_STORE_set_flags(store.get(), X509_V_FLAG_PARTIAL_CHAIN) != 1) {
    return no_memory(what);
  }
  for (int i = 0; i < sk_X509_num(anchors.value().get()); ++i) {
    if (X509_STORE_add_cert(store.get(), sk_X509_value(anchors.value().get(), i)) != 1) {
      return refusal(what, "has a certificate that cannot be an authority", "take it out");
    }
  }
  return store;
}

}  // namespace brink::tls
