// OpenSSL's keys with an owner, made of the numbers that DNS carries. Private to this folder.
#pragma once

#include <openssl/bn.h>
#include <openssl/err.h>
#include <openssl/evp.h>

#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "dataplane/base/released_by.h"
#include "dns/dnssec/signing_key.h"

namespace brink::dns::dnssec {

using base::ReleasedBy;

using DigestContext = std::unique_ptr<EVP_MD_CTX, ReleasedBy<EVP_MD_CTX_free>>;
using Number = std::unique_ptr<BIGNUM, ReleasedBy<BN_clear_free>>;

// What a failed call leaves behind says nothing about the next one.
struct ErrorsCleared {
  ErrorsCleared() = default;
  ErrorsCleared(const ErrorsCleared&) = delete;
  ErrorsCleared& operator=(const ErrorsCleared&) = delete;
  ~ErrorsCleared() { ERR_clear_error(); }
};

// The numbers of an RSA private key (RFC 8017 3.2), big-endian octets, wiped when they go.
struct RsaNumbers {
  std::string n, e, d, p, q, dp, dq, qinv;

  RsaNumbers() = default;
  RsaNumbers(const RsaNumbers&) = delete;
  RsaNumbers& operator=(const RsaNumbers&) = delete;
  ~RsaNumbers();
};

bool is_rsa(Algorithm algorithm);
bool is_ecdsa(Algorithm algorithm);
// Octets of one coordinate: 32 or 48.
std::size_t coordinate_size(Algorithm algorithm);
// OpenSSL's name of the curve.
const char* curve_of(Algorithm algorithm);
// Null for Ed25519, which has its own.
const EVP_MD* digest_of(Algorithm algorithm);

// Each is null where OpenSSL refuses the numbers.
Pkey public_key_of(Algorithm algorithm, std::string_view dnskey_public_key);
Pkey rsa_private_key(const RsaNumbers& numbers);
// `secret` is the scalar (ECDSA) or the seed (Ed25519); its public half is computed.
Pkey private_key_of(Algorithm algorithm, std::string_view secret);

// The public key field of DNSKEY data; empty where the key is not of that kind.
Wire dnskey_public_key(Algorithm algorithm, const EVP_PKEY* key);

// Empty where OpenSSL refuses.
std::optional<Wire> sign_with(Algorithm algorithm, EVP_PKEY* key, std::string_view octets);
bool verify_with(Algorithm algorithm, EVP_PKEY* key, std::string_view octets,
                 std::string_view signature);

}  // namespace brink::dns::dnssec
