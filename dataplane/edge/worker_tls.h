// WorkerTls: what the TLS of one worker's stages has in common: the engine with its session
// tickets, and how much of a turn handshakes may take. Made by the main thread, then used by the
// worker's thread alone.
#pragma once

#include <cstdint>
#include <memory>
#include <span>

#include "dataplane/base/clock.h"
#include "dataplane/base/result.h"
#include "dataplane/secret/sealed_box.h"
#include "dataplane/tls/engine.h"
#include "dataplane/transport/transport.h"

namespace brink::edge {

struct WorkerTlsConfig {
  secret::Key ticket_secret;
  std::span<const std::uint8_t> origin_trust;  // DER; outlives create()
  base::Duration wall_offset{};                // Unix time minus base::Time's epoch
};

class WorkerTls {
 public:
  static base::Result<std::unique_ptr<WorkerTls>> create(const WorkerTlsConfig& config);
  WorkerTls(const WorkerTls&) = delete;
  WorkerTls& operator=(const WorkerTls&) = delete;

  // Before the stages of a turn.
  void begin_turn(base::Time now) noexcept;
  tls::Engine& engine() noexcept { return *engine_; }
  transport::HandshakeBudget& handshakes() noexcept { return handshakes_; }
  [[nodiscard]] std::int64_t unix_s(base::Time now) const noexcept {
    return (now.time_since_epoch() + config_.wall_offset) / std::chrono::seconds(1);
  }

 private:
  explicit WorkerTls(const WorkerTlsConfig& config) : config_(config) {}

  WorkerTlsConfig config_;
  std::unique_ptr<tls::Engine> engine_;
  transport::HandshakeBudget handshakes_;
  std::int64_t ticket_slot_ = -1;
};

}  // namespace brink::edge
