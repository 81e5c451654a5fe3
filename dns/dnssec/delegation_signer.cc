#include "dns/dnssec/delegation_signer.h"

#include <array>

#include "dataplane/base/check.h"
#include "dns/dnssec/openssl_key.h"
#include "dns/zone/text.h"

namespace brink::dns::dnssec {
namespace {

constexpr std::uint8_t kSha1 = 1, kSha256 = 2, kSha384 = 4;  // IANA "Digest Algorithms"
constexpr std::size_t kDigestAt = 4;

// RFC 4034 5.1: tag, algorithm, digest type, digest of owner and DNSKEY data. Empty: no such
// digest.
Wire ds_of(const Wire& apex, const Wire& dnskey_rdata, std::uint8_t digest_type) {
  const EVP_MD* digest = digest_type == kSha1     ? EVP_sha1()
                         : digest_type == kSha256 ? EVP_sha256()
                         : digest_type == kSha384 ? EVP_sha384()
                                                  : nullptr;
  const auto algorithm = dnskey_algorithm(dnskey_rdata);
  if (digest == nullptr || !algorithm.has_value()) return {};
  const Wire octets = zone::lower_name(apex) + dnskey_rdata;
  std::array<std::uint8_t, EVP_MAX_MD_SIZE> hash;
  unsigned size = 0;
  CHECK(EVP_Digest(octets.data(), octets.size(), hash.data(), &size, digest, nullptr) == 1);
  const std::uint16_t tag = key_tag(dnskey_rdata);
  const char head[kDigestAt] = {static_cast<char>(tag >> 8), static_cast<char>(tag),
                                static_cast<char>(*algorithm), static_cast<char>(digest_type)};
  return Wire(head, sizeof head) + Wire(reinterpret_cast<const char*>(hash.data()), size);
}

}  // namespace

Wire ds_rdata(const Wire& apex, const Wire& dnskey_rdata, DigestType digest_type) {
  return ds_of(apex, dnskey_rdata, static_cast<std::uint8_t>(digest_type));
}

bool ds_matches(const Wire& apex, const Wire& dnskey_rdata, const Wire& ds_rdata) {
  if (ds_rdata.size() <= kDigestAt) return false;
  return ds_of(apex, dnskey_rdata, static_cast<std::uint8_t>(ds_rdata[3])) == ds_rdata;
}

Wire cds_delete_rdata() {
  return Wire(5, '\0');
}

Wire cdnskey_delete_rdata() {
  return Wire("\0\0\3\0\0", 5);
}

}  // namespace brink::dns::dnssec
