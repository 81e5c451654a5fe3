// L7Stage: one worker's proxy stage, the TCP stack under it and TLS between them, with their
// memory. Made by the main thread, then used by the worker's thread alone, but for what is said to
// be shared.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "dataplane/base/result.h"
#include "dataplane/edge/owned_stack.h"
#include "dataplane/edge/worker_tls.h"
#include "dataplane/ipc/stats_segment.h"
#include "dataplane/snapshot/view.h"
#include "dataplane/steer/worker_set.h"
#include "dataplane/transport/transport.h"
#include "l7/compress/pool.h"
#include "l7/country/database.h"
#include "l7/credentials/credentials.h"
#include "l7/http2/codec.h"
#include "l7/proxy/stage.h"

namespace brink::edge {

struct L7Config {
  std::uint32_t clients = 0;
  std::uint32_t requests = 0;
  std::uint32_t origins = 0;
  std::uint32_t http2_clients = 0;  // 0: HTTP/2 is not offered
  std::uint32_t encoders = 0;       // of each coding; 0: bodies are not compressed
  std::uint32_t decoders = 0;       // of each coding; 0: nor decoded
  std::uint32_t buffer_mb = 0;
  std::uint32_t body_max_mb = 0;
  std::uint16_t mtu = 1500;
  base::IpAddress source_v4;  // unspecified: none
  base::IpAddress source_v6;
  steer::PortPartition::Range ports{};
  std::vector<base::IpAddress> edge_addresses;
  std::vector<base::IpPrefix> proxy_protocol_from;
  l7::origin::OriginLimits origin_limits;
  l7::origin::RetrySettings retries;
  l7::origin::CircuitSettings circuit;
  base::Duration race_delay{};
  std::vector<std::uint16_t> https_ports;                // empty: clients speak HTTP only
  l7::credentials::PrivateKeys* private_keys = nullptr;  // outlives the stage
  const l7::credentials::OperatorIdentity* operator_identity = nullptr;  // outlives the stage
  base::Duration handshake{};
  base::Rate handshakes;  // of one network; 0 a second: no limit
  std::uint32_t tls_buffer_mb = 0;
  // Read anew each turn; outlive the stage.
  const std::atomic<const std::string*>* error_page = nullptr;
  const std::atomic<const l7::country::Database*>* countries = nullptr;
  l7::log::Ring* access_log = nullptr;  // null: requests are not logged
  std::span<ipc::TrafficSlot> zone_slots;    // empty: zones are not counted; outlive the stage
  std::span<ipc::TrafficSlot> origin_slots;  // likewise origins
  std::string colo;
  std::string node;
  base::Duration wall_offset{};  // Unix time minus base::Time's epoch
};

class L7Stage {
 public:
  // `tls`, `stats` and `latency` are the worker's and outlive the stage.
  static base::Result<std::unique_ptr<L7Stage>> create(const L7Config& config, WorkerTls& tls,
                                                       ipc::WorkerStats& stats,
                                                       ipc::TurnLatency& latency);
  L7Stage(const L7Stage&) = delete;
  L7Stage& operator=(const L7Stage&) = delete;

  // Worker.
  OwnedStack& stack() noexcept { return *stack_; }
  // Whether there is more to do at once.
  bool run(const snapshot::View& view, base::Time now) noexcept;
  [[nodiscard]] base::Time next_deadline() const noexcept;

  // Any thread; see Stages.
  void drain() noexcept { drain_.store(true, std::memory_order_relaxed); }
  [[nodiscard]] std::uint32_t client_count() const noexcept {
    return client_count_.load(std::memory_order_relaxed);
  }

 private:
  L7Stage(const L7Config& config, WorkerTls& tls, ipc::WorkerStats& stats)
      : config_(config), tls_(tls), stats_(stats) {}
  base::Result<void> make();
  base::Result<void> make_handshake_limit();
  base::Result<void> make_http2();
  base::Result<void> make_coders();
  void make_traffic();
  l7::proxy::StageConfig stage_config() const;

  L7Config config_;
  WorkerTls& tls_;
  ipc::WorkerStats& stats_;
  std::unique_ptr<OwnedStack> stack_;
  std::optional<l7::credentials::Credentials> credentials_;
  std::optional<l7::proxy::HandshakeLimit> handshakes_;
  std::optional<transport::Transport> transport_;
  AlignedMemory http2_memory_;
  std::optional<l7::http2::Codec> http2_;
  std::optional<l7::compress::Pool> coders_;
  AlignedMemory stage_memory_;
  std::optional<l7::proxy::Stage> stage_;
  std::vector<ipc::TrafficTable::Way> zone_ways_;
  std::vector<ipc::TrafficTable::Way> origin_ways_;
  ipc::TrafficTables traffic_;
  std::atomic<bool> drain_{false};              // main thread: wo, worker: ro
  std::atomic<std::uint32_t> client_count_{0};  // worker: wo, main thread: ro
  bool draining_ = false;
};

}  // namespace brink::edge
