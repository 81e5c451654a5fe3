#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <vector>

#include "dataplane/ipc/control_message.h"
#include "dataplane/ipc/sealed_memory.h"
#include "dataplane/ipc/stats_segment.h"

namespace brink::ipc {
namespace {

class IpcTest : public ::testing::Test {
 protected:
  void SetUp() override {
    char name[] = "/tmp/brink-ipc-XXXXXX";
    ASSERT_NE(::mkdtemp(name), nullptr);
    directory_ = name;
  }
  void TearDown() override { std::filesystem::remove_all(directory_); }
  [[nodiscard]] std::string path(const char* file) const { return directory_ + "/" + file; }
  std::string directory_;
};

TEST_F(IpcTest, ReaderSeesWhatTheWorkerCounted) {
  auto segment = StatsSegment::create(path("stats"), 2, 1);
  ASSERT_TRUE(segment.ok());
  segment.value()->worker(1).roles = kRoleL7;
  segment.value()->worker(1).counters.add(Counter::kDnsQueries, 5);
  segment.value()->worker(1).counters.add(Counter::kDnsQueries);
  std::snprintf(segment.value()->port(0).name, 64, "eth0");

  const auto sample = read_stats(path("stats"));
  ASSERT_TRUE(sample.ok()) << sample.error().message();
  ASSERT_EQ(sample.value().workers.size(), 2U);
  const auto queries = static_cast<std::size_t>(Counter::kDnsQueries);
  EXPECT_EQ(sample.value().names[queries], "dns_queries");
  EXPECT_EQ(sample.value().workers[1].counters[queries], 6U);
  EXPECT_EQ(sample.value().workers[0].counters[queries], 0U);
  EXPECT_EQ(sample.value().workers[1].roles, kRoleL7);
  EXPECT_STREQ(sample.value().ports[0].name, "eth0");
}

TEST_F(IpcTest, ReaderSeesHowLongAnswersTook) {
  auto segment = StatsSegment::create(path("stats"), 2, 1);
  ASSERT_TRUE(segment.ok());
  const base::Time start{std::chrono::seconds(5)};
  const auto ns = [](int count) { return std::chrono::nanoseconds(count); };
  TurnLatency turn(segment.value()->worker(1).latency);
  turn.add(LatencyKind::kDnsUdp, start, 30);
  turn.add(LatencyKind::kDnsUdp, start, 2);
  turn.add(LatencyKind::kDnsUdp, start - ns(1000), 4);
  turn.add(LatencyKind::kHttp, start - ns(70'000));
  EXPECT_FALSE(turn.empty());
  turn.close(start + ns(500));
  EXPECT_TRUE(turn.empty());
  turn.close(start + ns(9000));  // nothing was added

  const auto sample = read_stats(path("stats"));
  ASSERT_TRUE(sample.ok()) << sample.error().message();
  EXPECT_EQ(sample.value().latency_names,
            (std::vector<std::string>{"dns_udp", "dns_tcp", "dns_dot", "http"}));
  const auto& latencies = sample.value().workers[1].latencies;
  ASSERT_EQ(latencies.size(), kLatencyKinds);
  EXPECT_EQ(latencies[0].counts[base::LogLinear::bucket_of(500)], 32U);
  EXPECT_EQ(latencies[0].counts[base::LogLinear::bucket_of(1500)], 4U);
  EXPECT_EQ(latencies[0].max_ns, 1500U);
  EXPECT_EQ(latencies[3].counts[base::LogLinear::bucket_of(70'500)], 1U);
  EXPECT_EQ(base::percentiles_of(latencies[1].counts).count, 0U);
  EXPECT_EQ(base::percentiles_of(sample.value().workers[0].latencies[0].counts).count, 0U);
}

// More moments than the list has room for: every answer is counted all the same.
TEST(TurnLatencyTest, LosesNoAnswer) {
  WorkerLatency shared;
  TurnLatency turn(shared);
  base::Time since{};
  for (int i = 0; i < 100; ++i) {
    turn.add(LatencyKind::kHttp, since += std::chrono::microseconds(1));
    turn.add(LatencyKind::kDnsTcp, since);
  }
  turn.close(since);
  for (const auto kind : {LatencyKind::kHttp, LatencyKind::kDnsTcp}) {
    const auto& counts = shared.kinds[static_cast<std::size_t>(kind)].counts;
    EXPECT_EQ(base::percentiles_of(counts).count, 100U);
  }
}

TEST_F(IpcTest, SegmentGoesWithItsWriter) {
  { auto segment = StatsSegment::create(path("stats"), 1, 1); }
  EXPECT_FALSE(read_stats(path("stats")).ok());
}

TEST_F(IpcTest, ReaderRefusesAnInconsistentSegment) {
  auto segment = StatsSegment::create(path("stats"), 1, 1);
  ASSERT_TRUE(segment.ok());
  segment.value()->header().worker_count = 1000;
  EXPECT_FALSE(read_stats(path("stats")).ok());
  segment.value()->header().worker_count = 1;
  segment.value()->header().latency_offset_bytes += 64;
  EXPECT_FALSE(read_stats(path("stats")).ok());
  segment.value()->header().latency_offset_bytes -= 64;
  ASSERT_TRUE(read_stats(path("stats")).ok());
  segment.value()->header().counter_count = 100000;
  EXPECT_FALSE(read_stats(path("stats")).ok());
  std::ofstream(path("short")) << "x";
  EXPECT_FALSE(read_stats(path("short")).ok());
}

TEST_F(IpcTest, MessageAndDescriptorCrossTheSocket) {
  const auto listener = listen_control(path("edge.sock"));
  ASSERT_TRUE(listener.ok()) << listener.error().message();
  const auto client = connect_control(path("edge.sock"));
  ASSERT_TRUE(client.ok());
  const int server = ::accept4(listener.value(), nullptr, nullptr, SOCK_NONBLOCK);
  ASSERT_GE(server, 0);
  EXPECT_FALSE(receive_control(server).value().has_value()) << "nothing was sent yet";

  int pipe_ends[2];
  ASSERT_EQ(::pipe(pipe_ends), 0);
  ControlMessage message;
  message.type = MessageType::kPublishImage;
  message.sequence = 7;
  message.set_reason("because");
  ASSERT_TRUE(send_control(client.value(), message, pipe_ends[1]).ok());
  const auto received = receive_control(server);
  ASSERT_TRUE(received.ok() && received.value().has_value());
  EXPECT_EQ(received.value()->message.sequence, 7U);
  EXPECT_STREQ(received.value()->message.reason, "because");
  ASSERT_GE(received.value()->descriptor, 0);
  ASSERT_EQ(::write(received.value()->descriptor, "y", 1), 1);
  char byte = 0;
  EXPECT_EQ(::read(pipe_ends[0], &byte, 1), 1);
  EXPECT_EQ(byte, 'y');

  ::close(client.value());
  EXPECT_FALSE(receive_control(server).ok()) << "a closed peer is an error";
  for (const int fd :
       {listener.value(), server, pipe_ends[0], pipe_ends[1], received.value()->descriptor}) {
    ::close(fd);
  }
}

TEST_F(IpcTest, ForeignBytesAreRefused) {
  const auto listener = listen_control(path("edge.sock"));
  const auto client = connect_control(path("edge.sock"));
  const int server = ::accept4(listener.value(), nullptr, nullptr, SOCK_NONBLOCK);
  ASSERT_EQ(::send(client.value(), "hello", 5, 0), 5);
  const auto short_packet = receive_control(server);
  ASSERT_FALSE(short_packet.ok());
  EXPECT_NE(short_packet.error().what.find("protocol version"), std::string::npos);
  ControlMessage other;
  other.protocol_version = 99;
  ASSERT_TRUE(send_control(client.value(), other).ok());
  EXPECT_FALSE(receive_control(server).ok());
  for (const int fd : {listener.value(), client.value(), server}) ::close(fd);
}

TEST_F(IpcTest, ErrorsNameThePathAndTheRemedy) {
  const auto nobody = connect_control(path("nobody.sock"));
  ASSERT_FALSE(nobody.ok());
  EXPECT_EQ(nobody.error().where, path("nobody.sock"));
  EXPECT_EQ(nobody.error().remedy, "start brink-edge");
  EXPECT_FALSE(listen_control(std::string(200, 'x')).ok());
}

// Few bytes are copied, many are mapped: the same to whoever reads them.
TEST(SealedMemoryTest, ShowsTheBytesThatWereSealed) {
  for (const std::size_t size : {1, 4096, 256 * 1024, 256 * 1024 + 1, 1 << 20}) {
    std::vector<std::uint8_t> bytes(size);
    for (std::size_t i = 0; i < size; ++i) bytes[i] = static_cast<std::uint8_t>(i * 7 + i / 256);
    const auto memfd = SealedMemory::make(bytes);
    ASSERT_TRUE(memfd.ok());
    auto memory = SealedMemory::map(memfd.value().get(), size);
    ASSERT_TRUE(memory.ok()) << memory.error().message();
    const SealedMemory moved = std::move(memory).value();
    EXPECT_TRUE(std::ranges::equal(moved.bytes(), bytes)) << size;
    EXPECT_EQ(::write(memfd.value().get(), "x", 1), -1);
  }
}

TEST(SealedMemoryTest, RefusesOtherSizesAndWhatCouldStillChange) {
  const std::vector<std::uint8_t> bytes(100, 1);
  const auto memfd = SealedMemory::make(bytes);
  ASSERT_TRUE(memfd.ok());
  for (const std::uint64_t size : {0, 99, 101, 1 << 20}) {
    const auto memory = SealedMemory::map(memfd.value().get(), size);
    ASSERT_FALSE(memory.ok()) << size;
    EXPECT_NE(memory.error().what.find("has 100 bytes"), std::string::npos);
  }
  const base::UniqueFd open(::memfd_create("open", MFD_CLOEXEC | MFD_ALLOW_SEALING));
  ASSERT_EQ(::write(open.get(), bytes.data(), bytes.size()), 100);
  EXPECT_FALSE(SealedMemory::map(open.get(), 100).ok());
  EXPECT_FALSE(SealedMemory::map(-1, 100).ok());
}

}  // namespace
}  // namespace brink::ipc
