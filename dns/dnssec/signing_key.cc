#include "dns/dnssec/signing_key.h"

#include <openssl/bio.h>
#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/pem.h>

#include "dataplane/base/bytes.h"
#include "dataplane/base/check.h"
#include "dns/dnssec/openssl_key.h"
#include "dns/dnssec/private_key_format.h"

namespace brink::dns::dnssec {
namespace {

using Bio = std::unique_ptr<BIO, ReleasedBy<BIO_free_all>>;

constexpr std::size_t kDnskeyHead = 4;  // flags, protocol, algorithm
constexpr char kProtocol = 3;           // RFC 4034 2.1.2
constexpr int kExponentBitsMax = 64;

base::Error invalid_key(Algorithm algorithm, std::string what, std::string remedy) {
  return {std::move(what), "private key (" + std::string(to_text(algorithm)) + ")",
          std::move(remedy)};
}

// An encrypted key has nobody here to ask for its password.
int no_password(char*, int, int, void*) {
  return -1;
}

// Empty: a kind and size of key that the algorithm takes.
std::string kind_fault(Algorithm algorithm, const EVP_PKEY* key) {
  const int kind = EVP_PKEY_get_base_id(key);
  if (is_rsa(algorithm)) {
    if (kind != EVP_PKEY_RSA) return "it is not an RSA key";
    const int bits = EVP_PKEY_get_bits(key);
    if (bits < kRsaBitsMin || bits > kRsaBitsMax) return "it has " + std::to_string(bits) + " bits";
    BIGNUM* e = nullptr;
    if (EVP_PKEY_get_bn_param(key, OSSL_PKEY_PARAM_RSA_E, &e) != 1) return "it has no exponent";
    const Number exponent(e);
    if (!BN_is_odd(e) || BN_is_one(e) || BN_num_bits(e) > kExponentBitsMax) {
      return "its public exponent is even, 1, or longer than 64 bits";
    }
    return "";
  }
  if (is_ecdsa(algorithm)) {
    char group[64] = {};
    std::size_t size = 0;
    if (kind != EVP_PKEY_EC) return "it is not an EC key";
    EVP_PKEY_get_group_name(key, group, sizeof group, &size);
    return std::string_view(group, size) == curve_of(algorithm) ? "" : "it is on another curve";
  }
  return kind == EVP_PKEY_ED25519 ? "" : "it is not an Ed25519 key";
}

}  // namespace

void wipe(std::string& secret) {
  OPENSSL_cleanse(secret.data(), secret.size());
  secret.clear();
}

void PkeyFree::operator()(EVP_PKEY* key) const {
  EVP_PKEY_free(key);
}

SigningKey::SigningKey(Algorithm algorithm, Pkey key)
    : algorithm_(algorithm),
      key_(std::move(key)),
      public_key_(dnskey_public_key(algorithm, key_.get())) {
  CHECK(!public_key_.empty());
}

base::Result<SigningKey> SigningKey::generate(Algorithm algorithm, int rsa_bits) {
  const ErrorsCleared cleared;
  Pkey key;
  if (is_rsa(algorithm)) {
    if (rsa_bits < kRsaBitsDefault || rsa_bits > kRsaBitsMax || rsa_bits % 8 != 0) {
      return base::Error{std::to_string(rsa_bits) + " bits are not made", "RSA key",
                         "use a multiple of 8 from " + std::to_string(kRsaBitsDefault) + " to " +
                             std::to_string(kRsaBitsMax)};
    }
    key.reset(EVP_RSA_gen(static_cast<unsigned>(rsa_bits)));
  } else if (is_ecdsa(algorithm)) {
    key.reset(EVP_EC_gen(curve_of(algorithm)));
  } else {
    key.reset(EVP_PKEY_Q_keygen(nullptr, nullptr, "ED25519"));
  }
  if (key == nullptr) {
    return invalid_key(algorithm, "OpenSSL made no key",
                       "see whether the system has random octets");
  }
  return SigningKey(algorithm, std::move(key));
}

base::Result<SigningKey> SigningKey::checked(Algorithm algorithm, Pkey key) {
  if (const auto fault = kind_fault(algorithm, key.get()); !fault.empty()) {
    return invalid_key(algorithm, fault,
                       "RSA of 1024 to 4096 bits for RSASHA256 and RSASHA512, P-256 or P-384 for "
                       "ECDSA, Ed25519 for ED25519");
  }
  // The two halves belong together if one verifies what the other signs.
  static constexpr std::string_view kSample = "sample";
  const Wire public_half = dnskey_public_key(algorithm, key.get());
  const auto public_key = public_key_of(algorithm, public_half);
  const auto signature = sign_with(algorithm, key.get(), kSample);
  if (public_key == nullptr || !signature.has_value() ||
      !verify_with(algorithm, public_key.get(), kSample, *signature)) {
    return invalid_key(algorithm, "its public and private parts do not belong together",
                       "export the key again");
  }
  return SigningKey(algorithm, std::move(key));
}

base::Result<SigningKey> SigningKey::from_pem(Algorithm algorithm, std::string_view pem) {
  const ErrorsCleared cleared;
  if (pem.size() > kKeyTextMax) {
    return invalid_key(algorithm, "its text has " + std::to_string(pem.size()) + " octets",
                       std::to_string(kKeyTextMax) + " are allowed");
  }
  if (pem.find("ENCRYPTED") != std::string_view::npos) {
    return invalid_key(algorithm, "it is encrypted", "decrypt it first (openssl pkey)");
  }
  const Bio bio(BIO_new_mem_buf(pem.data(), static_cast<int>(pem.size())));
  CHECK(bio != nullptr);
  Pkey key(PEM_read_bio_PrivateKey(bio.get(), nullptr, no_password, nullptr));
  if (key == nullptr) {
    return invalid_key(algorithm, "it is not PEM that can be read", "use PKCS #8 in PEM");
  }
  return checked(algorithm, std::move(key));
}

base::Result<SigningKey> SigningKey::from_private_key_format(std::string_view text) {
  const ErrorsCleared cleared;
  auto read = read_private_key_format(text);
  if (!read) return read.error();
  return checked(read.value().algorithm, std::move(read.value().key));
}

std::string SigningKey::to_pem() const {
  const Bio bio(BIO_new(BIO_s_secmem()));
  CHECK(bio != nullptr);
  CHECK(PEM_write_bio_PKCS8PrivateKey(bio.get(), key_.get(), nullptr, nullptr, 0, nullptr,
                                      nullptr) == 1);
  char* data = nullptr;
  const long size = BIO_get_mem_data(bio.get(), &data);
  return {data, static_cast<std::size_t>(size)};
}

Wire SigningKey::dnskey_rdata(std::uint16_t flags) const {
  const char head[kDnskeyHead] = {static_cast<char>(flags >> 8), static_cast<char>(flags),
                                  kProtocol, static_cast<char>(algorithm_)};
  return Wire(head, sizeof head) + public_key_;
}

std::uint16_t SigningKey::key_tag(std::uint16_t flags) const {
  return dnssec::key_tag(dnskey_rdata(flags));
}

Wire SigningKey::sign(std::string_view octets) const {
  auto signature = sign_with(algorithm_, key_.get(), octets);
  CHECK(signature.has_value());
  return *std::move(signature);
}

std::uint16_t key_tag(const Wire& dnskey_rdata) {
  std::uint32_t sum = 0;
  for (std::size_t i = 0; i < dnskey_rdata.size(); ++i) {
    const auto octet = static_cast<std::uint8_t>(dnskey_rdata[i]);
    sum += i % 2 == 0 ? std::uint32_t{octet} << 8 : octet;
  }
  sum += sum >> 16 & 0xffff;
  return static_cast<std::uint16_t>(sum);
}

std::optional<std::uint8_t> dnskey_algorithm(const Wire& dnskey_rdata) {
  if (dnskey_rdata.size() <= kDnskeyHead) return std::nullopt;
  return static_cast<std::uint8_t>(dnskey_rdata[3]);
}

bool verify(const Wire& dnskey_rdata, std::string_view octets, std::string_view signature) {
  const ErrorsCleared cleared;
  const auto number = dnskey_algorithm(dnskey_rdata);
  if (!number.has_value()) return false;
  const auto algorithm = algorithm_from_number(*number);
  if (!algorithm.has_value()) return false;
  const auto key = public_key_of(*algorithm, std::string_view(dnskey_rdata).substr(kDnskeyHead));
  return key != nullptr && verify_with(*algorithm, key.get(), octets, signature);
}

}  // namespace brink::dns::dnssec
