// OpenSSL's objects with an owner. Private to this folder.
#pragma once

#include <openssl/bio.h>
#include <openssl/crypto.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/provider.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>
#include <openssl/x509_vfy.h>

#include <memory>

#include "dataplane/base/released_by.h"

namespace brink::tls {

using base::ReleasedBy;

inline void free_certificates(STACK_OF(X509) * certificates) noexcept {
  sk_X509_pop_free(certificates, X509_free);
}

using LibraryPtr = std::unique_ptr<OSSL_LIB_CTX, ReleasedBy<OSSL_LIB_CTX_free>>;
using ProviderPtr = std::unique_ptr<OSSL_PROVIDER, ReleasedBy<OSSL_PROVIDER_unload>>;
using BioMethodPtr = std::unique_ptr<BIO_METHOD, ReleasedBy<BIO_meth_free>>;
using CipherPtr = std::unique_ptr<EVP_CIPHER, ReleasedBy<EVP_CIPHER_free>>;
using DigestPtr = std::unique_ptr<EVP_MD, ReleasedBy<EVP_MD_free>>;
using DigestContextPtr = std::unique_ptr<EVP_MD_CTX, ReleasedBy<EVP_MD_CTX_free>>;
using SslPtr = std::unique_ptr<SSL, ReleasedBy<SSL_free>>;
using SslContextPtr = std::unique_ptr<SSL_CTX, ReleasedBy<SSL_CTX_free>>;
using SessionPtr = std::unique_ptr<SSL_SESSION, ReleasedBy<SSL_SESSION_free>>;
using X509Ptr = std::unique_ptr<X509, ReleasedBy<X509_free>>;
using CertificatesPtr = std::unique_ptr<STACK_OF(X509), ReleasedBy<free_certificates>>;
using StorePtr = std::unique_ptr<X509_STORE, ReleasedBy<X509_STORE_free>>;
using KeyPtr = std::unique_ptr<EVP_PKEY, ReleasedBy<EVP_PKEY_free>>;

// What a call leaves in the thread's error queue says nothing about the next one.
struct ErrorsCleared {
  ErrorsCleared() noexcept { ERR_clear_error(); }
  ErrorsCleared(const ErrorsCleared&) = delete;
  ErrorsCleared& operator=(const ErrorsCleared&) = delete;
  ~ErrorsCleared() { ERR_clear_error(); }
};

}  // namespace brink::tls
