// Two of our stacks over a bad network. A failure prints its seed; put it into kRegressions.
#include <gtest/gtest.h>

#include "dataplane/tcp/simulator.h"

namespace brink::tcp::sim {
namespace {

using std::chrono::milliseconds;

StackConfig roomy(std::uint64_t seed) {
  StackConfig config;
  config.max_connections = 256;
  config.syn_backlog = 256;
  config.max_time_wait = 256;
  config.chunk_count = 16384;
  Random random(seed * 2 + 1);
  for (std::uint8_t& byte : config.flow_secret.bytes)
    byte = static_cast<std::uint8_t>(random.next());
  for (std::uint8_t& byte : config.sequence_secret.bytes) {
    byte = static_cast<std::uint8_t>(random.next());
  }
  return config;
}

Plan plan_for(std::uint64_t seed) {
  Plan plan;
  plan.seed = seed;
  plan.client = roomy(seed);
  plan.server = roomy(seed + 1000);
  return plan;
}

void expect_clean(const Plan& plan) {
  const Outcome outcome = run(plan);
  EXPECT_EQ(outcome.error, "");
  EXPECT_EQ(outcome.completed + outcome.aborted, plan.connections) << "seed " << plan.seed;
}

TEST(Simulator, CleanNetworkNeedsNoRetransmission) {
  Plan plan = plan_for(1);
  plan.connections = 100;
  plan.client_bytes = plan.server_bytes = 200'000;
  const Outcome outcome = run(plan);
  EXPECT_EQ(outcome.error, "");
  EXPECT_EQ(outcome.completed, 100U);
  EXPECT_EQ(outcome.retransmits, 0U);
}

void lossy(Network& network) {
  network.loss = 0.05;
  network.burst_start = 0.01;
  network.duplicate = 0.03;
  network.reorder = 0.05;
  network.jitter = milliseconds(5);
}

TEST(Simulator, SurvivesLossReorderingAndDuplication) {
  for (std::uint64_t seed = 1; seed <= 30; ++seed) {
    Plan plan = plan_for(seed);
    plan.connections = 50;
    plan.client_bytes = plan.server_bytes = 40'000;
    lossy(plan.network);
    expect_clean(plan);
  }
}

TEST(Simulator, SurvivesHeavyLoss) {
  for (std::uint64_t seed = 1; seed <= 10; ++seed) {
    Plan plan = plan_for(seed);
    plan.connections = 20;
    plan.client_bytes = plan.server_bytes = 20'000;
    plan.network.loss = 0.15;
    expect_clean(plan);
  }
}

TEST(Simulator, TinyStreamsOverALossyNetworkCloseInEveryOrder) {
  for (std::uint64_t seed = 1; seed <= 10; ++seed) {
    Plan plan = plan_for(seed);
    plan.connections = 200;
    plan.client_bytes = plan.server_bytes = 3;
    lossy(plan.network);
    expect_clean(plan);
  }
}

TEST(Simulator, SlowReadersCloseTheWindowAndOpenItAgain) {
  for (std::uint64_t seed = 1; seed <= 10; ++seed) {
    Plan plan = plan_for(seed);
    plan.connections = 10;
    plan.client_bytes = plan.server_bytes = 100'000;
    plan.stop_reading = 0.2;
    plan.client.receive_limit = plan.server.receive_limit = 8 * 1024;
    plan.client.send_limit = 16 * 1024;
    plan.network.loss = 0.02;
    expect_clean(plan);
  }
}

Plan crowded(std::uint64_t seed, std::uint32_t chunks) {
  Plan plan = plan_for(seed);
  plan.connections = 40;
  plan.client_bytes = plan.server_bytes = 60'000;
  plan.client.chunk_count = 2 * chunks;
  plan.server.chunk_count = chunks;
  plan.stop_reading = 0.05;
  lossy(plan.network);
  return plan;
}

TEST(Simulator, SmallChunkPoolsDelayButFailNobody) {
  for (std::uint64_t seed = 1; seed <= 20; ++seed) expect_clean(crowded(seed, 128));
}

// With fewer chunks than connections somebody may time out, but the others go on, and it ends.
TEST(Simulator, FewerChunksThanConnectionsNeverStopEverything) {
  std::uint32_t failed = 0;
  for (std::uint64_t seed = 1; seed <= 20; ++seed) {
    Plan plan = crowded(seed, 32);
    plan.may_fail = true;
    const Outcome outcome = run(plan);
    EXPECT_EQ(outcome.error, "");
    failed += outcome.failed;
  }
  EXPECT_LE(failed, 20U * 40U / 20U);
}

TEST(Simulator, SequenceNumbersWrapInTheMiddleOfTheStream) {
  for (std::uint64_t seed = 1; seed <= 10; ++seed) {
    Plan plan = plan_for(seed);
    plan.connections = 1;
    plan.client_bytes = 300'000;
    plan.exact_bytes = true;
    plan.wrap_within = 1 + static_cast<std::uint32_t>(seed * 17'000);
    lossy(plan.network);
    expect_clean(plan);
  }
}

TEST(Simulator, ASequenceNumberOfZeroIsANumberLikeAnyOther) {
  for (std::uint32_t before = 1; before <= 4; ++before) {
    Plan plan = plan_for(before);
    plan.wrap_within = before;
    expect_clean(plan);
  }
}

TEST(Simulator, FalsifiedWindowsOnlyDelay) {
  for (std::uint64_t seed = 1; seed <= 10; ++seed) {
    Plan plan = plan_for(seed);
    plan.connections = 20;
    plan.client_bytes = plan.server_bytes = 50'000;
    plan.network.window_falsified = 0.1;
    plan.network.loss = 0.01;
    expect_clean(plan);
  }
}

TEST(Simulator, ASmallerPathIsFoundByIcmp) {
  for (std::uint64_t seed = 1; seed <= 5; ++seed) {
    Plan plan = plan_for(seed);
    plan.connections = 20;
    plan.client_bytes = plan.server_bytes = 50'000;
    plan.network.mtu = 1000;
    plan.network.loss = 0.01;
    expect_clean(plan);
  }
}

TEST(Simulator, AbortsLeaveNothingBehind) {
  for (std::uint64_t seed = 1; seed <= 20; ++seed) {
    Plan plan = plan_for(seed);
    plan.connections = 50;
    plan.client_bytes = plan.server_bytes = 30'000;
    plan.abort = 0.5;
    lossy(plan.network);
    expect_clean(plan);
  }
}

TEST(Simulator, BulkKeepsALossyLongPathBusy) {
  Plan plan = plan_for(5);
  plan.connections = 1;
  plan.server_bytes = 20'000'000;
  plan.exact_bytes = true;
  plan.server.send_limit = plan.client.receive_limit = 1024 * 1024;
  plan.network.delay = milliseconds(20);
  plan.network.loss = 0.001;
  const Outcome outcome = run(plan);
  EXPECT_EQ(outcome.error, "");
  // NewReno at this loss rate keeps about 1.2 * MSS / sqrt(p) = 38 segments per 40 ms in flight:
  // 1.4 MB/s, 15 s. Timeouts would make it several times that.
  EXPECT_LT(outcome.elapsed - plan.client.time_wait, std::chrono::seconds(25));
  EXPECT_LE(outcome.timeouts, 2U);
}

}  // namespace
}  // namespace brink::tcp::sim
