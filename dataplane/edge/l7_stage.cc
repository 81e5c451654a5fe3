#include "dataplane/edge/l7_stage.h"

#include <new>

#include "dataplane/edge/random.h"
#include "dataplane/tcp/chunk_pool.h"

namespace brink::edge {
namespace {

// Of the arena: what a session takes (l7/http2/README.md), and some sixty streams with their heads.
constexpr std::size_t kHttp2SessionSize = 48 * 1024;
// Connections to origins over HTTP/2, each for many requests.
constexpr std::uint32_t kHttp2Origins = 256;
// Of 64 octets, for eight networks each whose handshakes are counted.
constexpr std::uint32_t kHandshakeLines = 4096;

}  // namespace

base::Result<std::unique_ptr<L7Stage>> L7Stage::create(const L7Config& config, WorkerTls& tls,
                                                       ipc::WorkerStats& stats,
                                                       ipc::TurnLatency& latency) {
  std::unique_ptr<L7Stage> stage(new L7Stage(config, tls, stats));
  const auto made = stage->make();
  if (!made) return made.error();
  stage->stage_->set_latency(&latency);
  return stage;
}

l7::proxy::StageConfig L7Stage::stage_config() const {
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
  stage.countries = config_.countries;
  stage.error_page = config_.error_page;
  stage.access_log = config_.access_log;
  stage.colo = config_.colo;
  stage.node = config_.node;
  stage.wall_offset = config_.wall_offset;
  stage.https_ports = config_.https_ports;
  stage.proxy_protocol_from = config_.proxy_protocol_from;
  stage.origin_limits = config_.origin_limits;
  stage.retries = config_.retries;
  stage.circuit = config_.circuit;
  stage.race_delay = config_.race_delay;
  stage.handshake_timeout = config_.handshake;
  return stage;
}

base::Result<void> L7Stage::make_handshake_limit() {
  if (config_.handshakes.per_second == 0) return {};
  base::PrefixRatesOptions networks;
  networks.lines = kHandshakeLines;
  if (auto drawn = draw_random(networks.key); !drawn) return drawn.error();
  handshakes_.emplace(config_.handshakes, networks);
  return {};
}

base::Result<void> L7Stage::make_http2() {
  if (config_.http2_clients == 0) return {};
  const std::size_t size = (std::size_t{config_.http2_clients} + kHttp2Origins) * kHttp2SessionSize;
  http2_memory_ = allocate_aligned(size);
  if (!http2_memory_) {
    return base::Error{"no memory for " + std::to_string(size >> 20) + " MiB of HTTP/2",
                       "l7.http2-clients", "lower it"};
  }
  l7::http2::Settings settings;
  // Every stream's inbox has its room, so streams that nobody reads must take no other's window.
  // Twice their sum, since what was consumed is given back by halves of the window.
  settings.stream_window = l7::proxy::kInboxMax;
  settings.connection_window = 2 * settings.stream_window * settings.max_concurrent_streams;
  http2_.emplace(std::span(http2_memory_.get(), size), settings, settings);
  return {};
}

base::Result<void> L7Stage::make_coders() {
  if (config_.encoders + config_.decoders == 0) return {};
  try {
    coders_.emplace(l7::compress::PoolSizes{.gzip_encoders = config_.encoders,
                                            .br_encoders = config_.encoders,
                                            .zstd_encoders = config_.encoders,
                                            .gzip_decoders = config_.decoders,
                                            .br_decoders = config_.decoders});
  } catch (const std::bad_alloc&) {
    return base::Error{"no memory for " + std::to_string(config_.encoders) + " encoders and " +
                           std::to_string(config_.decoders) + " decoders",
                       "l7.encoders, l7.decoders", "lower them"};
  }
  return {};
}

void L7Stage::make_traffic() {
  const auto make = [](std::span<ipc::TrafficSlot> slots,
                       std::vector<ipc::TrafficTable::Way>& ways, ipc::TrafficTable& table) {
    if (slots.empty()) return;
    ways.resize(slots.size() - 1);
    table = {slots, ways};
  };
  make(config_.zone_slots, zone_ways_, traffic_.zones);
  make(config_.origin_slots, origin_ways_, traffic_.origins);
  stage_->set_traffic(&traffic_);
}

base::Result<void> L7Stage::make() {
  tcp::StackConfig stack;
  stack.max_connections = config_.clients + config_.origins;
  stack.chunk_count =
      static_cast<std::uint32_t>((std::uint64_t{config_.buffer_mb} << 20) / tcp::kChunkSize);
  const auto service = config_.http2_clients > 0 ? l7::credentials::Service::kHttp2
                                                 : l7::credentials::Service::kHttp1;
  credentials_.emplace(tls_.engine(), *config_.private_keys, stats_.counters, service,
                       config_.operator_identity);
  if (auto made = make_handshake_limit(); !made) return made.error();
  if (auto made = make_http2(); !made) return made.error();
  if (auto made = make_coders(); !made) return made.error();
  l7::proxy::StageConfig stage = stage_config();
  if (http2_) stage.http2 = &*http2_;
  if (coders_) stage.coders = &*coders_;
  if (handshakes_) stage.handshakes = &*handshakes_;
  stage.max_sessions = config_.http2_clients;
  stage.max_origin_sessions = kHttp2Origins;
  stage.credentials = &*credentials_;
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
  // Origins are spoken to under TLS whether or not clients are.
  transport_.emplace(stack_->tcp(), &tls_.engine(),
                     transport::TransportConfig{.connections = stack.max_connections,
                                                .plaintext_buffers = static_cast<std::uint32_t>(
                                                    (std::uint64_t{config_.tls_buffer_mb} << 20) /
                                                    tls::kRecordPlaintextMax),
                                                .handshakes = &tls_.handshakes()});
  stage_.emplace(stage, std::span(stage_memory_.get(), stage_size), *transport_, stats_.counters);
  make_traffic();
  return {};
}

bool L7Stage::run(const snapshot::View& view, base::Time now) noexcept {
  if (!draining_ && drain_.load(std::memory_order_relaxed)) {
    draining_ = true;
    stack_->tcp().set_accepting(false);
    stage_->drain();
  }
  stack_->tcp().advance(now);
  stage_->run(view, now);
  client_count_.store(stage_->client_count(), std::memory_order_relaxed);
  return transport_->has_waiting();
}

base::Time L7Stage::next_deadline() const noexcept {
  return std::min(stack_->tcp().next_deadline(), stage_->next_deadline());
}

}  // namespace brink::edge
