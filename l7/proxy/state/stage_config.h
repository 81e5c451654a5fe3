// StageConfig: sizes, timeouts and identity of one worker's L7 stage. Every value is a setting with
// its default; the worker loop fills it once at start.
#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include "dataplane/base/clock.h"
#include "dataplane/base/hash.h"
#include "dataplane/base/ip.h"
#include "dataplane/base/ip_prefix.h"
#include "l7/compress/pool.h"
#include "l7/country/database.h"
#include "l7/credentials/credentials.h"
#include "l7/http1/head_limits.h"
#include "l7/http2/codec.h"
#include "l7/log/ring.h"
#include "l7/origin/idle_pool.h"
#include "l7/origin/origin_table.h"
#include "l7/proxy/state/handshake_limit.h"

namespace brink::l7::proxy {

// Room in a head buffer for the fields that the edge adds.
inline constexpr std::uint32_t kAddedFieldsMax = 4096;

struct StageConfig {
  std::uint32_t max_clients = 4096;    // client connections
  std::uint32_t max_exchanges = 1024;  // requests in flight; over it 503
  std::uint32_t max_origins = 2048;    // origin connections, idle ones included

  // Of HTTP/2; null: nobody is offered it. Of this worker; outlives the stage.
  http2::Codec* http2 = nullptr;
  std::uint32_t max_sessions = 1024;  // HTTP/2 connections
  std::uint32_t max_origin_sessions = 256;  // connections to origins over HTTP/2

  // What bodies are encoded and decoded with; null: they pass as they came. Of this worker; outlives
  // the stage. Without a single coder of a kind that kind of work is switched off.
  compress::Pool* coders = nullptr;

  http1::Limits request_limits;
  http1::Limits response_limits;
  std::uint64_t body_max = 512ULL << 20;  // bytes of a request's body, whatever zones allow

  base::Duration keep_alive_timeout = std::chrono::seconds(400);   // idle client connection
  base::Duration handshake_timeout = std::chrono::seconds(30);     // of TLS with a client
  base::Duration header_timeout = std::chrono::seconds(60);        // first byte to end of head: 408
  base::Duration body_timeout = std::chrono::seconds(60);          // client sends no body: 408
  base::Duration client_write_timeout = std::chrono::seconds(60);  // client takes nothing: reset
  base::Duration origin_write_timeout = std::chrono::seconds(30);  // origin takes nothing: 524
  base::Duration tunnel_timeout = std::chrono::minutes(10);        // WebSocket without a byte
  base::Duration linger_timeout = std::chrono::seconds(5);         // draining after our close
  base::Duration suspect_time = std::chrono::seconds(10);          // of a failed origin address
  // A request that may not be repeated uses a pooled connection only if it was idle for less.
  base::Duration unsafe_reuse_max_idle = std::chrono::seconds(5);
  origin::IdlePool::Settings idle_pool;
  // Until the second family of an origin with both gets its chance (RFC 8305 8); 0: never.
  base::Duration race_delay = std::chrono::milliseconds(250);
  origin::OriginLimits origin_limits;
  origin::CircuitSettings circuit;
  origin::RetrySettings retries;

  // Where origin connections come from; the unspecified address (::) means none of that family.
  base::IpAddress source_v4;
  base::IpAddress source_v6;
  std::uint16_t source_port_first = 32768;
  std::uint16_t source_port_count = 16384;
  // Addresses of this edge, which are never an origin. Borrowed, outlives the stage.
  std::span<const base::IpAddress> edge_addresses;

  // Where relays are whose connections begin with a PROXY header, all of them. Borrowed, outlives the
  // stage.
  std::span<const base::IpPrefix> proxy_protocol_from;

  // Ports of ours where clients speak TLS. Borrowed, outlives the stage.
  std::span<const std::uint16_t> https_ports;
  // What is shown and trusted under TLS; null: there is none. Of this worker; outlives the stage.
  credentials::Credentials* credentials = nullptr;

  // Of handshakes that one network begins; null: none. Of this worker; outlives the stage.
  HandshakeLimit* handshakes = nullptr;
  // The operator's page for errors, a text of l7/page; null, or to null: there is none. Like the next.
  const std::atomic<const std::string*>* error_page = nullptr;

  // Whose countries clients are of, read anew each turn and used during it only; null, or to null:
  // they are not known. Outlives the stage.
  const std::atomic<const country::Database*>* countries = nullptr;

  // Where requests are logged; null: nowhere. This stage is its only writer. Outlives the stage.
  log::Ring* access_log = nullptr;

  std::string_view colo = "XXX";   // three letters, in CF-Ray; borrowed
  std::string_view node = "edge";  // "fl" in /cdn-cgi/trace; borrowed
  base::Duration wall_offset{};    // Unix time minus base::Time's epoch
  std::uint64_t random_seed = 0;
  base::HashKey hash_key;
  bool strict_forwarded_for = false;  // X-Forwarded-For twice or over 100 characters: error 1000
};

}  // namespace brink::l7::proxy
