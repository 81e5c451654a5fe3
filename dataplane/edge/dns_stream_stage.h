// DnsStreamStage: one worker's DNS over TCP or over TLS and the stack under it, with their memory.
// Each has one of its own, so that neither takes the other's connections. Made by the
// main thread, then used by the worker's thread alone, but for what is said to be shared.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include "dataplane/base/result.h"
#include "dataplane/edge/dot_certificates.h"
#include "dataplane/edge/owned_stack.h"
#include "dataplane/edge/worker_tls.h"
#include "dataplane/ipc/counters.h"
#include "dataplane/snapshot/view.h"
#include "dataplane/transport/transport.h"
#include "dns/answer/engine.h"
#include "dns/stream/stage.h"
#include "l7/credentials/credentials.h"

namespace brink::edge {

// What DNS over TLS has beside.
struct DotConfig {
  WorkerTls* tls = nullptr;                              // outlives the stage
  l7::credentials::PrivateKeys* private_keys = nullptr;  // likewise
  const DotCertificateStore* certificate = nullptr;      // likewise
  std::string host;                                      // see DotCertificates
  base::Duration handshake{};
};

struct DnsStreamConfig {
  std::uint32_t connections = 0;
  std::uint32_t per_client = 0;
  base::Duration idle{};
  std::uint32_t buffer_mb = 0;
  std::uint16_t mtu = 1500;
  const char* settings = "";     // names what to lower when there is no memory
  std::optional<DotConfig> dot;  // empty: over TCP
};

class DnsStreamStage {
 public:
  // `engine`, `counters` and `latency` are the worker's and outlive the stage.
  static base::Result<std::unique_ptr<DnsStreamStage>> create(const DnsStreamConfig& config,
                                                              dns::answer::Engine& engine,
                                                              ipc::WorkerCounters& counters,
                                                              ipc::TurnLatency& latency);
  DnsStreamStage(const DnsStreamStage&) = delete;
  DnsStreamStage& operator=(const DnsStreamStage&) = delete;

  // Worker.
  OwnedStack& stack() noexcept { return *stack_; }
  [[nodiscard]] const OwnedStack& stack() const noexcept { return *stack_; }
  // True: there is more to do at once.
  bool run(const snapshot::View& view, base::Time now) noexcept;
  [[nodiscard]] base::Time next_deadline() const noexcept;

  // Any thread; see Stages.
  void drain() noexcept { drain_.store(true, std::memory_order_relaxed); }
  [[nodiscard]] std::uint32_t client_count() const noexcept {
    return client_count_.load(std::memory_order_relaxed);
  }

 private:
  DnsStreamStage() = default;
  void make_security(const DotConfig& config, ipc::WorkerCounters& counters);
  void make_transport(const DnsStreamConfig& config);

  std::unique_ptr<OwnedStack> stack_;
  WorkerTls* tls_ = nullptr;  // null: over TCP
  std::optional<l7::credentials::Credentials> credentials_;
  std::optional<DotCertificates> certificates_;
  std::optional<transport::Transport> transport_;
  AlignedMemory stage_memory_;
  std::optional<dns::stream::Stage> stage_;
  std::atomic<bool> drain_{false};              // main thread: wo, worker: ro
  std::atomic<std::uint32_t> client_count_{0};  // worker: wo, main thread: ro
  bool draining_ = false;
};

}  // namespace brink::edge
