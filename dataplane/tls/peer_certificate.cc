// What header fields and rules ask of a certificate (RFC 9440 names the DER forms).
#include <openssl/x509v3.h>

#include <array>
#include <ctime>

#include "dataplane/tls/handles.h"
#include "dataplane/tls/stream.h"

namespace brink::tls {
namespace {

using BioPtr = std::unique_ptr<BIO, ReleasedBy<BIO_free>>;

std::string hex(std::span<const std::uint8_t> octets) {
  constexpr char kDigits[] = "0123456789abcdef";
  std::string text;
  for (const std::uint8_t octet : octets) {
    text.push_back(kDigits[octet >> 4]);
    text.push_back(kDigits[octet & 15]);
  }
  return text;
}

std::string hex(const ASN1_STRING* octets) {
  if (octets == nullptr) return "";
  return hex({ASN1_STRING_get0_data(octets), static_cast<std::size_t>(ASN1_STRING_length(octets))});
}

std::string rfc2253(const X509_NAME* name) {
  const BioPtr bio(BIO_new(BIO_s_mem()));
  if (!bio || X509_NAME_print_ex(bio.get(), name, 0, XN_FLAG_RFC2253) < 0) return "";
  char* text = nullptr;
  const long size = BIO_get_mem_data(bio.get(), &text);
  return {text, static_cast<std::size_t>(size)};
}

std::string legacy(const X509_NAME* name) {
  char* text = X509_NAME_oneline(name, nullptr, 0);
  const std::string copy = text == nullptr ? "" : text;
  OPENSSL_free(text);
  return copy;
}

std::int64_t seconds(const ASN1_TIME* time) {
  std::tm parts{};
  return ASN1_TIME_to_tm(time, &parts) == 1 ? timegm(&parts) : 0;
}

std::vector<std::uint8_t> der_of(X509* certificate) {
  std::uint8_t* raw = nullptr;
  const int size = i2d_X509(certificate, &raw);
  if (size < 0) return {};
  std::vector<std::uint8_t> der(raw, raw + size);
  OPENSSL_free(raw);
  return der;
}

std::vector<std::uint8_t> der_of(const X509_NAME* name) {
  const unsigned char* octets = nullptr;
  std::size_t size = 0;
  if (X509_NAME_get0_der(name, &octets, &size) != 1) return {};
  return {octets, octets + size};
}

std::string fingerprint(const X509* certificate, const EVP_MD* digest) {
  std::array<std::uint8_t, EVP_MAX_MD_SIZE> bytes;
  unsigned size = 0;
  if (X509_digest(certificate, digest, bytes.data(), &size) != 1) return "";
  return hex({bytes.data(), size});
}

std::string serial_of(const X509* certificate) {
  return hex(X509_get0_serialNumber(certificate));
}

}  // namespace

std::optional<PeerCertificate> Stream::peer_certificate() const {
  X509* leaf = ssl_ == nullptr ? nullptr : SSL_get0_peer_certificate(ssl_);
  if (leaf == nullptr) return std::nullopt;
  const ErrorsCleared errors;
  PeerCertificate found;
  found.der = der_of(leaf);
  found.subject = rfc2253(X509_get_subject_name(leaf));
  found.issuer = rfc2253(X509_get_issuer_name(leaf));
  found.subject_legacy = legacy(X509_get_subject_name(leaf));
  found.issuer_legacy = legacy(X509_get_issuer_name(leaf));
  found.serial = serial_of(leaf);
  found.sha1 = fingerprint(leaf, EVP_sha1());
  found.sha256 = fingerprint(leaf, EVP_sha256());
  found.key_id = hex(X509_get0_subject_key_id(leaf));
  found.issuer_key_id = hex(X509_get0_authority_key_id(leaf));
  found.issuer_name = der_of(X509_get_issuer_name(leaf));
  found.not_before = seconds(X509_get0_notBefore(leaf));
  found.not_after = seconds(X509_get0_notAfter(leaf));
  const STACK_OF(X509)* chain = SSL_get_peer_cert_chain(ssl_);
  // A client's chain begins with the certificate itself only where we are the client.
  for (int i = client_ ? 1 : 0; i < sk_X509_num(chain); ++i) {
    X509* above = sk_X509_value(chain, i);
    if (X509_check_issued(above, leaf) == X509_V_OK) found.issuer_serial = serial_of(above);
    found.chain.push_back(der_of(above));
  }
  return found;
}

}  // namespace brink::tls
