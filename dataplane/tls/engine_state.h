// What an Engine owns, and the callbacks by which the library reaches streams and engine. Private
// to this folder.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <span>
#include <string_view>

#include "dataplane/tls/engine.h"
#include "dataplane/tls/gcm.h"
#include "dataplane/tls/handles.h"
#include "dataplane/tls/material.h"
#include "dataplane/tls/recent.h"

namespace brink::tls {

struct KeyHash {
  std::size_t operator()(const Key& key) const noexcept {
    return (key.id ^ (key.version << 32 | key.version >> 32)) * 0x9e3779b97f4a7c15U;
  }
};

// What a session is kept under: a digest of everything that a new handshake would be held to.
using SessionKey = std::array<std::uint8_t, 16>;
struct SessionKeyHash {
  std::size_t operator()(const SessionKey& key) const noexcept {
    std::size_t hash;
    __builtin_memcpy(&hash, key.data(), sizeof hash);
    return hash;
  }
};

// Null and empty values stand for bytes that could not be used, so that they are not parsed again.
struct Engine::State {
  explicit State(const EngineConfig& limits)
      : config(limits),
        hosts(limits.max_hosts),
        trust_stores(limits.max_trust_stores),
        identities(limits.max_identities),
        sessions(limits.max_origin_sessions) {}

  SSL_CTX* host(const HostSettings& settings);
  X509_STORE* trust_store(const TrustAnchors& anchors);
  const Identity* identity(const ClientIdentity& bytes);
  // SHA-256 of the parts, each with its length before it; cut to the caller's size.
  void digest(std::initializer_list<std::string_view> parts, std::span<std::uint8_t> out) noexcept;

  EngineConfig config;
  LibraryPtr library;  // first: everything below is made in it
  ProviderPtr provider;
  BioMethodPtr wire;
  std::unique_ptr<Gcm> gcm;  // null: the library seals all records
  CipherPtr ticket_cipher;
  DigestPtr sha256;
  DigestContextPtr digesting;
  StorePtr origin_trust;  // null: none was given
  SslContextPtr server;   // before the client's name is known
  SslContextPtr client;
  TicketKeys ticket_keys{};
  Recent<Key, SslContextPtr, KeyHash> hosts;
  Recent<Key, StorePtr, KeyHash> trust_stores;
  Recent<Key, Identity, KeyHash> identities;
  Recent<SessionKey, SessionPtr, SessionKeyHash> sessions;
  EngineStats stats;
  // What was made for Key{} ids that are not cached: until the next one.
  SslContextPtr passing_host;
  StorePtr passing_store;
  Identity passing_identity;
};

// Every function that the library calls, and what they and the Engine do to a Stream.
class StreamParts {
 public:
  // engine.cc
  static bool set_server_callbacks(Engine::State& state, SSL_CTX* context) noexcept;
  static void set_client_callbacks(SSL_CTX* context) noexcept;

  // wire.cc: the library's reads and writes, from and to the Wire of the call that runs.
  static BioMethodPtr make_wire() noexcept;
  static bool attach(Stream& stream, Engine& engine, BIO_METHOD* wire, SSL_CTX* context) noexcept;

  // origin.cc
  static Failure begin_origin(Stream& stream, Engine& engine, const OriginSettings& settings);

  static void set_source(Stream& stream, CertificateSource& source, std::uint64_t user) noexcept;

 private:
  static Stream& of(const SSL* ssl) noexcept;
  static Engine::State& state_of(const Stream& stream) noexcept;

  // wire.cc
  static int read_wire(BIO* bio, char* out, std::size_t size, std::size_t* taken);
  static int write_wire(BIO* bio, const char* in, std::size_t size, std::size_t* taken);
  static long control_wire(BIO* bio, int command, long number, void* pointer);
  static int create_wire(BIO* bio);
  static bool take_keys(Stream& stream, const void* handed) noexcept;
  static bool write_record(Stream& stream, std::span<const std::uint8_t> plain) noexcept;

  // client_hello.cc
  static int on_client_hello(SSL* ssl, int* alert, void* arg);
  static int refuse(Stream& stream, Failure failure, int* alert, int number) noexcept;
  static bool become(SSL* ssl, Stream& stream, SSL_CTX* context, std::string_view name) noexcept;
  static int on_client_certificate(int good, X509_STORE_CTX* verifying);
  static void on_progress(const SSL* ssl, int where, int value);

  // tickets.cc
  static int on_ticket(SSL* ssl, unsigned char* name, unsigned char* iv, EVP_CIPHER_CTX* cipher,
                       EVP_MAC_CTX* mac, int sealing);
  static SSL_TICKET_RETURN on_ticket_opened(SSL* ssl, SSL_SESSION* session,
                                            const unsigned char* name, std::size_t name_size,
                                            SSL_TICKET_STATUS status, void* arg);

  // origin.cc
  static int on_session(SSL* ssl, SSL_SESSION* session);
  static Failure set_trust(SSL* ssl, Engine::State& state, const OriginSettings& settings);
  static SessionKey session_key(Engine::State& state, const OriginSettings& settings);
};

}  // namespace brink::tls
