// Certificates as values, and the rules about which of them a zone or an account may have. What a
// PEM says is read by ctl/certificate; nothing here knows a TLS library.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "ctl/model/id.h"
#include "ctl/model/name.h"
#include "ctl/model/timestamp.h"

namespace brink::ctl::model {

inline constexpr std::size_t kCertificatePemMax = 64 * 1024;  // octets of a whole chain
inline constexpr std::size_t kPrivateKeyPemMax = 16 * 1024;
inline constexpr std::size_t kChainLengthMax = 10;             // certificates of one chain
inline constexpr std::size_t kZoneCertificatesMax = 100;       // of one zone and one purpose
inline constexpr std::size_t kClientCertificatesMax = 10'000;  // of one zone
inline constexpr std::size_t kAccountCertificatesMax = 1000;
inline constexpr std::size_t kTrustPemMax = 512 * 1024;        // all that a zone trusts in origins
inline constexpr std::size_t kHostsMax = 1000;  // names of one association, or one call

// What the subject of a certificate says; a part that is not there is empty.
struct Subject {
  std::string common_name, organization, organizational_unit, country, state, location;

  bool operator==(const Subject&) const = default;
};

// What a chain in PEM says about its first certificate.
struct Certificate {
  std::string pem;  // leaf first, every certificate once
  Subject subject;
  std::string issuer;              // RFC 4514, as in "CN=Example CA,O=Example,C=US"
  std::string issuer_name;         // its organisation, else its common name
  std::string signature;           // "SHA256WithRSA", "ECDSAWithSHA256", "Ed25519"
  std::string serial;              // hexadecimal, lower case
  std::string fingerprint;         // SHA-256 of the DER, hexadecimal
  std::string key_id;              // subject key identifier, hexadecimal; often empty
  std::vector<std::string> hosts;  // DNS names of the SAN, lower case, each once
  Timestamp not_before, expires_on;
  bool is_authority = false;  // basicConstraints CA

  bool operator==(const Certificate&) const = default;
};

// What a zone's certificate is shown for: to clients, or to the origin (authenticated origin pulls)
// by the whole zone or by single names of it.
// Or, without a key, authorities that it is trusted to have its origins' certificates signed by.
enum class CertificatePurpose : std::uint8_t {
  kEdge = 0,
  kZonePull = 1,
  kHostPull = 2,
  kOriginTrust = 3,
};

// Which intermediates go with a leaf. There is no store of intermediates to choose from, so all
// three use what was uploaded: kUbiquitous and kOptimal put it in order, the latter without the
// root; kForce takes it only if it is in order.
enum class BundleMethod : std::uint8_t { kUbiquitous = 0, kOptimal = 1, kForce = 2 };

std::string_view to_text(BundleMethod method);
std::optional<BundleMethod> bundle_method_from_text(std::string_view text);

// A certificate with its key, which lies sealed in the store and is never shown.
struct ZoneCertificate {
  Id id;
  Id zone;
  CertificatePurpose purpose = CertificatePurpose::kEdge;
  Certificate certificate;
  std::vector<std::uint8_t> sealed_key;
  BundleMethod bundle_method = BundleMethod::kUbiquitous;
  bool is_legacy = false;      // for clients without SNI too
  std::uint32_t priority = 0;  // the higher wins where certificates overlap
  Timestamp uploaded_on, modified_on;
};

// What a sealed key is bound to; see secret::SealedBox.
std::string key_context(const Id& certificate);

// A certificate of an account: an authority whose client certificates are trusted, or a leaf. The
// one that Brink made itself to issue client certificates is `managed`.
struct AccountCertificate {
  Id id;
  Id account;
  std::string name;
  Certificate certificate;
  std::vector<std::uint8_t> sealed_key;  // empty: none
  bool managed = false;
  Timestamp uploaded_on;
};

// A client certificate that the account's managed authority has issued for a zone.
struct ClientCertificate {
  Id id;
  Id zone;
  Id authority;
  Certificate certificate;
  std::string csr;  // PEM
  std::uint32_t validity_days = 0;
  bool revoked = false;
  Timestamp issued_on;
};

// That an edge presents a certificate to the origin of one name of a zone. `enabled` empty: the
// name follows the zone again, and the row is deleted.
struct HostPull {
  std::string host;
  Id certificate;
  bool enabled = false;
  Timestamp created_on, updated_on;
};

// Names of a zone for which clients are asked for a certificate of an authority.
struct HostAuthority {
  std::string host;
  std::optional<Id> authority;  // none: the managed one

  bool operator==(const HostAuthority&) const = default;
};

// Whether the origins of a name are told of the certificate that a client has shown.
struct HostForward {
  std::string host;  // or a wildcard
  bool forwards = false;
};

// A host name within the zone, as a user wrote it, in the form in which it is kept; a wildcard only
// as the first label and only if `may_be_wildcard`.
Outcome<std::string> host_within(std::string_view text, const DomainName& zone,
                                 bool may_be_wildcard);

// Whether a certificate may be shown to clients of the zone: it must name hosts, all of them within
// the zone. Empty: it may.
std::optional<Refusal> edge_fault(const Certificate& certificate, const DomainName& zone);

inline constexpr int kCodeCertificateInvalid = 12020;
inline constexpr int kCodeKeyInvalid = 12021;
inline constexpr int kCodeHostInvalid = 12022;
inline constexpr int kCodeCertificateLimit = 12023;
inline constexpr int kCodeCertificateExists = 12024;
inline constexpr int kCodeCertificateInUse = 12025;

Refusal invalid_certificate(std::string message);

}  // namespace brink::ctl::model
