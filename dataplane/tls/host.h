// Host: what is made of one HostSettings, a context of the library with what its callbacks need. It
// lives as long as the context, and that as long as a connection uses it. Private to this folder.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <vector>

#include "dataplane/base/result.h"
#include "dataplane/tls/handles.h"
#include "dataplane/tls/server.h"

namespace brink::tls {

struct Host {
  struct Staple {
    const X509* leaf;  // of this context
    std::vector<std::uint8_t> response;
  };

  std::vector<Staple> staples;
  std::vector<Alpn> protocols;
  int min_version = 0, max_version = 0;  // as the library numbers them
  ClientAuth client_auth = ClientAuth::kOff;
  // Of the client authorities and client_auth: half of what binds sessions.
  std::array<std::uint8_t, 16> audience{};

  // The Host of a context that make_host() made.
  static const Host& of(const SSL_CTX* context) noexcept;
};

// Cold: parses everything. The error says what of `settings` cannot be used.
base::Result<SslContextPtr> make_host(OSSL_LIB_CTX* library, const HostSettings& settings);

// What server and client contexts have in common: versions, ciphers, no compression, no
// renegotiation. False: the library refuses.
bool set_common(SSL_CTX* context, CipherPolicy ciphers) noexcept;
int library_version(Version version) noexcept;

// The protocols as ALPN carries them (RFC 7301 3.1).
std::vector<std::uint8_t> alpn_bytes(std::span<const Alpn> protocols);
Alpn alpn_of(std::string_view name) noexcept;

}  // namespace brink::tls
