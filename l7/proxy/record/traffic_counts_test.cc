// What the stage counts of zones and origins.
#include <vector>

#include "dataplane/ipc/traffic.h"
#include "l7/proxy/stage_tls_test_world.h"

namespace brink::l7::proxy::testing {
namespace {

using ipc::OriginCounter;
using ipc::TrafficSlot;
using ipc::ZoneCounter;

constexpr std::size_t kSlots = 8;

struct Tables {
  std::vector<TrafficSlot> zone_slots = std::vector<TrafficSlot>(1 + kSlots);
  std::vector<TrafficSlot> origin_slots = std::vector<TrafficSlot>(1 + kSlots);
  std::vector<ipc::TrafficTable::Way> zone_ways = std::vector<ipc::TrafficTable::Way>(kSlots);
  std::vector<ipc::TrafficTable::Way> origin_ways = std::vector<ipc::TrafficTable::Way>(kSlots);
  ipc::TrafficTables tables{{zone_slots, zone_ways}, {origin_slots, origin_ways}};

  static const TrafficSlot* find(const std::vector<TrafficSlot>& slots, std::string_view name) {
    for (const TrafficSlot& slot : slots) {
      if (std::string_view(slot.name, slot.name_size) == name) return &slot;
    }
    return nullptr;
  }
  [[nodiscard]] std::uint64_t zone(ZoneCounter which, std::string_view name = "example.com") const {
    const TrafficSlot* slot = find(zone_slots, name);
    return slot == nullptr ? 0 : slot->counters[static_cast<std::size_t>(which)];
  }
  [[nodiscard]] std::uint64_t origin(OriginCounter which,
                                     std::string_view name = "203.0.113.1:80") const {
    const TrafficSlot* slot = find(origin_slots, name);
    return slot == nullptr ? 0 : slot->counters[static_cast<std::size_t>(which)];
  }
  static std::uint64_t times(const std::vector<TrafficSlot>& slots, std::string_view name) {
    const TrafficSlot* slot = find(slots, name);
    std::uint64_t sum = 0;
    if (slot != nullptr)
      for (const std::uint64_t count : slot->times) sum += count;
    return sum;
  }
};

class Traffic : public FailureFixture {
 protected:
  Traffic() { stage_->set_traffic(&counted_.tables); }

  Tables counted_;
};

TEST_F(Traffic, ARequestCountsForItsZoneAndItsOrigin) {
  Peer& client = connect();
  for (int i = 0; i < 2; ++i) {
    send(client, get("/" + std::to_string(i)));
    ASSERT_TRUE(receives(origin(0), "GET /" + std::to_string(i)));
    send(origin(0), i == 0 ? ok("hello") : "HTTP/1.1 404 No\r\nContent-Length: 3\r\n\r\nno!");
    ASSERT_TRUE(receives(client, i == 0 ? "hello" : "no!"));
    settle(5);
  }
  EXPECT_EQ(counted_.zone(ZoneCounter::kRequests), 2U);
  EXPECT_EQ(counted_.zone(ZoneCounter::kResponses2xx), 1U);
  EXPECT_EQ(counted_.zone(ZoneCounter::kResponses4xx), 1U);
  EXPECT_EQ(counted_.zone(ZoneCounter::kEdgeErrors), 0U);
  EXPECT_EQ(counted_.zone(ZoneCounter::kBytesIn), 2 * get("/0").size());
  EXPECT_EQ(counted_.zone(ZoneCounter::kBytesOut), client.received.size());
  EXPECT_EQ(Tables::times(counted_.zone_slots, "example.com"), 2U);
  EXPECT_EQ(counted_.origin(OriginCounter::kConnects), 1U);
  EXPECT_EQ(counted_.origin(OriginCounter::kRequests), 2U);
  EXPECT_EQ(counted_.origin(OriginCounter::kReused), 1U);
  EXPECT_EQ(counted_.origin(OriginCounter::kResponses2xx), 1U);
  EXPECT_EQ(counted_.origin(OriginCounter::kResponses4xx), 1U);
  EXPECT_EQ(counted_.origin(OriginCounter::kConnectFailures), 0U);
  EXPECT_EQ(Tables::times(counted_.origin_slots, "203.0.113.1:80"), 2U);
}

TEST_F(Traffic, AnOriginsTimeIsFromItsRequestToItsResponse) {
  Peer& client = connect();
  send(client, get("/"));
  ASSERT_TRUE(receives(origin(0), "GET / "));
  settle(300);
  send(origin(0), ok("late"));
  ASSERT_TRUE(receives(client, "late"));
  const TrafficSlot* slot = Tables::find(counted_.origin_slots, "203.0.113.1:80");
  ASSERT_NE(slot, nullptr);
  EXPECT_GE(slot->time_sum_us, 300'000U);
  EXPECT_LE(slot->time_sum_us, 330'000U);
}

TEST_F(Traffic, AFailoverIsAFailureARetryAndAConnectElsewhere) {
  refusing_.insert(ip("203.0.113.1"));
  refusing_.insert(ip("203.0.113.2"));
  Peer& client = connect();
  send(client, get("/", "", "www.example.com"));
  expect_error(client, 521, 521);
  settle(5);
  std::uint64_t failures = 0, retries = 0;
  for (const char* name : {"203.0.113.1:80", "203.0.113.2:80"}) {
    failures += counted_.origin(OriginCounter::kConnectFailures, name);
    retries += counted_.origin(OriginCounter::kRetries, name);
    EXPECT_EQ(counted_.origin(OriginCounter::kRequests, name), 0U);
  }
  EXPECT_EQ(failures, 2U);
  EXPECT_EQ(retries, 1U);
  EXPECT_EQ(counted_.zone(ZoneCounter::kResponses5xx), 1U);
  EXPECT_EQ(counted_.zone(ZoneCounter::kEdgeErrors), 1U);
}

TEST_F(Traffic, AnAnswerThatIsNoneIsTheOriginsFault) {
  Peer& client = connect();
  send(client, get("/"));
  ASSERT_TRUE(receives(origin(0), "GET / "));
  send(origin(0), "nonsense\r\n\r\n");
  expect_error(client, 520, 520);
  EXPECT_EQ(counted_.origin(OriginCounter::kNoResponse), 1U);
  EXPECT_EQ(counted_.origin(OriginCounter::kRequests), 1U);
}

TEST_F(Traffic, AClientThatGoesIsUnanswered) {
  Peer& client = connect();
  send(client, get("/"));
  ASSERT_TRUE(receives(origin(0), "GET / "));
  abort_peer(*client_, client);
  EXPECT_EQ(counted_.zone(ZoneCounter::kRequests), 1U);
  EXPECT_EQ(counted_.zone(ZoneCounter::kUnanswered), 1U);
  EXPECT_EQ(counted_.zone(ZoneCounter::kResponses4xx), 0U);
}

TEST_F(Traffic, AnIPv6OriginIsNamedInBrackets) {
  Peer& client = connect();
  send(client, get("/", "", "six.example.com"));
  expect_error(client, 523, 523);
  EXPECT_EQ(counted_.zone(ZoneCounter::kEdgeErrors), 1U);
  EXPECT_EQ(counted_.origin(OriginCounter::kRetries, "[2001:db8::1]:80"), 0U);
}

TEST_F(Traffic, WhatBelongsToNoZoneCountsForNone) {
  Peer& client = connect();
  send(client, get("/", "", "other.test"));
  expect_error(client, 409, 1001);
  settle(5);
  for (const TrafficSlot& slot : counted_.zone_slots) EXPECT_EQ(slot.counters[0], 0U);
}

class SecureTraffic : public SecureFixture {
 protected:
  Tables counted_;
};

TEST_F(SecureTraffic, HandshakesCountForTheZoneOfTheirName) {
  stage_->set_traffic(&counted_.tables);
  EXPECT_EQ(status(connect_tls()), 200);
  EXPECT_EQ(status(connect_tls()), 200);
  EXPECT_EQ(counted_.zone(ZoneCounter::kTlsHandshakes), 2U);
  EXPECT_EQ(counted_.zone(ZoneCounter::kTlsResumed), 1U);
  EXPECT_EQ(counted_.origin(OriginCounter::kConnects, "203.0.113.1:443"), 1U);
}

// The origin of a zone in flexible mode asks for HTTPS, for ever.
TEST_F(SecureTraffic, RedirectLoopsCountForTheirZone) {
  serve({.ssl = SslMode::kFlexible});
  stage_->set_traffic(&counted_.tables);
  answer_ = "HTTP/1.1 301 Moved\r\nLocation: https://one.example.com/\r\nContent-Length: 0\r\n\r\n";
  EXPECT_EQ(status(connect_tls()), 508);
  EXPECT_EQ(counted_.zone(ZoneCounter::kRedirectLoops), 1U);
  EXPECT_EQ(counted_.origin(OriginCounter::kResponses3xx), 1U);
}

}  // namespace
}  // namespace brink::l7::proxy::testing
