#include "perf/support/wire_host.h"

#include <rte_ethdev.h>
#include <rte_mbuf.h>

#include <chrono>
#include <cstdlib>
#include <cstring>
#include <stdexcept>

#include "dataplane/net/packet.h"
#include "dataplane/net/reply.h"
#include "dataplane/worker/mbuf.h"

namespace brink::perf {
namespace {

constexpr std::size_t kCacheLine = 64;

}  // namespace

void WireHost::Free::operator()(std::byte* memory) const noexcept {
  std::free(memory);
}

WireHost::WireHost(std::uint32_t connections, const net::MacAddress& own,
                   const net::MacAddress& peer, rte_mempool* pool)
    : own_(own), peer_(peer), pool_(pool) {
  tcp::StackConfig config;
  config.max_connections = connections;
  config.syn_backlog = connections;
  config.chunk_count = 32 * 1024;
  config.receive_limit = config.send_limit = 2 << 20;
  config.time_wait = std::chrono::milliseconds(1);
  const std::size_t size =
      (tcp::Stack::memory_size(config) + kCacheLine - 1) / kCacheLine * kCacheLine;
  memory_.reset(static_cast<std::byte*>(std::aligned_alloc(kCacheLine, size)));
  if (!memory_) throw std::runtime_error("no memory for so many connections");
  stack_.emplace(config, std::span(memory_.get(), size), counters_);
  auto engine = tls::Engine::create({.max_origin_sessions = connections});
  if (!engine) throw std::runtime_error(engine.error().message());
  engine_ = std::move(engine).value();
  transport_.emplace(
      *stack_, engine_.get(),
      transport::TransportConfig{
          .connections = connections, .plaintext_buffers = 1024, .handshake_steps = 32});
}

base::Time WireHost::now() {
  return base::Time(std::chrono::steady_clock::now().time_since_epoch());
}

void WireHost::receive(base::Time now) {
  rte_mbuf* burst[kBurst];
  const std::uint16_t count = rte_eth_rx_burst(0, 0, burst, kBurst);
  for (std::uint16_t i = 0; i < count; ++i) take(burst[i], now);
  if (count > 0) rte_pktmbuf_free_bulk(burst, count);
  stack_->advance(now);
}

// The memif is memory: nothing changes a packet on its way, so sums are not looked at.
void WireHost::take(rte_mbuf* mbuf, base::Time now) {
  const auto frame = worker::frame_of(mbuf);
  net::Packet packet;
  if (net::parse_frame(frame, {.mac = own_}, true, packet) != net::Verdict::kAccepted ||
      packet.protocol != net::kProtocolTcp || packet.network == net::Network::kArp) {
    return;
  }
  stack_->receive({packet.source, packet.destination, net::segment_of(frame, packet)}, now);
}

void WireHost::send(base::Time now) {
  tcp::SegmentOut out;
  for (;;) {
    if (sending_count_ == kBurst) flush();
    if (sending_count_ == kBurst || !stack_->next_segment(out, now) || !pack(out)) break;
  }
  flush();
}

bool WireHost::pack(const tcp::SegmentOut& out) {
  rte_mbuf* const mbuf = rte_pktmbuf_alloc(pool_);
  if (mbuf == nullptr) return false;  // lost, as on a wire
  auto* const segment = rte_pktmbuf_mtod(mbuf, std::uint8_t*);
  std::memcpy(segment, out.header.data(), out.header_size);
  std::uint8_t* at = segment + out.header_size;
  for (std::uint8_t i = 0; i < out.span_count; ++i) {
    std::memcpy(at, out.spans[i].data(), out.spans[i].size());
    at += out.spans[i].size();
  }
  const auto size = static_cast<std::uint16_t>(at - segment);
  const net::Route route{own_, peer_, 0, out.source, out.destination};
  const auto headers = static_cast<std::uint16_t>(
      segment - net::write_headers(segment, route, net::kProtocolTcp, size, false));
  mbuf->data_off = static_cast<std::uint16_t>(mbuf->data_off - headers);
  worker::set_frame(mbuf, 0, static_cast<std::uint16_t>(headers + size));
  net::fill_tcp_checksum(route, {segment, size});
  sending_[sending_count_++] = mbuf;
  return true;
}

// What the port does not take stays for the next time.
void WireHost::flush() {
  const std::uint16_t sent = rte_eth_tx_burst(0, 0, sending_, sending_count_);
  std::memmove(sending_, sending_ + sent, (sending_count_ - sent) * sizeof sending_[0]);
  sending_count_ = static_cast<std::uint16_t>(sending_count_ - sent);
}

}  // namespace brink::perf
