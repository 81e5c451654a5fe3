// Client streams: what an origin is held to, and the sessions that are kept of it.
#include <arpa/inet.h>
#include <openssl/x509v3.h>

#include <string>

#include "dataplane/tls/engine_state.h"
#include "dataplane/tls/host.h"

namespace brink::tls {
namespace {

constexpr long kOriginChainBytesMax = 64 * 1024;
// Any certificate is taken where none is verified. Else RSA of 1,024 bits and nothing with SHA-1:
// origins are what they are.
constexpr int kSecurityUnverified = 0, kSecurityVerified = 1;

bool is_address(const std::string& name) noexcept {
  in6_addr any;
  return inet_pton(AF_INET, name.c_str(), &any) == 1 ||
         inet_pton(AF_INET6, name.c_str(), &any) == 1;
}

// One address alone, or names.
bool expect_names(SSL* ssl, std::span<const std::string_view> names) {
  X509_VERIFY_PARAM* expected = SSL_get0_param(ssl);
  X509_VERIFY_PARAM_set_hostflags(expected, X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS);
  const std::string first(names.front());
  if (is_address(first)) {
    return names.size() == 1 && X509_VERIFY_PARAM_set1_ip_asc(expected, first.c_str()) == 1;
  }
  for (const std::string_view name : names) {
    if (name.empty() || is_address(std::string(name)) ||
        X509_VERIFY_PARAM_add1_host(expected, name.data(), name.size()) != 1) {
      return false;
    }
  }
  return true;
}

std::string_view bytes_of(const auto& value) noexcept {
  return {reinterpret_cast<const char*>(&value), sizeof value};
}

}  // namespace

// Everything that a new handshake would be held to, so that only its equal is resumed.
SessionKey StreamParts::session_key(Engine::State& state, const OriginSettings& settings) {
  std::string names;
  for (const std::string_view name : settings.accepted_names) names.append(name).push_back('\0');
  SessionKey key;
  state.digest(
      {bytes_of(settings.origin),
       settings.server_name,
       bytes_of(settings.min_version),
       bytes_of(settings.verify),
       names,
       bytes_of(settings.trust.key),
       bytes_of(settings.identity.key),
       {reinterpret_cast<const char*>(settings.protocols.data()), settings.protocols.size_bytes()}},
      key);
  return key;
}

Failure StreamParts::set_trust(SSL* ssl, Engine::State& state, const OriginSettings& settings) {
  SSL_set_max_cert_list(ssl, kOriginChainBytesMax);
  SSL_set_security_level(ssl, settings.verify ? kSecurityVerified : kSecurityUnverified);
  if (!settings.verify) {
    SSL_set_verify(ssl, SSL_VERIFY_NONE, nullptr);
    return Failure::kNone;
  }
  X509_STORE* store = state.trust_store(settings.trust);
  if (store == nullptr || settings.accepted_names.empty() ||
      !expect_names(ssl, settings.accepted_names)) {
    return Failure::kMaterial;
  }
  SSL_set_verify(ssl, SSL_VERIFY_PEER, nullptr);
  return SSL_set1_verify_cert_store(ssl, store) == 1 ? Failure::kNone : Failure::kMemory;
}

Failure StreamParts::begin_origin(Stream& stream, Engine& engine, const OriginSettings& settings) {
  const ErrorsCleared errors;
  Engine::State& state = *engine.state_;
  SSL* ssl = stream.ssl_;
  stream.client_ = true;
  SSL_set_connect_state(ssl);
  const std::string name(settings.server_name);
  if (!name.empty() && !is_address(name) && SSL_set_tlsext_host_name(ssl, name.c_str()) != 1) {
    return Failure::kMaterial;
  }
  const std::vector<std::uint8_t> offered = alpn_bytes(settings.protocols);
  if (!offered.empty() &&
      SSL_set_alpn_protos(ssl, offered.data(), static_cast<unsigned>(offered.size())) != 0) {
    return Failure::kMemory;
  }
  if (SSL_set_min_proto_version(ssl, library_version(settings.min_version)) != 1) {
    return Failure::kInternal;
  }
  if (const Failure failure = set_trust(ssl, state, settings); failure != Failure::kNone) {
    return failure;
  }
  stream.asked_for_certificate_ = settings.verify;
  if (settings.identity.key.id != 0) {
    const Identity* identity = state.identity(settings.identity);
    if (identity == nullptr || SSL_use_cert_and_key(ssl, identity->leaf.get(), identity->key.get(),
                                                    identity->above.get(), 1) != 1) {
      return Failure::kMaterial;
    }
  }
  stream.session_key_ = session_key(state, settings);
  const SessionPtr* session = state.sessions.find(stream.session_key_);
  if (session != nullptr && SSL_SESSION_is_resumable(session->get()) == 1) {
    SSL_set_session(ssl, session->get());
  } else if (session != nullptr) {
    state.sessions.erase(stream.session_key_);  // used up (RFC 8446 C.4), or of a broken connection
  }
  return Failure::kNone;
}

int StreamParts::on_session(SSL* ssl, SSL_SESSION* session) {
  Stream& stream = of(ssl);
  Engine::State& state = state_of(stream);
  const long limit = static_cast<long>(state.config.session_seconds);
  if (SSL_SESSION_get_timeout(session) > limit) SSL_SESSION_set_timeout(session, limit);
  bool evicted = false;
  state.sessions.put(stream.session_key_, SessionPtr(session), evicted);
  return 1;  // the reference is ours now
}

}  // namespace brink::tls
