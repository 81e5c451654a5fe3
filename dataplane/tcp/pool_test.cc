// Keep-alive, idle connections, the chunk pool, transfer: scripted packets.
#include "dataplane/tcp/script.h"

namespace brink::tcp {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

// ---- keep-alive, idle ----

TEST(KeepAlive, AnsweredProbesKeepTheConnection) {  // RFC 9293 3.8.4
  StackConfig config = Script::default_config();
  config.keepalive_idle = config.keepalive_interval = seconds(30);
  Script t(config);
  t.accept();
  for (int i = 0; i < 20; ++i) {
    t.advance(seconds(31));
    t.expect(kAck, 0, 1);
    t.inject(in().seq(1).ack(1));
  }
  t.expect_no_event();
}

TEST(KeepAlive, UnansweredProbesEndIt) {
  StackConfig config = Script::default_config();
  config.keepalive_idle = config.keepalive_interval = seconds(30);
  Script t(config);
  t.accept();
  for (int i = 0; i < 3; ++i) {
    t.advance(seconds(30));
    t.expect(kAck, 0, 1);
    t.expect_no_event();
  }
  t.advance(seconds(31));
  t.expect_closed(CloseReason::kUserTimeout);
  t.expect_nothing_held();
}

TEST(KeepAlive, ThePeersProbeIsAnswered) {
  Script t;
  t.accept();
  t.inject(in().seq(0).ack(1));
  t.expect(kAck, 1, 1);
}

TEST(Idle, AConnectionWithoutDataIsEnded) {
  StackConfig config = Script::default_config();
  config.idle_timeout = seconds(900);
  Script t(config);
  t.accept();
  t.advance(seconds(899));
  t.expect_no_event();
  t.advance(seconds(2));
  t.expect_closed(CloseReason::kIdleTimeout);
  t.expect(kRst | kAck, 1, 1);
}

// ---- the pool ----

TEST(Pool, IdleConnectionsHoldNoChunk) {
  Script t;
  t.accept();
  t.write(text(5000));
  t.drain();
  t.inject(in().seq(1).ack(5001).data(text(900)));
  EXPECT_LT(t.stack().free_chunks(), t.owned.config.chunk_count);
  t.read();
  t.drain();
  EXPECT_EQ(t.stack().free_chunks(), t.owned.config.chunk_count);
}

TEST(Pool, ASmallPoolMakesWritesShortAndTheyGoOnLater) {
  StackConfig config = Script::default_config();
  config.chunk_count = 16;
  Script t(config);
  t.accept();
  std::uint32_t written = 0;
  for (int i = 0; i < 64; ++i) written += static_cast<std::uint32_t>(t.write(text(1000)));
  EXPECT_LE(written, 8 * kChunkCapacity);  // one connection does not get all of it
  EXPECT_GT(written, 3 * kChunkCapacity);
  t.drain();
  t.inject(in().seq(1).ack(1 + written));
  t.advance(milliseconds(10));
  t.expect_event(EventKind::kWritable);
  EXPECT_GT(t.write(text(1000)), 0U);
}

TEST(Pool, WithoutAChunkInOrderBytesAreRefusedNotLost) {
  StackConfig config = Script::default_config();
  config.chunk_count = 8;
  Script t(config);
  t.accept();
  std::uint32_t at = 1;
  for (int i = 0; i < 40; ++i) {
    if (t.inject(in().seq(at).ack(1).data(text(1000))) != Verdict::kAccepted) break;
    at += 1000;
  }
  EXPECT_GT(t.counter(ipc::Counter::kDropTcpNoMemory), 0U);
  const std::size_t kept = t.read().size();
  EXPECT_GE(kept, 6 * kChunkCapacity - 1000);
  EXPECT_EQ(t.inject(in().seq(1 + static_cast<std::uint32_t>(kept)).ack(1).data("more")),
            Verdict::kAccepted);
  EXPECT_EQ(t.read(), "more");
}

// Readers that stopped hold what they were promised; whoever reads on still gets bytes through.
TEST(Pool, ConnectionsThatNobodyReadsLeaveRoomForTheOthers) {
  std::vector<Chunk> chunks(256);
  ChunkPool pool(chunks);
  std::vector<ReceiveQueue> stopped(8);
  const std::string bytes = text(1448);
  const std::span<const std::uint8_t> segment(reinterpret_cast<const std::uint8_t*>(bytes.data()),
                                              bytes.size());
  for (int turn = 0; turn < 200; ++turn) {
    for (ReceiveQueue& queue : stopped) (void)queue.append(pool, segment);
  }
  EXPECT_TRUE(pool.on_reserve());
  for (ReceiveQueue& queue : stopped) {
    EXPECT_GE(queue.size(), kModestReceive);
    EXPECT_LT(queue.append(pool, segment), segment.size()) << "the reserve is not for it";
  }
  ReceiveQueue reading;
  for (int turn = 0; turn < 1000; ++turn) {
    ASSERT_EQ(reading.append(pool, segment), segment.size()) << turn;
    if (turn % 5 == 4) reading.consume(pool, reading.size());
  }
  // Nor do they fill up what sending needs.
  EXPECT_GT(pool.available(ChunkUse::kSend), 0U);
}

TEST(Pool, OutOfOrderBytesYieldToInOrderOnes) {
  StackConfig config = Script::default_config();
  config.chunk_count = 16;
  Script t(config);
  t.accept();
  for (std::uint32_t i = 0; i < 12; ++i) t.inject(in().seq(2001 + 2000 * i).ack(1).data("x"));
  EXPECT_GE(t.stack().free_chunks(), 2U);  // the reserve is not for them
  std::uint32_t at = 1;
  for (int i = 0; i < 20; ++i) {
    t.inject(in().seq(at).ack(1).data(text(1000)));
    at += 1000;
  }
  EXPECT_GE(t.read().size(), 12000U);
}

TEST(Transfer, MovesBytesOfOneConnectionToTheOther) {
  Script t;
  t.accept();
  const ConnectionId client = t.id;
  t.inject(in().seq(1).ack(1).data(text(3000)));
  t.drain();
  t.expect_event(EventKind::kReadable);
  t.peer = {base::IpAddress::v4(0xcb007105), 8080};
  t.local.port = 30000;
  t.connect_fully();
  EXPECT_EQ(t.stack().transfer(client, t.id, 2500, t.now), 2500U);
  std::string sent;
  for (const Sent& s : t.drain()) sent += s.payload;
  EXPECT_EQ(sent, text(3000).substr(0, 2500));
  EXPECT_EQ(t.stack().info(client).readable, 500U);
  EXPECT_EQ(t.stack().transfer(client, t.id, 9999, t.now), 500U);
}

TEST(Transfer, AFullSinkStopsItAndWritableFollows) {
  StackConfig config = Script::default_config();
  config.send_limit = 4000;
  Script t(config);
  t.accept();
  const ConnectionId client = t.id;
  for (std::uint32_t i = 0; i < 10; ++i) t.inject(in().seq(1 + 1000 * i).ack(1).data(text(1000)));
  t.drain();
  while (t.event()) {
  }
  t.peer = {base::IpAddress::v4(0xcb007105), 8080};
  t.local.port = 30000;
  t.connect_fully();
  EXPECT_EQ(t.stack().transfer(client, t.id, 10000, t.now), 4000U);
  EXPECT_EQ(t.stack().info(client).readable, 6000U);
  t.drain();
  t.inject(in().seq(1).ack(4001));
  t.expect_event(EventKind::kWritable);
  EXPECT_EQ(t.stack().transfer(client, t.id, 10000, t.now), 4000U);
}

}  // namespace
}  // namespace brink::tcp
