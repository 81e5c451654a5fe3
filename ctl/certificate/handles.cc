#include "ctl/certificate/handles.h"

#include <openssl/pem.h>
#include <openssl/x509v3.h>

#include <algorithm>
#include <array>

namespace brink::ctl::certificate {
namespace {

constexpr int kRsaBitsMin = 2048, kRsaBitsMax = 8192;

std::string part_of(const X509_NAME* name, int nid) {
  const int at = X509_NAME_get_index_by_NID(name, nid, -1);
  if (at < 0) return "";
  std::uint8_t* utf8 = nullptr;
  const int size =
      ASN1_STRING_to_UTF8(&utf8, X509_NAME_ENTRY_get_data(X509_NAME_get_entry(name, at)));
  if (size < 0) return "";
  const std::string text(reinterpret_cast<const char*>(utf8), static_cast<std::size_t>(size));
  OPENSSL_free(utf8);
  return text;
}

std::string signature_text(X509* certificate) {
  const int nid = X509_get_signature_nid(certificate);
  switch (nid) {
    case NID_sha256WithRSAEncryption:
      return "SHA256WithRSA";
    case NID_sha384WithRSAEncryption:
      return "SHA384WithRSA";
    case NID_sha512WithRSAEncryption:
      return "SHA512WithRSA";
    case NID_rsassaPss:
      return "RSAPSS";
    case NID_ecdsa_with_SHA256:
      return "ECDSAWithSHA256";
    case NID_ecdsa_with_SHA384:
      return "ECDSAWithSHA384";
    case NID_ecdsa_with_SHA512:
      return "ECDSAWithSHA512";
    case NID_ED25519:
      return "Ed25519";
    default:
      return OBJ_nid2sn(nid);
  }
}

std::vector<std::string> hosts_of(X509* certificate) {
  std::vector<std::string> hosts;
  using Names = std::unique_ptr<GENERAL_NAMES, ReleasedBy<GENERAL_NAMES_free>>;
  const Names names(static_cast<GENERAL_NAMES*>(
      X509_get_ext_d2i(certificate, NID_subject_alt_name, nullptr, nullptr)));
  for (int i = 0; names != nullptr && i < sk_GENERAL_NAME_num(names.get()); ++i) {
    const GENERAL_NAME* name = sk_GENERAL_NAME_value(names.get(), i);
    if (name->type != GEN_DNS) continue;
    const ASN1_STRING* text = name->d.dNSName;
    std::string host(reinterpret_cast<const char*>(ASN1_STRING_get0_data(text)),
                     static_cast<std::size_t>(ASN1_STRING_length(text)));
    std::transform(host.begin(), host.end(), host.begin(), [](char c) {
      return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
    });
    if (std::find(hosts.begin(), hosts.end(), host) == hosts.end()) hosts.push_back(host);
  }
  return hosts;
}

std::string serial_of(X509* certificate) {
  const Number number(ASN1_INTEGER_to_BN(X509_get0_serialNumber(certificate), nullptr));
  if (number == nullptr) return "";
  std::vector<std::uint8_t> octets(static_cast<std::size_t>(BN_num_bytes(number.get())));
  BN_bn2bin(number.get(), octets.data());
  return octets.empty() ? "00" : hex(octets);
}

}  // namespace

Bio reader(std::string_view text) {
  Bio bio(BIO_new_mem_buf(text.data(), static_cast<int>(text.size())));
  CHECK(bio != nullptr);
  return bio;
}

Bio writer() {
  Bio bio(BIO_new(BIO_s_mem()));
  CHECK(bio != nullptr);
  return bio;
}

std::string text_of(BIO* bio) {
  char* data = nullptr;
  const long size = BIO_get_mem_data(bio, &data);
  return {data, static_cast<std::size_t>(size)};
}

std::string hex(std::span<const std::uint8_t> octets) {
  static constexpr char kDigits[] = "0123456789abcdef";
  std::string text;
  for (const std::uint8_t octet : octets) {
    text += kDigits[octet >> 4];
    text += kDigits[octet & 15];
  }
  return text;
}

std::string name_text(const X509_NAME* name) {
  const Bio bio = writer();
  X509_NAME_print_ex(bio.get(), name, 0, XN_FLAG_RFC2253 & ~ASN1_STRFLGS_ESC_MSB);
  return text_of(bio.get());
}

model::Subject read_subject(const X509_NAME* name) {
  return {part_of(name, NID_commonName),
          part_of(name, NID_organizationName),
          part_of(name, NID_organizationalUnitName),
          part_of(name, NID_countryName),
          part_of(name, NID_stateOrProvinceName),
          part_of(name, NID_localityName)};
}

std::string to_pem(X509* certificate) {
  const Bio bio = writer();
  CHECK(PEM_write_bio_X509(bio.get(), certificate) == 1);
  return text_of(bio.get());
}

model::Timestamp read_time(const ASN1_TIME* time) {
  using Time = std::unique_ptr<ASN1_TIME, ReleasedBy<ASN1_STRING_free>>;
  const Time epoch(ASN1_TIME_set(nullptr, 0));
  int days = 0, seconds = 0;
  CHECK(epoch != nullptr);
  if (ASN1_TIME_diff(&days, &seconds, epoch.get(), time) != 1) return {};
  return {(std::int64_t{days} * 86'400 + seconds) * 1'000'000};
}

model::Certificate describe(X509* certificate) {
  model::Certificate facts;
  facts.subject = read_subject(X509_get_subject_name(certificate));
  facts.issuer = name_text(X509_get_issuer_name(certificate));
  const model::Subject issuer = read_subject(X509_get_issuer_name(certificate));
  facts.issuer_name = issuer.organization.empty() ? issuer.common_name : issuer.organization;
  facts.signature = signature_text(certificate);
  facts.serial = serial_of(certificate);
  std::array<std::uint8_t, EVP_MAX_MD_SIZE> digest;
  unsigned size = 0;
  CHECK(X509_digest(certificate, EVP_sha256(), digest.data(), &size) == 1);
  facts.fingerprint = hex(std::span(digest).first(size));
  if (const ASN1_OCTET_STRING* id = X509_get0_subject_key_id(certificate)) {
    facts.key_id =
        hex({ASN1_STRING_get0_data(id), static_cast<std::size_t>(ASN1_STRING_length(id))});
  }
  facts.hosts = hosts_of(certificate);
  facts.not_before = read_time(X509_get0_notBefore(certificate));
  facts.expires_on = read_time(X509_get0_notAfter(certificate));
  // 1: CA by its extension; other values are guesses about older certificates.
  facts.is_authority = X509_check_ca(certificate) == 1;
  return facts;
}

std::string key_fault(EVP_PKEY* key, const std::string& whose) {
  if (key == nullptr) return whose + " is of a kind that cannot be read";
  switch (EVP_PKEY_get_base_id(key)) {
    case EVP_PKEY_RSA: {
      const int bits = EVP_PKEY_get_bits(key);
      if (bits >= kRsaBitsMin && bits <= kRsaBitsMax) return "";
      return whose + " is RSA with " + std::to_string(bits) + " bits; use " +
             std::to_string(kRsaBitsMin) + " to " + std::to_string(kRsaBitsMax);
    }
    case EVP_PKEY_EC: {
      char group[64] = {};
      std::size_t size = 0;
      EVP_PKEY_get_group_name(key, group, sizeof group, &size);
      const std::string_view name(group, size);
      if (name == "prime256v1" || name == "secp384r1" || name == "secp521r1") return "";
      return whose + " is on the curve " + std::string(name) + "; use P-256, P-384 or P-521";
    }
    case EVP_PKEY_ED25519:
      return "";
    default:
      return whose + " must be RSA, ECDSA or Ed25519";
  }
}

}  // namespace brink::ctl::certificate
