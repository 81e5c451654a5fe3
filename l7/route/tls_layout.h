// What the edge needs to know for TLS of a zone's names: blobs in the zone's table (table_key.h),
// rendered by the control side (l7/render), read by tls_view.h. Position-independent, little-endian,
// each starts at a multiple of 8 and has a multiple of 8 octets, zeros where nothing is said. What is
// large stands once, and what is small refers to it by id.
#pragma once

#include <cstddef>
#include <cstdint>

#include "l7/route/table_key.h"

namespace brink::l7::route {

inline constexpr std::uint16_t kTlsLayoutVersion = 1;
inline constexpr std::uint32_t kCertificateMagic = 0x31524342;  // "BCR1"
inline constexpr std::uint32_t kHostMagic = 0x31544842;         // "BHT1"
inline constexpr std::uint32_t kAnchorsMagic = 0x314e4142;      // "BAN1"
inline constexpr std::uint32_t kOriginPullMagic = 0x31504f42;   // "BOP1"
inline constexpr std::uint32_t kRevokedMagic = 0x31565242;      // "BRV1"

inline constexpr std::size_t kChainMax = 10;           // certificates
inline constexpr std::size_t kHostCertificatesMax = 200;
inline constexpr std::size_t kHostAuthoritiesMax = 1001;
inline constexpr std::size_t kAnchorsMax = 4096;       // certificates
inline constexpr std::size_t kKeyContextMax = 128;

enum class KeyKind : std::uint8_t { kEcdsa, kRsa, kEd25519 };

// A certificate with its private key, for clients or for origins. The key is a box of
// dataplane/secret as it lies in the store, which opens with the context beside it: PKCS #8 in PEM.
//
//   OFFSET SIZE  MEANING
//   0      4     kCertificateMagic
//   4      2     layout version
//   6      1     KeyKind
//   7      1     certificates in the chain, 1..kChainMax
//   8      4     size of the whole blob
//   12     4     size of the chain
//   16     8     valid from, seconds since 1970
//   24     8     valid until
//   32     16    id
//   48     2     size of the key's context, 1..kKeyContextMax
//   50     2     size of the sealed key, not 0
//   52     4     size of the OCSP response with the 8 octets before it; 0: there is none
//   56     -     chain: DER, one behind the other, leaf first
//   ..     -     sealed key
//   ..     8     until when the OCSP response may be shown, seconds since 1970
//   ..     -     OCSP response, DER
//   ..     -     context, text
struct CertificateLayout {
  std::uint32_t magic;
  std::uint16_t layout_version;
  KeyKind key_kind;
  std::uint8_t chain_count;
  std::uint32_t size_bytes;
  std::uint32_t chain_size;
  std::int64_t not_before;
  std::int64_t not_after;
  EntryId id;
  std::uint16_t context_size;
  std::uint16_t key_size;
  std::uint32_t ocsp_size;
};
static_assert(sizeof(CertificateLayout) == 56);

// What clients of one host are shown, and asked for.
//
//   0      4     kHostMagic
//   4      2     layout version
//   6      2     HostFlags
//   8      4     size of the whole blob
//   12     2     certificates, 0..kHostCertificatesMax
//   14     2     authorities, 0..kHostAuthoritiesMax
//   16     32*n  CertificateRef, in order of preference
//   ..     16*m  ids of authorities whose client certificates are good
struct HostLayout {
  std::uint32_t magic;
  std::uint16_t layout_version;
  std::uint16_t flags;
  std::uint32_t size_bytes;
  std::uint16_t certificate_count;
  std::uint16_t authority_count;
};
static_assert(sizeof(HostLayout) == 16);

enum HostFlags : std::uint16_t {
  kHostAsksClient = 1,  // clients are asked for a certificate, and served without one
  kHostForwards = 2,    // origins are told of a good one
  kHostFlagsKnown = 3,
};

//   0      16    id of a certificate
//   16     8     valid until, seconds since 1970
//   24     1     KeyKind
//   25     7     zero
struct CertificateRef {
  EntryId id;
  std::int64_t not_after;
  KeyKind key_kind;
  std::uint8_t reserved[7];
};
static_assert(sizeof(CertificateRef) == 32);

// Certificates that are trusted to sign others: an authority of client certificates, or a zone's own
// store for those of its origins.
//
//   0      4     kAnchorsMagic
//   4      2     layout version
//   6      2     certificates, 1..kAnchorsMax
//   8      4     size of the whole blob
//   12     4     size of the certificates
//   16     -     DER, one behind the other
struct AnchorsLayout {
  std::uint32_t magic;
  std::uint16_t layout_version;
  std::uint16_t count;
  std::uint32_t size_bytes;
  std::uint32_t der_size;
};
static_assert(sizeof(AnchorsLayout) == 16);

// Which certificate origins of a host, or of all of a zone, are shown (Authenticated Origin Pulls).
//
//   0      4     kOriginPullMagic
//   4      2     layout version
//   6      2     OriginPullFlags
//   8      16    id of the certificate, or zeros
struct OriginPullLayout {
  std::uint32_t magic;
  std::uint16_t layout_version;
  std::uint16_t flags;
  EntryId certificate;
};
static_assert(sizeof(OriginPullLayout) == 24);

enum OriginPullFlags : std::uint16_t {
  kOriginPullOn = 1,  // without: the host's origins are shown none, whatever the zone says
  kOriginPullFlagsKnown = 1,
};

// That a client certificate is revoked is said by its key.
//
//   0      4     kRevokedMagic
//   4      2     layout version
//   6      2     zero
struct RevokedLayout {
  std::uint32_t magic;
  std::uint16_t layout_version;
  std::uint16_t reserved;
};
static_assert(sizeof(RevokedLayout) == 8);

}  // namespace brink::l7::route
