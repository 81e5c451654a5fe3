#include "dns/dnssec/openssl_key.h"

#include <openssl/core_names.h>
#include <openssl/ec.h>
#include <openssl/param_build.h>

#include <array>

#include "dataplane/base/check.h"

namespace brink::dns::dnssec {
namespace {

using ParamBuild = std::unique_ptr<OSSL_PARAM_BLD, ReleasedBy<OSSL_PARAM_BLD_free>>;
using Params = std::unique_ptr<OSSL_PARAM, ReleasedBy<OSSL_PARAM_free>>;
using KeyContext = std::unique_ptr<EVP_PKEY_CTX, ReleasedBy<EVP_PKEY_CTX_free>>;
using Group = std::unique_ptr<EC_GROUP, ReleasedBy<EC_GROUP_free>>;
using Point = std::unique_ptr<EC_POINT, ReleasedBy<EC_POINT_clear_free>>;
using EcdsaSignature = std::unique_ptr<ECDSA_SIG, ReleasedBy<ECDSA_SIG_free>>;

constexpr std::size_t kEd25519Size = 32;
constexpr std::size_t kSignatureMax = 1'024;  // above RSA's 512 and ECDSA's 104 in DER

const std::uint8_t* octets_of(std::string_view text) {
  return reinterpret_cast<const std::uint8_t*>(text.data());
}

Number number_of(std::string_view octets) {
  Number number(BN_bin2bn(octets_of(octets), static_cast<int>(octets.size()), nullptr));
  CHECK(number != nullptr);
  return number;
}

Wire octets_of(const BIGNUM* number, std::size_t size) {
  Wire octets(size, '\0');
  const int written =
      BN_bn2binpad(number, reinterpret_cast<std::uint8_t*>(octets.data()), static_cast<int>(size));
  return written < 0 ? Wire() : octets;
}

Number number_param(const EVP_PKEY* key, const char* name) {
  BIGNUM* number = nullptr;
  if (EVP_PKEY_get_bn_param(key, name, &number) != 1) return nullptr;
  return Number(number);
}

Pkey key_from(const char* kind, int selection, OSSL_PARAM_BLD* build) {
  const Params params(OSSL_PARAM_BLD_to_param(build));
  const KeyContext context(EVP_PKEY_CTX_new_from_name(nullptr, kind, nullptr));
  CHECK(params != nullptr && context != nullptr);
  EVP_PKEY* key = nullptr;
  if (EVP_PKEY_fromdata_init(context.get()) != 1 ||
      EVP_PKEY_fromdata(context.get(), &key, selection, params.get()) != 1) {
    return nullptr;
  }
  return Pkey(key);
}

// RFC 3110 2: the exponent's length in one octet, or zero and two octets; exponent; modulus.
Pkey rsa_public_key(std::string_view field) {
  if (field.size() < 3) return nullptr;
  std::size_t at = 1, size = octets_of(field)[0];
  if (size == 0) {
    size = std::size_t{octets_of(field)[1]} << 8 | octets_of(field)[2];
    at = 3;
  }
  if (size == 0 || field.size() <= at + size) return nullptr;
  const Number e = number_of(field.substr(at, size));
  const Number n = number_of(field.substr(at + size));
  const ParamBuild build(OSSL_PARAM_BLD_new());
  CHECK(build != nullptr);
  CHECK(OSSL_PARAM_BLD_push_BN(build.get(), OSSL_PKEY_PARAM_RSA_N, n.get()) == 1);
  CHECK(OSSL_PARAM_BLD_push_BN(build.get(), OSSL_PKEY_PARAM_RSA_E, e.get()) == 1);
  return key_from("RSA", EVP_PKEY_PUBLIC_KEY, build.get());
}

// `secret` null: the public half alone. `point` is uncompressed (SEC 1 2.3.3).
Pkey ec_key(Algorithm algorithm, std::string_view point, const BIGNUM* secret) {
  const ParamBuild build(OSSL_PARAM_BLD_new());
  CHECK(build != nullptr);
  CHECK(OSSL_PARAM_BLD_push_utf8_string(build.get(), OSSL_PKEY_PARAM_GROUP_NAME,
                                        curve_of(algorithm), 0) == 1);
  CHECK(OSSL_PARAM_BLD_push_octet_string(build.get(), OSSL_PKEY_PARAM_PUB_KEY, point.data(),
                                         point.size()) == 1);
  if (secret != nullptr) {
    CHECK(OSSL_PARAM_BLD_push_BN(build.get(), OSSL_PKEY_PARAM_PRIV_KEY, secret) == 1);
  }
  return key_from("EC", secret != nullptr ? EVP_PKEY_KEYPAIR : EVP_PKEY_PUBLIC_KEY, build.get());
}

Pkey ec_private_key(Algorithm algorithm, std::string_view secret) {
  const Group group(EC_GROUP_new_by_curve_name(
      algorithm == Algorithm::kEcdsaP256Sha256 ? NID_X9_62_prime256v1 : NID_secp384r1));
  CHECK(group != nullptr);
  const Number scalar = number_of(secret);
  BN_set_flags(scalar.get(), BN_FLG_CONSTTIME);
  if (BN_is_zero(scalar.get()) || BN_cmp(scalar.get(), EC_GROUP_get0_order(group.get())) >= 0) {
    return nullptr;
  }
  const Point point(EC_POINT_new(group.get()));
  CHECK(point != nullptr);
  std::array<std::uint8_t, 97> octets;
  if (EC_POINT_mul(group.get(), point.get(), scalar.get(), nullptr, nullptr, nullptr) != 1) {
    return nullptr;
  }
  const std::size_t size =
      EC_POINT_point2oct(group.get(), point.get(), POINT_CONVERSION_UNCOMPRESSED, octets.data(),
                         octets.size(), nullptr);
  if (size != 1 + 2 * coordinate_size(algorithm)) return nullptr;
  return ec_key(algorithm, {reinterpret_cast<const char*>(octets.data()), size}, scalar.get());
}

// RFC 6605 4: r | s, each as long as a coordinate, instead of OpenSSL's DER.
std::optional<Wire> without_der(Algorithm algorithm, const std::uint8_t* der, std::size_t size) {
  const EcdsaSignature parsed(d2i_ECDSA_SIG(nullptr, &der, static_cast<long>(size)));
  if (parsed == nullptr) return std::nullopt;
  const std::size_t half = coordinate_size(algorithm);
  return octets_of(ECDSA_SIG_get0_r(parsed.get()), half) +
         octets_of(ECDSA_SIG_get0_s(parsed.get()), half);
}

std::string with_der(Algorithm algorithm, std::string_view signature) {
  const std::size_t half = coordinate_size(algorithm);
  if (signature.size() != 2 * half) return "";
  const EcdsaSignature made(ECDSA_SIG_new());
  CHECK(made != nullptr);
  CHECK(ECDSA_SIG_set0(made.get(), number_of(signature.substr(0, half)).release(),
                       number_of(signature.substr(half)).release()) == 1);
  std::uint8_t* der = nullptr;
  const int size = i2d_ECDSA_SIG(made.get(), &der);
  CHECK(size > 0);
  std::string text(reinterpret_cast<const char*>(der), static_cast<std::size_t>(size));
  OPENSSL_free(der);
  return text;
}

}  // namespace

RsaNumbers::~RsaNumbers() {
  for (std::string* number : {&n, &e, &d, &p, &q, &dp, &dq, &qinv}) {
    OPENSSL_cleanse(number->data(), number->size());
  }
}

bool is_rsa(Algorithm algorithm) {
  return algorithm == Algorithm::kRsaSha256 || algorithm == Algorithm::kRsaSha512;
}

bool is_ecdsa(Algorithm algorithm) {
  return algorithm == Algorithm::kEcdsaP256Sha256 || algorithm == Algorithm::kEcdsaP384Sha384;
}

std::size_t coordinate_size(Algorithm algorithm) {
  return algorithm == Algorithm::kEcdsaP384Sha384 ? 48 : 32;
}

const char* curve_of(Algorithm algorithm) {
  return algorithm == Algorithm::kEcdsaP384Sha384 ? "secp384r1" : "prime256v1";
}

const EVP_MD* digest_of(Algorithm algorithm) {
  switch (algorithm) {
    case Algorithm::kRsaSha256:
    case Algorithm::kEcdsaP256Sha256:
      return EVP_sha256();
    case Algorithm::kRsaSha512:
      return EVP_sha512();
    case Algorithm::kEcdsaP384Sha384:
      return EVP_sha384();
    case Algorithm::kEd25519:
      return nullptr;
  }
  return nullptr;
}

Pkey public_key_of(Algorithm algorithm, std::string_view dnskey_public_key) {
  if (is_rsa(algorithm)) return rsa_public_key(dnskey_public_key);
  if (is_ecdsa(algorithm)) {
    if (dnskey_public_key.size() != 2 * coordinate_size(algorithm)) return nullptr;
    return ec_key(algorithm, "\x04" + Wire(dnskey_public_key), nullptr);
  }
  return Pkey(EVP_PKEY_new_raw_public_key(EVP_PKEY_ED25519, nullptr, octets_of(dnskey_public_key),
                                          dnskey_public_key.size()));
}

Pkey rsa_private_key(const RsaNumbers& numbers) {
  const ParamBuild build(OSSL_PARAM_BLD_new());
  CHECK(build != nullptr);
  const std::array<std::pair<const char*, const std::string*>, 8> fields = {{
      {OSSL_PKEY_PARAM_RSA_N, &numbers.n},
      {OSSL_PKEY_PARAM_RSA_E, &numbers.e},
      {OSSL_PKEY_PARAM_RSA_D, &numbers.d},
      {OSSL_PKEY_PARAM_RSA_FACTOR1, &numbers.p},
      {OSSL_PKEY_PARAM_RSA_FACTOR2, &numbers.q},
      {OSSL_PKEY_PARAM_RSA_EXPONENT1, &numbers.dp},
      {OSSL_PKEY_PARAM_RSA_EXPONENT2, &numbers.dq},
      {OSSL_PKEY_PARAM_RSA_COEFFICIENT1, &numbers.qinv},
  }};
  std::array<Number, 8> held;  // until the parameters are made of them
  for (std::size_t i = 0; i < fields.size(); ++i) {
    held[i] = number_of(*fields[i].second);
    CHECK(OSSL_PARAM_BLD_push_BN(build.get(), fields[i].first, held[i].get()) == 1);
  }
  return key_from("RSA", EVP_PKEY_KEYPAIR, build.get());
}

Pkey private_key_of(Algorithm algorithm, std::string_view secret) {
  if (is_ecdsa(algorithm)) return ec_private_key(algorithm, secret);
  if (algorithm != Algorithm::kEd25519 || secret.size() != kEd25519Size) return nullptr;
  return Pkey(
      EVP_PKEY_new_raw_private_key(EVP_PKEY_ED25519, nullptr, octets_of(secret), secret.size()));
}

Wire dnskey_public_key(Algorithm algorithm, const EVP_PKEY* key) {
  if (is_rsa(algorithm)) {
    const Number n = number_param(key, OSSL_PKEY_PARAM_RSA_N);
    const Number e = number_param(key, OSSL_PKEY_PARAM_RSA_E);
    if (n == nullptr || e == nullptr) return {};
    const auto e_size = static_cast<std::size_t>(BN_num_bytes(e.get()));
    if (e_size == 0 || e_size > 255) return {};
    return Wire(1, static_cast<char>(e_size)) + octets_of(e.get(), e_size) +
           octets_of(n.get(), static_cast<std::size_t>(BN_num_bytes(n.get())));
  }
  if (is_ecdsa(algorithm)) {
    const Number x = number_param(key, OSSL_PKEY_PARAM_EC_PUB_X);
    const Number y = number_param(key, OSSL_PKEY_PARAM_EC_PUB_Y);
    if (x == nullptr || y == nullptr) return {};
    const std::size_t size = coordinate_size(algorithm);
    return octets_of(x.get(), size) + octets_of(y.get(), size);
  }
  Wire octets(kEd25519Size, '\0');
  std::size_t size = octets.size();
  auto* out = reinterpret_cast<std::uint8_t*>(octets.data());
  return EVP_PKEY_get_raw_public_key(key, out, &size) == 1 ? octets : Wire();
}

std::optional<Wire> sign_with(Algorithm algorithm, EVP_PKEY* key, std::string_view octets) {
  const DigestContext context(EVP_MD_CTX_new());
  CHECK(context != nullptr);
  std::array<std::uint8_t, kSignatureMax> signature;
  std::size_t size = signature.size();
  if (EVP_DigestSignInit(context.get(), nullptr, digest_of(algorithm), nullptr, key) != 1 ||
      EVP_DigestSign(context.get(), signature.data(), &size, octets_of(octets), octets.size()) !=
          1) {
    return std::nullopt;
  }
  if (is_ecdsa(algorithm)) return without_der(algorithm, signature.data(), size);
  return Wire(reinterpret_cast<const char*>(signature.data()), size);
}

bool verify_with(Algorithm algorithm, EVP_PKEY* key, std::string_view octets,
                 std::string_view signature) {
  const ErrorsCleared cleared;
  std::string der;
  if (is_ecdsa(algorithm)) {
    der = with_der(algorithm, signature);
    signature = der;
  }
  const DigestContext context(EVP_MD_CTX_new());
  CHECK(context != nullptr);
  return EVP_DigestVerifyInit(context.get(), nullptr, digest_of(algorithm), nullptr, key) == 1 &&
         EVP_DigestVerify(context.get(), octets_of(signature), signature.size(), octets_of(octets),
                          octets.size()) == 1;
}

}  // namespace brink::dns::dnssec
