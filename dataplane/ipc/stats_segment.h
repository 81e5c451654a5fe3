// The statistics segment: a file that brink-edge maps and writes and that anyone may map and read
// (brink-control, brinkctl, tests). It describes itself: counter names are in it, so that a reader
// of another version still shows what it finds.
//
//   OFFSET            SIZE                     MEANING
//   0                 sizeof(StatsHeader)      header, with counts and offsets of what follows
//   names_offset      counter_count * 64       counter names, zero-padded
//                     latency_count * 64       names of the latencies, likewise
//                     zone_counter_count * 64  names of what is counted of a zone
//                     origin_counter_count * 64  and of an origin
//   workers_offset    worker_count * stride    WorkerStats; at latency_offset of each its
//   latencies,
//                                              latency_stride apart
//   ports_offset      port_count * sizeof      PortStats
//   traffic_offset    per worker: zone_slots, then origin_slots of TrafficSlot (traffic.h),
//                     traffic_stride apart; the first of each: all that have no slot of their own
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "dataplane/base/result.h"
#include "dataplane/ipc/counters.h"
#include "dataplane/ipc/latency.h"
#include "dataplane/ipc/traffic.h"

namespace brink::ipc {

inline constexpr std::uint64_t kStatsMagic = 0x5354415453524b42;  // "BKRSTATS"
inline constexpr std::uint32_t kStatsVersion = 5;
inline constexpr std::size_t kCounterNameSize = 64;

// Roles of a worker, as bits.
inline constexpr std::uint32_t kRoleDns = 1;
inline constexpr std::uint32_t kRoleL7 = 2;

// housekeeping: wo; readers: ro. Words are written whole; `heartbeat_ns` last.
struct alignas(64) StatsHeader {
  std::uint64_t magic;
  std::uint32_t version;
  std::uint32_t counter_count;
  std::uint32_t worker_count;
  std::uint32_t port_count;
  std::uint32_t worker_stride_bytes;
  std::uint32_t process_id;
  std::uint64_t names_offset;
  std::uint64_t workers_offset;
  std::uint64_t ports_offset;
  std::uint32_t latency_count;
  std::uint32_t latency_buckets;
  std::uint32_t latency_offset_bytes;  // within a worker
  std::uint32_t latency_stride_bytes;
  std::uint64_t total_size_bytes;
  std::uint64_t started_unix_ns;
  std::uint64_t heartbeat_unix_ns;  // refreshed by housekeeping, at least every second
  std::uint64_t tsc_hz;             // unit of the cycle counts
  std::uint64_t snapshot_version;   // 0 = the empty image
  std::uint64_t snapshot_published_unix_ns;
  std::uint64_t snapshot_names;
  std::uint64_t snapshot_zones;
  std::uint64_t snapshot_swaps;         // whole images published since the start
  std::uint64_t snapshot_transactions;  // likewise
  std::uint64_t snapshot_refused;       // images and transactions that were not
  std::uint64_t snapshot_compactions;
  std::uint64_t snapshot_log_bytes;
  std::uint64_t snapshot_size_bytes;  // memory of one copy
  std::uint64_t snapshot_memory_limit_bytes;
  std::uint64_t snapshot_records;  // versions of names
  std::uint64_t snapshot_records_free;
  std::uint64_t snapshot_heap_bytes;
  std::uint64_t snapshot_heap_free_bytes;
  std::uint64_t snapshot_waiting;     // transactions whose leavings are not freed yet
  std::uint64_t snapshot_waiting_ns;  // how long the oldest of them waits,
  std::uint64_t snapshot_waiting_workers;  // and for whom: a bit each of the first 64
  // From the arrival of a transaction until every worker saw it: the last one, and the worst.
  std::uint64_t snapshot_visible_ns;
  std::uint64_t snapshot_visible_max_ns;
  char fallbacks[256];             // what the start fell back to, one a line; empty = nothing
  std::uint64_t traffic_offset;
  std::uint32_t traffic_stride_bytes;
  std::uint32_t traffic_buckets;
  std::uint32_t zone_slots;  // of a worker, `other` included; 0: zones are not counted
  std::uint32_t origin_slots;
  std::uint32_t zone_counter_count;
  std::uint32_t origin_counter_count;
};

// worker: wo; readers: ro.
struct alignas(64) WorkerStats {
  std::uint32_t worker;  // index, 0..
  std::uint32_t cpu;
  std::uint32_t numa_node;
  std::uint32_t roles;        // kRoleDns | kRoleL7
  std::uint64_t busy_cycles;  // TSC cycles of iterations that did work
  std::uint64_t idle_cycles;  // TSC cycles of empty iterations and sleeps
  std::uint64_t iterations;
  std::uint64_t sleeps;
  std::uint64_t heartbeat_tsc;    // TSC of the last iteration
  std::uint64_t tcp_connections;  // open now
  WorkerCounters counters;
  WorkerLatency latency;
};

// housekeeping: wo; readers: ro.
struct alignas(64) PortStats {
  char name[64];  // the device as configured
  char driver[32];
  std::uint8_t mac[6];
  std::uint8_t link_up;
  std::uint8_t reserved;
  std::uint32_t queues;
  std::uint32_t mtu;
  std::uint32_t link_speed_mbps;
  std::uint64_t rx_packets;
  std::uint64_t rx_bytes;
  std::uint64_t rx_missed;
  std::uint64_t rx_errors;
  std::uint64_t rx_no_mbuf;
  std::uint64_t tx_packets;
  std::uint64_t tx_bytes;
  std::uint64_t tx_errors;
};

// How many zones and origins a worker has slots for.
struct TrafficSlots {
  std::uint32_t zones = 0;  // 0: they are not counted
  std::uint32_t origins = 0;
};

// StatsSegment is the writer's side: creates the file (replacing an old one), owns the mapping and
// removes the file at destruction. Cold to create; the pointers handed out stay valid for its life.
class StatsSegment {
 public:
  static base::Result<std::unique_ptr<StatsSegment>> create(const std::string& path,
                                                            std::uint32_t workers,
                                                            std::uint32_t ports,
                                                            TrafficSlots traffic = {});
  ~StatsSegment();
  StatsSegment(const StatsSegment&) = delete;
  StatsSegment& operator=(const StatsSegment&) = delete;

  [[nodiscard]] StatsHeader& header() noexcept { return *header_; }
  [[nodiscard]] WorkerStats& worker(std::uint32_t index) noexcept { return workers_[index]; }
  [[nodiscard]] PortStats& port(std::uint32_t index) noexcept { return ports_[index]; }
  // For TrafficTable; empty where nothing is counted.
  [[nodiscard]] std::span<TrafficSlot> zone_slots(std::uint32_t worker) noexcept {
    return {traffic_of(worker), header_->zone_slots};
  }
  [[nodiscard]] std::span<TrafficSlot> origin_slots(std::uint32_t worker) noexcept {
    return {traffic_of(worker) + header_->zone_slots, header_->origin_slots};
  }

 private:
  StatsSegment() = default;
  std::string path_;
  StatsHeader* header_ = nullptr;
  WorkerStats* workers_ = nullptr;
  PortStats* ports_ = nullptr;
  TrafficSlot* traffic_ = nullptr;

  [[nodiscard]] TrafficSlot* traffic_of(std::uint32_t worker) noexcept {
    return traffic_ + std::size_t{worker} * (header_->zone_slots + header_->origin_slots);
  }
};

// A reader's copy of one histogram.
struct LatencySample {
  std::uint64_t max_ns = 0;
  std::vector<std::uint64_t> counts;  // by base::LogLinear's buckets
};

// A reader's copy of one slot. Counters in the order of their names.
struct TrafficSample {
  std::string name;  // empty: of all that have no slot of their own
  std::vector<std::uint64_t> counters;
  std::uint64_t time_sum_us = 0;
  std::vector<std::uint64_t> times;  // by TrafficScale's buckets
};

// A reader's copy of one worker, with counters and latencies in the order of their names.
struct WorkerSample {
  std::uint32_t worker, cpu, numa_node, roles;
  std::uint64_t busy_cycles, idle_cycles, iterations, sleeps, tcp_connections;
  std::vector<std::uint64_t> counters;
  std::vector<LatencySample> latencies;
  std::vector<TrafficSample> zones, origins;  // slots that are in use
};

struct StatsSample {
  StatsHeader header;
  std::vector<std::string> names;          // of counters
  std::vector<std::string> latency_names;  // of latencies
  std::vector<std::string> zone_names;     // of what is counted of a zone
  std::vector<std::string> origin_names;   // and of an origin
  std::vector<WorkerSample> workers;
  std::vector<PortStats> ports;
};

// read_stats copies the segment at `path`. Fails when it is absent, of another layout version, or
// inconsistent in itself. Any process that may read the file.
base::Result<StatsSample> read_stats(const std::string& path);

}  // namespace brink::ipc
