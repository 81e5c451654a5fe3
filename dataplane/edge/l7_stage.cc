#include "dataplane/edge/l7_stage.h"

#include "dataplane/edge/random.h"
#include "dataplane/tcp/chunk_pool.h"

namespace brink::edge {

base::Result<std::unique_ptr<L7Stage>> L7Stage::create(const L7Config& config,
                                                       ipc::WorkerStats& stats,
                                                       ipc::TurnLatency& latency) {
  std::unique_ptr<L7Stage> stage(new L7Stage(config, stats));
  const auto made = stage->make();
  if (!made) return made.error();
  stage->stage_->set_latency(&latency);
  return stage;
}

base::Result<void> L7Stage::make() {
  tcp::StackConfig stack;
  stack.max_connections = config_.clients + config_.origins;
  stack.chunk_count =
      static_cast<std::uint32_t>((std::uint64_t{config_.buffer_mb} << 20) / tcp::kChunkSize);
  l7::proxy::StageConfig stage;
  stage.max_clients = config_.clients;
  stage.max_exchanges = config_.requests;
  stage.max_origins = config_.origins;
  stage.body_max = std::uint64_t{config_.body_max_mb} << 20;
  stage.source_v4 = config_.source_v4;
  stage.source_v6 = config_.source_v6;
  stage.source_port_first = config_.ports.first;
  stage.source_port_count =
      static_cast<std::uint16_t>(config_.ports.last - config_.ports.first + 1);
  stage.edge_addresses = config_.edge_addresses;
  stage.access_log = config_.access_log;
  stage.colo = config_.colo;
  stage.node = config_.node;
  stage.wall_offset = config_.wall_offset;
  if (auto drawn = draw_random(stage.random_seed); !drawn) return drawn.error();
  if (auto drawn = draw_random(stage.hash_key); !drawn) return drawn.error();

  auto owned = OwnedStack::create(stack, config_.mtu, "l7.clients, l7.origins, l7.buffer-mb",
                                  stats_.counters);
  if (!owned) return owned.error();
  stack_ = std::move(owned).value();
  const std::size_t stage_size = l7::proxy::Stage::memory_size(stage);
  stage_memory_ = allocate_aligned(stage_size);
  if (!stage_memory_) {
    return base::Error{"no memory for " + std::to_string(stage_size >> 20) + " MiB of requests",
                       "l7.clients, l7.requests, l7.origins", "lower them"};
  }
  stage_.emplace(stage, std::span(stage_memory_.get(), stage_size), stack_->tcp(), stats_.counters);
  return {};
}

void L7Stage::run(const snapshot::View& view, base::Time now) noexcept {
  if (!draining_ && drain_.load(std::memory_order_relaxed)) {
    draining_ = true;
    stack_->tcp().set_accepting(false);
    stage_->drain();
  }
  stack_->tcp().advance(now);
  stage_->run(view, now);
  client_count_.store(stage_->client_count(), std::memory_order_relaxed);
}

base::Time L7Stage::next_deadline() const noexcept {
  return std::min(stack_->tcp().next_deadline(), stage_->next_deadline());
}

}  // namespace brink::edge
