// How a client stream speaks to an origin. Bytes and values only, borrowed during Engine::connect.
//
// The modes of a zone, in these terms: `off` and `flexible` use no stream; `full` is
// verify = false; `strict` and `origin_pull` are verify = true.
#pragma once

#include <cstdint>
#include <span>
#include <string_view>

#include "dataplane/tls/types.h"

namespace brink::tls {

// Certificates that are trusted to sign others: DER, one behind the other. With Key{} these are the
// Engine's own (EngineConfig::origin_trust: public authorities and the edge's Origin CA); a zone's
// own store is given under a key of its own, whole: it replaces them.
struct TrustAnchors {
  Key key = {};
  std::span<const std::uint8_t> certificates = {};
};

// The certificate shown to an origin that asks for one (Authenticated Origin Pulls). With Key{}
// none.
struct ClientIdentity {
  Key key = {};
  std::span<const std::uint8_t> chain = {};        // DER, one behind the other, leaf first
  std::span<const std::uint8_t> private_key = {};  // PKCS #8, DER
};

struct OriginSettings {
  // Names the origin. Sessions are used again between streams of equal `origin` and equal settings,
  // so nothing weaker than what is asked for here is ever resumed.
  std::uint64_t origin = 0;
  std::string_view server_name = {};     // SNI; empty: none is sent. An IP address is never sent
  std::span<const Alpn> protocols = {};  // offered, in order of preference; empty: no ALPN
  Version min_version = Version::kTls12;
  bool verify = true;  // false: encryption only, any certificate is taken
  // At least one has to be in the origin's certificate: DNS names, or IP addresses in text form.
  std::span<const std::string_view> accepted_names = {};
  TrustAnchors trust = {};
  ClientIdentity identity = {};
};

}  // namespace brink::tls
