#include "dataplane/tcp/simulator.h"

#include <algorithm>
#include <cstring>
#include <new>

#include "dataplane/base/bytes.h"

namespace brink::tcp::sim {
namespace {

using std::chrono::milliseconds;

std::byte* allocate(std::size_t size) {
  return static_cast<std::byte*>(::operator new (size, std::align_val_t{64}));
}

std::uint8_t byte_at(std::uint64_t salt, std::uint64_t position) {
  return static_cast<std::uint8_t>(((position + salt) * 0x9e3779b97f4a7c15) >> 56);
}

struct Packet {
  base::Time at;
  std::uint64_t order;
  unsigned to;  // 0: client, 1: server
  base::IpAddress source;
  base::IpAddress destination;
  std::vector<std::uint8_t> bytes;
};
struct Later {
  bool operator()(const Packet& a, const Packet& b) const {
    return a.at != b.at ? a.at > b.at : a.order > b.order;
  }
};

// One end of one connection, as the application sees it.
struct End {
  ConnectionId id;
  std::uint64_t salt_out = 0;
  std::uint64_t salt_in = 0;
  std::uint32_t to_send = 0;
  std::uint32_t to_receive = 0;
  std::uint32_t sent = 0;
  std::uint32_t received = 0;
  std::uint32_t abort_after = 0;  // bytes received; 0: never
  bool close_after_peer = false;
  bool open = false;
  bool closed_ours = false;
  bool peer_closed = false;
  bool done = false;
  CloseReason reason = CloseReason::kNormal;
  base::Time resume_reading{};
};

class Simulation {
 public:
  explicit Simulation(const Plan& plan)
      : plan_(plan), random_(plan.seed), client_(plan.client), server_(plan.server) {
    ends_[0].resize(plan.connections);
    ends_[1].resize(plan.connections);
    prepare();
  }

  Outcome run();

 private:
  OwnedStack& side(unsigned i) { return i == 0 ? client_ : server_; }
  base::Time clock(unsigned i) const { return now_ + offset_[i]; }
  void prepare();
  void start_due();
  void events(unsigned i);
  void pump(unsigned i, End& end);
  void read(unsigned i, End& end);
  void write(unsigned i, End& end);
  void output(unsigned i);
  void send(unsigned from, Packet packet, std::size_t payload);
  base::Time next_time();
  void error(const std::string& what) {
    if (outcome_.error.empty())
      outcome_.error = what + " (seed " + std::to_string(plan_.seed) + ")";
  }
  void judge();

  Plan plan_;
  Random random_;
  OwnedStack client_;
  OwnedStack server_;
  base::Time now_{std::chrono::seconds(1000)};
  base::Duration offset_[2] = {};
  std::vector<End> ends_[2];
  std::vector<base::Time> starts_;
  std::uint32_t started_ = 0;
  std::priority_queue<Packet, std::vector<Packet>, Later> wire_;
  std::uint64_t order_ = 0;
  base::Time burst_until_[2] = {};
  Outcome outcome_;
};

base::Endpoint client_endpoint(std::uint32_t i) {
  return {base::IpAddress::v4(0xc6336400 + i / 50000),
          static_cast<std::uint16_t>(10000 + i % 50000)};
}
const base::Endpoint kServer{base::IpAddress::v4(0xc0000201), 80};

void Simulation::prepare() {
  for (std::uint32_t i = 0; i < plan_.connections; ++i) {
    starts_.push_back(now_ + base::Duration(static_cast<std::int64_t>(random_.below(
                                 static_cast<std::uint64_t>(plan_.spread.count()) + 1))));
  }
  std::sort(starts_.begin(), starts_.end());
  for (std::uint32_t i = 0; i < plan_.connections; ++i) {
    End& c = ends_[0][i];
    End& s = ends_[1][i];
    c.salt_out = s.salt_in = random_.next() >> 8;
    s.salt_out = c.salt_in = random_.next() >> 8;
    const auto draw = [&](std::uint32_t most) {
      return plan_.exact_bytes ? most : static_cast<std::uint32_t>(random_.below(most + 1ULL));
    };
    c.to_send = s.to_receive = draw(plan_.client_bytes);
    s.to_send = c.to_receive = draw(plan_.server_bytes);
    // Closing orders: both as soon as they are done, or one waits for the other.
    const std::uint64_t order = random_.below(3);
    c.close_after_peer = order == 1;
    s.close_after_peer = order == 2;
    if (random_.chance(plan_.abort)) {
      End& quitter = random_.chance(0.5) ? c : s;
      quitter.abort_after =
          1 + static_cast<std::uint32_t>(random_.below(quitter.to_receive + 1ULL));
    }
  }
  if (plan_.wrap_within == 0) return;
  // The ISN follows a clock: find out what it would be, and set the client's clock accordingly.
  OwnedStack scout(plan_.client);
  const base::Time begin = starts_[0];
  (void)scout.stack.connect(client_endpoint(0), kServer, 0, begin);
  SegmentOut out;
  if (!scout.stack.next_segment(out, begin)) return;
  const std::uint32_t isn = base::load_be32(out.header.data() + 4);
  offset_[0] =
      std::chrono::microseconds(4) * std::int64_t{std::uint32_t{0} - plan_.wrap_within - isn};
}

void Simulation::start_due() {
  while (started_ < plan_.connections && starts_[started_] <= now_) {
    End& end = ends_[0][started_];
    const auto result =
        client_.stack.connect(client_endpoint(started_), kServer, started_, clock(0));
    if (!result.ok()) error("connect failed");
    end.id = result.id;
    ++started_;
  }
}

void Simulation::events(unsigned i) {
  Event event;
  Stack& stack = side(i).stack;
  while (stack.next_event(event)) {
    if (event.kind == EventKind::kAccepted) {
      const base::Endpoint remote = stack.info(event.id).remote;
      const std::uint32_t number =
          remote.port - 10000U + 50000U * (remote.address.v4_host_order() - 0xc6336400);
      stack.set_user(event.id, number);
      event.user = number;
      ends_[1][number].id = event.id;
    }
    End& end = ends_[i][event.user];
    if (!(end.id == event.id)) error("event of another connection");
    switch (event.kind) {
      case EventKind::kAccepted:
      case EventKind::kConnected:
        end.open = true;
        break;
      case EventKind::kReadable:
        if (random_.chance(plan_.stop_reading)) {
          end.resume_reading = now_ + milliseconds(random_.below(3000));
        }
        break;
      case EventKind::kWritable:
        break;
      case EventKind::kPeerClosed:
        end.peer_closed = true;
        break;
      case EventKind::kClosed:
        if (end.done) error("closed twice");
        end.done = true;
        end.open = false;
        end.reason = event.reason;
        break;
    }
    if (end.open) pump(i, end);
  }
}

void Simulation::pump(unsigned i, End& end) {
  Stack& stack = side(i).stack;
  if (end.resume_reading <= now_) read(i, end);
  if (end.abort_after != 0 && end.received + 1 >= end.abort_after) {
    stack.abort(end.id, clock(i));
    return;
  }
  write(i, end);
  if (end.sent == end.to_send && !end.closed_ours && (!end.close_after_peer || end.peer_closed)) {
    end.closed_ours = true;
    stack.close(end.id, clock(i));
  }
}

void Simulation::read(unsigned i, End& end) {
  Stack& stack = side(i).stack;
  for (auto bytes = stack.readable(end.id); !bytes.empty(); bytes = stack.readable(end.id)) {
    const std::size_t take = 1 + random_.below(bytes.size());
    for (std::size_t n = 0; n < take; ++n) {
      if (bytes[n] != byte_at(end.salt_in, end.received + n)) {
        error("byte " + std::to_string(end.received + n) + " differs");
        break;
      }
    }
    end.received += static_cast<std::uint32_t>(take);
    stack.consume(end.id, take, clock(i));
  }
}

void Simulation::write(unsigned i, End& end) {
  Stack& stack = side(i).stack;
  std::uint8_t buffer[4096];
  while (end.sent < end.to_send) {
    const auto size = static_cast<std::uint32_t>(
        std::min<std::uint64_t>(end.to_send - end.sent, 1 + random_.below(sizeof buffer)));
    for (std::uint32_t n = 0; n < size; ++n) buffer[n] = byte_at(end.salt_out, end.sent + n);
    const std::size_t taken = stack.write(end.id, {buffer, size}, clock(i));
    end.sent += static_cast<std::uint32_t>(taken);
    if (taken < size) return;
  }
}

void Simulation::output(unsigned i) {
  SegmentOut out;
  Stack& stack = side(i).stack;
  while (stack.next_segment(out, clock(i))) {
    Packet packet;
    packet.source = out.source;
    packet.destination = out.destination;
    const auto header = out.header_bytes();
    packet.bytes.assign(header.begin(), header.end());
    std::size_t payload = 0;
    for (unsigned n = 0; n < out.span_count; ++n) {
      packet.bytes.insert(packet.bytes.end(), out.spans[n].begin(), out.spans[n].end());
      payload += out.spans[n].size();
    }
    if (payload != out.payload_size) error("payload size");
    send(i, std::move(packet), payload);
  }
}

void Simulation::send(unsigned from, Packet packet, std::size_t payload) {
  ++outcome_.packets;
  const Network& net = plan_.network;
  if (packet.bytes.size() + 20 > net.mtu) {
    if (payload == 0) error("a bare header exceeds the path");
    side(from).stack.unreachable(
        {packet.source, base::load_be16(packet.bytes.data())},
        {packet.destination, base::load_be16(packet.bytes.data() + 2)},
        {IcmpKind::kPacketTooBig, base::load_be32(packet.bytes.data() + 4), net.mtu}, clock(from));
    return;
  }
  if (random_.chance(net.burst_start)) {
    burst_until_[from] = now_ + base::Duration(static_cast<std::int64_t>(
                                    random_.below(static_cast<std::uint64_t>(net.burst.count()))));
  }
  if (now_ < burst_until_[from]) return;
  if (random_.chance(net.loss)) return;
  if (random_.chance(net.window_falsified)) {
    const std::uint16_t window = base::load_be16(packet.bytes.data() + 14);
    base::store_be16(packet.bytes.data() + 14, random_.chance(0.5)
                                                   ? std::uint16_t{0}
                                                   : static_cast<std::uint16_t>(window / 4));
  }
  packet.to = 1 - from;
  const unsigned copies = random_.chance(net.duplicate) ? 2 : 1;
  for (unsigned n = 0; n < copies; ++n) {
    base::Duration delay = net.delay;
    if (net.jitter.count() > 0) {
      delay += base::Duration(
          static_cast<std::int64_t>(random_.below(static_cast<std::uint64_t>(net.jitter.count()))));
    }
    if (random_.chance(net.reorder)) delay += net.delay * 2;
    packet.at = now_ + delay;
    packet.order = order_++;
    wire_.push(packet);
  }
}

base::Time Simulation::next_time() {
  base::Time next = wire_.empty() ? base::Time::max() : wire_.top().at;
  if (started_ < plan_.connections) next = std::min(next, starts_[started_]);
  for (unsigned i = 0; i < 2; ++i) {
    const base::Time deadline = side(i).stack.next_deadline();
    if (deadline == base::Time::max()) continue;
    next = std::min(next, std::max(deadline == base::Time::min() ? now_ : deadline - offset_[i],
                                   now_ + std::chrono::microseconds(1)));
  }
  if (plan_.stop_reading > 0) {
    for (const auto& ends : ends_) {
      for (const End& end : ends) {
        if (end.open && end.resume_reading > now_) next = std::min(next, end.resume_reading);
      }
    }
  }
  return next;
}

Outcome Simulation::run() {
  const base::Time begin = now_;
  std::uint64_t turns = 0;
  while (outcome_.error.empty()) {
    start_due();
    for (unsigned i = 0; i < 2; ++i) {
      side(i).stack.advance(clock(i));
      events(i);
      if (plan_.stop_reading > 0) {
        for (End& end : ends_[i]) {
          if (!end.open || end.resume_reading > now_ || end.resume_reading == base::Time{})
            continue;
          end.resume_reading = {};
          pump(i, end);
        }
        events(i);
      }
      output(i);
    }
    const base::Time next = next_time();
    if (next == base::Time::max()) break;
    if (next - begin > plan_.limit || ++turns > 50'000'000) {
      error("did not come to an end");
      break;
    }
    now_ = next;
    while (!wire_.empty() && wire_.top().at <= now_) {
      const Packet packet = wire_.top();
      wire_.pop();
      side(packet.to).stack.receive({packet.source, packet.destination, packet.bytes},
                                    clock(packet.to));
    }
  }
  outcome_.elapsed = now_ - begin;
  judge();
  return outcome_;
}

void Simulation::judge() {
  for (std::uint32_t n = 0; n < plan_.connections; ++n) {
    const End& c = ends_[0][n];
    const End& s = ends_[1][n];
    outcome_.bytes += c.received + s.received;
    const bool whole = c.received == c.to_receive && s.received == s.to_receive;
    const bool normal = c.reason == CloseReason::kNormal && s.reason == CloseReason::kNormal;
    if (!c.done) error("connection " + std::to_string(n) + ": the client never closed");
    if (c.abort_after != 0 || s.abort_after != 0) {
      ++outcome_.aborted;
    } else if (whole && normal && c.done && s.done) {
      ++outcome_.completed;
    } else {
      ++outcome_.failed;
      if (plan_.may_fail) continue;
      error("connection " + std::to_string(n) + ": client " + std::to_string(int(c.reason)) + " " +
            std::to_string(c.received) + "/" + std::to_string(c.to_receive) + ", server " +
            std::to_string(int(s.reason)) + " " + std::to_string(s.received) + "/" +
            std::to_string(s.to_receive));
    }
  }
  for (unsigned i = 0; i < 2; ++i) {
    const Stack& stack = side(i).stack;
    if (stack.connection_count() != 0) error("connections leaked");
    if (stack.half_open_count() != 0) error("half-open connections leaked");
    if (stack.time_wait_count() != 0) error("TIME_WAIT leaked");
    if (stack.free_chunks() != side(i).config.chunk_count) error("chunks leaked");
    outcome_.retransmits += side(i).counters.get(ipc::Counter::kTcpRetransmits);
    outcome_.timeouts += side(i).counters.get(ipc::Counter::kTcpTimeouts);
  }
}

}  // namespace

OwnedStack::OwnedStack(const StackConfig& c)
    : config(c),
      memory(allocate(Stack::memory_size(c))),
      memory_size(Stack::memory_size(c)),
      stack(c, {memory, memory_size}, counters) {}

OwnedStack::~OwnedStack() {
  ::operator delete (memory, std::align_val_t{64});
}

Outcome run(const Plan& plan) {
  return Simulation(plan).run();
}

}  // namespace brink::tcp::sim
