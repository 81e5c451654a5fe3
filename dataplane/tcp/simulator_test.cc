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
  for (std::uint8_t& byte : config.flow_secret.bytes) byte = static_cast<std::uint8_t>(random.next());
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

TEST(Simulator, SurvivesLossReorderingAndDuplication) {
  for (std::uint64_t seed = 1; seed <= 20; ++seed) {
    Plan plan = plan_for(seed);
    plan.connections = 50;
    plan.client_bytes = plan.server_bytes = 40'000;
    plan.network.loss = 0.05;
    plan.network.burst_start = 0.01;
    plan.network.duplicate = 0.03;
    plan.network.reorder = 0.05;
    plan.network.jitter = milliseconds(5);
    expect_clean(plan);
  }
}

}  // namespace
}  // namespace brink::tcp::sim
