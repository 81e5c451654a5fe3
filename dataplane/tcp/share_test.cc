// A small chunk pool shared by downloads whose readers have stopped and others that go on. One
// stack stands between clients and origins and moves bytes by transfer(), as the proxy does; the
// other stack, with plenty of memory, is all clients and all origins.
#include <gtest/gtest.h>

#include <algorithm>
#include <deque>
#include <vector>

#include "dataplane/tcp/simulator.h"

namespace brink::tcp::sim {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

const base::Endpoint kFront{base::IpAddress::v4(0xc0000201), 80};
const base::Endpoint kOrigin{base::IpAddress::v4(0xcb007105), 8080};
const base::IpAddress kClient = base::IpAddress::v4(0xc6336401);
const base::IpAddress kInside = base::IpAddress::v4(0xcb007101);

struct Result {
  base::Duration elapsed{};        // until the last active download was complete
  base::Duration longest_stall{};  // of an active download
  std::uint32_t complete = 0;
  std::uint64_t refused = 0;
};

struct World {
  struct Download {
    ConnectionId client, front, inside, origin;
    bool stopped = false;
    bool joined = false;
    std::uint32_t to_send = 0;
    std::uint32_t received = 0;
    base::Time progress{};
  };
  struct Packet {
    base::Time at;
    bool to_middle;
    base::IpAddress source, destination;
    std::vector<std::uint8_t> bytes;
  };

  static StackConfig config(std::uint32_t chunks) {
    StackConfig c;
    c.chunk_count = chunks;
    c.idle_timeout = {};
    return c;
  }
  World(std::uint32_t chunks, double loss_rate, std::uint64_t seed)
      : middle(config(chunks)), outside(config(65536)), loss(loss_rate), random(seed) {}

  void open(bool stopped, std::uint32_t size) {
    const auto n = static_cast<std::uint16_t>(downloads.size());
    Download d;
    d.stopped = stopped;
    d.to_send = size;
    d.progress = now;
    const base::Endpoint local{kClient, static_cast<std::uint16_t>(10000 + n)};
    d.client = outside.stack.connect(local, kFront, n, now).id;
    downloads.push_back(d);
  }

  void outside_events() {
    Event e;
    while (outside.stack.next_event(e)) {
      if (e.kind == EventKind::kAccepted) {
        const std::uint16_t n =
            static_cast<std::uint16_t>(outside.stack.info(e.id).remote.port - 20000);
        outside.stack.set_user(e.id, n);
        downloads[n].origin = e.id;
        e.user = n;
      }
      Download& d = downloads[e.user];
      if (e.id == d.origin) send(d);
      if (e.id == d.client && !d.stopped) read(d);
    }
  }
  void send(Download& d) {
    static const std::vector<std::uint8_t> block(65536, 'b');
    while (d.to_send > 0) {
      const std::size_t size = std::min<std::size_t>(d.to_send, block.size());
      const std::size_t taken = outside.stack.write(d.origin, {block.data(), size}, now);
      d.to_send -= static_cast<std::uint32_t>(taken);
      if (taken < size) return;
    }
  }
  void read(Download& d) {
    for (auto bytes = outside.stack.readable(d.client); !bytes.empty();
         bytes = outside.stack.readable(d.client)) {
      d.received += static_cast<std::uint32_t>(bytes.size());
      outside.stack.consume(d.client, bytes.size(), now);
      stall = std::max(stall, now - d.progress);
      d.progress = now;
    }
  }

  void middle_events() {
    Event e;
    while (middle.stack.next_event(e)) {
      if (e.kind == EventKind::kAccepted) {
        const std::uint16_t n =
            static_cast<std::uint16_t>(middle.stack.info(e.id).remote.port - 10000);
        middle.stack.set_user(e.id, n);
        Download& d = downloads[n];
        d.front = e.id;
        const base::Endpoint local{kInside, static_cast<std::uint16_t>(20000 + n)};
        d.inside = middle.stack.connect(local, kOrigin, n, now).id;
        d.joined = true;
        continue;
      }
      const Download& d = downloads[e.user];
      if (e.kind == EventKind::kReadable || e.kind == EventKind::kWritable) {
        middle.stack.transfer(d.inside, d.front, SIZE_MAX, now);
      }
    }
  }

  void output(OwnedStack& from, bool to_middle) {
    SegmentOut out;
    while (from.stack.next_segment(out, now)) {
      if (random.chance(loss)) continue;
      Packet p{now + milliseconds(1), to_middle, out.source, out.destination, {}};
      const auto header = out.header_bytes();
      p.bytes.assign(header.begin(), header.end());
      for (unsigned i = 0; i < out.span_count; ++i) {
        p.bytes.insert(p.bytes.end(), out.spans[i].begin(), out.spans[i].end());
      }
      wire.push_back(std::move(p));
    }
  }

  // One millisecond of virtual time.
  void step() {
    now += milliseconds(1);
    for (; !wire.empty() && wire.front().at <= now; wire.pop_front()) {
      const Packet& p = wire.front();
      (p.to_middle ? middle : outside).stack.receive({p.source, p.destination, p.bytes}, now);
    }
    middle.stack.advance(now);
    outside.stack.advance(now);
    middle_events();
    outside_events();
    output(middle, false);
    output(outside, true);
  }
  void run_for(base::Duration time) {
    for (const base::Time end = now + time; now < end;) step();
  }

  Result active(std::uint32_t count, std::uint32_t size) {
    const std::size_t first = downloads.size();
    const base::Time begin = now;
    stall = {};
    for (std::uint32_t i = 0; i < count; ++i) open(false, size);
    Result result;
    const auto finished = [&] {
      return std::count_if(downloads.begin() + static_cast<std::ptrdiff_t>(first), downloads.end(),
                           [&](const Download& d) { return d.received == size; });
    };
    while (finished() < count && now - begin < seconds(120)) step();
    for (std::size_t i = first; i < downloads.size(); ++i) {
      if (downloads[i].received < size) stall = std::max(stall, now - downloads[i].progress);
    }
    result.elapsed = now - begin;
    result.longest_stall = stall;
    result.complete = static_cast<std::uint32_t>(finished());
    result.refused = middle.counters.get(ipc::Counter::kDropTcpNoMemory);
    return result;
  }

  void abort_all() {
    for (const Download& d : downloads) {
      outside.stack.abort(d.client, now);
      outside.stack.abort(d.origin, now);
    }
    loss = 0;
    run_for(milliseconds(10));
    for (const Download& d : downloads) {
      middle.stack.abort(d.front, now);
      middle.stack.abort(d.inside, now);
    }
    run_for(milliseconds(10));
  }

  OwnedStack middle;
  OwnedStack outside;
  double loss;
  Random random;
  base::Time now{seconds(1000)};
  base::Duration stall{};
  std::vector<Download> downloads;
  std::deque<Packet> wire;
};

constexpr std::uint32_t kTwoMegabytes = (2U << 20) / kChunkSize;

Result beside_stopped(std::uint32_t chunks, std::uint32_t stopped, std::uint32_t active,
                      std::uint32_t size, double loss, std::uint64_t seed = 7) {
  World world(chunks, loss, seed);
  for (std::uint32_t i = 0; i < stopped; ++i) {
    world.open(true, 4U << 20);
    world.run_for(milliseconds(50));
  }
  world.run_for(seconds(2));
  const Result result = world.active(active, size);
  world.abort_all();
  EXPECT_EQ(world.middle.stack.free_chunks(), chunks) << "chunks leaked";
  EXPECT_EQ(world.middle.stack.connection_count(), 0U);
  return result;
}

TEST(Share, ManyDownloadsAtOnceDoNotStallEachOther) {
  const Result r = beside_stopped(kTwoMegabytes, 0, 8, 8U << 20, 0);
  EXPECT_EQ(r.complete, 8U);
  EXPECT_EQ(r.refused, 0U);
  EXPECT_LT(r.longest_stall, milliseconds(500));
  EXPECT_LT(r.elapsed, seconds(20));
}

TEST(Share, StoppedReadersLeaveTheOthersEnough) {
  for (const std::uint32_t stopped : {1U, 8U, 16U, 32U}) {
    const Result r = beside_stopped(kTwoMegabytes, stopped, 4, 2U << 20, 0);
    EXPECT_EQ(r.complete, 4U) << stopped;
    EXPECT_LT(r.longest_stall, seconds(1)) << stopped;
    EXPECT_LT(r.elapsed, seconds(20)) << stopped;
    EXPECT_EQ(r.refused, 0U) << stopped << ": what was promised was refused";
  }
}

TEST(Share, StoppedReadersLeaveTheOthersEnoughOnALossyWire) {
  for (const std::uint32_t stopped : {0U, 8U, 16U}) {
    for (std::uint64_t seed = 1; seed <= 5; ++seed) {
      const Result r = beside_stopped(kTwoMegabytes, stopped, 4, 2U << 20, 0.01, seed);
      EXPECT_EQ(r.complete, 4U) << stopped << ", seed " << seed;
      EXPECT_LT(r.elapsed, seconds(4)) << stopped << ", seed " << seed;
      EXPECT_EQ(r.refused, 0U) << stopped << ", seed " << seed;
    }
  }
}

TEST(Share, TheDefaultPoolOutlivesHundredsOfStoppedReaders) {
  const Result r = beside_stopped(32768, 200, 4, 4U << 20, 0);
  EXPECT_EQ(r.complete, 4U);
  EXPECT_LT(r.longest_stall, milliseconds(100));
  EXPECT_LT(r.elapsed, milliseconds(500));  // 50 ms in an empty pool
  EXPECT_EQ(r.refused, 0U);
}

}  // namespace
}  // namespace brink::tcp::sim
