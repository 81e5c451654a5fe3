#include "ctl/cli/rates.h"

#include <gtest/gtest.h>

namespace brink::ctl::cli {
namespace {

Json stats(std::uint64_t process, std::uint64_t packets, std::uint64_t busy, std::uint64_t idle) {
  const Json counters = {{"rx_packets", packets},
                         {"dns_queries", packets},
                         {"drop_bad_source", packets / 10},
                         {"drop_dns_short", packets / 2},
                         {"drop_tx_full", 0}};
  return {{"process_id", process},
          {"heartbeat_age_ms", 3},
          {"snapshot", {{"version", 7}, {"age_s", 65}, {"names", 9}}},
          {"workers", Json::array({{{"worker", 0},
                                    {"cpu", 1},
                                    {"roles", {"dns", "l7"}},
                                    {"busy_cycles", busy},
                                    {"idle_cycles", idle},
                                    {"tcp_connections", 2},
                                    {"counters", counters}}})},
          {"counters", counters}};
}

TEST(Rates, AreWhatWasCountedInBetweenOverTheTime) {
  const Json rates = rates_of(stats(1, 1000, 0, 0), stats(1, 5000, 800'000, 200'000), 2);
  EXPECT_EQ(rates["rates"]["queries"], 2000.0);
  EXPECT_EQ(rates["rates"]["requests"], 0.0);
  const Json& worker = rates["workers"][0];
  EXPECT_EQ(worker["busy_percent"], 80.0);
  EXPECT_EQ(worker["cycles_per_packet"], 200.0);
  EXPECT_EQ(rates["restarted"], false);
}

TEST(Rates, ShowDropsThatHappenedAndTheWorstFirst) {
  const Json drops = rates_of(stats(1, 0, 0, 0), stats(1, 100, 1, 1), 1)["drops"];
  ASSERT_EQ(drops.size(), 2U);
  EXPECT_EQ(drops[0]["reason"], "drop_dns_short");
  EXPECT_EQ(drops[0]["rate"], 50.0);
}

TEST(Rates, OfAnEdgeThatStartedAnewBeginWithNothing) {
  const Json rates = rates_of(stats(1, 5000, 100, 100), stats(2, 30, 1, 1), 1);
  EXPECT_EQ(rates["restarted"], true);
  EXPECT_EQ(rates["rates"]["queries"], 30.0);
  EXPECT_NE(rates_text(rates).find("started anew"), std::string::npos);
}

Json with_latency(Json stats, const Json& buckets) {
  stats["latency"] = {{"dns_udp", {{"count", 0}, {"buckets", buckets}}}};
  stats["workers"][0]["latency"] = stats["latency"];
  return stats;
}

TEST(Rates, TellLatenciesOfTheTimeInBetween) {
  const Json before = with_latency(stats(1, 0, 0, 0), {{15, 1000}, {1'048'575, 7}});
  const Json after = with_latency(stats(1, 100, 1, 1), {{15, 1000}, {543, 98}, {1'048'575, 9}});
  const Json rates = rates_of(before, after, 1);
  for (const Json& told :
       {rates["latency"]["dns_udp"], rates["workers"][0]["latency"]["dns_udp"]}) {
    EXPECT_EQ(told["count"], 100);
    EXPECT_EQ(told["p50_ns"], 543);
    EXPECT_EQ(told["p90_ns"], 543);
    EXPECT_EQ(told["p99_ns"], 1'048'575);
    EXPECT_EQ(told["max_ns"], 1'048'575);
  }
  const std::string text = rates_text(rates);
  EXPECT_NE(text.find("543 ns"), std::string::npos) << text;
  EXPECT_NE(text.find("1.0 ms"), std::string::npos);
}

TEST(Rates, WithoutPacketsHaveNoCyclesForOne) {
  const Json rates = rates_of(stats(1, 10, 0, 0), stats(1, 10, 0, 0), 1);
  EXPECT_TRUE(rates["workers"][0]["cycles_per_packet"].is_null());
  EXPECT_EQ(rates["workers"][0]["busy_percent"], 0);
}

TEST(Rates, AreReadable) {
  const std::string text = rates_text(rates_of(stats(1, 0, 0, 0), stats(1, 12'345'678, 3, 1), 1));
  EXPECT_NE(text.find("12.3M"), std::string::npos) << text;
  EXPECT_NE(text.find("dns+l7"), std::string::npos);
  EXPECT_NE(text.find("75.0%"), std::string::npos);
  EXPECT_NE(text.find("version 7, published 1m 5s ago"), std::string::npos);
}

TEST(Screen, ShowsWhatFits) {
  EXPECT_EQ(screen_text("first line\nsecond\nthird\n", 5, 2),
            "\x1b[Hfirst\x1b[K\nsecon\x1b[K\x1b[J");
  EXPECT_EQ(screen_text("", 80, 24), "\x1b[H\x1b[J");
}

}  // namespace
}  // namespace brink::ctl::cli
