// Latency: how long a worker had what it answered, as a histogram a kind (base/log_linear.h).
//
// WorkerLatency lies in shared memory beside the counters: its worker writes it, anybody reads it.
// TurnLatency is the worker's own list of what was answered in the turn that is not over yet: the
// time is read once a turn, when everything has been sent, and what came together is one entry.
// Hot.
#pragma once

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "dataplane/base/clock.h"
#include "dataplane/base/log_linear.h"

namespace brink::ipc {

enum class LatencyKind : std::uint8_t {
  kDnsUdp,  // from the burst that a query came with to its answer's being with the port
  kDnsTcp,  // from the segment that completed a query to its answer's segments
  kDnsDot,  // likewise, from the segment that brought the end of the query's record
  kHttp,    // from the segment that completed a request's head to the end of its response
};

// In the order of LatencyKind.
inline constexpr std::string_view kLatencyNames[] = {"dns_udp", "dns_tcp", "dns_dot", "http"};
inline constexpr std::size_t kLatencyKinds = std::size(kLatencyNames);

// worker: wo; any other thread or process: ro. Nanoseconds.
struct LatencyHistogram {
  std::uint64_t max_ns = 0;
  std::uint64_t counts[base::LogLinear::kBuckets] = {};

  void add(std::uint64_t ns, std::uint64_t count) noexcept {
    // Single writer, as WorkerCounters::add.
    const auto load = [](std::uint64_t& word) {
      return std::atomic_ref<std::uint64_t>(word).load(std::memory_order_relaxed);
    };
    const auto store = [](std::uint64_t& word, std::uint64_t value) {
      std::atomic_ref<std::uint64_t>(word).store(value, std::memory_order_relaxed);
    };
    std::uint64_t& bucket = counts[base::LogLinear::bucket_of(ns)];
    store(bucket, load(bucket) + count);
    if (ns > load(max_ns)) store(max_ns, ns);
  }
};

struct alignas(64) WorkerLatency {
  LatencyHistogram kinds[kLatencyKinds];
};

// One worker's thread.
class TurnLatency {
 public:
  explicit TurnLatency(WorkerLatency& shared) noexcept : shared_(shared) {}

  // `count` answers, with the port before the turn ends, to what was there `since`. What does not
  // fit into the list any more counts with the entry before it.
  void add(LatencyKind kind, base::Time since, std::uint32_t count = 1) noexcept {
    List& list = lists_[static_cast<std::size_t>(kind)];
    const bool alike = list.size > 0 && list.entries[list.size - 1].since == since;
    if (!alike && list.size < kEntries) list.entries[list.size++] = {since, 0};
    list.entries[list.size - 1].count += count;
    empty_ = false;
  }

  [[nodiscard]] bool empty() const noexcept { return empty_; }

  // Everything was sent by `now`.
  void close(base::Time now) noexcept {
    empty_ = true;
    for (std::size_t kind = 0; kind < kLatencyKinds; ++kind) {
      List& list = lists_[kind];
      for (std::size_t i = 0; i < list.size; ++i) {
        const auto ns = (now - list.entries[i].since).count();
        shared_.kinds[kind].add(static_cast<std::uint64_t>(ns > 0 ? ns : 0), list.entries[i].count);
      }
      list.size = 0;
    }
  }

 private:
  static constexpr std::size_t kEntries = 32;
  struct Entry {
    base::Time since{};
    std::uint32_t count = 0;
  };
  struct List {
    std::size_t size = 0;
    std::array<Entry, kEntries> entries;
  };

  WorkerLatency& shared_;
  bool empty_ = true;
  std::array<List, kLatencyKinds> lists_;
};

}  // namespace brink::ipc
