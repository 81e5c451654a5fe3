#include "dataplane/tls/host.h"

#include <algorithm>
#include <cstring>
#include <memory>
#include <utility>

#include "dataplane/base/check.h"
#include "dataplane/tls/material.h"

namespace brink::tls {
namespace {

constexpr int kSecurityLevel = 2;  // 112 bits: RSA of 2,048, no SHA-1 signatures
constexpr char kTls13Ciphers[] =
    "TLS_AES_128_GCM_SHA256:TLS_CHACHA20_POLY1305_SHA256:TLS_AES_256_GCM_SHA384";
constexpr char kGroups[] = "X25519:P-256:P-384";

#define BRINK_TLS_MODERN                                       \
  "ECDHE-ECDSA-AES128-GCM-SHA256:ECDHE-RSA-AES128-GCM-SHA256:" \
  "ECDHE-ECDSA-CHACHA20-POLY1305:ECDHE-RSA-CHACHA20-POLY1305:" \
  "ECDHE-ECDSA-AES256-GCM-SHA384:ECDHE-RSA-AES256-GCM-SHA384"
#define BRINK_TLS_COMPATIBLE                            \
  BRINK_TLS_MODERN                                      \
  ":ECDHE-ECDSA-AES128-SHA256:ECDHE-RSA-AES128-SHA256:" \
  "ECDHE-ECDSA-AES256-SHA384:ECDHE-RSA-AES256-SHA384"
#define BRINK_TLS_LEGACY                                                 \
  BRINK_TLS_COMPATIBLE                                                   \
  ":ECDHE-ECDSA-AES128-SHA:ECDHE-RSA-AES128-SHA:ECDHE-ECDSA-AES256-SHA:" \
  "ECDHE-RSA-AES256-SHA:AES128-GCM-SHA256:AES256-GCM-SHA384:"            \
  "AES128-SHA256:AES256-SHA256:AES128-SHA:AES256-SHA"

bool set_ciphers(SSL_CTX* context, CipherPolicy policy) noexcept {
  const char* list = BRINK_TLS_MODERN;
  switch (policy) {
    case CipherPolicy::kModern:
      break;
    case CipherPolicy::kCompatible:
      list = BRINK_TLS_COMPATIBLE;
      break;
    case CipherPolicy::kLegacy:
      list = BRINK_TLS_LEGACY;
      break;
  }
  return SSL_CTX_set_ciphersuites(context, kTls13Ciphers) == 1 &&
         SSL_CTX_set_cipher_list(context, list) == 1;
}

void free_host(void*, void* host, CRYPTO_EX_DATA*, int, long, void*) {
  delete static_cast<Host*>(host);
}

// The library numbers such slots for the whole process, once.
int host_slot() noexcept {
  static const int slot = SSL_CTX_get_ex_new_index(0, nullptr, nullptr, nullptr, free_host);
  return slot;
}

std::string text_of(const Key& key) {
  return "host " + std::to_string(key.id) + " version " + std::to_string(key.version);
}

base::Error refusal(std::string where, const char* what, const char* remedy) {
  return {.what = what, .where = std::move(where), .remedy = remedy};
}

int choose_protocol(SSL*, const unsigned char** out, unsigned char* out_size,
                    const unsigned char* in, unsigned in_size, void* arg) {
  for (const Alpn wanted : static_cast<const Host*>(arg)->protocols) {
    for (unsigned at = 0; at < in_size; at += in[at] + 1U) {
      const std::string_view offered(reinterpret_cast<const char*>(in) + at + 1, in[at]);
      if (offered != name_of(wanted)) continue;
      *out = in + at + 1;
      *out_size = in[at];
      return SSL_TLSEXT_ERR_OK;
    }
  }
  return SSL_TLSEXT_ERR_ALERT_FATAL;
}

// RFC 6066 8: the response for the certificate that was chosen.
int staple(SSL* ssl, void* arg) {
  const X509* leaf = SSL_get_certificate(ssl);
  for (const Host::Staple& one : static_cast<const Host*>(arg)->staples) {
    if (one.leaf != leaf) continue;
    void* copy = OPENSSL_memdup(one.response.data(), one.response.size());
    if (copy == nullptr) return SSL_TLSEXT_ERR_NOACK;
    SSL_set_tlsext_status_ocsp_resp(ssl, copy, static_cast<long>(one.response.size()));
    return SSL_TLSEXT_ERR_OK;
  }
  return SSL_TLSEXT_ERR_NOACK;
}

base::Result<void> add_certificate(OSSL_LIB_CTX* library, SSL_CTX* context, Host& host,
                                   const CertificateBytes& bytes, const std::string& what) {
  auto identity = parse_identity(library, bytes.chain, bytes.private_key, what);
  if (!identity) return identity.error();
  const Identity& made = identity.value();
  if (SSL_CTX_use_cert_and_key(context, made.leaf.get(), made.key.get(), made.above.get(), 1) !=
      1) {
    return refusal(what, "its key or signature is too weak or of a kind that TLS does not know",
                   "give RSA of 2048 bits or more, P-256, P-384, P-521 or Ed25519");
  }
  if (!bytes.ocsp.empty()) {
    host.staples.push_back(
        {SSL_CTX_get0_certificate(context), {bytes.ocsp.begin(), bytes.ocsp.end()}});
  }
  return {};
}

base::Result<void> add_client_authorities(OSSL_LIB_CTX* library, SSL_CTX* context,
                                          const HostSettings& settings, const std::string& what) {
  if (settings.client_authorities.empty()) return {};  // no certificate is good then
  auto authorities = parse_certificates(library, settings.client_authorities, what);
  if (!authorities) return authorities.error();
  for (int i = 0; i < sk_X509_num(authorities.value().get()); ++i) {
    if (SSL_CTX_add_client_CA(context, sk_X509_value(authorities.value().get(), i)) != 1) {
      return refusal(what, "no memory", "give the process more of it");
    }
  }
  auto store = make_store(library, settings.client_authorities, what);
  if (!store) return store.error();
  SSL_CTX_set1_verify_cert_store(context, store.value().get());
  return {};
}

std::array<std::uint8_t, 16> audience_of(OSSL_LIB_CTX* library, const HostSettings& settings) {
  if (settings.client_auth == ClientAuth::kOff) return {};
  std::uint8_t digest[EVP_MAX_MD_SIZE];
  std::size_t size = 0;
  const auto bytes = settings.client_authorities;
  CHECK(EVP_Q_digest(library, "SHA256", nullptr, bytes.data(), bytes.size(), digest, &size) == 1);
  std::array<std::uint8_t, 16> audience;
  std::copy_n(digest, audience.size(), audience.begin());
  audience[0] = static_cast<std::uint8_t>(settings.client_auth);
  return audience;
}

}  // namespace

const Host& Host::of(const SSL_CTX* context) noexcept {
  return *static_cast<const Host*>(SSL_CTX_get_ex_data(context, host_slot()));
}

int library_version(Version version) noexcept {
  switch (version) {
    case Version::kTls12:
      return TLS1_2_VERSION;
    case Version::kTls13:
      return TLS1_3_VERSION;
  }
  return TLS1_3_VERSION;
}

bool set_common(SSL_CTX* context, CipherPolicy ciphers) noexcept {
  SSL_CTX_set_security_level(context, kSecurityLevel);
  SSL_CTX_set_options(context, SSL_OP_NO_COMPRESSION | SSL_OP_NO_RENEGOTIATION |
                                   SSL_OP_CIPHER_SERVER_PREFERENCE | SSL_OP_PRIORITIZE_CHACHA |
                                   SSL_OP_ENABLE_KTLS);  // answered by wire.cc, no kernel
  SSL_CTX_clear_options(context,
                        SSL_OP_LEGACY_SERVER_CONNECT | SSL_OP_ALLOW_UNSAFE_LEGACY_RENEGOTIATION);
  SSL_CTX_set_mode(context, SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER | SSL_MODE_NO_AUTO_CHAIN);
  SSL_CTX_clear_mode(context, SSL_MODE_RELEASE_BUFFERS);
  return SSL_CTX_set_min_proto_version(context, TLS1_2_VERSION) == 1 &&
         SSL_CTX_set_max_proto_version(context, TLS1_3_VERSION) == 1 &&
         SSL_CTX_set1_groups_list(context, kGroups) == 1 && set_ciphers(context, ciphers);
}

base::Result<SslContextPtr> make_host(OSSL_LIB_CTX* library, const HostSettings& settings) {
  const ErrorsCleared errors;
  const std::string where = text_of(settings.key);
  SslContextPtr context(SSL_CTX_new_ex(library, nullptr, TLS_server_method()));
  auto host = std::make_unique<Host>();
  if (!context || !set_common(context.get(), settings.ciphers)) {
    return refusal(where, "the TLS library makes no context", "see whether OpenSSL 3 is complete");
  }
  if (settings.certificates.empty()) {
    return refusal(where, "has no certificate", "give at least one");
  }
  if (settings.min_version > settings.max_version) {
    return refusal(where, "its lowest version is above its highest", "exchange them");
  }
  host->min_version = library_version(settings.min_version);
  host->max_version = library_version(settings.max_version);
  for (std::size_t i = 0; i < settings.certificates.size(); ++i) {
    const auto added = add_certificate(library, context.get(), *host, settings.certificates[i],
                                       where + " certificate " + std::to_string(i));
    if (!added) return added.error();
  }
  host->client_auth = settings.client_auth;
  host->audience = audience_of(library, settings);
  if (settings.client_auth != ClientAuth::kOff) {
    const auto added =
        add_client_authorities(library, context.get(), settings, where + " client authorities");
    if (!added) return added.error();
  }
  host->protocols.assign(settings.protocols.begin(), settings.protocols.end());
  if (!host->protocols.empty()) {
    SSL_CTX_set_alpn_select_cb(context.get(), choose_protocol, host.get());
  }
  if (!host->staples.empty()) {
    SSL_CTX_set_tlsext_status_cb(context.get(), staple);
    SSL_CTX_set_tlsext_status_arg(context.get(), host.get());
  }
  CHECK(SSL_CTX_set_ex_data(context.get(), host_slot(), host.get()) == 1);
  static_cast<void>(host.release());  // free_host() has it now
  return context;
}

std::vector<std::uint8_t> alpn_bytes(std::span<const Alpn> protocols) {
  std::vector<std::uint8_t> bytes;
  for (const Alpn protocol : protocols) {
    const std::string_view name = name_of(protocol);
    if (name.empty()) continue;
    bytes.push_back(static_cast<std::uint8_t>(name.size()));
    bytes.insert(bytes.end(), name.begin(), name.end());
  }
  return bytes;
}

Alpn alpn_of(std::string_view name) noexcept {
  for (const Alpn protocol : {Alpn::kHttp11, Alpn::kH2, Alpn::kDot}) {
    if (name == name_of(protocol)) return protocol;
  }
  return Alpn::kNone;
}

}  // namespace brink::tls
