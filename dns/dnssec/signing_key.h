// SigningKey: one private key of a zone and its public half as DNSKEY data (RFC 4034 2). It has no
// role and no state of its own (see rollover.h). By OpenSSL. Cold.
#pragma once

#include <openssl/types.h>

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "dataplane/base/result.h"
#include "dns/dnssec/algorithm.h"
#include "dns/zone/resource_record.h"

namespace brink::dns::dnssec {

using zone::Wire;

inline constexpr std::uint16_t kTypeRrsig = 46;
inline constexpr std::uint16_t kTypeNsec = 47;
inline constexpr std::uint16_t kTypeDnskey = 48;
inline constexpr std::uint16_t kTypeNsec3 = 50;
inline constexpr std::uint16_t kTypeNsec3Param = 51;
inline constexpr std::uint16_t kTypeCds = 59;
inline constexpr std::uint16_t kTypeCdnskey = 60;

// Flags of DNSKEY data (RFC 4034 2.1.1): Zone Key, and with it Secure Entry Point.
inline constexpr std::uint16_t kFlagsZsk = 256;
inline constexpr std::uint16_t kFlagsKsk = 257;

inline constexpr int kRsaBitsMin = 1024;  // of a key brought along; RFC 5702 2.1, 2.2
inline constexpr int kRsaBitsMax = 4096;
inline constexpr int kRsaBitsDefault = 2048;
inline constexpr std::size_t kKeyTextMax = 16'384;  // octets of a private key's text

// OpenSSL's key with an owner.
struct PkeyFree {
  void operator()(EVP_PKEY* key) const;
};
using Pkey = std::unique_ptr<EVP_PKEY, PkeyFree>;

// Overwrites a secret text, then empties it.
void wipe(std::string& secret);

// Move-only. Its const functions may be called by several threads at once.
class SigningKey {
 public:
  // `rsa_bits` (a multiple of 8 from 2048 to kRsaBitsMax) matters to RSA alone.
  static base::Result<SigningKey> generate(Algorithm algorithm, int rsa_bits = kRsaBitsDefault);

  // PKCS #8 (RFC 5958), PEM, not encrypted. The key must be of the algorithm's kind and size.
  // Neither the error nor a log quotes the key. The caller wipes `pem`.
  static base::Result<SigningKey> from_pem(Algorithm algorithm, std::string_view pem);

  // The text of a `K<zone>+<algorithm>+<tag>.private` file: "Private-key-format: v1.2" or v1.3, as
  // BIND, ldns and Knot write it. Fields of timing are passed over. The public half is computed,
  // and must be what the text says where it says so (RSA). The caller wipes `text`.
  static base::Result<SigningKey> from_private_key_format(std::string_view text);

  // PKCS #8, PEM, in the clear: the caller seals it, then wipes it.
  [[nodiscard]] std::string to_pem() const;

  [[nodiscard]] Algorithm algorithm() const { return algorithm_; }
  // The public key field of DNSKEY data alone (RFC 3110 2, RFC 6605 4, RFC 8080 3).
  [[nodiscard]] const Wire& public_key() const { return public_key_; }
  // Data of the DNSKEY record: `flags`, protocol 3, algorithm, public key.
  [[nodiscard]] Wire dnskey_rdata(std::uint16_t flags) const;
  // RFC 4034 appendix B.
  [[nodiscard]] std::uint16_t key_tag(std::uint16_t flags) const;

  // The signature of `octets` as it stands in RRSIG data (RSA: PKCS #1 v1.5; ECDSA: r | s).
  [[nodiscard]] Wire sign(std::string_view octets) const;

 private:
  SigningKey(Algorithm algorithm, Pkey key);
  static base::Result<SigningKey> checked(Algorithm algorithm, Pkey key);

  Algorithm algorithm_;
  Pkey key_;
  Wire public_key_;
};

// RFC 4034 appendix B, of the data of any DNSKEY.
std::uint16_t key_tag(const Wire& dnskey_rdata);

// The algorithm number; empty: shorter than DNSKEY data can be.
std::optional<std::uint8_t> dnskey_algorithm(const Wire& dnskey_rdata);

// Whether `signature` (as in RRSIG data) of `octets` was made by the key of that DNSKEY. False also
// when the key or the algorithm is none that can be read.
bool verify(const Wire& dnskey_rdata, std::string_view octets, std::string_view signature);

}  // namespace brink::dns::dnssec
