#include "dataplane/edge/l7_stage.h"

#include <sys/random.h>

#include <cstdlib>

#include "dataplane/net/packet.h"
#include "dataplane/tcp/chunk_pool.h"

namespace brink::edge {
namespace {

constexpr std::size_t kAlignment = 64;

template <typename T>
bool fill_random(T& out) {
  return ::getrandom(&out, sizeof out, 0) == static_cast<ssize_t>(sizeof out);
}

tcp::IcmpKind kind_of(net::IcmpErrorKind kind) noexcept {
  switch (kind) {
    case net::IcmpErrorKind::kUnreachable:
      return tcp::IcmpKind::kUnreachable;
    case net::IcmpErrorKind::kPacketTooBig:
      return tcp::IcmpKind::kPacketTooBig;
    case net::IcmpErrorKind::kOther:
      break;
  }
  return tcp::IcmpKind::kOther;
}

}  // namespace

void L7Stage::Free::operator()(std::byte* memory) const noexcept {
  std::free(memory);
}

L7Stage::Memory L7Stage::allocate(std::size_t size) {
  return Memory(static_cast<std::byte*>(
      std::aligned_alloc(kAlignment, (size + kAlignment - 1) / kAlignment * kAlignment)));
}

base::Result<std::unique_ptr<L7Stage>> L7Stage::create(const L7Config& config,
                                                       ipc::WorkerStats& stats) {
  std::unique_ptr<L7Stage> stage(new L7Stage(config, stats));
  const auto made = stage->make();
  if (!made) return made.error();
  return stage;
}

base::Result<void> L7Stage::make() {
  tcp::StackConfig stack;
  stack.max_connections = config_.clients + config_.origins;
  stack.chunk_count =
      static_cast<std::uint32_t>((std::uint64_t{config_.buffer_mb} << 20) / tcp::kChunkSize);
  // What fits into the link unfragmented (RFC 9293 3.7.1); the path may tell less by ICMP.
  stack.mss_v4 = static_cast<std::uint16_t>(config_.mtu - net::kIpv4Size - net::kTcpSize);
  stack.mss_v6 = static_cast<std::uint16_t>(config_.mtu - net::kIpv6Size - net::kTcpSize);
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
  stage.colo = config_.colo;
  stage.node = config_.node;
  stage.wall_offset = config_.wall_offset;
  if (!fill_random(stack.flow_secret) || !fill_random(stack.sequence_secret) ||
      !fill_random(stage.random_seed) || !fill_random(stage.hash_key)) {
    return base::Error{"no random bytes", "getrandom", "the kernel must seed its generator first"};
  }

  const std::size_t stack_size = tcp::Stack::memory_size(stack);
  const std::size_t stage_size = l7::proxy::Stage::memory_size(stage);
  stack_memory_ = allocate(stack_size);
  stage_memory_ = allocate(stage_size);
  if (!stack_memory_ || !stage_memory_) {
    return base::Error{
        "no memory for " + std::to_string((stack_size + stage_size) >> 20) + " MiB of connections",
        "l7.clients, l7.requests, l7.origins, l7.buffer-mb", "lower them"};
  }
  stack_.emplace(stack, std::span(stack_memory_.get(), stack_size), stats_.counters);
  stage_.emplace(stage, std::span(stage_memory_.get(), stage_size), *stack_, stats_.counters);
  return {};
}

void L7Stage::receive(const base::IpAddress& source, const base::IpAddress& destination,
                      std::span<const std::uint8_t> segment, base::Time now) noexcept {
  stack_->receive({source, destination, segment}, now);  // the stack counts what it refuses
}

void L7Stage::unreachable(const net::IcmpError& error, base::Time now) noexcept {
  stack_->unreachable(error.local, error.remote, {kind_of(error.kind), error.sequence, error.mtu},
                      now);
}

void L7Stage::run(const snapshot::View& view, base::Time now) noexcept {
  if (!draining_ && drain_.load(std::memory_order_relaxed)) {
    draining_ = true;
    stack_->set_accepting(false);
    stage_->drain();
  }
  stack_->advance(now);
  stage_->run(view, now);
  client_count_.store(stage_->client_count(), std::memory_order_relaxed);
  std::atomic_ref<std::uint64_t>(stats_.tcp_connections)
      .store(stack_->connection_count(), std::memory_order_relaxed);
}

bool L7Stage::next_segment(worker::SegmentOut& out, base::Time now) noexcept {
  static_assert(worker::kSegmentPartsMax > tcp::kMaxPayloadSpans);
  if (!stack_->next_segment(sending_, now)) return false;
  out.source = sending_.source;
  out.destination = sending_.destination;
  out.parts[0] = sending_.header_bytes();
  for (std::uint8_t i = 0; i < sending_.span_count; ++i) out.parts[i + 1U] = sending_.spans[i];
  out.part_count = static_cast<std::uint8_t>(sending_.span_count + 1);
  out.size = static_cast<std::uint16_t>(sending_.header_size + sending_.payload_size);
  return true;
}

base::Time L7Stage::next_deadline() const noexcept {
  return std::min(stack_->next_deadline(), stage_->next_deadline());
}

}  // namespace brink::edge
