// Traffic: what a worker counts of each zone and of each origin, in tables of fixed size in shared
// memory. A slot belongs to whoever came first; when a newcomer finds none free, it gets the one
// that was needed longest ago, if that was a while, and what the slot held is added to the slot
// `other`. Until then the newcomer counts as `other` itself: busy zones keep their slots, and a sum
// over a table is whole.
//
// A worker alone writes its tables; anybody reads them, a slot at a time, and reads a slot again
// that was given away meanwhile (TrafficSlot::sequence). Hot: no allocation, lock or call.
#pragma once

#include <algorithm>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>
#include <string_view>

#include "dataplane/base/clock.h"
#include "dataplane/base/log_linear.h"
#include "dataplane/ipc/counters.h"

// X(enumerator, "name", "what it counts").
// clang-format off
#define BRINK_ZONE_COUNTERS(X) \
  X(kRequests, "requests", "requests that are over") \
  X(kResponses1xx, "responses_1xx", "of them, answered by 101: WebSockets") \
  X(kResponses2xx, "responses_2xx", "of them, answered by a status 2xx") \
  X(kResponses3xx, "responses_3xx", "of them, answered by a status 3xx") \
  X(kResponses4xx, "responses_4xx", "of them, answered by a status 4xx") \
  X(kResponses5xx, "responses_5xx", "of them, answered by a status 5xx") \
  X(kUnanswered, "unanswered", "of them, those whose client went before anything was answered") \
  X(kBytesIn, "bytes_in", "octets of requests, heads included") \
  X(kBytesOut, "bytes_out", "octets of responses, heads included") \
  X(kEdgeErrors, "edge_errors", "requests answered by an error page of the edge") \
  X(kBlocked, "blocked", "of them, those that a rule of the zone blocked") \
  X(kRedirectLoops, "redirect_loops", "of them, redirects that lead back to themselves: 508") \
  X(kTruncated, "truncated", "responses cut short because their origin failed") \
  X(kTlsHandshakes, "tls_handshakes", "TLS handshakes with clients that were done") \
  X(kTlsResumed, "tls_resumed", "of them, those that resumed a session")

#define BRINK_ORIGIN_COUNTERS(X) \
  X(kConnects, "connects", "connections that were made, TLS included") \
  X(kConnectFailures, "connect_failures", "connections that could not be made") \
  X(kRequests, "requests", "requests given to a connection") \
  X(kReused, "reused", "of them, those over a pooled connection") \
  X(kResponses1xx, "responses_1xx", "of them, answered by 101: WebSockets") \
  X(kResponses2xx, "responses_2xx", "of them, answered by a status 2xx") \
  X(kResponses3xx, "responses_3xx", "of them, answered by a status 3xx") \
  X(kResponses4xx, "responses_4xx", "of them, answered by a status 4xx") \
  X(kResponses5xx, "responses_5xx", "of them, answered by a status 5xx") \
  X(kNoResponse, "no_response", "of them, without an answer, or with none that could be used: 520, 522, 524") \
  X(kRetries, "retries", "requests taken elsewhere, or sent again, since it failed")
// clang-format on

namespace brink::ipc {

enum class ZoneCounter : std::uint8_t {
#define X(enumerator, name, help) enumerator,
  BRINK_ZONE_COUNTERS(X)
#undef X
};
enum class OriginCounter : std::uint8_t {
#define X(enumerator, name, help) enumerator,
  BRINK_ORIGIN_COUNTERS(X)
#undef X
};
// In the order of ZoneCounter and OriginCounter.
inline constexpr CounterInfo kZoneCounterInfo[] = {
#define X(enumerator, name, help) {name, help},
    BRINK_ZONE_COUNTERS(X)
#undef X
};
inline constexpr CounterInfo kOriginCounterInfo[] = {
#define X(enumerator, name, help) {name, help},
    BRINK_ORIGIN_COUNTERS(X)
#undef X
};

inline constexpr std::size_t kTrafficCountersMax = 16;
static_assert(std::size(kZoneCounterInfo) <= kTrafficCountersMax &&
              std::size(kOriginCounterInfo) <= kTrafficCountersMax);

// Microseconds to a minute, an eighth (12 %) wide.
using TrafficScale = base::LogLinearScale<3, 23>;

inline constexpr std::size_t kTrafficNameMax = 255;  // a DNS name as text, or address and port

// One zone or origin. worker: wo; any other thread or process: ro.
//
//   OFFSET  SIZE  MEANING
//   0       8     sequence; odd while the slot is being given to somebody else
//   8       1     octets of the name; 0: the slot is free
//   9       255   name
//   264     128   counters, in the order of their names
//   392     8     sum of the times, in microseconds
//   400     1536  times by bucket (TrafficScale)
struct alignas(64) TrafficSlot {
  std::uint64_t sequence;
  std::uint8_t name_size;
  char name[kTrafficNameMax];
  std::uint64_t counters[kTrafficCountersMax];
  std::uint64_t time_sum_us;
  std::uint64_t times[TrafficScale::kBuckets];

  // `which` is a ZoneCounter or an OriginCounter, as the table has it.
  template <typename Which>
  void add(Which which, std::uint64_t amount = 1) noexcept {
    add_to(counters[static_cast<std::size_t>(which)], amount);
  }
  void add_time(std::uint64_t us) noexcept {
    add_to(time_sum_us, us);
    add_to(times[TrafficScale::bucket_of(us)], 1);
  }
  // Single writer, as WorkerCounters::add.
  static void add_to(std::uint64_t& word, std::uint64_t amount) noexcept {
    const std::atomic_ref<std::uint64_t> shared(word);
    shared.store(shared.load(std::memory_order_relaxed) + amount, std::memory_order_relaxed);
  }
};
static_assert(offsetof(TrafficSlot, times) == 400);
static_assert(sizeof(TrafficSlot) % 64 == 0);

// The worker's side of one table. Newcomers are told apart by a keyed hash of 64 bits alone.
class TrafficTable {
 public:
  static constexpr std::size_t kWays = 8;
  // Whoever was not needed for this long may lose its slot.
  static constexpr base::Duration kColdAfter = std::chrono::minutes(1);

  // What the worker itself has to know of a slot; not shared.
  struct Way {
    std::uint64_t hash = 0;  // 0: free
    base::Time needed{};
  };

  // Nothing is counted.
  TrafficTable() noexcept = default;
  // `slots`: zeroed, 1 + N, with N a power of two and at least kWays; `ways`: N. Both outlive it.
  TrafficTable(std::span<TrafficSlot> slots, std::span<Way> ways) noexcept
      : slots_(slots), ways_(ways) {}

  [[nodiscard]] bool counts() const noexcept { return !slots_.empty(); }

  // The slot of whom `hash` stands for, until the next call. `write_name` is called with the room
  // for its name, and returns its size, when the slot is its own from now on. Precondition: counts().
  template <typename WriteName>
  TrafficSlot& find(std::uint64_t hash, base::Time now, WriteName write_name) noexcept {
    if (hash == 0) hash = 1;
    const std::size_t first = hash & (ways_.size() - 1) & ~(kWays - 1);
    std::size_t chosen = first;
    for (std::size_t i = first; i < first + kWays; ++i) {
      if (ways_[i].hash == hash) {
        ways_[i].needed = now;
        return slots_[1 + i];
      }
      const bool better = ways_[chosen].hash != 0 &&
                          (ways_[i].hash == 0 || ways_[i].needed < ways_[chosen].needed);
      if (better) chosen = i;
    }
    const bool is_taken = ways_[chosen].hash != 0;
    if (is_taken && now - ways_[chosen].needed < kColdAfter) return slots_[0];
    ways_[chosen] = {hash, now};
    TrafficSlot& slot = slots_[1 + chosen];
    begin_change(slot);
    if (is_taken) fold(slot);
    slot.name_size = static_cast<std::uint8_t>(
        std::min<std::size_t>(write_name(std::span<char, kTrafficNameMax>(slot.name)),
                              kTrafficNameMax));
    end_change(slot);
    return slot;
  }

 private:
  // A seqlock: readers pair with both fences (StatsSegment's reader).
  static void begin_change(TrafficSlot& slot) noexcept {
    std::atomic_ref(slot.sequence).store(slot.sequence + 1, std::memory_order_relaxed);
    std::atomic_thread_fence(std::memory_order_release);
  }
  static void end_change(TrafficSlot& slot) noexcept {
    std::atomic_ref(slot.sequence).store(slot.sequence + 1, std::memory_order_release);
  }
  void fold(TrafficSlot& slot) noexcept {
    TrafficSlot& other = slots_[0];
    const auto move = [](std::uint64_t& from, std::uint64_t& to) {
      TrafficSlot::add_to(to, from);
      std::atomic_ref(from).store(0, std::memory_order_relaxed);
    };
    for (std::size_t i = 0; i < kTrafficCountersMax; ++i) move(slot.counters[i], other.counters[i]);
    for (std::size_t i = 0; i < TrafficScale::kBuckets; ++i) move(slot.times[i], other.times[i]);
    move(slot.time_sum_us, other.time_sum_us);
  }

  std::span<TrafficSlot> slots_;  // [0]: other
  std::span<Way> ways_;
};

// Both tables of one worker.
struct TrafficTables {
  TrafficTable zones;
  TrafficTable origins;
};

}  // namespace brink::ipc
