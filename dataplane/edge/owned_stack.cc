#include "dataplane/edge/owned_stack.h"

#include <cstdlib>
#include <string>

#include "dataplane/edge/random.h"
#include "dataplane/net/packet.h"

namespace brink::edge {
namespace {

constexpr std::size_t kAlignment = 64;

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

void AlignedFree::operator()(std::byte* memory) const noexcept {
  std::free(memory);
}

AlignedMemory allocate_aligned(std::size_t size) {
  return AlignedMemory(static_cast<std::byte*>(
      std::aligned_alloc(kAlignment, (size + kAlignment - 1) / kAlignment * kAlignment)));
}

base::Result<std::unique_ptr<OwnedStack>> OwnedStack::create(tcp::StackConfig config,
                                                             std::uint16_t mtu,
                                                             const char* settings,
                                                             ipc::WorkerCounters& counters) {
  // What fits into the link unfragmented (RFC 9293 3.7.1); the path may tell less by ICMP.
  config.mss_v4 = static_cast<std::uint16_t>(mtu - net::kIpv4Size - net::kTcpSize);
  config.mss_v6 = static_cast<std::uint16_t>(mtu - net::kIpv6Size - net::kTcpSize);
  if (auto drawn = draw_random(config.flow_secret); !drawn) return drawn.error();
  if (auto drawn = draw_random(config.sequence_secret); !drawn) return drawn.error();
  const std::size_t size = tcp::Stack::memory_size(config);
  std::unique_ptr<OwnedStack> owned(new OwnedStack);
  owned->memory_ = allocate_aligned(size);
  if (!owned->memory_) {
    return base::Error{"no memory for " + std::to_string(size >> 20) + " MiB of connections",
                       settings, "lower them"};
  }
  owned->stack_.emplace(config, std::span(owned->memory_.get(), size), counters);
  return owned;
}

void OwnedStack::unreachable(const net::IcmpError& error, base::Time now) noexcept {
  stack_->unreachable(error.local, error.remote, {kind_of(error.kind), error.sequence, error.mtu},
                      now);
}

bool OwnedStack::next_segment(worker::SegmentOut& out, base::Time now) noexcept {
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

}  // namespace brink::edge
