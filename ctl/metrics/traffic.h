// What the edge counted of zones and origins, over all of its workers. Any thread; pure.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "dataplane/ipc/stats_segment.h"

namespace brink::ctl::metrics {

// What has no slot of its own in a worker's table. No zone and no origin is called so.
inline constexpr std::string_view kOther = "other";

enum class TrafficKind : std::uint8_t { kZones, kOrigins };

struct TrafficRow {
  std::string name;                     // kOther: of the rest
  std::vector<std::uint64_t> counters;  // in the order of sample.zone_names or origin_names
  std::uint64_t time_sum_us = 0;
  std::vector<std::uint64_t> times;  // by ipc::TrafficScale's buckets
};

// The names of what is counted.
const std::vector<std::string>& counter_names(const ipc::StatsSample& sample, TrafficKind kind);

// A row a name, the most requests first, kOther behind them if anything was counted there.
std::vector<TrafficRow> add_up(const ipc::StatsSample& sample, TrafficKind kind);

// The counter of this name; 0: there is none.
std::uint64_t counter_of(const TrafficRow& row, const std::vector<std::string>& names,
                         std::string_view name);

}  // namespace brink::ctl::metrics
