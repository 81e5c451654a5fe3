// The parts of the stack on their own: sequence numbers, header, queues, scoreboard, flow table,
// estimator, congestion window.
#include <gtest/gtest.h>

#include <random>
#include <vector>

#include "dataplane/tcp/chunk_pool.h"
#include "dataplane/tcp/congestion.h"
#include "dataplane/tcp/flow_table.h"
#include "dataplane/tcp/header.h"
#include "dataplane/tcp/promises.h"
#include "dataplane/tcp/receive_queue.h"
#include "dataplane/tcp/rtt.h"
#include "dataplane/tcp/scoreboard.h"
#include "dataplane/tcp/send_queue.h"

namespace brink::tcp {
namespace {

using std::chrono::milliseconds;

// Small numbers from a seed.
class Draw {
 public:
  explicit Draw(std::uint32_t seed) : random_(seed) {}
  std::uint32_t operator()() { return static_cast<std::uint32_t>(random_() & 0x7fffffff); }

 private:
  std::mt19937 random_;
};

struct Pool {
  explicit Pool(std::size_t count) : memory(count), pool(memory) {}
  std::vector<Chunk> memory;
  ChunkPool pool;
};

std::vector<std::uint8_t> bytes_at(std::uint32_t from, std::size_t size) {
  std::vector<std::uint8_t> v(size);
  for (std::size_t i = 0; i < size; ++i) v[i] = static_cast<std::uint8_t>((from + i) * 31 >> 3);
  return v;
}

TEST(Sequence, ComparesAcrossTheWrap) {
  const Sequence before(0xfffffff0);
  const Sequence after(0x10);
  EXPECT_LT(before, after);
  EXPECT_GT(after, before);
  EXPECT_EQ(after - before, 0x20U);
  EXPECT_EQ(later(before, after), after);
  EXPECT_EQ(earlier(before, after), before);
}

TEST(Header, BuildsWhatItParses) {
  for (unsigned mask = 0; mask < 32; ++mask) {
    Header header;
    header.source_port = 443;
    header.destination_port = 51000;
    header.sequence = Sequence(0x01020304);
    header.acknowledgment = Sequence(0xfffefdfc);
    header.flags = kSyn | kAck;
    header.window = 4711;
    Options& o = header.options;
    if ((mask & 1) != 0) o.has_mss = true, o.mss = 1460;
    if ((mask & 2) != 0) o.has_window_scale = true, o.window_scale = 7;
    if ((mask & 4) != 0) o.sack_permitted = true;
    if ((mask & 8) != 0) o.has_timestamps = true, o.timestamp_value = 7, o.timestamp_echo = 9;
    if ((mask & 16) != 0) o.sack_count = 1, o.sack[0] = {Sequence(5), Sequence(9)};
    std::array<std::uint8_t, 60> wire{};
    const std::size_t size = build_header(header, wire);
    EXPECT_EQ(size % 4, 0U);
    EXPECT_EQ(size, kMinHeaderSize + options_size(o));
    Header parsed;
    ASSERT_EQ(parse_header(std::span(wire).first(size), parsed), size) << mask;
    EXPECT_EQ(parsed.sequence, header.sequence);
    EXPECT_EQ(parsed.acknowledgment, header.acknowledgment);
    EXPECT_EQ(parsed.flags, header.flags);
    EXPECT_EQ(parsed.window, header.window);
    EXPECT_EQ(parsed.options.has_mss, o.has_mss);
    EXPECT_EQ(parsed.options.mss, o.mss);
    EXPECT_EQ(parsed.options.window_scale, o.window_scale);
    EXPECT_EQ(parsed.options.sack_permitted, o.sack_permitted);
    EXPECT_EQ(parsed.options.timestamp_value, o.timestamp_value);
    EXPECT_EQ(parsed.options.timestamp_echo, o.timestamp_echo);
    EXPECT_EQ(parsed.options.sack_count, o.sack_count);
    EXPECT_EQ(parsed.options.sack[0], o.sack[0]);
  }
}

TEST(Header, SackBlocksThatDoNotFitAreLeftOut) {
  Options o;
  o.has_timestamps = true;
  o.sack_count = 4;
  EXPECT_EQ(options_size(o), 12U + 4U + 24U);
  o.has_timestamps = false;
  EXPECT_EQ(options_size(o), 4U + 32U);
}

TEST(Header, RefusesMalformedOptions) {
  const auto parse = [](std::vector<std::uint8_t> options, std::uint8_t flags = kSyn) {
    std::vector<std::uint8_t> wire(20);
    wire.insert(wire.end(), options.begin(), options.end());
    wire[12] = static_cast<std::uint8_t>(wire.size() / 4 << 4);
    wire[13] = flags;
    Header header;
    return parse_header(wire, header);
  };
  EXPECT_EQ(parse({1, 1, 1, 1}), 24U);
  EXPECT_EQ(parse({0, 99, 99, 99}), 24U);  // nothing is read behind the end
  EXPECT_EQ(parse({200, 4, 0, 0}), 24U);   // unknown: skipped
  EXPECT_EQ(parse({2, 0, 0, 0}), 0U);      // a length of 0 would never end
  EXPECT_EQ(parse({2, 1, 0, 0}), 0U);
  EXPECT_EQ(parse({2, 3, 0, 0}), 0U);   // MSS of one byte
  EXPECT_EQ(parse({1, 1, 1, 2}), 0U);   // no length
  EXPECT_EQ(parse({8, 10, 0, 0}), 0U);  // longer than the header
  EXPECT_EQ(parse({5, 6, 0, 0, 0, 0, 1, 1}), 0U);
}

TEST(Header, RefusesAWrongDataOffset) {
  std::vector<std::uint8_t> wire(24);
  Header header;
  wire[12] = 4 << 4;
  EXPECT_EQ(parse_header(wire, header), 0U);
  wire[12] = 7 << 4;
  EXPECT_EQ(parse_header(wire, header), 0U);
}

TEST(SendQueue, GathersAnyRangeAndDropsWhatIsAcknowledged) {
  for (std::uint32_t start : {0U, 0xfffff000U}) {
    Pool p(64);
    SendQueue queue;
    queue.reset(Sequence(start));
    Draw random(start);
    std::uint32_t written = 0;
    std::uint32_t acked = 0;
    for (int step = 0; step < 3000; ++step) {
      const auto data = bytes_at(written, random() % 700);
      written += queue.append(p.pool, data);
      if (queue.size() > 0) {
        const std::uint32_t offset = random() % queue.size();
        const std::uint32_t size = random() % std::min(1460U, queue.size() - offset + 1);
        std::span<const std::uint8_t> spans[8];
        std::uint8_t count = 0;
        ASSERT_EQ(queue.gather(p.pool, queue.start() + offset, size, spans, count), size);
        std::vector<std::uint8_t> got;
        for (unsigned i = 0; i < count; ++i)
          got.insert(got.end(), spans[i].begin(), spans[i].end());
        ASSERT_EQ(got, bytes_at(acked + offset, size));
      }
      const std::uint32_t ack = random() % (queue.size() + 1);
      queue.acknowledge(p.pool, queue.start() + ack);
      acked += ack;
      ASSERT_EQ(queue.end() - Sequence(start), written);
    }
    queue.acknowledge(p.pool, queue.end());
    EXPECT_EQ(p.pool.free(), 64U);
  }
}

// Segments of a stream in random order with overlaps: what comes out is the stream, no chunk stays.
TEST(ReceiveQueue, ReassemblesAnyOrder) {
  for (unsigned seed = 1; seed <= 200; ++seed) {
    Pool p(256);
    ReceiveQueue queue;
    Draw random(seed);
    const std::uint32_t base = seed % 2 == 0 ? 0xfffffc00U : 77U;
    const std::uint32_t total = 1 + random() % 20000;
    std::uint32_t next = 0;
    std::uint32_t consumed = 0;
    for (int step = 0; step < 5000 && consumed < total; ++step) {
      const std::uint32_t window = std::min(total - next, 8000U);
      std::uint32_t from = next;
      if (window > 0 && random() % 3 != 0) from = next + random() % window;
      const std::uint32_t size = std::min(1 + random() % 1460, total - from);
      if (from == next) {
        next += queue.append(p.pool, bytes_at(from, size));
        next = queue.join(p.pool, Sequence(base + next)) - Sequence(base);
      } else {
        queue.insert(p.pool, Sequence(base + from), bytes_at(from, size));
      }
      while (queue.size() > 0 && random() % 2 == 0) {
        const auto front = queue.front(p.pool);
        ASSERT_EQ(std::vector(front.begin(), front.end()), bytes_at(consumed, front.size()))
            << "seed " << seed;
        const auto take = static_cast<std::uint32_t>(1 + random() % front.size());
        queue.consume(p.pool, take);
        consumed += take;
      }
    }
    EXPECT_EQ(consumed, total) << "seed " << seed;
    EXPECT_FALSE(queue.has_gaps()) << "seed " << seed;
    EXPECT_EQ(p.pool.free(), 256U) << "seed " << seed;
  }
}

TEST(ReceiveQueue, ClearGivesEverythingBack) {
  Pool p(64);
  ReceiveQueue queue;
  queue.append(p.pool, bytes_at(0, 5000));
  queue.insert(p.pool, Sequence(9000), bytes_at(9000, 3000));
  queue.insert(p.pool, Sequence(20000), bytes_at(20000, 10));
  queue.clear(p.pool);
  EXPECT_EQ(p.pool.free(), 64U);
  EXPECT_EQ(queue.out_of_order_chunks(), 0U);
}

TEST(Scoreboard, MergesReportsAndFindsHoles) {
  Pool p(8);
  Scoreboard board;
  const Sequence una(0xffffff00);
  const Sequence nxt = una + 10000;
  const auto block = [&](std::uint32_t a, std::uint32_t b) { return SackBlock{una + a, una + b}; };
  EXPECT_EQ(board.record(p.pool, block(1000, 2000), una, nxt), 1000U);
  EXPECT_EQ(board.record(p.pool, block(3000, 4000), una, nxt), 1000U);
  EXPECT_EQ(board.record(p.pool, block(1500, 3500), una, nxt), 1000U);  // joins both
  EXPECT_EQ(board.record(p.pool, block(1000, 4000), una, nxt), 0U);
  EXPECT_EQ(board.record(p.pool, block(4000, 11000), una, nxt), 0U);  // never sent
  EXPECT_EQ(board.missing(p.pool, una, nxt), 7000U);
  EXPECT_EQ(board.next_hole(p.pool, una, nxt), block(0, 1000));
  EXPECT_EQ(board.next_hole(p.pool, una + 1000, nxt), block(4000, 10000));
  EXPECT_EQ(board.next_hole(p.pool, una + 1000, una + 4000).start,
            board.next_hole(p.pool, una + 1000, una + 4000).end);
  board.acknowledge(p.pool, una + 2000);
  EXPECT_EQ(board.missing(p.pool, una + 2000, nxt), 6000U);
  board.acknowledge(p.pool, nxt);
  EXPECT_TRUE(board.empty());
  EXPECT_EQ(p.pool.free(), 8U);
}

TEST(Scoreboard, LostIsWhatThreeReportsLieBehind) {  // RFC 6675 4 IsLost
  Pool p(8);
  Scoreboard board;
  const Sequence una(0);
  board.record(p.pool, {Sequence(1000), Sequence(1100)}, una, Sequence(9000));
  board.record(p.pool, {Sequence(2000), Sequence(2100)}, una, Sequence(9000));
  EXPECT_EQ(board.lost_end(p.pool, una, 1000), una);
  board.record(p.pool, {Sequence(3000), Sequence(3100)}, una, Sequence(9000));
  EXPECT_EQ(board.lost_end(p.pool, una, 1000), Sequence(1000));
  board.record(p.pool, {Sequence(3100), Sequence(5100)}, una, Sequence(9000));
  EXPECT_EQ(board.lost_end(p.pool, una, 1000), Sequence(3000));  // more than two segments' bytes
  board.clear(p.pool);
}

TEST(Scoreboard, RangesAreBounded) {
  Pool p(8);
  Scoreboard board;
  for (std::uint32_t i = 0; i < 3 * kMaxScoreboardRanges; ++i) {
    board.record(p.pool, {Sequence(10 + 10 * i), Sequence(11 + 10 * i)}, Sequence(0),
                 Sequence(1'000'000));
  }
  EXPECT_EQ(board.missing(p.pool, Sequence(0), Sequence(100'000)), 100'000 - kMaxScoreboardRanges);
  board.clear(p.pool);
}

TEST(FlowTable, FindsWhatIsInItThroughInsertionsAndDeletions) {
  constexpr std::uint32_t kFlows = 500;
  std::vector<FlowTable::Slot> slots(FlowTable::slot_count(kFlows));
  FlowTable table(slots, base::HashKey{});
  std::vector<FlowKey> keys(kFlows);
  std::vector<bool> present(kFlows, false);
  for (std::uint32_t i = 0; i < kFlows; ++i)
    keys[i].remote_port = static_cast<std::uint16_t>(i + 1);
  Draw random(1);
  for (int step = 0; step < 50000; ++step) {
    const std::uint32_t i = random() % kFlows;
    // A few hash values only, so that probing and moving back are exercised.
    const std::uint32_t hash = table.hash_of(keys[i]) % 97 * 0x01000193;
    const Flow found = table.find(hash, [&](Flow f) { return f.index == i; });
    ASSERT_EQ(found.kind != FlowKind::kNone, present[i]);
    if (present[i]) {
      table.erase(hash, {FlowKind::kConnection, i});
    } else {
      table.insert(hash, {FlowKind::kConnection, i});
    }
    present[i] = !present[i];
  }
}

TEST(Rtt, FollowsRfc6298) {
  RttEstimator rtt;
  rtt.reset(std::chrono::seconds(1));
  EXPECT_EQ(rtt.timeout(std::chrono::seconds(60)), std::chrono::seconds(1));
  rtt.sample(milliseconds(100), milliseconds(200), std::chrono::seconds(60));
  EXPECT_EQ(rtt.srtt(), milliseconds(100));
  EXPECT_EQ(rtt.timeout(std::chrono::seconds(60)), milliseconds(300));  // 100 + 4 * 50
  rtt.sample(milliseconds(180), milliseconds(200), std::chrono::seconds(60));
  EXPECT_EQ(rtt.srtt(), milliseconds(110));
  rtt.back_off();
  const auto doubled = rtt.timeout(std::chrono::seconds(60));
  rtt.clear_backoff();
  EXPECT_EQ(doubled, 2 * rtt.timeout(std::chrono::seconds(60)));
  for (int i = 0; i < 30; ++i) rtt.back_off();
  EXPECT_EQ(rtt.timeout(std::chrono::seconds(60)), std::chrono::seconds(60));
}

TEST(NewReno, GrowsByTheRules) {  // RFC 5681 3.1, RFC 6928 2
  NewReno reno;
  reno.reset(1448, 10);
  EXPECT_EQ(reno.cwnd(), 14480U);
  reno.on_ack(14480);
  EXPECT_EQ(reno.cwnd(), 28960U);
  reno.on_loss(28960);
  EXPECT_EQ(reno.cwnd(), 14480U);
  reno.on_ack(14480);
  EXPECT_EQ(reno.cwnd(), 14480U + 1448U);  // one segment a round trip
  reno.on_timeout(10000, true);
  EXPECT_EQ(reno.cwnd(), 1448U);
  EXPECT_EQ(reno.ssthresh(), 5000U);
  reno.on_timeout(1448, false);
  EXPECT_EQ(reno.ssthresh(), 5000U);
  NewReno jumbo;
  jumbo.reset(8948, 10);
  EXPECT_EQ(jumbo.cwnd(), 17896U);  // two segments when they are long
}

// A period is 2^28 ns, about a quarter of a second.
TEST(Promises, HalveWithTimeUnlessTheyAreRenewed) {
  base::Time now{std::chrono::seconds(1000)};
  Promises promises;
  promises.advance(now);
  Promise idle;
  Promise renewed;
  promises.settle(idle, 4096);
  promises.settle(renewed, 4096);
  EXPECT_EQ(promises.total(), 8192U);
  EXPECT_EQ(promises.beside(idle), 4096U);
  for (const std::uint32_t left : {4096, 2048, 1024, 512}) {
    now += milliseconds(269);
    promises.advance(now);
    promises.settle(renewed, 4096);
    EXPECT_EQ(promises.beside(renewed), left);
  }
  promises.advance(now + std::chrono::seconds(10));
  EXPECT_EQ(promises.total(), 0U);
  EXPECT_EQ(promises.beside(idle), 0U);
}

TEST(Promises, NothingIsLeftWhenAllAreTakenBack) {
  Draw draw(1);
  base::Time now{std::chrono::seconds(1000)};
  Promises promises;
  std::vector<Promise> all(50);
  for (int turn = 0; turn < 20'000; ++turn) {
    now += milliseconds(draw() % 100);
    promises.advance(now);
    Promise& promise = all[draw() % all.size()];
    promises.settle(promise, draw() % 3 == 0 ? 0 : draw() % 300'000);
    ASSERT_LE(promises.beside(promise), promises.total());
    ASSERT_LE(promises.total(), all.size() * 300'000U) << "turn " << turn;
  }
  for (Promise& promise : all) promises.settle(promise, 0);
  EXPECT_LT(promises.total(), 16U * all.size()) << "more than the rounding is left";
  promises.advance(now + milliseconds(269));
  EXPECT_EQ(promises.total(), 0U);
}

TEST(Recent, HalvesWithEachPeriod) {
  base::Time now{std::chrono::seconds(1000)};
  Promises promises;
  promises.advance(now);
  Recent recent;
  promises.add(recent, 1000, 10'000);
  promises.add(recent, 600, 10'000);
  EXPECT_EQ(promises.left_of(recent), 1600U);
  promises.advance(now + milliseconds(269));
  EXPECT_EQ(promises.left_of(recent), 800U);
  promises.add(recent, 20'000, 10'000);
  EXPECT_EQ(promises.left_of(recent), 10'000U);
  promises.advance(now + std::chrono::hours(1));
  EXPECT_EQ(promises.left_of(recent), 0U);
}

}  // namespace
}  // namespace brink::tcp
