#include "dataplane/tls/engine.h"

#include <openssl/rand.h>

#include <algorithm>
#include <string>
#include <utility>

#include "dataplane/base/check.h"
#include "dataplane/tls/engine_state.h"
#include "dataplane/tls/host.h"

namespace brink::tls {
namespace {

base::Error incomplete(const char* what) {
  return {.what = std::string("the TLS library has no ") + what,
          .where = "TLS",
          .remedy = "install Debian's libssl3 whole"};
}

// Refuses at the start, by name, what a handshake would only find missing later.
const char* missing_algorithm(OSSL_LIB_CTX* library) {
  for (const char* name : {"AES-128-GCM", "AES-256-GCM", "ChaCha20-Poly1305", "AES-256-CBC"}) {
    if (!CipherPtr(EVP_CIPHER_fetch(library, name, nullptr))) return name;
  }
  for (const char* name : {"SHA256", "SHA384", "SHA1"}) {
    if (!DigestPtr(EVP_MD_fetch(library, name, nullptr))) return name;
  }
  return nullptr;
}

bool draw(OSSL_LIB_CTX* library, std::span<std::uint8_t> out) {
  return RAND_priv_bytes_ex(library, out.data(), out.size(), 0) == 1;
}

// What happens to records after a KeyUpdate, where the transport seals them, differs between the
// library's versions.
bool hands_keys_over() noexcept {
  return OPENSSL_version_major() == 3 && OPENSSL_version_minor() == 0;
}

bool draw_ticket_key(OSSL_LIB_CTX* library, TicketKey& key) {
  return draw(library, key.name) && draw(library, key.cipher) && draw(library, key.mac);
}

}  // namespace

Engine::State& StreamParts::state_of(const Stream& stream) noexcept {
  return *stream.engine_->state_;
}

void StreamParts::set_source(Stream& stream, CertificateSource& source,
                             std::uint64_t user) noexcept {
  stream.source_ = &source;
  stream.user_ = user;
  SSL_set_accept_state(stream.ssl_);
}

bool StreamParts::set_server_callbacks(Engine::State& state, SSL_CTX* context) noexcept {
  SSL_CTX_set_client_hello_cb(context, on_client_hello, nullptr);
  // The name was looked at before; this makes the library acknowledge and remember it.
  SSL_CTX_set_tlsext_servername_callback(
      context, +[](SSL*, int*, void*) { return SSL_TLSEXT_ERR_OK; });
  SSL_CTX_set_tlsext_ticket_key_evp_cb(context, on_ticket);
  SSL_CTX_set_session_cache_mode(context, SSL_SESS_CACHE_OFF);
  SSL_CTX_set_timeout(context, static_cast<long>(state.config.session_seconds));
  return SSL_CTX_set_session_ticket_cb(context, nullptr, on_ticket_opened, nullptr) == 1 &&
         SSL_CTX_set_num_tickets(context, 1) == 1 && SSL_CTX_set_max_early_data(context, 0) == 1;
}

void StreamParts::set_client_callbacks(SSL_CTX* context) noexcept {
  SSL_CTX_set_session_cache_mode(context, SSL_SESS_CACHE_CLIENT | SSL_SESS_CACHE_NO_INTERNAL);
  SSL_CTX_sess_set_new_cb(context, on_session);
}

Engine::Engine(std::unique_ptr<State> state) noexcept : state_(std::move(state)) {}
Engine::~Engine() = default;

base::Result<std::unique_ptr<Engine>> Engine::create(const EngineConfig& config) {
  const ErrorsCleared errors;
  auto state = std::make_unique<State>(config);
  state->config.origin_trust = {};
  state->library.reset(OSSL_LIB_CTX_new());
  OSSL_LIB_CTX* library = state->library.get();
  if (library == nullptr) return incomplete("memory");
  state->provider.reset(OSSL_PROVIDER_load(library, "default"));
  if (!state->provider) return incomplete("default provider");
  if (const char* name = missing_algorithm(library); name != nullptr) return incomplete(name);
  state->ticket_cipher.reset(EVP_CIPHER_fetch(library, "AES-256-CBC", nullptr));
  state->sha256.reset(EVP_MD_fetch(library, "SHA256", nullptr));
  state->digesting.reset(EVP_MD_CTX_new());
  state->wire = StreamParts::make_wire();
  if (hands_keys_over()) state->gcm = Gcm::create();
  state->server.reset(SSL_CTX_new_ex(library, nullptr, TLS_server_method()));
  state->client.reset(SSL_CTX_new_ex(library, nullptr, TLS_client_method()));
  if (!state->digesting || !state->wire || !state->server || !state->client ||
      !set_common(state->server.get(), CipherPolicy::kCompatible) ||
      !set_common(state->client.get(), CipherPolicy::kLegacy) ||
      !StreamParts::set_server_callbacks(*state, state->server.get())) {
    return incomplete("usable TLS");
  }
  StreamParts::set_client_callbacks(state->client.get());
  if (!draw_ticket_key(library, state->ticket_keys.current)) return incomplete("random numbers");
  if (!config.origin_trust.empty()) {
    auto store = make_store(library, config.origin_trust, "origin_trust");
    if (!store) return store.error();
    state->origin_trust = std::move(store).value();
  }
  return std::unique_ptr<Engine>(new Engine(std::move(state)));
}

void Engine::set_ticket_keys(const TicketKeys& keys) noexcept {
  OPENSSL_cleanse(&state_->ticket_keys, sizeof state_->ticket_keys);
  state_->ticket_keys = keys;
}

Failure Engine::accept(Stream& stream, CertificateSource& source, std::uint64_t user) noexcept {
  CHECK(!stream.active());
  const ErrorsCleared errors;
  if (!StreamParts::attach(stream, *this, state_->wire.get(), state_->server.get())) {
    return Failure::kMemory;
  }
  StreamParts::set_source(stream, source, user);
  return Failure::kNone;
}

Failure Engine::connect(Stream& stream, const OriginSettings& settings) noexcept {
  CHECK(!stream.active());
  const ErrorsCleared errors;
  if (!StreamParts::attach(stream, *this, state_->wire.get(), state_->client.get())) {
    return Failure::kMemory;
  }
  const Failure failure = StreamParts::begin_origin(stream, *this, settings);
  if (failure != Failure::kNone) stream.reset();
  return failure;
}

base::Result<void> Engine::prepare(const HostSettings& settings) {
  auto made = make_host(state_->library.get(), settings);
  if (!made) return made.error();
  if (settings.key.id == 0) return {};
  bool evicted = false;
  state_->hosts.put(settings.key, std::move(made).value(), evicted);
  ++state_->stats.hosts_made;
  if (evicted) ++state_->stats.hosts_evicted;
  return {};
}

base::Result<void> Engine::check(const ClientIdentity& identity, const std::string& where) {
  const auto made =
      parse_identity(state_->library.get(), identity.chain, identity.private_key, where);
  if (!made) return made.error();
  return {};
}

bool Engine::has_host(const Key& key) noexcept {
  return state_->hosts.find(key) != nullptr;
}

void Engine::forget(std::uint64_t id) noexcept {
  const auto has_id = [id](const Key& key) { return key.id == id; };
  state_->hosts.erase_if(has_id);
  state_->trust_stores.erase_if(has_id);
  state_->identities.erase_if(has_id);
}

EngineStats Engine::stats() const noexcept {
  EngineStats stats = state_->stats;
  stats.hosts = static_cast<std::uint32_t>(state_->hosts.size());
  stats.trust_stores = static_cast<std::uint32_t>(state_->trust_stores.size());
  stats.identities = static_cast<std::uint32_t>(state_->identities.size());
  stats.origin_sessions = static_cast<std::uint32_t>(state_->sessions.size());
  return stats;
}

SSL_CTX* Engine::State::host(const HostSettings& settings) {
  if (const SslContextPtr* kept = hosts.find(settings.key); kept != nullptr) return kept->get();
  auto made = make_host(library.get(), settings);
  ++(made ? stats.hosts_made : stats.hosts_failed);
  SslContextPtr context = made ? std::move(made).value() : nullptr;
  if (settings.key.id == 0) {
    passing_host = std::move(context);
    return passing_host.get();
  }
  bool evicted = false;
  SSL_CTX* kept = hosts.put(settings.key, std::move(context), evicted).get();
  if (evicted) ++stats.hosts_evicted;
  return kept;
}

X509_STORE* Engine::State::trust_store(const TrustAnchors& anchors) {
  if (anchors.key == Key{} && anchors.certificates.empty()) return origin_trust.get();
  if (const StorePtr* kept = trust_stores.find(anchors.key); kept != nullptr) return kept->get();
  auto made = make_store(library.get(), anchors.certificates, "trust");
  StorePtr store = made ? std::move(made).value() : nullptr;
  if (anchors.key.id == 0) {
    passing_store = std::move(store);
    return passing_store.get();
  }
  bool evicted = false;
  return trust_stores.put(anchors.key, std::move(store), evicted).get();
}

const Identity* Engine::State::identity(const ClientIdentity& bytes) {
  const Identity* found = identities.find(bytes.key);
  if (found == nullptr) {
    auto made = parse_identity(library.get(), bytes.chain, bytes.private_key, "identity");
    bool evicted = false;
    found = &identities.put(bytes.key, made ? std::move(made).value() : Identity{}, evicted);
  }
  return found->leaf ? found : nullptr;
}

void Engine::State::digest(std::initializer_list<std::string_view> parts,
                           std::span<std::uint8_t> out) noexcept {
  std::uint8_t whole[EVP_MAX_MD_SIZE];
  EVP_MD_CTX* context = digesting.get();
  bool good = EVP_DigestInit_ex2(context, sha256.get(), nullptr) == 1;
  for (const std::string_view part : parts) {
    const std::uint64_t size = part.size();
    good = good && EVP_DigestUpdate(context, &size, sizeof size) == 1 &&
           EVP_DigestUpdate(context, part.data(), part.size()) == 1;
  }
  CHECK(good && EVP_DigestFinal_ex(context, whole, nullptr) == 1 && out.size() <= 32);
  std::copy_n(whole, out.size(), out.begin());
}

}  // namespace brink::tls
