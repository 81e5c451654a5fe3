// Stages: one worker's DNS and L7 stages behind the worker's table of functions. This folder is the
// only one that sees both. Made at start, then used by one worker's thread.
#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <memory>
#include <optional>

#include "dataplane/base/result.h"
#include "dataplane/edge/dns_stream_stage.h"
#include "dataplane/edge/image_store.h"
#include "dataplane/edge/l7_stage.h"
#include "dataplane/edge/worker_tls.h"
#include "dataplane/ipc/stats_segment.h"
#include "dataplane/worker/stage_table.h"
#include "dns/answer/engine.h"

namespace brink::edge {

// What this worker's roles need; a role it has not is empty.
struct StagesConfig {
  std::size_t copy = 0;  // of the image, for this worker's node
  dns::answer::EngineOptions dns;
  // Null: none are given. Read anew each turn.
  const std::atomic<const dns::guard::CookieSecrets*>* cookies = nullptr;
  std::optional<dns::guard::RateLimiterOptions> rate;  // empty: nothing is limited
  base::Duration wall_offset{};                        // Unix time minus base::Time's epoch
  std::optional<DnsStreamConfig> dns_stream;
  std::optional<DnsStreamConfig> dot;  // its DotConfig::tls is filled in
  std::uint16_t dot_port = 0;
  std::optional<L7Config> l7;
  WorkerTlsConfig tls;  // of the last two
};

class Stages {
 public:
  // Everything given outlives it.
  static base::Result<std::unique_ptr<Stages>> create(const StagesConfig& config,
                                                      const ImageStore& images,
                                                      ipc::WorkerStats& stats);
  Stages(const Stages&) = delete;
  Stages& operator=(const Stages&) = delete;

  // The table for worker::WorkerConfig; `this` must stay where it is.
  [[nodiscard]] worker::StageTable table() noexcept;
  // What the worker and its stages note, for worker::RunConfig.
  [[nodiscard]] ipc::TurnLatency& latency() noexcept { return latency_; }

  // Any thread. After drain() no connection is accepted, idle ones are closed and the others end
  // with their response; client_count() tells how many are left.
  void drain() noexcept;
  [[nodiscard]] std::uint32_t client_count() const noexcept;

 private:
  Stages(const StagesConfig& config, const ImageStore& images, ipc::WorkerStats& stats)
      : images_(images),
        copy_(config.copy),
        stats_(stats),
        cookies_(config.cookies),
        dot_port_(config.dot_port),
        wall_offset_(config.wall_offset),
        latency_(stats.latency),
        engine_(config.dns) {}
  base::Result<void> make(const StagesConfig& config);
  static Stages& of(void* self) noexcept { return *static_cast<Stages*>(self); }
  [[nodiscard]] snapshot::View view() const noexcept { return images_.view(copy_); }
  void answer(std::span<worker::Datagram> datagrams) noexcept;
  void take_cookie_secrets() noexcept;
  bool run(base::Time now) noexcept;
  bool run_dot(base::Time now) noexcept { return dot_ && dot_->run(view(), now); }
  bool run_l7(base::Time now) noexcept { return l7_ && l7_->run(view(), now); }
  bool next_segment(worker::SegmentOut& out, base::Time now) noexcept;
  [[nodiscard]] base::Time next_deadline() const noexcept;
  // The stack that has this port of ours; null where the role is not.
  [[nodiscard]] OwnedStack* stack_of(std::uint16_t local_port) noexcept;

  const ImageStore& images_;
  const std::size_t copy_;
  ipc::WorkerStats& stats_;
  const std::atomic<const dns::guard::CookieSecrets*>* cookies_;
  const std::uint16_t dot_port_;  // 0: none
  std::uint32_t unix_seconds_ = 0;
  const base::Duration wall_offset_;
  ipc::TurnLatency latency_;
  dns::answer::Engine engine_;
  std::optional<dns::guard::RateLimiter> limiter_;
  std::unique_ptr<WorkerTls> tls_;  // null: neither of those that need it
  std::unique_ptr<DnsStreamStage> dns_stream_;
  std::unique_ptr<DnsStreamStage> dot_;
  std::unique_ptr<L7Stage> l7_;
  bool l7_first_ = false;  // this turn
};

}  // namespace brink::edge
