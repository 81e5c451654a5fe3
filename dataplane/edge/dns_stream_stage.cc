#include "dataplane/edge/dns_stream_stage.h"

#include <algorithm>
#include <string>

#include "dataplane/edge/random.h"
#include "dataplane/tcp/chunk_pool.h"

namespace brink::edge {
namespace {

constexpr std::uint32_t kReceiveLimit = 16 * 1024;
// A response of any size is queued whole, with another behind it.
constexpr std::uint32_t kSendLimit = 128 * 1024;

}  // namespace

base::Result<std::unique_ptr<DnsStreamStage>> DnsStreamStage::create(const DnsStreamConfig& config,
                                                                     dns::answer::Engine& engine,
                                                                     ipc::WorkerCounters& counters,
                                                                     ipc::TurnLatency& latency) {
  tcp::StackConfig stack;
  stack.max_connections = config.connections;
  stack.syn_backlog = std::max(256U, config.connections / 4);
  stack.chunk_count =
      static_cast<std::uint32_t>((std::uint64_t{config.buffer_mb} << 20) / tcp::kChunkSize);
  stack.receive_limit = kReceiveLimit;
  stack.send_limit = stack.ahead_of_window = kSendLimit;
  stack.keepalive_idle = {};  // what is idle for long is closed
  std::unique_ptr<DnsStreamStage> made(new DnsStreamStage);
  auto owned = OwnedStack::create(stack, config.mtu, config.settings, counters);
  if (!owned) return owned.error();
  made->stack_ = std::move(owned).value();
  dns::stream::StageConfig stage;
  if (config.dot) {
    made->make_security(*config.dot, counters);
    stage.certificates = &*made->certificates_;
    stage.handshake_timeout = config.dot->handshake;
  }
  made->make_transport(config);
  stage.max_connections = config.connections;
  stage.per_client_max = config.per_client;
  stage.idle_timeout = config.idle;
  if (auto drawn = draw_random(stage.client_key); !drawn) return drawn.error();
  const std::size_t size = dns::stream::Stage::memory_size(stage);
  made->stage_memory_ = allocate_aligned(size);
  if (!made->stage_memory_) {
    return base::Error{"no memory for " + std::to_string(size >> 20) + " MiB of DNS over " +
                           (config.dot ? "TLS" : "TCP"),
                       config.settings, "lower them"};
  }
  made->stage_.emplace(stage, std::span(made->stage_memory_.get(), size), *made->transport_, engine,
                       counters);
  made->stage_->set_latency(&latency);
  return made;
}

void DnsStreamStage::make_security(const DotConfig& config, ipc::WorkerCounters& counters) {
  tls_ = config.tls;
  credentials_.emplace(tls_->engine(), *config.private_keys, counters,
                       l7::credentials::Service::kDot);
  certificates_.emplace(*credentials_, config.certificate->pointer(), config.host);
}

void DnsStreamStage::make_transport(const DnsStreamConfig& config) {
  transport::TransportConfig transport;
  transport.connections = config.connections;
  if (tls_ != nullptr) {
    transport.plaintext_buffers = config.connections;
    transport.plaintext_buffer_bytes = dns::stream::kPlaintextBuffer;
    transport.handshakes = &tls_->handshakes();
  }
  transport_.emplace(stack_->tcp(), tls_ == nullptr ? nullptr : &tls_->engine(), transport);
}

bool DnsStreamStage::run(const snapshot::View& view, base::Time now) noexcept {
  if (!draining_ && drain_.load(std::memory_order_relaxed)) {
    draining_ = true;
    stack_->tcp().set_accepting(false);
    stage_->drain();
  }
  stack_->tcp().advance(now);
  if (credentials_) credentials_->begin(view, tls_->unix_s(now));
  const bool more = stage_->run(view, now);
  if (credentials_) credentials_->end();
  client_count_.store(stage_->connection_count(), std::memory_order_relaxed);
  return more;
}

base::Time DnsStreamStage::next_deadline() const noexcept {
  return std::min(stack_->tcp().next_deadline(), stage_->next_deadline());
}

}  // namespace brink::edge
