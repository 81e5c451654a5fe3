// OpenSSL's objects with an owner, and the texts that are made of them. Private to this folder.
#pragma once

#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/x509.h>

#include <memory>
#include <span>
#include <string>
#include <string_view>

#include "ctl/model/certificate.h"
#include "dataplane/base/check.h"
#include "dataplane/base/released_by.h"

namespace brink::ctl::certificate {

using base::ReleasedBy;

using Bio = std::unique_ptr<BIO, ReleasedBy<BIO_free_all>>;
using PublicOrPrivateKey = std::unique_ptr<EVP_PKEY, ReleasedBy<EVP_PKEY_free>>;
using X509Ptr = std::unique_ptr<X509, ReleasedBy<X509_free>>;
using X509RequestPtr = std::unique_ptr<X509_REQ, ReleasedBy<X509_REQ_free>>;
using Number = std::unique_ptr<BIGNUM, ReleasedBy<BN_free>>;

// What a failed call leaves behind says nothing about the next one.
struct ErrorsCleared {
  ErrorsCleared() = default;
  ErrorsCleared(const ErrorsCleared&) = delete;
  ErrorsCleared& operator=(const ErrorsCleared&) = delete;
  ~ErrorsCleared() { ERR_clear_error(); }
};

Bio reader(std::string_view text);  // borrows
Bio writer();
std::string text_of(BIO* bio);

std::string hex(std::span<const std::uint8_t> octets);

// RFC 4514.
std::string name_text(const X509_NAME* name);
model::Subject read_subject(const X509_NAME* name);

std::string to_pem(X509* certificate);
model::Timestamp read_time(const ASN1_TIME* time);
// Everything that there is to say about it, but for `pem`.
model::Certificate describe(X509* certificate);

// Empty: a kind and size of key that is taken. `whose` begins the message.
std::string key_fault(EVP_PKEY* key, const std::string& whose);

}  // namespace brink::ctl::certificate
