// What a server stream shows to a client: asked of a CertificateSource when the name that the
// client wants is known, and kept by the worker's Engine under its Key. Bytes and values only.
#pragma once

#include <cstdint>
#include <span>
#include <string_view>

#include "dataplane/tls/types.h"

namespace brink::tls {

// A certificate with its key. Certificates are DER, one behind the other.
struct CertificateBytes {
  std::span<const std::uint8_t> chain = {};  // leaf first, then what signs it; without the root
  std::span<const std::uint8_t> private_key = {};  // PKCS #8, DER
  std::span<const std::uint8_t> ocsp = {};         // an OCSP response to staple, DER; empty: none
};

// Whether clients are asked for a certificate.
enum class ClientAuth : std::uint8_t {
  kOff,
  kOptional,  // asked; an absent or bad one ends nothing: see ConnectionInfo::verification
  kRequired,  // asked; an absent or bad one ends the handshake
};

struct HostSettings {
  // Equal keys mean equal settings. What was made of them is kept and used again; connections go on
  // with what they began with.
  Key key = {};
  // At most one of each kind of key (ECDSA or Ed25519, RSA); which one a client gets is chosen by
  // the signature algorithms that it offers, the first kind before the second.
  std::span<const CertificateBytes> certificates = {};
  Version min_version = Version::kTls12;
  Version max_version = Version::kTls13;
  CipherPolicy ciphers = CipherPolicy::kCompatible;
  // In order of preference. A client that offers others only is refused (RFC 7301 3.2); one that
  // offers none is served and told none.
  std::span<const Alpn> protocols = {};
  ClientAuth client_auth = ClientAuth::kOff;
  // Trusted to sign client certificates: DER, one behind the other. Sessions are bound to them.
  // Where there are none, no certificate is good.
  std::span<const std::uint8_t> client_authorities = {};
};

class CertificateSource {
 public:
  // Asked for each ClientHello: twice where the first one is answered by a HelloRetryRequest.
  // The settings of the host `name` (lower case, no final dot; empty: the client named none) for
  // the connection that `user` stands for (see Engine::accept). What is returned, and what it
  // points to, stays until the call of the stream that asked returns. Null: the handshake ends with
  // unrecognized_name and Failure::kUnknownName.
  virtual const HostSettings* find(std::string_view name, std::uint64_t user) noexcept = 0;

 protected:
  ~CertificateSource() = default;
};

}  // namespace brink::tls
