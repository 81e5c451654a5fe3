#include "dataplane/edge/stages.h"

#include <algorithm>

#include "dataplane/base/bytes.h"
#include "dataplane/port/queue.h"
#include "dataplane/steer/steering.h"

namespace brink::edge {

static_assert(dns::answer::kBurstMax >= port::kBurst);

base::Result<std::unique_ptr<Stages>> Stages::create(const StagesConfig& config,
                                                     const ImageStore& images,
                                                     ipc::WorkerStats& stats) {
  std::unique_ptr<Stages> stages(new Stages(config, images, stats));
  const auto made = stages->make(config);
  if (!made) return made.error();
  return stages;
}

base::Result<void> Stages::make(const StagesConfig& config) {
  if (config.rate) {
    limiter_.emplace(*config.rate);
    engine_.set_rate_limiter(&*limiter_);
  }
  if (config.dot || config.l7) {
    auto made = WorkerTls::create(config.tls);
    if (!made) return made.error();
    tls_ = std::move(made).value();
  }
  if (config.dns_stream) {
    auto made = DnsStreamStage::create(*config.dns_stream, engine_, stats_.counters, latency_);
    if (!made) return made.error();
    dns_stream_ = std::move(made).value();
  }
  if (config.dot) {
    DnsStreamConfig dot = *config.dot;
    dot.dot->tls = tls_.get();
    auto made = DnsStreamStage::create(dot, engine_, stats_.counters, latency_);
    if (!made) return made.error();
    dot_ = std::move(made).value();
  }
  if (config.l7) {
    auto made = L7Stage::create(*config.l7, *tls_, stats_, latency_);
    if (!made) return made.error();
    l7_ = std::move(made).value();
  }
  return {};
}

// Of a turn: behind its end they may be gone. The acquire is for Published::publish.
void Stages::take_cookie_secrets() noexcept {
  engine_.set_cookies(cookies_ == nullptr ? nullptr : cookies_->load(std::memory_order_acquire),
                      unix_seconds_);
}

void Stages::answer(std::span<worker::Datagram> datagrams) noexcept {
  take_cookie_secrets();
  std::array<dns::answer::Message, dns::answer::kBurstMax> messages;
  for (std::size_t i = 0; i < datagrams.size(); ++i) {
    const worker::Datagram& datagram = datagrams[i];
    dns::answer::Message& message = messages[i];
    message.message = datagram.data;
    message.size = datagram.size;
    // The engine keeps its responses kSlack below what it may overwrite.
    message.capacity = static_cast<std::uint16_t>(
        std::min<std::size_t>(datagram.room, datagram.capacity + dns::answer::kSlack));
    message.client = &datagram.source.address;
  }
  engine_.answer_burst(view(), dns::answer::Transport::kUdp, {messages.data(), datagrams.size()},
                       stats_.counters);
  for (std::size_t i = 0; i < datagrams.size(); ++i) datagrams[i].size = messages[i].size;
}

// Ports of the edge's own connections to origins start far above (PortPartition).
OwnedStack* Stages::stack_of(std::uint16_t local_port) noexcept {
  if (local_port == steer::kDnsPort) return dns_stream_ ? &dns_stream_->stack() : nullptr;
  if (dot_ && local_port == dot_port_) return &dot_->stack();
  return l7_ ? &l7_->stack() : nullptr;
}

bool Stages::run(base::Time now) noexcept {
  const auto unix_time = now.time_since_epoch() + wall_offset_;
  unix_seconds_ = static_cast<std::uint32_t>(unix_time / std::chrono::seconds(1));
  take_cookie_secrets();
  bool more = false;
  std::uint64_t connections = 0;
  if (tls_) tls_->begin_turn(now);
  if (dns_stream_) more = dns_stream_->run(view(), now);
  // Who runs first has the first steps of the handshakes: in turns, so that a flood of one leaves
  // the other its half. Packets in and segments out say whether there was other work.
  l7_first_ = !l7_first_;
  if (l7_first_) more |= run_l7(now);
  more |= run_dot(now);
  if (!l7_first_) more |= run_l7(now);
  if (dns_stream_) connections += dns_stream_->stack().tcp().connection_count();
  if (dot_) connections += dot_->stack().tcp().connection_count();
  if (l7_) connections += l7_->stack().tcp().connection_count();
  std::atomic_ref<std::uint64_t>(stats_.tcp_connections)
      .store(connections, std::memory_order_relaxed);
  return more;
}

bool Stages::next_segment(worker::SegmentOut& out, base::Time now) noexcept {
  return (dns_stream_ && dns_stream_->stack().next_segment(out, now)) ||
         (dot_ && dot_->stack().next_segment(out, now)) ||
         (l7_ && l7_->stack().next_segment(out, now));
}

base::Time Stages::next_deadline() const noexcept {
  base::Time next = base::Time::max();
  if (dns_stream_) next = std::min(next, dns_stream_->next_deadline());
  if (dot_) next = std::min(next, dot_->next_deadline());
  if (l7_) next = std::min(next, l7_->next_deadline());
  return next;
}

void Stages::drain() noexcept {
  if (dns_stream_) dns_stream_->drain();
  if (dot_) dot_->drain();
  if (l7_) l7_->drain();
}

std::uint32_t Stages::client_count() const noexcept {
  return (dns_stream_ ? dns_stream_->client_count() : 0) + (dot_ ? dot_->client_count() : 0) +
         (l7_ ? l7_->client_count() : 0);
}

// Steering sends a worker without a role none of its segments.
worker::StageTable Stages::table() noexcept {
  worker::StageTable table;
  table.self = this;
  table.answer = [](void* self, std::span<worker::Datagram> datagrams) noexcept {
    of(self).answer(datagrams);
  };
  table.receive = [](void* self, const base::IpAddress& source, const base::IpAddress& destination,
                     std::span<const std::uint8_t> segment, base::Time now) noexcept {
    OwnedStack* stack = of(self).stack_of(base::load_be16(segment.data() + 2));
    if (stack != nullptr) stack->receive(source, destination, segment, now);
  };
  table.unreachable = [](void* self, const net::IcmpError& error, base::Time now) noexcept {
    OwnedStack* stack = of(self).stack_of(error.local.port);
    if (stack != nullptr) stack->unreachable(error, now);
  };
  table.run = [](void* self, base::Time now) noexcept { return of(self).run(now); };
  table.next_segment = [](void* self, worker::SegmentOut& out, base::Time now) noexcept {
    return of(self).next_segment(out, now);
  };
  table.next_deadline = [](void* self) noexcept { return of(self).next_deadline(); };
  return table;
}

}  // namespace brink::edge
