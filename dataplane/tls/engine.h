// Engine: all that one worker's TLS shares among its streams. A library context of its own with its
// own algorithms and random generators, a context a virtual host, trust stores, identities and
// sessions of origins, all bounded. Nothing is shared between Engines but bytes given from outside
// (ticket keys), so no lock of the library is ever waited for. One thread; outlives its streams.
//
// Cold: creation, and the first handshake with a host (its bytes are parsed: one to two
// milliseconds). Validity in time is judged by the system's clock as the library reads it.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>

#include "dataplane/base/result.h"
#include "dataplane/tls/client.h"
#include "dataplane/tls/server.h"
#include "dataplane/tls/stream.h"
#include "dataplane/tls/types.h"

namespace brink::tls {

// Limits are counts of what is kept; the least recently used makes room, and connections that use
// it go on.
struct EngineConfig {
  std::uint32_t max_hosts = 1024;
  std::uint32_t max_trust_stores = 64;
  std::uint32_t max_identities = 256;
  std::uint32_t max_origin_sessions = 1024;
  std::uint32_t handshake_bytes_max = 64 * 1024;  // taken in before a handshake is done
  std::uint32_t session_seconds = 7200;           // how long a session can be resumed
  // What TrustAnchors with Key{} stands for: DER, one behind the other; read during create() only.
  std::span<const std::uint8_t> origin_trust = {};
};

// A session ticket key: who has it reads every session resumed under it. Random bytes throughout.
struct TicketKey {
  std::array<std::uint8_t, 16> name = {};
  std::array<std::uint8_t, 32> cipher = {};  // AES-256-CBC
  std::array<std::uint8_t, 32> mac = {};     // HMAC-SHA-256
};

// Tickets are made with `current` and taken under all three; those under another than `current` are
// made anew. `next` is there so that a node that rotates first is understood by the others.
struct TicketKeys {
  TicketKey current = {};
  std::optional<TicketKey> previous = {};
  std::optional<TicketKey> next = {};
};

struct EngineStats {
  std::uint32_t hosts = 0;
  std::uint32_t trust_stores = 0;
  std::uint32_t identities = 0;
  std::uint32_t origin_sessions = 0;
  std::uint64_t hosts_made = 0;  // host contexts built, evicted ones again
  std::uint64_t hosts_evicted = 0;
  std::uint64_t hosts_failed = 0;    // whose bytes could not be used
  std::uint64_t streams_sealed = 0;  // whose records are made here, not by the library
};

class Engine {
 public:
  // Fails where the library lacks what is needed or `origin_trust` is no sequence of certificates.
  static base::Result<std::unique_ptr<Engine>> create(const EngineConfig& config);
  ~Engine();
  Engine(const Engine&) = delete;
  Engine& operator=(const Engine&) = delete;

  // The same keys in every worker, process and node let a session resume on any of them. Until the
  // first call they are random. Streams that began before take part.
  void set_ticket_keys(const TicketKeys& keys) noexcept;

  // Begins a server stream; `stream` is not active. `source` is asked during a later call of the
  // stream, while the handshake lasts, and outlives that; `user` is handed to it. Not ok: kMemory.
  Failure accept(Stream& stream, CertificateSource& source, std::uint64_t user) noexcept;

  // Begins a client stream; `stream` is not active. Not ok: kMaterial (trust or identity cannot be
  // used, or verify without a name), kMemory.
  Failure connect(Stream& stream, const OriginSettings& settings) noexcept;

  // Makes the context of a host now, and says what is wrong with it if that fails. For checks and
  // for warming; accept() needs no such call.
  base::Result<void> prepare(const HostSettings& settings);
  // What is wrong with a certificate for origins, which `where` names: it cannot be read, or its
  // key is another's.
  base::Result<void> check(const ClientIdentity& identity, const std::string& where);
  // Whether the context of a host is there, so that accept() needs its key and version alone.
  [[nodiscard]] bool has_host(const Key& key) noexcept;
  // Forgets a host, trust store and identity of this id, in every version.
  void forget(std::uint64_t id) noexcept;

  [[nodiscard]] EngineStats stats() const noexcept;

 private:
  friend class StreamParts;
  struct State;
  explicit Engine(std::unique_ptr<State> state) noexcept;

  std::unique_ptr<State> state_;
};

}  // namespace brink::tls
